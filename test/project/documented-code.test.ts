// Code in the documents is code that tests run.
//
// D1. A fenced block of TypeScript or YAML starts with a comment that names its file and region: `// test/docs/embed.test.ts#embed`, `# cli/demo/vehicles/a.yaml#signals`.
// D2. The block equals the lines between `#region embed` and `#endregion` of that file, or the whole file when it names no region; indentation of the region's first line is taken off.
//     Where the file imports a room, a block may name the package's door to it instead, so that it can be copied: `drover/runtime`.
// D3. TypeScript comes from test/ (tap runs it, or a test imports it); YAML from a vehicle file that the demo or a test starts.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { root, textOf } from "./checkout.ts";

interface Block {
  readonly line: number;
  readonly language: string;
  readonly lines: readonly string[];
}

const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "actors/README.md",
  "protocols/README.md",
  "runtime/README.md",
  "runtime/simulation/README.md",
  "edge-node/README.md",
  "cloud-node/README.md",
];
const REFERENCE = /^(?:\/\/|#) ((?:test|cli)\/[\w./-]+\.(?:ts|yaml))(?:#([\w-]+))?$/;

for (const document of DOCUMENTS) {
  const path = join(root, document);
  if (!existsSync(path)) continue;
  test(`D1, D2. the code in ${document} is the code that tests run`, (t) => {
    for (const { line, language, lines } of blocksOf(readFileSync(path, "utf8"))) {
      if (!["ts", "typescript", "yaml"].includes(language)) continue;
      const [, file, region] = REFERENCE.exec(lines[0] ?? "") ?? [];
      t.ok(file, `${document}:${String(line)} names the file that its code comes from`);
      if (file === undefined) continue;
      t.ok(existsSync(join(root, file)), `${document}:${String(line)}: ${file} exists`);
      if (!existsSync(join(root, file))) continue;
      const shown = lines.slice(1).join("\n").trimEnd();
      const source = regionOf(readFileSync(join(root, file), "utf8"), region);
      const isAsInstalled = shown.includes('from "drover/');
      t.equal(shown, isAsInstalled ? asInstalled(source ?? "") : source, `${document}:${String(line)} equals ${file}${region === undefined ? "" : `#${region}`}`);
    }
    t.end();
  });
}

test("D2. a room that the package has a door to is named by that door, any other is left as it is", (t) => {
  t.equal(asInstalled('from "../../runtime/index.ts"'), 'from "drover/runtime"');
  t.equal(asInstalled('from "../../../runtime/simulation/index.ts"'), 'from "drover/simulation"');
  t.equal(asInstalled('from "../../protocols/sqlite/index.ts"'), 'from "drover/protocols/sqlite"');
  t.equal(asInstalled('from "../../cli/index.ts"'), 'from "../../cli/index.ts"');
  t.equal(asInstalled('from "./kitchen.ts"'), 'from "./kitchen.ts"');
  t.end();
});

test("D2. a region is the lines between its marks, without their indentation", (t) => {
  const text = ["one", "  // #region two", "  a {", "", "    b", "  }", "  // #endregion", "three", ""].join("\n");
  t.equal(regionOf(text, "two"), "a {\n\n  b\n}");
  t.equal(regionOf(text, undefined), text.trimEnd());
  t.equal(regionOf(text, "tw"), undefined, "a name is a whole word");
  t.equal(regionOf("# #region x\nbuses: {}\n# #endregion x\n", "x"), "buses: {}");
  t.same(
    blocksOf("text\n```ts\na\n```\n~~~\n```\n").map(({ line, language, lines }) => ({ line, language, lines })),
    [{ line: 2, language: "ts", lines: ["a"] }],
  );
  t.end();
});

function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { readonly line: number; readonly language: string; readonly lines: string[] } | undefined;
  for (const [at, line] of text.split("\n").entries()) {
    if (open !== undefined && line.trim() === "```") {
      blocks.push(open);
      open = undefined;
    } else if (open !== undefined) open.lines.push(line);
    else if (line.startsWith("```")) open = { line: at + 1, language: line.slice(3).trim(), lines: [] };
  }
  return blocks;
}

function regionOf(text: string, region: string | undefined): string | undefined {
  if (region === undefined) return text.trimEnd();
  const lines = text.split("\n");
  const from = lines.findIndex((line) => new RegExp(`#region ${region}\\s*$`).test(line));
  const to = lines.findIndex((line, at) => at > from && line.includes("#endregion"));
  if (from < 0 || to < 0) return undefined;
  const body = lines.slice(from + 1, to);
  const indent = /^ */.exec(body[0] ?? "")?.[0].length ?? 0;
  return body
    .map((line) => (line.slice(0, indent).trim() === "" ? line.slice(indent) : line))
    .join("\n")
    .trimEnd();
}

/** Imports of rooms as a user of the package writes them. */
function asInstalled(text: string): string {
  return text.replaceAll(/from "(?:\.\.\/)+([\w/-]+)\/index\.ts"/g, (whole, room: string) => {
    const door = doors().find(({ built }) => built.test(room));
    return door === undefined ? whole : `from "${door.name.replace("*", room.split("/").at(-1) ?? "")}"`;
  });
}

function doors(): readonly { readonly name: string; readonly built: RegExp }[] {
  const { exports } = JSON.parse(textOf("package.json")) as { readonly exports: Readonly<Record<string, string | { readonly default: string }>> };
  return Object.entries(exports).flatMap(([name, target]) =>
    typeof target === "string"
      ? []
      : [{ name: `drover${name.slice(1)}`, built: new RegExp(`^${target.default.slice("./dist/".length, -"/index.js".length).replace("*", "[^/]+")}$`) }],
  );
}
