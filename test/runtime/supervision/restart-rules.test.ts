// How often and how fast: OTP's intensity, exponential backoff, and what happens when enough is enough.

import { test } from "tap";

import { DroverError } from "../../../runtime/errors.ts";
import { silentLog, type Random } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { restartRule } from "../../../runtime/supervision/restart-rule.ts";
import { hosted, startTree, supervisor, type SupervisorReport } from "../../../runtime/supervision/index.ts";
import { EndedError } from "../../../runtime/workers/end-cause.ts";
import { scripted } from "./scripted.ts";

/** Draws what it is told to. */
function fixed(value: number): Random {
  return { next: () => value, uint32: () => 0, id: () => "0" };
}

test("S4. more than intensity restarts within the period: children stop in reverse order, then the supervisor with reason shutdown and its cause", async (t) => {
  const journal: string[] = [];
  const clock = new ManualClock();
  const [a, b, c] = [scripted("a", journal), scripted("b", journal), scripted("c", journal)];
  const spec = supervisor("root", { strategy: "one-for-one", intensity: 2, periodMs: 5_000 }, [hosted("a", a), hosted("b", b), hosted("c", c)]);
  const tree = await startTree(spec, { clock, random: new SeededRandom(1), log: silentLog });
  const reports: SupervisorReport[] = [];
  tree.onReport((report) => reports.push(report));
  b.crash();
  await settle();
  a.crash();
  await settle();
  journal.length = 0;
  b.crash("the third within the period");
  const exit = await tree.exited;
  t.strictSame(journal, ["stop c", "stop a"]);
  t.match(exit, { kind: "shutdown", cause: { code: "DROVER_SUPERVISOR_GAVE_UP", cause: { message: "the third within the period" } } });
  t.match(reports.at(-1), { supervisor: "root", context: "gave_up", offender: "b", restarts: 1 });
  t.equal(tree.describe().state, "failed");
  t.equal(clock.pending, 0);
});

test("the intensity window slides: a restart exactly a period ago still counts, an older one does not", async (t) => {
  for (const [apartMs, givesUp] of [
    [1_000, true],
    [1_001, false],
  ] as const) {
    const clock = new ManualClock();
    const a = scripted("a", []);
    const tree = await startTree(supervisor("root", { strategy: "one-for-one", intensity: 1, periodMs: 1_000 }, [hosted("a", a)]), {
      clock,
      random: new SeededRandom(1),
      log: silentLog,
    });
    a.crash();
    await settle();
    await clock.advance(apartMs);
    a.crash();
    await settle();
    t.equal(tree.describe().state, givesUp ? "failed" : "running", `${String(apartMs)} ms apart`);
    await tree.stop();
  }
});

test("a restart that cannot start counts again, so a child that never comes back uses up the intensity", async (t) => {
  const a = scripted("a", []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one", intensity: 3 }, [hosted("a", a)]), {
    clock: new ManualClock(),
    random: new SeededRandom(1),
    log: silentLog,
  });
  a.failStarts.push(...Array.from({ length: 9 }, () => new Error("no such device")));
  a.crash();
  const exit = await tree.exited;
  t.equal(a.starts, 4, "one start and three restarts");
  t.match(exit, { kind: "shutdown", cause: { cause: { message: "no such device" } } });
});

test("S4. a supervisor that gave up is its parent's to restart, and the parent's own intensity bounds that", async (t) => {
  const journal: string[] = [];
  const a = scripted("a", journal);
  const inner = supervisor("inner", { strategy: "one-for-one", intensity: 1 }, [hosted("a", a)]);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one", intensity: 1 }, [inner]), { clock: new ManualClock(), random: new SeededRandom(1), log: silentLog });
  for (let crash = 0; crash < 3; crash++) {
    a.crash(`crash ${String(crash)}`);
    await settle();
  }
  t.match(tree.describe().children[0], { id: "inner", state: "running", restarts: 1, lastExit: { reason: "shutdown", error: /gave up.*crash 1/ } });
  a.crash();
  const exit = await tree.exited;
  t.match(exit, { kind: "shutdown", cause: { code: "DROVER_SUPERVISOR_GAVE_UP" } });
  t.equal(a.starts, 4, "each of two lives of the inner supervisor: one start, one restart");
});

test("H14, S4, S5. backoff: at once, then up to 200 ms doubling to 30 s with full jitter, at once again after a stable minute", async (t) => {
  const clock = new ManualClock();
  const a = scripted("a", []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one", backoff: {} }, [hosted("a", a)]), { clock, random: fixed(1), log: silentLog });
  const delays: number[] = [];
  for (let crash = 0; crash < 11; crash++) {
    const starts = a.starts;
    a.crash();
    const from = clock.monotonic();
    await settle();
    while (a.starts === starts) await clock.advance(50);
    delays.push(clock.monotonic() - from);
  }
  t.strictSame(delays, [0, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  await clock.advance(60_000);
  const starts = a.starts;
  a.crash();
  await settle();
  t.equal(a.starts, starts + 1, "immediate after 60 s of running");
  await tree.stop();
});

test("backoff draws its delay from the whole range below the bound", async (t) => {
  for (const [drawn, delayMs] of [
    [0, 0],
    [0.25, 50],
    [0.999, 200],
  ] as const) {
    const clock = new ManualClock();
    const a = scripted("a", []);
    const tree = await startTree(supervisor("root", { strategy: "one-for-one", backoff: {} }, [hosted("a", a)]), { clock, random: fixed(drawn), log: silentLog });
    a.crash();
    await settle();
    a.crash();
    if (delayMs > 0) {
      await clock.advance(delayMs - 2);
      t.equal(a.starts, 2, `${String(drawn)}: not before`);
      t.match(tree.describe().children[0], { state: "restarting" });
    }
    await clock.advance(2);
    t.equal(a.starts, 3, `${String(drawn)}: then`);
    await tree.stop();
  }
});

test("H14. backoff gives up after giveUpAfterMs of failing and escalates", async (t) => {
  const clock = new ManualClock();
  const a = scripted("a", []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one", backoff: { giveUpAfterMs: 5_000 } }, [hosted("a", a)]), { clock, random: fixed(1), log: silentLog });
  a.failStarts.push(...Array.from({ length: 99 }, () => new Error("no link")));
  a.crash();
  await clock.advance(10_000);
  t.match(await tree.exited, { kind: "shutdown", cause: { code: "DROVER_SUPERVISOR_GAVE_UP" } });
});

test("H14. failing for giveUpAfterMs exactly is enough, a moment less is not; a run of resetAfterMs exactly starts anew", async (t) => {
  for (const [onGiveUp, end] of [
    ["escalate", "give-up"],
    ["degrade", "degraded"],
  ] as const)
    for (const [afterMs, ranMs, kind] of [
      [4_999, 0, "restart"],
      [5_000, 0, end],
      [5_000, 2_999, end],
      [5_000, 3_000, "restart"],
    ] as const) {
      const clock = new ManualClock();
      const rule = restartRule({ strategy: "one-for-one", backoff: { giveUpAfterMs: 5_000, resetAfterMs: 3_000, onGiveUp } }, clock, fixed(1));
      t.match(rule.failed("a", 0), { kind: "restart", delayMs: 0 });
      await clock.advance(afterMs);
      const verdict = rule.failed("a", ranMs);
      t.equal(verdict.kind, kind, `${String(afterMs)} ms, of which it ran ${String(ranMs)}`);
      if (verdict.kind !== "give-up") t.equal(verdict.delayMs, ranMs === 3_000 ? 0 : 200);
      t.match(rule.failed("b", 0), { kind: "restart", delayMs: 0 }, "each child counts for itself");
    }
});

test("H14, S6. at the top of a vehicle it becomes degraded instead and goes on trying", async (t) => {
  const clock = new ManualClock();
  const a = scripted("a", []);
  const flags = { strategy: "one-for-one", backoff: { giveUpAfterMs: 5_000, maxMs: 1_000, onGiveUp: "degrade" } } as const;
  const tree = await startTree(supervisor("root", flags, [hosted("a", a)]), { clock, random: fixed(1), log: silentLog });
  const contexts: string[] = [];
  tree.onReport((report) => contexts.push(report.context));
  a.failStarts.push(...Array.from({ length: 20 }, () => new Error("no link")));
  a.crash();
  await clock.advance(10_000);
  t.equal(tree.describe().state, "degraded");
  t.equal(contexts.filter((context) => context === "degraded").length, 1, "told once");
  await clock.advance(20_000);
  t.equal(tree.describe().state, "running", "it came back");
  await tree.stop();
});

test("a child that cannot start fails its supervisor's start: what had started stops in reverse order", async (t) => {
  const journal: string[] = [];
  const [a, b, c] = [scripted("a", journal), scripted("b", journal), scripted("c", journal)];
  c.failStarts.push(new DroverError("DROVER_STORE_NEWER", "the store is of version 7, this is 3"));
  const inner = supervisor("inner", { strategy: "one-for-one" }, [hosted("b", b), hosted("c", c)]);
  const spec = supervisor("root", { strategy: "rest-for-one" }, [hosted("a", a), inner]);
  await t.rejects(startTree(spec, { clock: new ManualClock(), random: new SeededRandom(1), log: silentLog }), {
    code: "DROVER_STORE_NEWER",
    message: /"root\/inner" could not start: "root\/inner\/c" could not start: the store is of version 7/,
  });
  t.strictSame(journal, ["start a", "up a", "start b", "up b", "start c", "stop b", "stop a"]);
});

test("S6. with startFailure retry a child that cannot start yet keeps nobody else from starting", async (t) => {
  const clock = new ManualClock();
  const [a, b] = [scripted("a", []), scripted("b", [])];
  a.failStarts.push(new Error("no such interface"), new Error("no such interface"));
  const spec = supervisor("buses", { strategy: "one-for-one", backoff: {}, startFailure: "retry" }, [hosted("a", a), hosted("b", b)]);
  const tree = await startTree(spec, { clock, random: fixed(1), log: silentLog });
  t.match(tree.describe(), { state: "running", children: [{ state: "restarting", lastExit: { reason: "start-failed", error: "no such interface" } }, { state: "running" }] });
  await clock.advance(200);
  t.match(tree.describe(), {
    children: [
      { state: "running", restarts: 2 },
      { state: "running", restarts: 0 },
    ],
  });
  await tree.stop();
});

test("who describes a tree has a description of his own: what he writes into it nobody else reads", async (t) => {
  const a = scripted("a", []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a)]), { clock: new ManualClock(), random: fixed(1), log: silentLog });
  a.end({ kind: "failed", error: new EndedError("DROVER_WORKER_FAILED", "it ended by itself", { kind: "exit-code", code: 3 }) });
  await settle();
  for (const describe of [() => tree.describe().children, () => tree.at("")?.describe() ?? []]) {
    const given = describe() as unknown as { lastExit: { reason: string; cause: { code: number } } }[];
    t.match(given, [{ restarts: 1, lastExit: { reason: "failed", cause: { kind: "exit-code", code: 3 } } }]);
    for (const { lastExit } of given) [lastExit.reason, lastExit.cause.code] = ["spoilt", 99];
    t.match(tree.describe().children, [{ lastExit: { reason: "failed", cause: { code: 3 } } }]);
  }
  await tree.stop();
});
