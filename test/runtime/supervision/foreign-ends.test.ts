// What a hosted child gives for its start and for its end may be anything: it is a failure of that child, with a cause that says what was expected.

import { test } from "tap";

import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { createTree, hosted, supervisor, type DownNotice, type SupervisorReport } from "../../../runtime/supervision/index.ts";
import type { Running } from "../../../runtime/workers/index.ts";
import { scripted } from "./scripted.ts";

const throwing = (): never => {
  throw new Error("a trap");
};
const unreadable = new Proxy(new Error("it broke"), { get: throwing, getPrototypeOf: throwing });
const named = (message: unknown): Error => Object.assign(new Error(), { message });
const thenable = (end: unknown) => ({ then: (resolve: (value: unknown) => void) => resolve(end) });
const life = (exited: unknown) => ({ exited, stop: () => undefined, kill: () => undefined }) as Running;

/** Runs a child that gives this once, beside another one, and then lives: what was told of it, and where both are afterwards. @param give is given when its end is due */
async function ranWith(give: (due: Promise<void>) => unknown) {
  const clock = new ManualClock();
  let fallDue: (() => void) | undefined;
  const given = give(
    new Promise((resolve) => {
      fallDue = resolve;
    }),
  );
  let starts = 0;
  const it = { start: () => Promise.resolve((starts++ === 0 ? given : life(new Promise(() => undefined))) as Running) };
  const beside = scripted("beside", []);
  const tree = createTree(supervisor("root", { strategy: "one-for-one", backoff: {}, startFailure: "retry" }, [hosted("it", it), hosted("beside", beside)]), {
    clock,
    random: new SeededRandom(1),
    log: silentLog,
  });
  const reports: SupervisorReport[] = [];
  const downs: DownNotice[] = [];
  tree.onReport((report) => {
    if (report.offender === "it") reports.push(report);
  });
  await tree.start();
  tree.monitor("it", (notice) => downs.push(notice));
  fallDue?.();
  await settle();
  await clock.advance(1_000);
  await settle();
  const [shown] = tree.describe().children;
  const stopped = tree.stop();
  await clock.advance(60_000);
  await stopped;
  return { downs, reports, shown, starts, besideStarts: beside.starts };
}

test("N1. whatever its end is, one that is no exit is a failed end that says what was expected, and the child is started again", async (t) => {
  const ends: readonly (readonly [name: string, end: unknown, said: RegExp])[] = [
    ["nothing", undefined, /was undefined; expected is \{ kind: "normal" \}/],
    ["null", null, /was null; expected/],
    ["a number", 7, /was 7; expected/],
    ["a bigint", 7n, /was 7; expected/],
    ["a symbol", Symbol("over"), /was Symbol\(over\); expected/],
    ["a text", "normal", /was "normal"; expected/],
    ["a long text", "x".repeat(10_000), /was "x{199}; expected/],
    ["a function", () => undefined, /was a function; expected/],
    ["an object without a kind", {}, /was \{\}; expected/],
    ["another kind", { kind: "over" }, /was \{"kind":"over"\}; expected/],
    ["a failure without an error", { kind: "failed" }, /was \{"kind":"failed"\}; expected/],
    ["a kill whose error is a text", { kind: "killed", error: "late" }, /was \{"kind":"killed","error":"late"\}; expected/],
    ["a shutdown whose cause is a text", { kind: "shutdown", cause: "late" }, /was \{"kind":"shutdown","cause":"late"\}; expected/],
    ["a failure whose error cannot be read", { kind: "failed", error: unreadable }, /was (a value that cannot be shown|\{"kind":"failed"[^;]*); expected/],
    ["a failure whose message is a symbol", { kind: "failed", error: named(Symbol("m")) }, /was \{"kind":"failed","error":[^;]*; expected/],
    ["a failure whose cause cannot be read", { kind: "failed", error: new Error("outer", { cause: named(unreadable) }) }, /expected/],
    ["a proxy whose traps throw", new Proxy({}, { get: throwing, has: throwing, ownKeys: throwing, getPrototypeOf: throwing }), /a trap/],
    [
      "an object whose kind throws",
      {
        get kind(): never {
          return throwing();
        },
      },
      /was a value that cannot be shown; expected/,
    ],
    ["a thenable of nothing", thenable(undefined), /was undefined; expected/],
    [
      "a thenable that throws",
      {
        get then(): never {
          return throwing();
        },
      },
      /^a trap$/,
    ],
  ];
  for (const [name, end, said] of ends) {
    const { downs, reports, shown, starts, besideStarts } = await ranWith((due) => life(due.then(() => end)));
    t.match(downs, [{ reason: "failed", error: { message: said } }], `${name}: a monitor is told`);
    t.equal(downs.length, 1, `${name}: once`);
    t.match(shown, { state: "running", restarts: 1, lastExit: { reason: "failed", error: said } }, `${name}: the tree shows it`);
    t.match(
      reports.map(({ context }) => context),
      ["child_started", "child_terminated", "child_restarted"],
      name,
    );
    t.strictSame([starts, besideStarts], [2, 1], `${name}: nobody else is touched`);
  }
});

test("N1. an exit passes, from a thenable too; an `exited` that is no promise is its own end", async (t) => {
  t.match((await ranWith(() => life(thenable({ kind: "normal" })))).shown, { restarts: 1, lastExit: { reason: "normal", error: undefined } });
  t.match((await ranWith(() => life(Promise.resolve({ kind: "shutdown", cause: new Error("enough") })))).shown, { lastExit: { reason: "shutdown", error: "enough" } });
  const broke = new Error("it broke", { cause: new Error("the cable is out") });
  t.match((await ranWith(() => life(Promise.resolve({ kind: "killed", error: broke })))).shown, { lastExit: { reason: "killed", error: "it broke: the cable is out" } });
  t.match((await ranWith(() => life(Promise.reject(broke)))).shown, { lastExit: { reason: "failed", error: "it broke: the cable is out" } });
  t.match((await ranWith(() => life(5))).shown, { restarts: 1, lastExit: { reason: "failed", error: /was 5; expected/ } });
  for (const thrown of [unreadable, Symbol("no")] as readonly Error[])
    t.match((await ranWith(() => life(Promise.reject(thrown)))).shown, { restarts: 1, lastExit: { reason: "failed", error: /^threw / } });
});

test("N1. what was thrown and is no error is told as it is, whatever kind of value it is", async (t) => {
  for (const [thrown, said] of [
    [Symbol("no"), "threw Symbol(no)"],
    [undefined, "threw undefined"],
    [null, "threw null"],
    [10n, "threw 10n"],
    [{ code: 5 }, 'threw {"code":5}'],
    [Math.abs, "threw [Function: abs]"],
  ] as unknown as readonly (readonly [Error, string])[])
    t.match((await ranWith(() => life(Promise.reject(thrown)))).shown, { lastExit: { reason: "failed", error: said } }, said);
});

test("N1. a start that gives nothing that runs is a failed start, at once", async (t) => {
  for (const [given, said] of [
    [undefined, /its start gave undefined; expected is what runs: \{ exited, stop, kill \}/],
    [null, /its start gave null/],
    ["up", /its start gave "up"/],
    [new Proxy({}, { get: (_target, key) => (key === "then" ? undefined : throwing()) }), /a trap/],
  ] as const) {
    const { shown, starts } = await ranWith(() => given);
    t.match(shown, { state: "running", lastExit: { reason: "start-failed", error: said } }, String(said));
    t.equal(starts, 2);
  }
});
