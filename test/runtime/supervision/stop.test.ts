// Ending: in reverse order, by a deadline, and against everything that may be under way.

import { test } from "tap";

import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { createTree, hosted, startTree, supervisor, type SupervisorReport } from "../../../runtime/supervision/index.ts";
import { scripted } from "./scripted.ts";

const ports = (clock: ManualClock) => ({ clock, random: new SeededRandom(1), log: silentLog });

test("children stop in reverse start order, through nested supervisors", async (t) => {
  const journal: string[] = [];
  const [a, b, c, d] = [scripted("a", journal), scripted("b", journal), scripted("c", journal), scripted("d", journal)];
  const inner = supervisor("inner", { strategy: "one-for-one" }, [hosted("b", b), hosted("c", c)]);
  const tree = await startTree(supervisor("root", { strategy: "rest-for-one" }, [hosted("a", a), inner, hosted("d", d)]), ports(new ManualClock()));
  journal.length = 0;
  await tree.stop();
  t.strictSame(journal, ["stop d", "stop c", "stop b", "stop a"]);
  t.match(await tree.exited, { kind: "shutdown" });
  t.match(tree.describe(), {
    state: "stopped",
    children: [{ state: "stopped" }, { state: "stopped", children: [{ state: "stopped" }, { state: "stopped" }] }, { state: "stopped" }],
  });
});

test("S5. a child that does not stop within its deadline is killed, and the rest stops after it", async (t) => {
  const journal: string[] = [];
  const clock = new ManualClock();
  const [a, b] = [scripted("a", journal), scripted("b", journal)];
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a), hosted("b", b, { shutdownMs: 700 })]), ports(clock));
  const reports: SupervisorReport[] = [];
  tree.onReport((report) => reports.push(report));
  b.stubborn = true;
  journal.length = 0;
  const stopped = tree.stop();
  await clock.advance(699);
  t.strictSame(journal, ["stop b"]);
  await clock.advance(1);
  await stopped;
  t.strictSame(journal, ["stop b", "kill b", "stop a"]);
  t.match(reports, [{ supervisor: "root", context: "shutdown_error", offender: "b", reason: /killed/ }]);
  t.equal(clock.pending, 0);
});

test("S5. a stop with a bound of its own kills whatever still runs then", async (t) => {
  const journal: string[] = [];
  const clock = new ManualClock();
  const [a, b] = [scripted("a", journal), scripted("b", journal)];
  a.stubborn = b.stubborn = true;
  const inner = supervisor("inner", { strategy: "one-for-one" }, [hosted("b", b, { shutdownMs: 60_000 })]);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a, { shutdownMs: 60_000 }), inner]), ports(clock));
  const stopped = tree.stop(3_000);
  await clock.advance(3_000);
  await stopped;
  t.strictSame(journal.slice(-4), ["stop b", "kill b", "stop a", "kill a"]);
  t.equal(clock.pending, 0);
});

test("a stop during a backoff wait starts nothing any more", async (t) => {
  const clock = new ManualClock();
  const a = scripted("a", []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one", backoff: {} }, [hosted("a", a)]), {
    ...ports(clock),
    random: { next: () => 1, uint32: () => 0, id: () => "" },
  });
  a.crash();
  await settle();
  a.crash();
  await settle();
  t.match(tree.describe().children[0], { state: "restarting" });
  await tree.stop();
  await clock.advance(60_000);
  t.equal(a.starts, 2);
  t.match(tree.describe(), { state: "stopped", children: [{ state: "stopped" }] });
  t.equal(clock.pending, 0);
});

test("a stop during a restart breaks the start off, waits for it, and leaves nothing running", async (t) => {
  const journal: string[] = [];
  const clock = new ManualClock();
  const [a, b] = [scripted("a", journal), scripted("b", journal)];
  const tree = await startTree(supervisor("root", { strategy: "rest-for-one" }, [hosted("a", a), hosted("b", b)]), ports(clock));
  b.holdStarts = true;
  b.crash();
  await settle();
  journal.length = 0;
  await tree.stop();
  t.strictSame(journal, ["aborted b", "stop a"]);
  t.equal(clock.pending, 0);
});

test("a start that ignores its abort is ended as soon as it succeeds", async (t) => {
  const clock = new ManualClock();
  const journal: string[] = [];
  let finish: (() => void) | undefined;
  const inner = scripted("slow", journal);
  const slow = {
    start: async (context: Parameters<typeof inner.start>[0]) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return inner.start(context);
    },
  };
  const tree = createTree(supervisor("root", { strategy: "one-for-one" }, [hosted("slow", slow)]), ports(clock));
  const started = tree.start();
  started.catch(() => undefined);
  await settle();
  const stopped = tree.stop();
  await clock.advance(10_000);
  await stopped;
  await t.rejects(started);
  finish?.();
  await settle();
  t.strictSame(journal, ["start slow", "up slow", "stop slow"]);
  await clock.advance(10_000);
  t.equal(clock.pending, 0);
});

test("a stop while the tree starts: what has started stops, the start rejects", async (t) => {
  const journal: string[] = [];
  const [a, b] = [scripted("a", journal), scripted("b", journal)];
  b.holdStarts = true;
  const tree = createTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a), hosted("b", b)]), ports(new ManualClock()));
  const started = tree.start();
  started.catch(() => undefined);
  await settle();
  await tree.stop();
  await t.rejects(started, { message: /stopped while it started/ });
  t.strictSame(journal, ["start a", "up a", "start b", "aborted b", "stop a"]);
  t.equal(tree.describe().state, "stopped");
});

test("S4. a supervisor whose start is broken off is not let go of: after its shutdown time what runs below it is killed", async (t) => {
  const journal: string[] = [];
  const clock = new ManualClock();
  const [a, b] = [scripted("a", journal), scripted("b", journal)];
  a.stubborn = true;
  b.holdStarts = true;
  const inner = supervisor("inner", { strategy: "one-for-one", shutdownMs: 100 }, [hosted("a", a, { shutdownMs: 20_000 }), hosted("b", b)]);
  const tree = createTree(supervisor("root", { strategy: "one-for-one" }, [inner]), ports(clock));
  const started = t.rejects(tree.start(), { message: /stopped while it started/ });
  await settle();
  let stoppedAt: number | undefined;
  const stopped = tree.stop().then(() => {
    journal.push("stopped");
    stoppedAt = clock.monotonic();
  });
  await clock.advance(60_000);
  await Promise.all([started, stopped]);
  t.strictSame(journal, ["start a", "up a", "start b", "aborted b", "stop a", "kill a", "stopped"]);
  t.equal(stoppedAt, 100);
});

test("S5. a hosted child that is never ready fails its start by the deadline", async (t) => {
  const clock = new ManualClock();
  const a = scripted("a", []);
  a.holdStarts = true;
  const tree = createTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a, { startMs: 2_000 })]), ports(clock));
  const started = t.rejects(tree.start(), { code: "DROVER_WORKER_START_TIMEOUT", message: /"root\/a" could not start: it was not ready within 2000 ms/ });
  await clock.advance(2_000);
  await started;
  t.equal(tree.describe().state, "failed");
  t.equal(clock.pending, 0);
});

test("a child that fails while its siblings are being stopped is not restarted", async (t) => {
  const journal: string[] = [];
  const clock = new ManualClock();
  const [a, b] = [scripted("a", journal), scripted("b", journal)];
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a), hosted("b", b)]), ports(clock));
  b.stubborn = true;
  journal.length = 0;
  const stopped = tree.stop();
  await settle();
  a.crash();
  await settle();
  b.end({ kind: "shutdown" });
  await stopped;
  t.equal(a.starts, 1);
});
