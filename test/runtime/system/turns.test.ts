import { test } from "tap";
import { assign, fromCallback, setup } from "xstate";
import { actorType, entityType, messages, parseAddress, type Registered, T, type TimerPolicy } from "../../../runtime/index.ts";
import { settle } from "../../../runtime/simulation/index.ts";
import { hosting } from "./hosting.ts";

const words = messages({ go: { body: {} }, stop: { body: {} }, boom: { body: {} }, heard: { body: { n: T.Integer() }, internal: true } });
type Word = { type: "go" } | { type: "stop" } | { type: "boom" } | { type: "heard"; n: number };

interface Outlet {
  say: ((n: number) => void) | undefined;
  started: number;
  stopped: number;
}

function listening(outlet: Outlet, timers: Readonly<Record<string, TimerPolicy>> = {}): readonly Registered[] {
  const behaviour = setup({
    types: { context: {} as { heard: readonly number[] }, events: {} as Word },
    actors: {
      source: fromCallback(({ sendBack }) => {
        outlet.started++;
        outlet.say = (n) => {
          sendBack({ type: "heard", n });
        };
        outlet.say(0);
        return () => {
          outlet.stopped++;
        };
      }),
    },
    actions: {
      note: assign({ heard: ({ context, event }) => (event.type === "heard" ? [...context.heard, event.n] : context.heard) }),
      fail: assign(() => {
        throw new Error("failed on purpose");
      }),
    },
    delays: { WAIT: 10_000 },
  }).createMachine({
    context: { heard: [] },
    initial: "idle",
    states: {
      idle: { on: { go: "open" } },
      open: { invoke: { src: "source", id: "source" }, on: { heard: { actions: "note" }, stop: "idle", boom: { actions: "fail" } }, after: { WAIT: "late" } },
      late: {},
    },
  });
  return [entityType({ root: actorType({ name: "listener", version: 1, messages: words, behaviour, timers }), durability: "events", placement: "cloud" })];
}

const L = parseAddress("t/listener/l");

test("H9. a source runs after the commit, what it says is a later turn, and it starts again after a recovery", async (t) => {
  const outlet: Outlet = { say: undefined, started: 0, stopped: 0 };
  const types = listening(outlet);
  const first = await hosting({ types });
  await first.system.activate(L, { input: undefined });
  t.equal(outlet.started, 0);
  await first.system.tell(L, { type: "go" });
  t.equal(outlet.started, 1);
  outlet.say?.(1);
  await first.clock.advance(10);
  const heard = (node: typeof first): unknown => (node.system.read(L)?.context as { heard: unknown }).heard;
  t.same(heard(first), [0, 1]);
  await first.system.stop();
  t.equal(outlet.stopped, 1);
  outlet.say?.(9);
  const again = await hosting({ types, disk: first.disk, clock: first.clock });
  await again.system.activate(L, { input: undefined });
  await first.clock.advance(10);
  t.equal(outlet.started, 2);
  t.same(heard(again), [0, 1, 0]);
  await again.system.tell(L, { type: "stop" });
  t.equal(outlet.stopped, 2);
  t.equal(again.system.metrics().find(({ name }) => name === "drover_replay_divergences_total")?.value, 0);
  await again.system.stop();
});

test("S5. a source that floods is cut at the mailbox's bound, and what is cut is counted", async (t) => {
  const outlet: Outlet = { say: undefined, started: 0, stopped: 0 };
  const { system, clock } = await hosting({ types: listening(outlet) });
  await system.activate(L, { input: undefined });
  await system.tell(L, { type: "go" });
  await clock.advance(10);
  for (let n = 1; n <= 5_000; n++) outlet.say?.(n);
  await settle(200);
  const dead = system.metrics().find(({ name, labels }) => name === "drover_dead_letters_total" && labels?.["reason"] === "mailbox full")?.value ?? 0;
  t.ok(dead >= 3_900);
  t.equal((system.read(L)?.context as { heard: number[] }).heard.length, 5_001 - dead);
  await system.stop();
});

test("S4, H13. a fault restarts its actor from what was committed, and the tree shows it, also after a restart of the node", async (t) => {
  const outlet: Outlet = { say: undefined, started: 0, stopped: 0 };
  const types = listening(outlet);
  const first = await hosting({ types });
  await first.system.activate(L, { input: undefined });
  await first.system.tell(L, { type: "go" });
  const told = first.system.tell(L, { type: "boom" });
  await first.clock.advance(1_000);
  t.match(await told, { kind: "refused", reason: /failed on purpose/ });
  t.equal(first.system.read(L)?.state, "open");
  const shown = first.system.describeEntities();
  t.match(shown, [{ id: L, state: "running", restarts: 3, lastExit: { reason: "failed", error: /failed on purpose/ } }]);
  t.ok((first.system.metrics().find(({ name }) => name === "drover_actor_restarts_total")?.value ?? 0) > 0);
  await first.system.stop();
  const again = await hosting({ types, disk: first.disk, clock: first.clock });
  await again.system.activate(L, { input: undefined });
  t.match(again.system.describeEntities(), [{ restarts: 3, lastExit: { error: /failed on purpose/ } }]);
  await again.system.stop();
});

test("K1. a wall timer fires by the wall clock, over a restart and a jump, and not before that clock is trusted", async (t) => {
  const outlet: Outlet = { say: undefined, started: 0, stopped: 0 };
  const types = listening(outlet, { WAIT: "absolute" });
  let isTrusted = true;
  const options = { types, wallTrusted: () => isTrusted };
  const first = await hosting(options);
  await first.system.activate(L, { input: undefined });
  await first.system.tell(L, { type: "go" });
  await first.clock.advance(4_000);
  await first.system.stop();
  await first.clock.advance(60_000);
  isTrusted = false;
  const again = await hosting({ ...options, disk: first.disk, clock: first.clock });
  await again.system.activate(L, { input: undefined });
  await first.clock.advance(120_000);
  t.equal(again.system.read(L)?.state, "open", "its time has come, but who says so");
  isTrusted = true;
  await first.clock.advance(61_000);
  t.equal(again.system.read(L)?.state, "late");
  await again.system.stop();
  const jumping = await hosting({ types });
  await jumping.system.activate(L, { input: undefined });
  await jumping.system.tell(L, { type: "go" });
  await jumping.clock.advance(10);
  jumping.clock.jump(20_000);
  await jumping.clock.advance(9_000);
  t.equal(jumping.system.read(L)?.state, "open", "a jump is seen when the clock is looked at again");
  await jumping.clock.advance(1_100);
  t.equal(jumping.system.read(L)?.state, "late");
  await jumping.system.stop();
});

test("K1. an elapsed timer knows no jump of the wall clock", async (t) => {
  const outlet: Outlet = { say: undefined, started: 0, stopped: 0 };
  const { system, clock } = await hosting({ types: listening(outlet) });
  await system.activate(L, { input: undefined });
  await system.tell(L, { type: "go" });
  clock.jump(86_400_000);
  await clock.advance(9_900);
  t.equal(system.read(L)?.state, "open");
  clock.jump(-86_400_000);
  await clock.advance(200);
  t.equal(system.read(L)?.state, "late");
  await system.stop();
});

test("R1, S9. a recovered turn that no longer comes to what was committed is reported, and what was committed stands", async (t) => {
  const versionOf = (step: number): readonly Registered[] => {
    const behaviour = setup({ types: { context: {} as { n: number }, events: {} as Word }, actions: { add: assign({ n: ({ context }) => context.n + step }) } }).createMachine({
      context: { n: 0 },
      on: { go: { actions: "add" } },
    });
    return [entityType({ root: actorType({ name: "listener", version: 1, messages: words, behaviour }), durability: "events", placement: "cloud" })];
  };
  const first = await hosting({ types: versionOf(1) });
  await first.system.activate(L, { input: undefined });
  await first.system.tell(L, { type: "go" });
  await first.system.stop();
  const again = await hosting({ types: versionOf(5), disk: first.disk, clock: first.clock });
  await again.system.activate(L, { input: undefined });
  t.same(again.system.read(L)?.context, { n: 1 });
  t.equal(again.system.metrics().find(({ name }) => name === "drover_replay_divergences_total")?.value, 1);
  await again.system.stop();
});
