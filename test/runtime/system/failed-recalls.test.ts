// What a store's fault keeps from coming back into memory comes back all the same, whoever has called it: nothing that it has to do later waits for the next call (rules C5, K1; promise S7).

import { test } from "tap";
import { assign, setup } from "xstate";
import { actorType, type AnyActorType, entityType, messages, parseAddress, type System } from "../../../runtime/index.ts";
import type { Store } from "../../../runtime/ports/index.ts";
import type { ManualClock, MemoryStore } from "../../../runtime/simulation/index.ts";
import { type Hosting, hosting } from "./hosting.ts";

const IDLE_MS = 1_000;
const RINGS_AFTER_MS = 10_000;
/** How long the store works until it fails. */
const FAILS_AFTER_MS = 3_000;
/** How long it fails, where it does so for long. */
const FAILS_FOR_MS = 300_000;
const A = parseAddress("acme/bell/a");
const B = parseAddress("acme/bell/b");

function bell(version: 1 | 2): AnyActorType {
  const behaviour = setup({ types: { context: {} as { readonly rung: number } }, delays: { ring: RINGS_AFTER_MS } }).createMachine({
    id: "bell",
    context: { rung: 0 },
    initial: "idle",
    states: {
      // The newer one rings by itself.
      idle: { on: { set: "set" }, ...(version === 2 ? { after: { ring: "rung" } } : {}) },
      set: { after: { ring: { target: "rung", actions: assign({ rung: ({ context }) => context.rung + 1 }) } } },
      rung: {},
    },
  });
  return actorType({
    name: "bell",
    version,
    messages: messages({ set: { body: {} }, ping: { body: {} } }),
    behaviour: behaviour as never,
    ...(version === 2 ? { earlier: [bell(1)] } : {}),
  });
}

const bells = (version: 1 | 2): Parameters<typeof hosting>[0] => ({
  types: [entityType({ root: bell(version), durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS })],
  versions: "raised-at-start",
});
/** As a start with the second version leaves it: none has to read what the entities were written by. */
const recorded = ({ store }: Hosting): Promise<void> => store.values.set("active-version/bell", Buffer.from("1"));
const failures = ({ system }: Hosting): number => system.metrics().find(({ name }) => name === "drover_wakes_failed_total")?.value ?? 0;
const stateOf = async (system: System, entity = A): Promise<unknown> => (await system.look(entity))?.state;

type Fault = (store: MemoryStore, clock: ManualClock) => () => void;

/** Once, after a while. */
const readFails: Fault = (store, clock) => {
  const load = store.load.bind(store);
  let count = 0;
  store.load = async (entity: Parameters<Store["load"]>[0]) => {
    if (count++ > 0) return load(entity);
    await later(clock, FAILS_AFTER_MS);
    throw new Error("connection lost");
  };
  return () => void (store.load = load);
};
const commitEnds =
  (outcome: { kind: "unknown" | "refused"; reason: string; passing?: true }): Fault =>
  (store, clock) => {
    const commit = store.commit.bind(store);
    let count = 0;
    store.commit = async (batch) => {
      if (count++ > 0) return commit(batch);
      await later(clock, FAILS_AFTER_MS);
      return batch.map(() => outcome);
    };
    return () => void (store.commit = commit);
  };

function later(clock: ManualClock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms);
  });
}

test("S7, K1. a timer that falls due while a call brings its entity back rings although that comes to nothing", async (t) => {
  const hosted = await hosting(bells(1));
  const { system, clock, store } = hosted;
  await system.activate(A, { input: undefined });
  await system.tell(A, { type: "set" });
  await clock.advance(RINGS_AFTER_MS - FAILS_AFTER_MS / 2);
  t.match(system.describeEntities(), [], "it is out of memory");
  const heal = readFails(store, clock);
  const told = system.tell(A, { type: "ping" }, { withinMs: 1_000 });
  await clock.advance(FAILS_AFTER_MS);
  t.match(await told, { kind: "deadline" });
  t.equal(failures(hosted), 1);
  await clock.advance(10_000);
  heal();
  t.equal(await stateOf(system), "rung");
  await system.stop();
  t.equal(clock.pending, 0);
});

test("S7, K1. a timer that falls due while a call waits at the gate for its entity rings although nobody waits for that call any more", async (t) => {
  const { system, clock } = await hosting({ ...bells(1), activation: { burst: 1, perSecond: 1_000 / (RINGS_AFTER_MS + FAILS_AFTER_MS) } });
  await system.activate(A, { input: undefined });
  await system.tell(A, { type: "set" });
  await clock.advance(RINGS_AFTER_MS - 500);
  const told = system.tell(A, { type: "ping" }, { withinMs: 300 });
  await clock.advance(400);
  t.match(await told, { kind: "deadline" });
  await clock.advance(FAILS_AFTER_MS + 500);
  t.equal(system.read(A)?.state, "rung");
  await system.stop();
});

const FAULTS: readonly [name: string, fault: Fault][] = [
  ["a read that fails", readFails],
  ["a commit of unknown outcome", commitEnds({ kind: "unknown", reason: "connection lost" })],
  ["a commit that is refused for want of room", commitEnds({ kind: "refused", reason: "disk full", passing: true })],
];

for (const [name, fault] of FAULTS) {
  test(`S7, T4. ${name} delays the upgrade of who is out of memory, and what it waits for then rings`, async (t) => {
    const before = await hosting(bells(1));
    for (const entity of [A, B]) await before.system.activate(entity, { input: undefined });
    await before.clock.advance(IDLE_MS * 3);
    await before.system.stop();
    await recorded(before);
    const heal = fault(before.store, before.clock);
    const { system, clock } = await hosting({ ...bells(2), clock: before.clock, store: before.store });
    await clock.advance(FAILS_AFTER_MS + RINGS_AFTER_MS + 10_000);
    heal();
    t.same(await Promise.all([A, B].map((entity) => stateOf(system, entity))), ["rung", "rung"]);
    await system.stop();
    t.equal(clock.pending, 0);
  });

  test(`S7, K1. ${name} at the upgrade of who has set a timer: it rings although that falls due meanwhile`, async (t) => {
    const before = await hosting(bells(1));
    await before.system.activate(A, { input: undefined });
    await before.system.tell(A, { type: "set" });
    await before.clock.advance(RINGS_AFTER_MS - FAILS_AFTER_MS / 2);
    await before.system.stop();
    await recorded(before);
    const heal = fault(before.store, before.clock);
    const { system, clock } = await hosting({ ...bells(2), clock: before.clock, store: before.store });
    await clock.advance(FAILS_AFTER_MS + 10_000);
    heal();
    t.equal(await stateOf(system), "rung");
    await system.stop();
  });
}

test("S5, T4. a system that stops while it waits to try an upgrade again has nothing armed any more", async (t) => {
  const before = await hosting(bells(1));
  await before.system.activate(A, { input: undefined });
  await before.clock.advance(IDLE_MS * 3);
  await before.system.stop();
  await recorded(before);
  const load = before.store.load.bind(before.store);
  before.store.load = () => Promise.reject(new Error("connection lost"));
  const { system, clock } = await hosting({ ...bells(2), clock: before.clock, store: before.store });
  await clock.advance(60_000);
  await system.stop();
  t.equal(clock.pending, 0);
  before.store.load = load;
  const next = await hosting({ ...bells(2), clock, store: before.store });
  await clock.advance(RINGS_AFTER_MS + 1_000);
  t.equal(await stateOf(next.system), "rung", "the next start brings it");
  await next.system.stop();
});

for (const fails of ["every call", "what reads its state"] as const)
  test(`S7, W5. however long the store fails (${fails}), an entity whose timer is due rings within 5 s of its return`, async (t) => {
    const node = await hosting(bells(1));
    const { system, clock, store } = node;
    await system.activate(A, { input: undefined });
    await system.tell(A, { type: "set" });
    await clock.advance(IDLE_MS * 3);
    t.equal(system.read(A), undefined, "it is out of memory");
    const load = store.load.bind(store);
    if (fails === "every call") store.failWith(new Error("connection lost"));
    else store.load = () => Promise.reject(new Error("connection lost"));
    await clock.advance(RINGS_AFTER_MS + FAILS_FOR_MS);
    // The rows of both clocks and those that were set back are read each time.
    const tries = fails === "every call" ? failures(node) / 3 : failures(node);
    t.ok(tries >= FAILS_FOR_MS / 4_000 && tries <= FAILS_FOR_MS / 2_000 + 5, `tried ${String(tries)} times: every 2 to 4 s`);
    store.failWith(undefined);
    store.load = load;
    await clock.advance(5_000);
    t.equal(await stateOf(system), "rung");
    await system.stop();
    t.equal(clock.pending, 0);
  });
