// Code of an actor that never ends: it takes its process with it, but not the next ones for ever.

import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { startStepWatch } from "../../../runtime/index.ts";
import { form } from "../../forms.ts";

interface Run {
  readonly signal: NodeJS.Signals | null;
  readonly status: number | null;
  readonly said: readonly object[];
  readonly stderr: string;
}

type How = "spin" | "abort" | "exit" | "heap" | "nothing";

function run(folder: string, way: string, how: How = "spin"): Run {
  const program = fileURLToPath(new URL(`./_poison-node${import.meta.url.slice(-3)}`, import.meta.url));
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, ["--max-old-space-size=96", program, folder, way, how], { encoding: "utf8", timeout: 25_000 });
  return { signal, status, said: stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as object])), stderr };
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

test("M4. an entity that ends a process on one message and another process on another one is not activated by the third, which works; a mended version is", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "drover-poison-"));
  t.equal(run(folder, "fresh", "spin").signal, "SIGKILL");
  t.equal(run(folder, "fresh", "abort").signal, "SIGABRT");
  const lines = await readFile(join(folder, "steps.crash"), "utf8");
  for (let times = 0; times < 2; times++) {
    const { status, said } = run(folder, "fresh", "spin");
    t.equal(status, 0, "it has ended by itself");
    t.match(said, [
      {},
      { good: "accepted" },
      { told: { kind: "owner-away", reason: /loop.spin from test in acme\/loop\/bad \(hung\) and at loop.spin .* \(ended the process at once\)/ } },
    ]);
    t.match(said.at(-1), { trouble: /raise the version of its type/, hung: 2 });
  }
  t.match(await readFile(join(folder, "steps.crash"), "utf8"), lines.split("\n")[0] ?? "none");
  const { status, said } = run(folder, "mended", "nothing");
  t.equal(status, 0);
  t.match(said.at(-1), { bad: 1 }, "its state is as it was, and it takes messages");
  await rm(folder, { recursive: true });
});

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

interface End {
  readonly way: string;
  readonly how: Exclude<How, "spin" | "nothing">;
  /** What the next process says was under way. */
  readonly named: RegExp;
  /** What the third run parks, or says that it does not run. */
  readonly last: object;
  /** How the store came to be what it is. */
  readonly before?: readonly [way: string, how: How];
}

const AT_ONCE = /ended the process at once/;
const SPUN = { parked: [/^loop.spin from \S+ ended the process at once in acme\/loop\/bad$/] };

const ENDS: readonly End[] = [
  { way: "outside", how: "abort", named: /^loop.spin from test in acme\/loop\/bad$/, last: SPUN },
  { way: "relayed", how: "exit", named: /^loop.spin from acme\/sender\/s in acme\/loop\/bad$/, last: SPUN },
  { way: "outside", how: "heap", named: /^loop.spin from test in acme\/loop\/bad$/, last: SPUN },
  { way: "timer", how: "abort", named: /^\(timer\) in acme\/loop\/bad$/, last: { parked: [/^\(timer\) ended the process at once/] } },
  { way: "child", how: "abort", named: /^\(children\) in acme\/loop\/bad$/, last: { trouble: AT_ONCE } },
  { way: "effect", how: "abort", named: /^effect "print" in acme\/loop\/bad$/, last: { trouble: AT_ONCE } },
  { way: "source", how: "exit", named: /^start of a source in acme\/loop\/bad/, last: { trouble: AT_ONCE } },
  // A replay: its committed outcome stands.
  { way: "relayed", how: "abort", before: ["relayed", "nothing"], named: /^replay of revision 2: loop.spin from acme\/sender\/s in/, last: { bad: 1 } },
  { way: "upgrade", how: "abort", before: ["old", "nothing"], named: /^upgrade in acme\/loop\/bad/, last: { trouble: AT_ONCE, told: { kind: "owner-away" } } },
];

for (const { way, how, before, named, last } of form(ENDS.slice(1, 4), ENDS)) {
  test(`M4. an actor that ends its process at once (${how}) in its ${way}${before === undefined ? "" : " when it is recovered"} is named by the next one; the third run sets that aside`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "drover-poison-"));
    if (before !== undefined) t.match(run(folder, ...before), { status: 0 });
    const runs: Run[] = [];
    do runs.push(run(folder, way, how));
    while (runs.at(-1)?.status !== 0 && runs.length < 5);
    t.match(
      runs.map(({ status, signal }) => signal ?? status),
      how === "exit" ? [3, 3, 0] : ["SIGABRT", "SIGABRT", 0],
    );
    for (const { said } of runs) t.match(said, [{}, { good: "accepted" }], "another entity works in every run");
    t.match(runs[1]?.said[0], { hung: [named] });
    t.match(runs[2]?.said[0], { hung: [named, named] });
    t.match(Object.assign({}, ...(runs[2]?.said ?? [])), last, "what was set aside is told");
    t.match(run(folder, way, how), { status: 0 }, "and it stays so");
    await rm(folder, { recursive: true });
  });
}

test("M4. a process after one that ended in order names little, one after any other end everything; what is not named never stands for another", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "drover-mark-"));
  const file = join(folder, "steps.crash");
  const room = new URL(`../../../runtime/host/step-watch${import.meta.url.slice(-3)}`, import.meta.url).href;
  const ending = (steps: number, end: string): Promise<string> => {
    const program = `import(${JSON.stringify(room)}).then(async ({ startStepWatch }) => {
      const watch = startStepWatch({ file: ${JSON.stringify(file)} });
      process.stdout.write(JSON.stringify([watch.begin().ended?.key, watch.begin().ended, watch.hung.length]));
      for (let n = 1; n <= ${String(steps)}; n++) watch.stepping("t/a/b", "t/a/b", "go", String(n));
      ${end};
    })`;
    return Promise.resolve(spawnSync(process.execPath, ["-e", program], { encoding: "utf8", timeout: 20_000 }).stdout);
  };
  const names = async (): Promise<string> => (await readFile(`${file}.running`, "utf8")).split("\n", 1)[0] ?? "";
  const nobody = JSON.stringify([null, null, 0]);

  t.equal(await ending(3, "watch.idle(); await watch.stop()"), nobody);
  await t.rejects(names(), { code: "ENOENT" }, "it ended in order");
  t.equal(await ending(50_000, "process.abort()"), nobody);
  t.equal(await names(), "", "so many are not named, and no former one is");
  t.equal(await ending(50_000, "process.abort()"), nobody);
  t.match(JSON.parse(await names()), { entity: "t/a/b", key: "50000" });
  t.equal(await ending(3, "watch.idle(); process.abort()"), JSON.stringify(["50000", null, 1]));
  t.equal(await names(), "", "what ended well is not named");
  t.equal(await ending(3, "await watch.stop()"), JSON.stringify([null, null, 1]));
  t.equal(await ending(3, "process.abort()"), JSON.stringify([null, null, 1]));
  t.match(JSON.parse(await names()), { key: "3" }, "few are named at the first death");

  const left = await readFile(`${file}.running`, "utf8");
  for (const [text, withMachine] of [
    [left, undefined],
    [left.replace(/(?<=\n)[0-9a-f-]{36}(?=\n$)/, "11111111-2222-3333-4444-555555555555"), true],
  ] as const) {
    await writeFile(`${file}.running`, text);
    const next = startStepWatch({ file });
    t.strictSame(next.begin().ended?.withMachine, withMachine, "whether the machine was started anew meanwhile");
    t.match(next.hung.at(-1), { key: "3", how: "ended", withMachine });
    await next.stop();
  }

  await writeFile(`${file}.running`, '{"entity":"t/a/b"}\n');
  const torn = startStepWatch({ file });
  t.same(torn.begin(), {}, "what is no name says nothing");
  await torn.stop();
  await mkdir(`${file}.running`);
  const none = startStepWatch({ file });
  t.match(none.begin(), { ended: undefined, problem: /EISDIR/ }, "a node runs without it too");
  none.stepping("t/a/b", "t/a/b", "go", "1");
  await none.stop();
  await rm(folder, { recursive: true });
});

test("M4. a death in which nothing of an actor was under way is written down with its time, an hour long; one of a hang, or with the machine, is none", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "drover-idle-death-"));
  const file = join(folder, "steps.crash");
  const running = `${file}.running`;
  const MINUTE_MS = 60_000;
  const now = 1_800_000_000_000;
  const bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
  const dies = async (name: string, atMs: number, boot = bootId): Promise<void> => {
    await writeFile(running, Buffer.concat([Buffer.from(`${name}\n`), Buffer.alloc(4_096 - Buffer.byteLength(name) - 1, "\n"), Buffer.from(boot === "" ? "" : `${boot}\n`)]));
    await utimes(running, atMs / 1_000, atMs / 1_000);
  };
  const next = async (endedByOthers?: boolean): Promise<{ readonly idleDeaths: readonly number[]; readonly hung: readonly unknown[] }> => {
    const watch = startStepWatch({ file, ...(endedByOthers === undefined ? {} : { endedByOthers }) });
    watch.begin();
    await watch.stop();
    return { idleDeaths: watch.idleDeaths ?? [], hung: watch.hung };
  };
  const step = JSON.stringify({ entity: "t/a/b", cell: "t/a/b", what: "go", key: "outside 1" });

  await dies("", now);
  t.same(await next(), { idleDeaths: [now], hung: [] });
  await dies(step, now + MINUTE_MS);
  t.match(await next(), { idleDeaths: [now], hung: [{ key: "outside 1", byOthers: undefined }] });
  await dies("-", now + 2 * MINUTE_MS);
  t.same((await next()).idleDeaths, [now], "its name is written down elsewhere");
  await dies("", now + 2 * MINUTE_MS, "11111111-2222-3333-4444-555555555555");
  t.same((await next()).idleDeaths, [now], "the machine went down too");
  await dies("", now + 59 * MINUTE_MS);
  t.same((await next()).idleDeaths, [now, now + 59 * MINUTE_MS], "read from the file");
  await dies("", now + 60 * MINUTE_MS);
  t.same(await next(), { idleDeaths: [now + 59 * MINUTE_MS, now + 60 * MINUTE_MS], hung: [{ at: now + MINUTE_MS, ...JSON.parse(step), how: "ended" }] });
  await dies(step, now + 61 * MINUTE_MS);
  t.match(await next(true), { hung: [{ byOthers: undefined }, { byOthers: true }] });
  t.match(await next(), { hung: [{ byOthers: undefined }, { byOthers: true }] }, "of the file");
  await rm(folder, { recursive: true });
});

test("M4. the mark of a process that hung says that its name is written down", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "drover-hung-mark-"));
  const file = join(folder, "steps.crash");
  const room = new URL(`../../../runtime/host/step-watch${import.meta.url.slice(-3)}`, import.meta.url).href;
  const program = `import(${JSON.stringify(room)}).then(({ startStepWatch }) => {
    const watch = startStepWatch({ file: ${JSON.stringify(file)}, hangMs: 200 });
    watch.begin();
    watch.stepping("t/a/b", "t/a/b", "go", "1");
    for (;;);
  })`;
  t.equal(spawnSync(process.execPath, ["-e", program], { encoding: "utf8", timeout: 20_000 }).signal, "SIGKILL");
  const watch = startStepWatch({ file });
  t.same(watch.begin(), {}, "one death, written down once");
  t.match([watch.hung.length, watch.hung[0], watch.idleDeaths], [1, { key: "1" }, []]);
  await watch.stop();
  await rm(folder, { recursive: true });
});

test("M4. what is under way within a step is named instead of it, and then the step again; what ended is never named", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "drover-nested-"));
  const room = new URL(`../../../runtime/host/step-watch${import.meta.url.slice(-3)}`, import.meta.url).href;
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
