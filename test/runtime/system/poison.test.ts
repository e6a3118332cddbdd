// Code of an actor that never ends: it takes its process with it, but not the next ones for ever.

import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { startStepWatch } from "../../../runtime/index.ts";
import { form } from "../../forms.ts";

interface Run {
  readonly signal: NodeJS.Signals | null;
  readonly said: readonly object[];
  readonly stderr: string;
}

function run(folder: string, way: string): Run {
  const program = fileURLToPath(new URL(`./_poison-node${import.meta.url.slice(-3)}`, import.meta.url));
  const { signal, stdout, stderr } = spawnSync(process.execPath, [program, folder, way], { encoding: "utf8", timeout: 25_000 });
  return { signal, said: stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as object])), stderr };
}

for (const way of ["outside", "relayed"] as const) {
  test(`M4. a message (${way}) that loops in a guard ends its process twice; the third run parks it, and its actor and all others go on`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "drover-poison-"));
    const runs: Run[] = [];
    do runs.push(run(folder, way));
    while (runs.at(-1)?.signal !== null && runs.length < 5);
    t.same(
      runs.map(({ signal }) => signal),
      ["SIGKILL", "SIGKILL", null],
    );
    for (const { said } of runs) t.match(said, [{}, { good: "accepted" }], "another entity works in every run");
    t.match(runs[0]?.stderr, /hung for 400 ms.*acme\/loop\/bad.*loop\.spin/);
    const [, , last] = runs;
    t.match(last?.said[0], { hung: Array<string>(2).fill(way === "outside" ? "loop.spin from test in acme/loop/bad" : "loop.spin from acme/sender/s in acme/loop/bad") });
    if (way === "outside") t.match(last?.said[2], { told: { kind: "refused", reason: /hung in acme\/loop\/bad and ended the process/ } });
    t.match(last?.said.at(-1), { bad: 1, hung: 0 }, "what came behind it was taken");
    t.equal(await readFile(join(folder, "steps.crash"), "utf8"), "", "nothing is suspected any more");
    t.match(run(folder, way), { signal: null });
    await rm(folder, { recursive: true });
  });
}

interface Row {
  /** Where it loops. */
  readonly way: string;
  readonly named: RegExp;
  /** What the actor, or whoever called it, learns of it. */
  readonly last: object;
  /** How the store came to be what it is. */
  readonly before?: string;
  /** Lines that stay in the crash file. */
  readonly stays: number;
}

const ROWS: readonly Row[] = [
  {
    way: "effect",
    named: /"acme\/loop\/bad","what":"effect \\"print\\""/,
    last: { bad: 1, trouble: /^effect "print" of acme\/loop\/bad hung 2 times and ended the process$/ },
    stays: 0,
  },
  // It would be begun again.
  { way: "source", named: /"acme\/loop\/bad\/~\/waves","what":"start of a source"/, last: { bad: 1, trouble: /^start of a source .* hung 2 times/ }, stays: 2 },
  // Its message, of another entity, is set aside: without that each next process would be sent it again.
  { way: "action", named: /"acme\/loop\/bad","what":"action /, last: { bad: 1, trouble: "" }, stays: 0 },
  { way: "schema", named: /"acme\/loop\/bad","what":"loop.match from test","key":"outside poison"/, last: { bad: 1 }, stays: 0 },
  // Away, as after an upgrade that throws.
  {
    way: "upgrade",
    before: "old",
    named: /"acme\/loop\/bad","what":"upgrade"/,
    last: { trouble: /^upgrade of acme\/loop\/bad hung 2 times/, told: { kind: "owner-away" } },
    stays: 2,
  },
];

// The others are held in virtual time too (watched.test.ts), where nothing hangs.
const SHORT: readonly string[] = ["effect", "schema", "upgrade"];

for (const { way, before, named, last, stays } of form(
  ROWS.filter((row) => SHORT.includes(row.way)),
  ROWS,
)) {
  test(`M4. S4. an actor that loops in its ${way} is named and ends its process twice; the third run sets that aside, and all others go on`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "drover-poison-"));
    if (before !== undefined) t.match(run(folder, before), { signal: null });
    const runs: Run[] = [];
    do runs.push(run(folder, way));
    while (runs.at(-1)?.signal !== null && runs.length < 4);
    t.same(
      runs.map(({ signal }) => signal),
      ["SIGKILL", "SIGKILL", null],
    );
    for (const { said } of runs) t.match(said, [{}, { good: "accepted" }], "another entity works in every run");
    for (const { stderr } of runs.slice(0, 2)) t.match(stderr, named);
    if (way === "schema") t.match(runs[2]?.said[2], { told: { kind: "refused", reason: /loop.match from test hung in acme\/loop\/bad and ended the process/ } });
    t.match(runs[2]?.said.at(-1), { ...last, hung: stays });
    await rm(folder, { recursive: true });
  });
}

test("M4. what is under way within a step is named instead of it, and then the step again; what ended is never named", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "drover-nested-"));
  const room = new URL(`../../../runtime/index${import.meta.url.slice(-3)}`, import.meta.url).href;
  const program = `import(${JSON.stringify(room)}).then(({ startStepWatch }) => {
    const watch = startStepWatch({ file: ${JSON.stringify(join(folder, "steps.crash"))}, hangMs: 200 });
    const busy = (ms) => { for (const until = Date.now() + ms; Date.now() < until; ); };
    watch.within("e", "inner", "alone", "1", () => undefined);
    busy(500);
    watch.stepping("e", "outer", "step", "2");
    try { watch.within("e", "inner", "within", "3", () => { throw new Error(); }); } catch { busy(5_000); }
  })`;
  const { signal, stderr } = spawnSync(process.execPath, ["-e", program], { encoding: "utf8", timeout: 20_000 });
  t.equal(signal, "SIGKILL");
  t.match(stderr, /"cell":"outer","what":"step","key":"2"/);
  await rm(folder, { recursive: true });
});

test("M4. a crash file with a torn last line is read; one that is no file is told", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "drover-crash-file-"));
  const file = join(folder, "steps.crash");
  await writeFile(file, '{"at":1,"entity":"a/b/c","cell":"a/b/c","what":"go","key":"outside 1"}\n{"at":2,"ent');
  const watch = startStepWatch({ file });
  t.same(watch.hung, [{ at: 1, entity: "a/b/c", cell: "a/b/c", what: "go", key: "outside 1" }]);
  watch.settled("a/b/c", "outside 1");
  t.same(watch.hung, []);
  t.equal(await readFile(file, "utf8"), "");
  await watch.stop();
  const lines = Array.from({ length: 150 }, (_, at) => `${JSON.stringify({ at, entity: "a/b/c", cell: "a/b/c", what: "go", key: "" })}\n`);
  await writeFile(file, lines.join(""));
  const full = startStepWatch({ file });
  t.match([full.hung.length, full.hung[0]], [100, { at: 50 }]);
  t.equal(await readFile(file, "utf8"), lines.slice(50).join(""), "the file does not grow for ever");
  await full.stop();
  t.throws(() => startStepWatch({ file: folder }), { code: "DROVER_CONFIG_INVALID" });
  await rm(folder, { recursive: true });
});
