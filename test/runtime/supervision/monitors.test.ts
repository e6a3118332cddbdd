// Down notices: how a child ended, told once to whoever asked, also where nothing runs.

import { test } from "tap";

import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { createTree, hosted, startTree, supervisor, type DownNotice, type Tree } from "../../../runtime/supervision/index.ts";
import type { Exit } from "../../../runtime/workers/index.ts";
import { scripted } from "./scripted.ts";

const ports = (clock = new ManualClock()) => ({ clock, random: new SeededRandom(1), log: silentLog });

/** Everything that monitors of one tree are told. */
function listening(tree: Tree) {
  const heard: DownNotice[] = [];
  const shown = (): readonly string[] => heard.splice(0).map(({ path, reason, error }) => `${path} ${reason}${error === undefined ? "" : `: ${error.message}`}`);
  return { shown, monitor: (path: string) => tree.monitor(path, (notice) => heard.push(notice)) };
}

test("W1. a monitor is told once how the run ended, whatever the exit and whether the child is restarted or forgotten", async (t) => {
  const exits: readonly Exit[] = [
    { kind: "normal" },
    { kind: "shutdown" },
    { kind: "shutdown", cause: new Error("enough") },
    { kind: "failed", error: new Error("b broke") },
    { kind: "killed", error: new Error("b was killed") },
  ];
  for (const restart of ["permanent", "transient", "temporary"] as const) {
    for (const exit of exits) {
      const b = scripted("b", []);
      const inner = supervisor("inner", { strategy: "one-for-one" }, [hosted("b", b, { restart })]);
      const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [inner]), ports());
      const { monitor, shown } = listening(tree);
      monitor("inner/b");
      monitor("inner/b");
      b.end(exit);
      await settle();
      const said = `inner/b ${exit.kind}${"error" in exit ? `: ${exit.error.message}` : "cause" in exit ? ": enough" : ""}`;
      t.strictSame(shown(), [said, said], `${restart}: each monitor once`);
      b.crash("a run that nobody watches");
      await settle();
      await tree.stop();
      t.strictSame(shown(), [], `${restart}: nothing of later runs, and nothing at the tree's end`);
    }
  }
});

test("W1. over a restart: the old run's end once, the new run's only to who asked again", async (t) => {
  const [a, b] = [scripted("a", []), scripted("b", [])];
  const tree = await startTree(supervisor("root", { strategy: "one-for-all", intensity: 9 }, [hosted("a", a), hosted("b", b)]), ports());
  const { monitor, shown } = listening(tree);
  monitor("a");
  monitor("b");
  a.crash("first");
  await settle();
  t.strictSame(shown().toSorted(), ["a failed: first", "b shutdown"], "b went down with its group");
  monitor("b");
  await tree.at("")?.restartChild("b");
  t.strictSame(shown(), ["b shutdown"]);
  monitor("b");
  monitor("");
  await tree.stop();
  await settle();
  t.strictSame(shown(), ["b shutdown", " shutdown"], "children before their tree");
});

test("W2. what never existed, has ended, was removed or waits for its restart is told at once, and never within the call", async (t) => {
  const clock = new ManualClock();
  const [a, b, c] = [scripted("a", []), scripted("b", []), scripted("c", [])];
  const spec = supervisor("root", { strategy: "one-for-one", backoff: {} }, [hosted("a", a, { restart: "transient" }), hosted("b", b), hosted("c", c, { restart: "temporary" })]);
  const created = createTree(spec, { ...ports(clock), random: { next: () => 1, uint32: () => 0, id: () => "" } });
  const { monitor, shown } = listening(created);
  monitor("");
  monitor("a");
  t.strictSame(shown(), [], "not within the call");
  await settle();
  t.strictSame(shown(), [" not-running", "a not-running"], "a tree that has not begun");
  await created.start();
  a.end({ kind: "normal" });
  c.end({ kind: "normal" });
  b.crash();
  await settle();
  b.crash();
  await settle();
  for (const path of ["a", "b", "c", "nobody", "a/b", "/", "b/"]) monitor(path);
  await settle();
  t.strictSame(shown(), ["a not-running", "b not-running", "c no-such-child", "nobody no-such-child", "a/b no-such-child", "/ no-such-child", "b/ no-such-child"]);
  await clock.advance(60_000);
  t.strictSame(shown(), [], "the restart of b is not theirs");
  await created.stop();
  monitor("");
  monitor("b");
  await settle();
  t.strictSame(shown(), [" not-running", "b not-running"]);
  t.equal(clock.pending, 0);
});

test("W2. a start that is watched ends its monitor as start-failed, or as shutdown where it was broken off", async (t) => {
  const [a, b] = [scripted("a", []), scripted("b", [])];
  a.holdStarts = true;
  a.failStarts.push(new Error("no such device"));
  const tree = createTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a), hosted("b", b)]), ports());
  const { monitor, shown } = listening(tree);
  const started = t.rejects(tree.start());
  await settle();
  monitor("a");
  monitor("");
  a.release();
  await started;
  await settle();
  t.match(shown(), ["a start-failed: no such device", /^ start-failed: "root\/a" could not start/]);
  const other = createTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a)]), ports());
  const second = listening(other);
  const refused = t.rejects(other.start());
  await settle();
  second.monitor("a");
  await other.stop();
  await refused;
  t.strictSame(second.shown(), ["a shutdown"]);
});

test("W3. a monitor that was stopped is told nothing, not even what was on its way", async (t) => {
  const a = scripted("a", []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a)]), ports());
  const { monitor, shown } = listening(tree);
  const early = monitor("a");
  early.stop();
  early.stop();
  monitor("nobody").stop();
  const late = tree.monitor("a", () => t.fail("it was stopped by another listener of the same end"));
  tree.onReport(() => {
    late.stop();
  });
  a.crash();
  await settle();
  t.strictSame(shown(), []);
  await tree.stop();
});

test("a monitor that throws disturbs neither the supervisor nor other monitors", async (t) => {
  const a = scripted("a", []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a)]), ports());
  tree.monitor("a", () => {
    throw new Error("a bad listener");
  });
  const { monitor, shown } = listening(tree);
  monitor("a");
  a.crash("it broke");
  await settle();
  t.strictSame(shown(), ["a failed: it broke"]);
  t.match(tree.describe(), { state: "running", children: [{ state: "running", restarts: 1 }] });
  await tree.stop();
});

test("a child that is let go of after its kill is down for its monitors, and its late end is not told again", async (t) => {
  const clock = new ManualClock();
  let finish: ((exit: Exit) => void) | undefined;
  const rude = {
    start: () =>
      Promise.resolve({
        exited: new Promise<Exit>((resolve) => {
          finish = resolve;
        }),
        stop: () => undefined,
        kill: () => undefined,
      }),
  };
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("rude", rude)]), ports(clock));
  const { monitor, shown } = listening(tree);
  monitor("rude");
  const lateEnd = finish;
  const restarted = tree.at("")?.restartChild("rude");
  await clock.advance(7_000);
  await restarted;
  t.match(shown(), [/^rude killed/]);
  monitor("rude");
  lateEnd?.({ kind: "normal" });
  await settle();
  t.strictSame(shown(), [], "the old run's end is not the new run's");
  finish?.({ kind: "normal" });
  await settle();
  t.strictSame(shown(), ["rude normal"]);
  const stopped = tree.stop();
  await clock.advance(7_000);
  await stopped;
});
