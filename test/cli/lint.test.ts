// `drover lint`: trees of modules and of the nodes, read and not run.

import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "tap";
import { loadModule } from "../../cli/user-module/index.ts";
import { systemClock, systemRandom } from "../../runtime/host/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { createTree, type SupervisorSpec } from "../../runtime/supervision/index.ts";
import { built, root } from "../project/checkout.ts";
import { drover, scratch } from "./captured.ts";
import { tree as everyChild } from "./every-child.ts";

const runtime = pathToFileURL(join(built, "runtime/index.js")).href;

const parts = { clock: systemClock, random: systemRandom, log: silentLog };

function moduleWith(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, `import { hosted, supervisor } from ${JSON.stringify(runtime)};\nconst life = { start: () => { throw new Error("started"); } };\n${text}`);
  return file;
}

test("G1, G2. a module's trees are told with their budgets; notes alone are no failure", async (t) => {
  const folder = scratch(t);
  const file = moduleWith(
    folder,
    "good.mjs",
    `export const tree = supervisor("edge", { strategy: "one-for-one", intensity: 2 }, [
       supervisor("buses", { strategy: "one-for-one", intensity: 1 }, [hosted("can0", life, { shutdownMs: 500 }), hosted("can1", life)]),
     ]);
     export default tree;
     export const other = 7;`,
  );
  const { code, out, err } = await drover(["lint", file]);
  t.equal(code, 0, err);
  t.match(out, /^tree: edge\nCHILD +STARTS +FROM THE ROOT DOWN\nedge\/buses\/can0 +6 +3 x 2\n/, "once, under its name");
  t.match(out, /^note {2}edge\/buses\/can1 {2}shutdown-missing$/m);
  t.equal(err, `${file}: 0 warnings, 1 note\n`);
  t.match(JSON.parse((await drover(["lint", file, "--json"])).out), {
    warnings: 0,
    notes: 1,
    trees: [{ name: "tree", root: "edge", budgets: [{ path: "edge/buses/can0", starts: 6, factors: [3, 2] }, {}], findings: [{ rule: "shutdown-missing", severity: "note" }] }],
  });
});

test("G2, G3, G4. warnings end with exit code 3", async (t) => {
  const file = moduleWith(
    scratch(t),
    "bad.mjs",
    `export const tree = supervisor("root", { strategy: "one-for-one" }, [
       supervisor("job", { strategy: "one-for-one", restart: "temporary" }, [hosted("step", life, { shutdownMs: 90_000, startMs: 60_000 })]),
     ]);`,
  );
  const { code, out, err } = await drover(["lint", file]);
  t.equal(code, 3);
  for (const rule of ["permanent-under-temporary", "shutdown-too-long", "budget-unreachable"]) t.match(out, new RegExp(`^warning {2}root/job/step {2}${rule}$`, "m"));
  t.match(err, /3 warnings, 0 notes/);
  t.equal((await drover(["lint", file, "--stop-within", "4s", "--json"])).code, 3);
});

test("the trees of the nodes and of the demo are read without starting them", async (t) => {
  const folder = scratch(t);
  const config = join(folder, "edge.yaml");
  writeFileSync(
    config,
    `vehicle: ${join(root, "cli/demo/vehicles/rav4-01.yaml")}\ndata: ${join(folder, "data")}\nbuses: { can0: "log:${join(root, "cli/demo/data/comma2k19_rav4_60s.log.gz")}?rate=1" }\n`,
  );
  for (const [argv, first] of [
    [["lint", "demo"], /^demo\n/],
    [["lint", "edge", "--config", config], /^edge\n/],
    [["lint", "cloud"], /^cloud\n/],
  ] as const) {
    const { code, out, err } = await drover([...argv], { env: { DROVER_DATA: folder } });
    t.match(out, first, `${argv.join(" ")}: ${err}`);
    t.ok(code === 0 || code === 3, argv.join(" "));
    t.strictSame(readdirSync(folder), ["edge.yaml"], `${argv.join(" ")}: nothing is made`);
  }
});

test("what is no tree is told, not crashed on", async (t) => {
  const folder = scratch(t);
  const cases: readonly (readonly [text: string | undefined, code: number, said: RegExp])[] = [
    [undefined, 4, /no such file.*edge, cloud and demo/],
    ["export const x = 1;", 3, /exports no supervision tree/],
    ["throw new Error('at import');", 3, /cannot be loaded[\s\S]*at import/],
    ["export default {", 3, /cannot be loaded/],
    ["export const a = { kind: 'supervisor' };", 3, /flags and a list of children/],
    ["export const a = { kind: 'supervisor', id: 'a', flags: { strategy: 'one-for-one' }, children: [null] };", 3, /a child is what/],
    ["export const a = { kind: 'supervisor', id: 'a', flags: { strategy: 'one-for-one' }, children: [{ kind: 'x', id: 'b' }] };", 3, /a worker, hosted or a supervisor/],
    ["export const a = { kind: 'supervisor', id: 'a', flags: { strategy: 'some' }, children: [] };", 3, /flags\.strategy: the text "some"/],
    ["export const a = { kind: 'supervisor', id: 'a', flags: { strategy: 'one-for-one' }, children: [] }; a.children.push(a);", 3, /nested deeper than 64/],
    ["export const a = { kind: 'supervisor', id: 5, flags: { strategy: 'one-for-one' }, children: [] };", 3, /an id is/],
  ];
  for (const [at, [text, code, said]] of cases.entries()) {
    const file = join(folder, `case-${String(at)}.mjs`);
    if (text !== undefined) writeFileSync(file, text);
    const answer = await drover(["lint", file]);
    t.equal(answer.code, code, text ?? "no file");
    t.match(answer.err, said, text ?? "no file");
    t.equal(answer.out, "");
  }
  t.equal((await drover(["lint", folder])).code, 3, "a folder");
});

test("a tree with every kind of child and every option is read, as createTree takes it", async (t) => {
  const { code, out, err } = await drover(["lint", join(built, "test/cli/every-child.js"), "--json"]);
  t.equal(code, 0, err);
  const { trees, notes } = JSON.parse(out) as {
    readonly trees: readonly [{ readonly budgets: readonly { readonly path: string; readonly starts: unknown }[] }];
    readonly notes: number;
  };
  t.strictSame(Object.fromEntries(trees[0].budgets.map(({ path, starts }) => [path.slice("root/".length), starts])), {
    worker: 3,
    thread: 3,
    inline: 3,
    plain: 3,
    server: 3,
    "plain-server": 3,
    program: 3,
    service: 3,
    "by-number/worker": 3,
    "by-number/deeper/worker": 12,
    "by-backoff/server": "by-time",
  });
  t.equal(notes, 2, `shutdownMs of "plain" and of the worker further down: ${out}`);
  t.doesNotThrow(() => createTree(everyChild, parts));
});

test("of a tree that createTree does not take it says what createTree says", async (t) => {
  const folder = scratch(t);
  const life = "{ start() {} }";
  const worker = "{ module: 'file:///w.js', run() {} }";
  const below = (child: string): string => `{ kind: 'supervisor', id: 'a', flags: { strategy: 'one-for-one' }, children: [${child}] }`;
  const nested = (levels: number): string => (levels === 0 ? "" : below(nested(levels - 1)));
  const trees = [
    "{ kind: 'supervisor' }",
    "{ kind: 'supervisor', id: 'a', flags: { strategy: 'one-for-one', intensity: -1 }, children: [] }",
    "{ kind: 'supervisor', id: 'a', flags: { strategy: 'one-for-one', intensity: 1, backoff: {} }, children: [] }",
    "{ kind: 'supervisor', id: 'a b', flags: { strategy: 'one-for-one' }, children: [] }",
    nested(65),
    below("7"),
    below("{ kind: 'worker' }"),
    below("{ kind: 'port', id: 'b' }"),
    below("{ kind: 'worker', id: 'b' }"),
    below("{ kind: 'worker', id: 'b', type: {} }"),
    below(`{ kind: 'worker', id: 'b', type: ${worker}, options: { isolation: 'fork' } }`),
    below(`{ kind: 'worker', id: 'b', type: ${worker}, options: { maxHeap: 5 } }`),
    below(`{ kind: 'worker', id: 'b', type: ${worker}, options: { maxHeapMb: 0 } }`),
    below(`{ kind: 'worker', id: 'b', type: ${worker}, options: { niceness: 40 } }`),
    below(`{ kind: 'worker', id: 'b', type: ${worker}, options: { env: { MODE: 5 } } }`),
    below(`{ kind: 'worker', id: 'b', type: ${worker}, options: null }`),
    below(`{ kind: 'worker', id: 'b', type: ${worker}, options: { restart: 'transient', significant: true } }`),
    below("{ kind: 'hosted', id: 'b' }"),
    below(`{ kind: 'hosted', id: 'b', startable: ${life}, options: { isolation: 'thread' } }`),
    below(`{ kind: 'hosted', id: 'b', startable: ${life}, options: { shutdownMs: -1 } }`),
    below(`{ kind: 'hosted', id: 'b', startable: ${life} }, { kind: 'hosted', id: 'b', startable: ${life} }`),
  ];
  const same = [nested(64), below(`{ kind: 'worker', id: 'b', type: ${worker} }`), below(`{ kind: 'hosted', id: 'b', startable: ${life} }`)];
  for (const [at, text] of [...trees, ...same].entries()) {
    const file = join(folder, `tree-${String(at)}.mjs`);
    writeFileSync(file, `export const tree = ${text};`);
    const { tree } = (await loadModule(file)) as { readonly tree: SupervisorSpec };
    const { code, err } = await drover(["lint", file]);
    const thrown = await Promise.resolve()
      .then(() => createTree(tree, parts))
      .catch((error: unknown) => error as Error);
    if (at >= trees.length) {
      t.notOk(thrown instanceof Error, text);
      t.equal(code, 0, `${text}: ${err}`);
      continue;
    }
    if (!(thrown instanceof Error)) {
      t.fail(`createTree takes ${text}`);
      continue;
    }
    t.match(thrown, { code: "DROVER_TREE_INVALID" }, text);
    t.equal(code, 3, text);
    for (const line of thrown.message.split("\n")) t.ok(err.includes(line), `${text}: ${line}\n${err}`);
  }
});

test("a module that ends the process, or never ends loading, is no success and holds up nobody", async (t) => {
  const folder = scratch(t);
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const ending = spawnSync(process.execPath, [join(built, "cli/main.js"), "lint", file("ends.mjs", "process.exit(0);")], { encoding: "utf8" });
  t.equal(ending.status, 3);
  t.match(ending.stderr, /ends\.mjs ended this process while it was loaded/);
  const before = process.listenerCount("exit");
  for (const text of ["await new Promise(() => {});", "globalThis.held = setInterval(() => {}, 1_000); await new Promise(() => {});"]) {
    const thrown = await loadModule(file(`waits-${String(text.length)}.mjs`, text), undefined, 50).catch((error: unknown) => error);
    t.match(thrown, { failure: { exit: 3, detail: /not loaded within 50 ms/ } }, text);
  }
  clearInterval((globalThis as { held?: NodeJS.Timeout }).held);
  t.equal(process.listenerCount("exit"), before, "it watches no longer than it loads");
});
