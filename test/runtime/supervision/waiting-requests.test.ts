// Requests that come while their supervisor starts wait until it runs, and never for ever. How OTP's answers compare stands in otp/scenes.ts.

import { test } from "tap";

import { type KeptChild, silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { createTree, hosted, type SupervisorHandle, supervisor, type SupervisorSpec, type Tree } from "../../../runtime/supervision/index.ts";
import { scripted, type Scripted } from "./scripted.ts";

interface Starting {
  readonly clock: ManualClock;
  readonly tree: Tree;
  readonly handle: SupervisorHandle;
  readonly slow: Scripted;
  readonly journal: string[];
  /** Of the tree's start. */
  readonly started: Promise<string>;
}

const HOUR_MS = 3_600_000;

/** A tree of "a", and "slow", which starts until it is released. */
async function starting(more: Partial<SupervisorSpec["flags"]> = {}): Promise<Starting> {
  const journal: string[] = [];
  const clock = new ManualClock();
  const slow = scripted("slow", journal);
  slow.holdStarts = true;
  const spec = supervisor("root", { strategy: "one-for-one", ...more }, [hosted("a", scripted("a", journal)), hosted("slow", slow, { startMs: HOUR_MS })]);
  const tree = createTree(spec, { clock, random: new SeededRandom(1), log: silentLog });
  const handle = tree.at("");
  if (handle === undefined) throw new Error("no root");
  const started = tree.start().then(
    () => "started",
    (error: unknown) => (error as Error).message,
  );
  await settle();
  return { clock, tree, handle, slow, journal, started };
}

function answers(requests: readonly Promise<{ readonly kind: string }>[]): string[] {
  const kinds: string[] = requests.map(() => "-");
  for (const [index, request] of requests.entries())
    void request.then(({ kind }) => {
      kinds[index] = kind;
    });
  return kinds;
}

test("V7, G1. requests that come while their supervisor starts are served in their order when it runs", async (t) => {
  const kept: KeptChild[] = [];
  const store = {
    load: () => Promise.resolve([...kept]),
    save: (children: readonly KeptChild[]) => {
      kept.splice(0, kept.length, ...children);
      return Promise.resolve();
    },
  };
  const { clock, tree, handle, slow, journal, started } = await starting({ kept: { store, make: (id) => hosted(id, scripted(id, journal)) } });
  const told = answers([
    handle.addChild(hosted("c", scripted("c", journal))),
    handle.keepChild("b", 1),
    handle.restartChild("a"),
    handle.restartChild("nobody"),
    handle.addChild(hosted("slow", slow)),
  ]);
  await clock.advance(4_999);
  t.strictSame(told, ["-", "-", "-", "-", "-"]);
  t.strictSame([journal, kept], [["start a", "up a", "start slow"], []]);
  slow.release();
  t.equal(await started, "started");
  await settle();
  t.strictSame(told, ["started", "started", "started", "no-such-child", "id-taken"]);
  t.strictSame(
    tree.describe().children.map(({ id, state, restarts }) => `${id} ${state} ${String(restarts)}`),
    ["a running 1", "slow running 0", "c running 0", "b running 0"],
  );
  t.strictSame(kept, [{ id: "b", data: 1 }]);
  t.equal(clock.pending, 0);
  await tree.stop();
});

test("G1. when the start fails, or is stopped, whoever waits is told so and nothing comes of it", async (t) => {
  for (const how of ["fails", "stops"]) {
    const { clock, tree, handle, slow, journal, started } = await starting();
    const told = answers([handle.addChild(hosted("b", scripted("b", journal))), handle.restartChild("a")]);
    slow.failStarts.push(new Error("no such device"));
    if (how === "fails") slow.release();
    else await tree.stop();
    t.match(await started, how === "fails" ? /no such device/ : /stopped while it started/);
    await settle();
    t.strictSame(told, ["not-running", "not-running"], how);
    t.notOk(journal.includes("start b"));
    t.strictSame(await handle.addChild(hosted("b", scripted("b", journal))), { kind: "not-running" }, "nor later");
    t.equal(clock.pending, 0);
  }
});

test("G2. a request waits 5 s, and its child can be asked for again", async (t) => {
  const { clock, tree, handle, slow, journal } = await starting();
  const told = answers([handle.addChild(hosted("b", scripted("b", journal))), handle.restartChild("b"), handle.removeChild("b")]);
  await clock.advance(4_999);
  t.strictSame(told, ["-", "-", "-"], "a removal waits behind what was asked before it");
  await clock.advance(1);
  t.strictSame(told, ["deadline", "deadline", "no-such-child"]);
  const again = answers([handle.addChild(hosted("b", scripted("b", journal)))]);
  slow.release();
  await settle();
  t.strictSame(again, ["started"]);
  t.strictSame(journal, ["start a", "up a", "start slow", "up slow", "start b", "up b"]);
  await tree.stop();
});

test("G2. 1,000 requests wait", async (t) => {
  const { clock, tree, handle, slow } = await starting();
  const told = answers(Array.from({ length: 1_001 }, () => handle.restartChild("nobody")));
  await settle();
  t.strictSame([told[0], told[999], told[1_000]], ["-", "-", "full"]);
  const other = answers([handle.restartChild("a")]);
  await settle();
  t.strictSame(other, ["full"]);
  slow.release();
  await settle();
  t.strictSame([...new Set(told)], ["no-such-child", "full"]);
  t.equal(told.filter((kind) => kind === "full").length, 1);
  t.strictSame(await handle.restartChild("a"), { kind: "started" });
  await tree.stop();
  t.equal(clock.pending, 0);
});

test("G2. a child that awaits a request to its own supervisor while that starts is told in time", async (t) => {
  const journal: string[] = [];
  const clock = new ManualClock();
  const own = scripted("own", journal);
  const asking = {
    start: async (context: Parameters<Scripted["start"]>[0]) => {
      journal.push((await tree.at("")?.addChild(hosted("b", scripted("b", journal))))?.kind ?? "");
      return own.start(context);
    },
  };
  const tree = createTree(supervisor("root", { strategy: "one-for-one" }, [hosted("asking", asking)]), { clock, random: new SeededRandom(1), log: silentLog });
  const started = tree.start();
  await clock.advance(5_000);
  await started;
  t.strictSame(journal, ["deadline", "start own", "up own"]);
  await tree.stop();
});
