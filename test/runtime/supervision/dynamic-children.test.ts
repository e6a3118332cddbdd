// Children that come and go below a running one-for-one supervisor.

import { test } from "tap";

import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { createTree, hosted, startTree, supervisor } from "../../../runtime/supervision/index.ts";
import { scripted, type Scripted } from "./scripted.ts";

const ports = () => ({ clock: new ManualClock(), random: new SeededRandom(1), log: silentLog });

test("a child is added, restarted by request, and removed while its siblings run", async (t) => {
  const journal: string[] = [];
  const [a, b] = [scripted("a", journal), scripted("b", journal)];
  const buses = supervisor("buses", { strategy: "one-for-one", intensity: 0 }, [hosted("a", a)]);
  const tree = await startTree(supervisor("root", { strategy: "rest-for-one" }, [buses]), ports());
  const handle = tree.at("buses");
  t.ok(handle);
  if (handle === undefined) return;
  t.strictSame(await handle.addChild(hosted("b", b)), { kind: "started" });
  t.strictSame(await handle.addChild(hosted("b", b)), { kind: "id-taken" });
  t.strictSame(
    handle.describe().map((node) => node.id),
    ["a", "b"],
  );
  journal.length = 0;
  t.strictSame(await handle.restartChild("b"), { kind: "started" }, "not counted: the intensity here is 0");
  t.strictSame(journal.splice(0), ["stop b", "start b", "up b"]);
  t.strictSame(await handle.removeChild("b"), { kind: "removed" });
  t.strictSame(journal.splice(0), ["stop b"]);
  t.strictSame(await handle.removeChild("b"), { kind: "no-such-child" });
  t.strictSame(await handle.restartChild("b"), { kind: "no-such-child" });
  await tree.stop();
  t.strictSame(await handle.addChild(hosted("b", b)), { kind: "not-running" });
  t.strictSame(await handle.restartChild("a"), { kind: "not-running" });
});

test("an added child that cannot start is forgotten, or kept where the supervisor retries", async (t) => {
  const b = scripted("b", []);
  b.failStarts.push(new Error("no such interface"));
  const plain = await startTree(supervisor("root", { strategy: "one-for-one" }, []), ports());
  t.match(await plain.at("")?.addChild(hosted("b", b)), { kind: "start-failed", kept: false, error: { message: "no such interface" } });
  t.strictSame(plain.describe().children, []);
  await plain.stop();
  b.failStarts.push(new Error("no such interface"));
  const patient = await startTree(supervisor("root", { strategy: "one-for-one", backoff: {}, startFailure: "retry" }, []), ports());
  t.match(await patient.at("")?.addChild(hosted("b", b)), { kind: "start-failed", kept: true });
  await settle();
  t.match(patient.describe().children, [{ id: "b", state: "running" }]);
  await patient.stop();
});

test("added children come back when their supervisor is restarted", async (t) => {
  const [a, b] = [scripted("a", []), scripted("b", [])];
  const buses = supervisor("buses", { strategy: "one-for-one", intensity: 0 }, [hosted("a", a)]);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [buses]), ports());
  await tree.at("buses")?.addChild(hosted("b", b));
  a.crash();
  await settle();
  t.match(tree.describe(), {
    children: [
      {
        id: "buses",
        restarts: 1,
        children: [
          { id: "a", state: "running" },
          { id: "b", state: "running", restarts: 1 },
        ],
      },
    ],
  });
  await tree.stop();
});

test("a restarted supervisor begins with what was written and what was added, not with what was removed or had ended", async (t) => {
  const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map((id) => scripted(id, [])) as [Scripted, Scripted, Scripted, Scripted, Scripted];
  const inner = supervisor("inner", { strategy: "one-for-one", intensity: 0 }, [hosted("a", a), hosted("b", b, { restart: "temporary" }), hosted("c", c)]);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [inner]), ports());
  const handle = tree.at("inner");
  await handle?.addChild(hosted("d", d, { restart: "temporary" }));
  await handle?.addChild(hosted("e", e));
  await handle?.removeChild("c");
  b.end({ kind: "normal" });
  d.end({ kind: "normal" });
  await settle();
  t.strictSame(
    handle?.describe().map((node) => node.id),
    ["a", "e"],
  );
  a.crash();
  await settle();
  t.strictSame(
    handle?.describe().map((node) => `${node.id} ${node.state}`),
    ["a running", "b running", "e running"],
  );
  await tree.stop();
});

test("a hosted child that breaks its own contract is still supervised", async (t) => {
  const clock = new ManualClock();
  let breakNow: ((error: Error) => void) | undefined;
  let starts = 0;
  const rude = {
    start: () => {
      starts++;
      return Promise.resolve({
        exited: new Promise<never>((_resolve, reject) => {
          breakNow = reject;
        }),
        stop: () => {
          throw new Error("I will not");
        },
        kill: () => {
          throw new Error("nor this");
        },
      });
    },
  };
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("rude", rude)]), { clock, random: new SeededRandom(1), log: silentLog });
  breakNow?.(new Error("rejected instead of resolved"));
  await settle();
  t.equal(starts, 2);
  t.match(tree.describe().children[0], { state: "running", lastExit: { reason: "failed", error: "rejected instead of resolved" } });
  const stopped = tree.stop();
  await clock.advance(7_000);
  await stopped;
  t.match(tree.describe().children[0], { state: "stopped", lastExit: { reason: "killed" } });
  t.equal(clock.pending, 0);
});

test("a listener that throws disturbs nobody", async (t) => {
  const a = scripted("a", []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a)]), ports());
  const heard: string[] = [];
  tree.onReport(() => {
    throw new Error("a bad listener");
  });
  const stop = tree.onReport((report) => heard.push(`${report.supervisor} ${report.context} ${report.offender} ${String(report.restarts)}: ${report.reason}`));
  a.crash("it broke");
  await settle();
  stop();
  a.crash("again");
  await settle();
  t.strictSame(heard, ["root child_terminated a 0: failed: it broke", "root child_restarted a 1: it broke"]);
  await tree.stop();
});

test("a group has no children of its own at run time", async (t) => {
  const tree = await startTree(supervisor("root", { strategy: "rest-for-one" }, [hosted("a", scripted("a", []))]), ports());
  t.strictSame(await tree.at("")?.addChild(hosted("b", scripted("b", []))), { kind: "not-one-for-one" });
  t.strictSame(await tree.at("")?.removeChild("a"), { kind: "not-one-for-one" });
  t.equal(tree.at("nobody"), undefined);
  await tree.stop();
});

test("L6. a restart that is asked for in any turn of an addition that fails is told so", async (t) => {
  for (let turns = 0; turns < 40; turns++) {
    const b = scripted("b", []);
    b.failStarts.push(new Error("no such interface"), new Error("no such interface"));
    const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, []), ports());
    const added = tree.at("")?.addChild(hosted("b", b));
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const restarted = await tree.at("")?.restartChild("b");
    t.match(await added, { kind: "start-failed", kept: false });
    t.match(restarted?.kind, /^(start-failed|no-such-child)$/, String(turns));
    t.strictSame(tree.describe().children, []);
    await tree.stop();
  }
});

test("L3. a restart of a temporary child that is asked for in any turn of a sibling's failure is told what comes of it", async (t) => {
  const told = new Set<string | undefined>();
  for (let turns = 0; turns < 20; turns++) {
    const [b, c] = [scripted("b", []), scripted("c", [])];
    const tree = await startTree(supervisor("root", { strategy: "rest-for-one" }, [hosted("b", b), hosted("c", c, { restart: "temporary" })]), ports());
    b.crash();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const restarted = await tree.at("")?.restartChild("c");
    await settle();
    const running = tree.describe().children.map(({ id, state }) => `${id} ${state}`);
    t.strictSame(running, restarted?.kind === "started" ? ["b running", "c running"] : ["b running"], `${String(turns)}: ${String(restarted?.kind)}`);
    told.add(restarted?.kind);
    await tree.stop();
  }
  t.strictSame([...told].sort(), ["no-such-child", "started"]);
});

test("who is restarted by request stays the same when an earlier sibling ends for good meanwhile", async (t) => {
  for (let turns = 0; turns < 20; turns++) {
    const [a, b] = [scripted("a", []), scripted("b", [])];
    const tree = await startTree(supervisor("root", { strategy: "rest-for-one" }, [hosted("a", a, { restart: "temporary" }), hosted("b", b)]), ports());
    a.end({ kind: "normal" });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    t.strictSame(await tree.at("")?.restartChild("b"), { kind: "started" });
    await settle();
    t.match(tree.describe().children, [{ id: "b", state: "running", restarts: 1 }], String(turns));
    await tree.stop();
  }
});

test("a restart by request takes along what comes after it in a rest-for-one", async (t) => {
  const journal: string[] = [];
  const [a, b, c] = [scripted("a", journal), scripted("b", journal), scripted("c", journal)];
  const tree = await startTree(supervisor("root", { strategy: "rest-for-one" }, [hosted("a", a), hosted("b", b), hosted("c", c, { restart: "temporary" })]), ports());
  journal.length = 0;
  t.strictSame(await tree.at("")?.restartChild("b"), { kind: "started" });
  t.strictSame(journal, ["stop c", "stop b", "start b", "up b", "start c", "up c"]);
  await tree.stop();
});

test("L8. a requested restart that fails is told, and counts for nothing: its child stays stopped until it is asked for again", async (t) => {
  const b = scripted("b", []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one", intensity: 0 }, [hosted("a", scripted("a", [])), hosted("b", b)]), ports());
  for (let round = 0; round < 3; round++) {
    b.failStarts.push(new Error("no such interface"));
    t.match(await tree.at("")?.restartChild("b"), { kind: "start-failed", error: { message: "no such interface" } });
    await settle();
    t.match(tree.describe(), {
      state: "running",
      children: [
        { id: "a", state: "running", restarts: 0 },
        { id: "b", state: "failed", lastExit: { reason: "start-failed" } },
      ],
    });
  }
  t.equal(b.starts, 4, "each request is one start");
  t.strictSame(await tree.at("")?.restartChild("b"), { kind: "started" });
  t.match(tree.describe().children, [{ state: "running" }, { state: "running" }]);
  await tree.stop();
});

test("L8. under backoff the supervisor goes on trying what was to be restarted", async (t) => {
  const b = scripted("b", []);
  const given = ports();
  const tree = await startTree(supervisor("root", { strategy: "one-for-one", backoff: {} }, [hosted("b", b)]), given);
  b.failStarts.push(new Error("no such interface"));
  t.match(await tree.at("")?.restartChild("b"), { kind: "start-failed" });
  await given.clock.advance(1_000);
  t.match(tree.describe().children, [{ id: "b", state: "running" }]);
  await tree.stop();
});

test("L8. a significant temporary child whose requested restart fails is forgotten, and ends nobody", async (t) => {
  const b = scripted("b", []);
  const children = [hosted("a", scripted("a", [])), hosted("b", b, { restart: "temporary", significant: true })];
  const tree = await startTree(supervisor("root", { strategy: "one-for-one", autoShutdown: "any-significant" }, children), ports());
  b.failStarts.push(new Error("no such interface"));
  t.match(await tree.at("")?.restartChild("b"), { kind: "start-failed" });
  await settle();
  t.match(tree.describe(), { state: "running", children: [{ id: "a", state: "running" }] });
  t.equal(tree.describe().children.length, 1);
  await tree.stop();
});

test("L8. of two restarts in one group each is told of its own child", async (t) => {
  for (const strategy of ["rest-for-one", "one-for-all"] as const) {
    const [b, c] = [scripted("b", []), scripted("c", [])];
    const tree = await startTree(supervisor("root", { strategy, intensity: 0 }, [hosted("a", scripted("a", [])), hosted("b", b), hosted("c", c)]), ports());
    b.failStarts.push(new Error("no such interface"));
    const told = await Promise.all([tree.at("")?.restartChild("b"), tree.at("")?.restartChild("c")]);
    t.match(told, [{ kind: "start-failed" }, { kind: "started" }], strategy);
    t.match(tree.describe().children, [{ state: "running" }, { state: "failed" }, { state: "running" }], strategy);
    await tree.stop();
  }
});

test("L8. a restart that a sibling's failure takes along is a start as any other", async (t) => {
  const [a, b] = [scripted("a", []), scripted("b", [])];
  const tree = await startTree(supervisor("root", { strategy: "rest-for-one" }, [hosted("a", a), hosted("b", b)]), ports());
  b.holdStarts = true;
  const restarted = tree.at("")?.restartChild("b");
  await settle();
  b.holdStarts = false;
  b.failStarts.push(new Error("no such interface"));
  a.crash();
  t.match(await restarted, { kind: "start-failed" });
  await settle();
  t.match(tree.describe().children, [{ state: "running" }, { state: "running" }], "the group is up again");
  await tree.stop();
});

test("a tree that is not well formed is refused where it is written", (t) => {
  const a = scripted("a", []);
  const bad = { code: "DROVER_TREE_INVALID" };
  t.throws(() => supervisor("root", { strategy: "one-for-one" }, [hosted("a", a), hosted("a", a)]), bad);
  t.throws(() => supervisor("", { strategy: "one-for-one" }, []), bad);
  t.throws(() => supervisor("root", { strategy: "one-for-one", intensity: -1 }, []), bad);
  t.throws(() => supervisor("root", { strategy: "one-for-one", periodMs: 0 }, []), bad);
  t.throws(() => supervisor("root", { strategy: "simple" as "one-for-one" }, []), bad);
  t.throws(() => supervisor("root", { strategy: "one-for-one", backoff: { maxMs: Number.NaN } }, []), bad);
  t.throws(() => supervisor("root", { strategy: "one-for-one", backoff: {}, intensity: 1 } as never, []), bad);
  t.throws(() => hosted("a", a, { restart: "always" as "permanent" }), bad);
  t.throws(() => hosted("a", a, { shutdownMs: Number.NaN }), bad);
  const inner = supervisor("x", { strategy: "one-for-one" }, [hosted("y", a)]);
  t.throws(
    () => createTree(supervisor("root", { strategy: "one-for-one" }, [hosted("x/y", a), inner]), { clock: new ManualClock(), random: new SeededRandom(1), log: silentLog }),
    {
      ...bad,
      message: /two children have the path "x\/y"/,
    },
  );
  t.ok(Object.isFrozen(supervisor("root", { strategy: "one-for-one" }, []).children));
  t.end();
});
