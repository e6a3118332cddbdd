// Puts packages that consist of hundreds of small modules into one file each, beside the build, and lets the built files import that: finding, reading and linking them one by one
// was half of what the start of a node cost (loading an edge node: 1.05 s of processor time before, 0.5 to 0.6 s now, on one busy machine). The sources import the packages by their names, as their types do.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

/** What our sources import of each. One of the older kind names its exports here, since they cannot be read off it. */
const ENTRIES = {
  typebox: `export * from "typebox";`,
  "typebox/compile": `export * from "typebox/compile";`,
  "typebox/value": `export * from "typebox/value";`,
  mqtt: `export { default } from "mqtt";`,
  aedes: `export { Aedes } from "aedes";`,
  yaml: `export { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar } from "yaml";`,
  fastify: `export { default } from "fastify";`,
  "@fastify/cookie": `export { default } from "@fastify/cookie";`,
  "@fastify/fast-json-stringify-compiler": `export { SerializerSelector } from "@fastify/fast-json-stringify-compiler";`,
  "@fastify/swagger": `export { default } from "@fastify/swagger";`,
  "@fastify/under-pressure": `export { default } from "@fastify/under-pressure";`,
  "prom-client": `export { Counter, Gauge, Histogram, Registry } from "prom-client";`,
};
const FOLDER = "bundled";
const fileOf = (name) => `${name.replace("@", "").replace("/", "-")}.js`;

const madeOf = (root) =>
  JSON.stringify([
    ENTRIES,
    ...["esbuild", ...Object.keys(ENTRIES).filter((name) => /^(@[^/]+\/)?[^/]+$/.test(name))].map(
      (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version,
    ),
  ]);
const stampOf = (out) => join(out, FOLDER, "made-of.json");

/** Whether what lies in `out` was bundled of the same; if not, the files that import it must be built anew. */
export function isCurrent(root, out) {
  return existsSync(stampOf(out)) && readFileSync(stampOf(out), "utf8") === madeOf(root);
}

/** @param rooms folders below `out` whose files import the bundled ones */
export async function bundle(root, out, rooms) {
  const folder = join(out, FOLDER);
  if (!isCurrent(root, out)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const { build } = await import("esbuild");
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: Object.keys(ENTRIES).map((name) => ({ in: `entry:${name}`, out: fileOf(name).slice(0, -".js".length) })),
      plugins: [{ name: "entries", setup }],
      bundle: true,
      splitting: true,
      platform: "node",
      target: "node20",
      format: "esm",
      chunkNames: "shared-[hash]",
      // Modules of the older kind load parts of Node by `require`.
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
      legalComments: "none",
      logLevel: "warning",
      outdir: folder,
      metafile: true,
    });
    writeFileSync(join(folder, "LICENSES.txt"), licencesOf(root, Object.keys(metafile.inputs)));
    writeFileSync(stampOf(out), madeOf(root));
  }
  for (const room of rooms) if (existsSync(join(out, room))) redirect(join(out, room), folder);

  function setup({ onResolve, onLoad }) {
    onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice("entry:".length), namespace: "entries" }));
    onLoad({ filter: /.*/, namespace: "entries" }, ({ path }) => ({ contents: ENTRIES[path], resolveDir: root }));
  }
}

/** Built files import the bundled one where they name the package. */
function redirect(folder, bundled) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) redirect(path, bundled);
    else if (entry.name.endsWith(".js")) {
      const text = readFileSync(path, "utf8");
      const redirected = text.replace(/^(import .* from )"([^"]+)";$/gm, (line, head, name) =>
        Object.hasOwn(ENTRIES, name) ? `${head}"${relative(folder, join(bundled, fileOf(name))).replaceAll("\\", "/")}";` : line,
      );
      if (redirected !== text) writeFileSync(path, redirected);
    }
  }
}

/** The licence of every package whose code is in it, as each asks for. */
function licencesOf(root, inputs) {
  const packages = [...new Set(inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []))].sort();
  return packages
    .map((at) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, at, "package.json"), "utf8"));
      const file = readdirSync(join(root, at)).find((each) => /^licen[sc]e/i.test(each));
      return `${name} ${version} (${license})\n\n${file === undefined ? "Its package holds no text of its licence.\n" : readFileSync(join(root, at, file), "utf8")}`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}
