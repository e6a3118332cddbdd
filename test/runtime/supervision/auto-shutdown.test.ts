// Significant children: a supervisor that has no more reason to run ends by itself, as OTP 24 does it. The whole table is in otp-table.test.ts.

import { test } from "tap";

import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { createTree, hosted, startTree, supervisor } from "../../../runtime/supervision/index.ts";
import { scripted } from "./scripted.ts";

const ports = (clock = new ManualClock()) => ({ clock, random: new SeededRandom(1), log: silentLog });

test("S4. any-significant: the first significant child that ends for good takes its siblings down in reverse order, then the supervisor with reason shutdown", async (t) => {
  const journal: string[] = [];
  const [a, b, c] = [scripted("a", journal), scripted("b", journal), scripted("c", journal)];
  const spec = supervisor("root", { strategy: "one-for-one", autoShutdown: "any-significant" }, [
    hosted("a", a),
    hosted("b", b, { restart: "transient", significant: true }),
    hosted("c", c),
  ]);
  const tree = await startTree(spec, ports());
  const contexts: string[] = [];
  tree.onReport((report) => contexts.push(`${report.context} ${report.offender}`));
  b.crash();
  await settle();
  t.match(tree.describe(), { state: "running" }, "a crash is restarted, it is no end");
  journal.length = 0;
  b.end({ kind: "normal" });
  t.strictSame(await tree.exited, { kind: "shutdown" }, "no cause: nothing went wrong");
  t.strictSame(journal, ["stop c", "stop a"]);
  t.equal(tree.describe().state, "stopped");
  t.strictSame(contexts.slice(-2), ["child_terminated b", "auto_shutdown b"]);
});

test("all-significant: the supervisor stays until the last of them has ended; one that is about to be restarted has not", async (t) => {
  const clock = new ManualClock();
  const [a, b, c] = [scripted("a", []), scripted("b", []), scripted("c", [])];
  const spec = supervisor("root", { strategy: "one-for-one", autoShutdown: "all-significant", backoff: { initialMs: 1_000 } }, [
    hosted("a", a, { restart: "temporary", significant: true }),
    hosted("b", b, { restart: "transient", significant: true }),
    hosted("c", c, { restart: "transient" }),
  ]);
  const tree = await startTree(spec, { ...ports(clock), random: { next: () => 1, uint32: () => 0, id: () => "" } });
  b.crash();
  await settle();
  b.crash("again, so it waits");
  c.end({ kind: "normal" });
  a.crash("a temporary one ends for good, however it ends");
  await settle();
  t.match(tree.describe(), { state: "running", children: [{ id: "b", state: "restarting" }, { id: "c" }] });
  await clock.advance(1_000);
  b.end({ kind: "shutdown" });
  t.strictSame(await tree.exited, { kind: "shutdown" });
  t.equal(clock.pending, 0);
});

test("what the supervisor ends itself is no end of a significant child: removed, restarted by request, taken along by its group", async (t) => {
  const [a, b] = [scripted("a", []), scripted("b", [])];
  const one = await startTree(
    supervisor("root", { strategy: "one-for-one", autoShutdown: "any-significant" }, [hosted("a", a), hosted("b", b, { restart: "transient", significant: true })]),
    ports(),
  );
  t.strictSame(await one.at("")?.restartChild("b"), { kind: "started" });
  t.strictSame(await one.at("")?.removeChild("b"), { kind: "removed" });
  t.equal(one.describe().state, "running");
  await one.stop();
  const group = await startTree(
    supervisor("root", { strategy: "one-for-all", autoShutdown: "any-significant" }, [hosted("a", a), hosted("b", b, { restart: "temporary", significant: true })]),
    ports(),
  );
  a.crash();
  await settle();
  t.match(group.describe(), { state: "running", children: [{ id: "a", restarts: 1 }] });
  await group.stop();
});

test("a significant child that ends while the supervisor still starts ends it once all have started, as in OTP", async (t) => {
  const journal: string[] = [];
  const [a, b] = [scripted("a", journal), scripted("b", journal)];
  b.holdStarts = true;
  const tree = createTree(
    supervisor("root", { strategy: "one-for-one", autoShutdown: "any-significant" }, [hosted("a", a, { restart: "temporary", significant: true }), hosted("b", b)]),
    ports(),
  );
  const started = tree.start();
  await settle();
  a.end({ kind: "normal" });
  await settle();
  t.strictSame(journal, ["start a", "up a", "start b"]);
  b.release();
  await started;
  t.strictSame(await tree.exited, { kind: "shutdown" });
  t.strictSame(journal.slice(3), ["up b", "stop b"]);
});

test("a supervisor that shut down by itself is its parent's to judge: a transient one stays down, a permanent one comes back", async (t) => {
  for (const restart of ["transient", "permanent"] as const) {
    const a = scripted("a", []);
    const inner = supervisor("inner", { strategy: "one-for-one", restart, autoShutdown: "all-significant" }, [hosted("a", a, { restart: "transient", significant: true })]);
    const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [inner]), ports());
    a.end({ kind: "normal" });
    await settle();
    t.match(tree.describe().children[0], { state: restart === "permanent" ? "running" : "stopped", lastExit: { reason: "shutdown" } }, restart);
    await tree.stop();
  }
});

test("a supervisor may be the significant child, and a shutdown of its own bounds how long its children may take", async (t) => {
  const journal: string[] = [];
  const clock = new ManualClock();
  const [a, b, c] = [scripted("a", journal), scripted("b", journal), scripted("c", journal)];
  const job = supervisor("job", { strategy: "one-for-one", restart: "temporary", significant: true, autoShutdown: "any-significant" }, [
    hosted("a", a, { restart: "temporary", significant: true }),
  ]);
  const slow = supervisor("slow", { strategy: "one-for-one", shutdownMs: 300 }, [hosted("b", b, { shutdownMs: 60_000 }), hosted("c", c, { shutdownMs: 60_000 })]);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one", autoShutdown: "any-significant" }, [slow, job]), ports(clock));
  b.stubborn = c.stubborn = true;
  journal.length = 0;
  a.end({ kind: "normal" });
  await clock.advance(299);
  t.strictSame(journal, ["stop c"]);
  await clock.advance(1);
  t.strictSame(await tree.exited, { kind: "shutdown" });
  t.strictSame(journal, ["stop c", "kill c", "stop b", "kill b"]);
  t.equal(clock.pending, 0);
});

test("a temporary significant child that cannot start under a supervisor that retries has ended; one that is added and cannot start only tells so", async (t) => {
  const [a, b] = [scripted("a", []), scripted("b", [])];
  a.failStarts.push(new Error("no such device"));
  const flags = { strategy: "one-for-one", autoShutdown: "all-significant", backoff: {}, startFailure: "retry" } as const;
  const options = { restart: "temporary", significant: true } as const;
  const tree = createTree(supervisor("root", flags, [hosted("b", b), hosted("a", a, options)]), ports());
  await tree.start().catch(() => undefined);
  t.match(await tree.exited, { kind: "shutdown" });
  const other = await startTree(supervisor("root", flags, [hosted("b", b)]), ports());
  a.failStarts.push(new Error("no such device"));
  t.match(await other.at("")?.addChild(hosted("a", a, options)), { kind: "start-failed", kept: false });
  t.equal(other.describe().state, "running");
  await other.stop();
});

test("significance that OTP refuses is refused where it is written", async (t) => {
  const a = scripted("a", []);
  const bad = { code: "DROVER_TREE_INVALID" };
  t.throws(() => hosted("a", a, { significant: true }), bad, "permanent by default");
  t.throws(() => hosted("a", a, { restart: "permanent", significant: true }), bad);
  t.throws(() => hosted("a", a, { restart: "transient", significant: "yes" as unknown as boolean }), bad);
  t.throws(() => supervisor("s", { strategy: "one-for-one", significant: true }, []), bad);
  t.throws(() => supervisor("s", { strategy: "one-for-one", shutdownMs: -1 }, []), bad);
  t.throws(() => supervisor("s", { strategy: "one-for-one", autoShutdown: "all" as "never" }, []), bad);
  const significant = hosted("a", a, { restart: "transient", significant: true });
  t.throws(() => supervisor("s", { strategy: "one-for-one" }, [significant]), bad, "below a supervisor that never shuts down");
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, []), ports());
  await t.rejects(async () => {
    await tree.at("")?.addChild(significant);
  }, bad);
  await tree.stop();
});
