// Each arrow of the design refuses the import that it is there for: a rule that never fires holds nothing.

import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "tap";
import { root } from "./checkout.ts";

interface Cruised {
  readonly summary: { readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[] };
}

interface Rules {
  readonly forbidden: readonly { readonly name: string; readonly comment?: string; readonly severity: string }[];
}

/** For each rule: who imports what, in a small tree of its own. */
const FORBIDDEN: Readonly<Record<string, readonly [from: string, statement: string]>> = {
  "runtime-imports-nothing-of-ours": ["runtime/system/bad.ts", 'import "../../protocols/can/index.ts";'],
  "actors-import-runtime-and-can-only": ["actors/vehicle/bad.ts", 'import type { a } from "../../protocols/mqtt/index.ts";'],
  "protocols-import-runtime-only": ["protocols/mqtt/bad-a.ts", 'import "../../actors/index.ts";'],
  "protocols-know-no-sibling": ["protocols/mqtt/bad-b.ts", 'import "../sqlite/index.ts";'],
  "edge-node-imports-downwards": ["edge-node/bad.ts", 'import "../cloud-node/index.ts";'],
  "cloud-node-imports-downwards": ["cloud-node/bad.ts", 'import "../cli/index.ts";'],
  "the-rig-knows-no-decoder": ["cli/rig/bad.ts", 'import "../../protocols/can/index.ts";'],
  "nobody-imports-tests": ["cli/bad-a.ts", 'import "../test/thing.ts";'],
  "simulation-is-for-tests-and-the-command-line": ["edge-node/bad-b.ts", 'import "../runtime/simulation/index.ts";'],
  "rooms-have-one-door": ["cli/bad-b.ts", 'import "../edge-node/inside.ts";'],
  "protocols-have-one-door": ["protocols/mqtt/bad-c.ts", 'import "../../runtime/inside.ts";'],
  "folders-have-one-door": ["runtime/system/bad-b.ts", 'import "../xstate/inside.ts";'],
  "folders-of-can-have-one-door": ["protocols/can/dbc/bad.ts", 'import "../model/inside.ts";'],
  "xstate-stays-in-its-room": ["edge-node/bad-c.ts", 'import type { setup } from "xstate";'],
  "hosts-know-xstate-as-types": ["runtime/actor/bad.ts", 'import { setup } from "xstate";\nexport const a = setup;'],
  "runtime-uses-few-libraries": ["runtime/system/bad-c.ts", 'import "mqtt";'],
  "actors-do-no-io": ["actors/vehicle/bad-b.ts", 'import "node:fs";'],
  "can-is-pure": ["protocols/can/bad.ts", 'import "yaml";'],
  "nothing-shipped-needs-a-dev-dependency": ["cli/bad-c.ts", 'import { bench } from "tinybench";\nexport const b = bench;'],
  "every-package-is-listed": ["cli/bad-d.ts", 'import "typebox";'],
  "every-import-resolves": ["cli/bad-e.ts", 'import "./nowhere.ts";'],
  "no-cycles": ["runtime/ports/bad.ts", 'import type { b } from "./worse.ts";\nexport type a = b;'],
};

const TREE: Readonly<Record<string, string>> = {
  "package.json": '{ "name": "arrows", "type": "module", "dependencies": { "xstate": "*", "mqtt": "*", "yaml": "*" }, "devDependencies": { "tinybench": "*" } }',
  "tsconfig.json": '{ "compilerOptions": { "module": "nodenext", "allowImportingTsExtensions": true, "noEmit": true } }',
  "runtime/index.ts": "export const a = 1;",
  "runtime/inside.ts": "export const a = 1;",
  "runtime/ports/index.ts": "export type a = 1;",
  "runtime/ports/worse.ts": 'import type { a } from "./bad.ts";\nexport type b = a;',
  "runtime/simulation/index.ts": "export const a = 1;",
  "runtime/actor/index.ts": 'import type { setup } from "xstate";\nexport type a = typeof setup;',
  "runtime/xstate/index.ts": 'import "xstate";',
  "runtime/xstate/inside.ts": "export const a = 1;",
  "actors/index.ts": 'import "../runtime/index.ts";\nimport "../protocols/can/index.ts";\nimport "xstate";',
  "protocols/can/index.ts": 'import "../../runtime/ports/index.ts";',
  "protocols/can/model/inside.ts": "export const a = 1;",
  "protocols/mqtt/index.ts": 'import "node:net";\nimport "mqtt";\nimport "../can/index.ts";\nimport "../../runtime/index.ts";',
  "protocols/sqlite/index.ts": "export const a = 1;",
  "edge-node/index.ts": 'import "../actors/index.ts";\nimport "../protocols/mqtt/index.ts";',
  "edge-node/inside.ts": "export const a = 1;",
  "cloud-node/index.ts": "export const a = 1;",
  "cli/index.ts": 'import "../edge-node/index.ts";\nimport "../cloud-node/index.ts";\nimport "../runtime/simulation/index.ts";',
  "test/thing.ts": 'import "../runtime/inside.ts";',
  "bench/thing.ts": "export const a = 1;",
};

test("each rule about imports refuses what it is there for, and nothing else", async (t) => {
  const { default: rules } = (await import(join(root, ".dependency-cruiser.mjs"))) as { readonly default: Rules };
  t.same(rules.forbidden.map(({ name }) => name).sort(), Object.keys(FORBIDDEN).sort(), "every rule has its example here");
  for (const { name, comment, severity } of rules.forbidden) t.ok(severity === "error" && (comment ?? "").length > 20, `${name} is an error and tells what to do instead`);

  const folder = t.testdir({});
  const files = { ...TREE, ...Object.fromEntries(Object.values(FORBIDDEN)) };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));

  const cruiser = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const rooms = ["runtime", "actors", "protocols", "edge-node", "cloud-node", "cli", "test", "bench"];
  const { stdout, stderr } = spawnSync(process.execPath, [cruiser, "--config", join(root, ".dependency-cruiser.mjs"), "--output-type", "json", ...rooms], {
    cwd: folder,
    encoding: "utf8",
  });
  t.equal(stderr, "");
  const { violations } = (JSON.parse(stdout) as Cruised).summary;
  for (const [name, [from]] of Object.entries(FORBIDDEN))
    t.ok(
      violations.some((found) => found.rule.name === name && found.from === from),
      `${name} refuses the import in ${from}`,
    );
  const bad = new Set([...Object.values(FORBIDDEN).map(([from]) => from), "runtime/ports/worse.ts"]);
  t.same(
    violations.filter(({ from }) => !bad.has(from)).map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`),
    [],
    "what the design allows passes",
  );
});
