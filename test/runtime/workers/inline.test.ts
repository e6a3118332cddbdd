// Inline workers under virtual time: liveness, failing handlers, aborted starts, and code whose life is a promise.

import { test } from "tap";

import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { child, createTree, hosted, startTree, supervisor } from "../../../runtime/supervision/index.ts";
import { lifeOf, startWorker, stopWithin, worker, type WorkerContext, type WorkerLink } from "../../../runtime/workers/index.ts";

const ports = (clock: ManualClock) => ({ clock, random: new SeededRandom(1), log: silentLog });

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      resolve();
    });
  });

/** Beats every `everyMs`, `beats` times. */
const heart = worker({
  module: import.meta.url,
  async run({ config, ready, alive, clock }: WorkerContext<{ everyMs: number; beats: number }>, signal) {
    ready();
    let left = config.beats;
    const beat = (): void => {
      if (left-- <= 0) return;
      alive();
      clock.setTimeout(beat, config.everyMs);
    };
    beat();
    await untilAborted(signal);
  },
});

test("S4. liveness counts from ready, and from each sign of life anew", async (t) => {
  const clock = new ManualClock();
  const mute = await startWorker(heart, { everyMs: 1, beats: 0 }, { livenessMs: 1_000 }, ports(clock));
  const beating = await startWorker(heart, { everyMs: 900, beats: 10 }, { livenessMs: 1_000 }, ports(clock));
  const free = await startWorker(heart, { everyMs: 1, beats: 0 }, {}, ports(clock));
  await clock.advance(1_000);
  await clock.advance(100);
  t.match(await mute.exited, { kind: "failed", error: { message: /no sign of life for 1100 ms/ } }, "it never gave one");
  let ended = false;
  void beating.exited.then(() => {
    ended = true;
  });
  await clock.advance(9 * 900 - 100);
  t.notOk(ended, "within its time, and a second look");
  await clock.advance(100);
  t.ok(ended);
  t.match(await beating.exited, { kind: "failed", error: { message: /no sign of life/ } });
  await clock.advance(3_600_000);
  t.strictSame(await stopWithin(free, clock, { shutdownMs: 1_000 }), { kind: "shutdown" }, "without livenessMs there is nothing to miss");
  t.equal(clock.pending, 0);
});

test("a handler that throws ends the worker with its cause even if it never heeds its signal", async (t) => {
  const clock = new ManualClock();
  const deaf = worker({
    module: import.meta.url,
    async run({ ready, receive }: WorkerContext<undefined, never, string>) {
      receive((item) => {
        throw new Error(`cannot take ${item}`);
      });
      ready();
      await new Promise(() => undefined);
    },
  });
  const running = await startWorker(deaf, undefined, { shutdownMs: 500 }, ports(clock));
  running.send("this");
  await clock.advance(500);
  t.match(await running.exited, { kind: "failed", error: { message: "cannot take this" } });
});

test("a rejection with the signal's reason after a stop is an end in order; another one is a failure", async (t) => {
  const clock = new ManualClock();
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const leaves = worker({
    module: import.meta.url,
    async run({ config, ready }: WorkerContext<{ how: "reason" | "abort-error" | "other" | "revoked" }>, signal) {
      ready();
      await untilAborted(signal);
      if (config.how === "reason") signal.throwIfAborted();
      if (config.how === "abort-error") throw new DOMException("stopped", "AbortError");
      throw config.how === "revoked" ? (proxy as Error) : new Error("could not close");
    },
  });
  for (const [how, kind] of [
    ["reason", "shutdown"],
    ["abort-error", "shutdown"],
    ["other", "failed"],
    ["revoked", "failed"],
  ] as const) {
    const running = await startWorker(leaves, { how }, {}, ports(clock));
    t.match(await stopWithin(running, clock, { shutdownMs: 1_000 }), { kind }, how);
  }
});

test("a start that is no longer wanted stops what it began, and kills it when that takes too long", async (t) => {
  const clock = new ManualClock();
  const said: string[] = [];
  const slow = worker({
    module: import.meta.url,
    async run({ config }: WorkerContext<{ heeds: boolean }>, signal) {
      await untilAborted(signal);
      said.push("asked");
      if (!config.heeds) await new Promise(() => undefined);
    },
  });
  for (const heeds of [true, false]) {
    const tree = createTree(supervisor("root", { strategy: "one-for-one" }, [child("slow", slow, { heeds }, { shutdownMs: 700 })]), ports(clock));
    const started = tree.start();
    started.catch(() => undefined);
    await settle();
    const from = clock.monotonic();
    const stopped = tree.stop();
    await clock.advance(heeds ? 0 : 700);
    await stopped;
    await t.rejects(started, { message: /stopped while it started/ });
    t.equal(clock.monotonic() - from, heeds ? 0 : 700);
  }
  t.strictSame(said, ["asked", "asked"]);
  t.equal(clock.pending, 0);
});

test("a link is one life: a restarted worker has another, and the old one says how it ended", async (t) => {
  const clock = new ManualClock();
  const links: WorkerLink<string>[] = [];
  const fragile = worker({
    module: import.meta.url,
    async run({ ready, receive, emit }: WorkerContext<undefined, string, string>, signal) {
      receive((item) => {
        if (item === "break") throw new Error("broken");
        emit(`${item}!`);
      });
      ready();
      await untilAborted(signal);
    },
  });
  const answers: string[] = [];
  const options = { into: (item: string) => answers.push(item), linked: (link: WorkerLink<string>) => links.push(link) };
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [child("fragile", fragile, undefined, options)]), ports(clock));
  t.ok(links[0]?.send("one"));
  links[0]?.send("break");
  t.match(await links[0]?.exited, { kind: "failed", error: { message: "broken" } });
  await settle();
  t.equal(links.length, 2);
  t.notOk(links[0]?.send("lost"));
  t.ok(links[1]?.send("two"));
  t.strictSame(answers, ["one!", "two!"]);
  await tree.stop();
});

test("what takes a link and throws is a start failure, and the worker does not stay behind", async (t) => {
  const clock = new ManualClock();
  const linked = (): void => {
    throw new Error("no thanks");
  };
  await t.rejects(startWorker(heart, { everyMs: 1, beats: 0 }, { linked }, ports(clock)), { code: "DROVER_WORKER_FAILED", cause: { message: "no thanks" } });
});

test("a config that is not JSON is refused, and a worker's file is named by URL", async (t) => {
  const clock = new ManualClock();
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const any = worker<unknown>({ module: import.meta.url, run: () => Promise.resolve() });
  await t.rejects(startWorker(any, cycle, {}, ports(clock)), { code: "DROVER_TREE_INVALID" });
  await t.rejects(startWorker(any, { big: 1n }, {}, ports(clock)), { code: "DROVER_TREE_INVALID" });
  t.throws(() => worker({ module: "./a.worker.ts", run: () => Promise.resolve() }), { code: "DROVER_TREE_INVALID" });
});

test("code whose life is a promise is a child like any other", async (t) => {
  const clock = new ManualClock();
  let lives = 0;
  let fail: (() => void) | undefined;
  const server = lifeOf(async ({ ready }, signal) => {
    lives++;
    ready();
    await new Promise<void>((resolve, reject) => {
      fail = () => {
        reject(new Error("the port is gone"));
      };
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
  });
  const never = lifeOf((_context, signal) => untilAborted(signal));
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("api", server, { kind: "worker" })]), ports(clock));
  fail?.();
  await settle();
  t.equal(lives, 2);
  t.match(tree.describe().children[0], {
    id: "api",
    kind: "worker",
    state: "running",
    restarts: 1,
    lastExit: { reason: "failed", error: "the port is gone", stack: /inline\.test/ },
  });
  const added = tree.at("")?.addChild(hosted("never", never, { startMs: 400 }));
  await clock.advance(400);
  t.match(await added, { kind: "start-failed", error: { code: "DROVER_WORKER_START_TIMEOUT" } });
  await tree.stop();
  t.equal(clock.pending, 0);
});
