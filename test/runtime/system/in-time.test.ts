// One deadline from the call on, over everything that a call waits for: its entity's beginning, its place at the gate, the store, the turn (promise S5).

import { test } from "tap";
import { actorType, type Address, entityType, messages, parseAddress, reducer, T } from "../../../runtime/index.ts";
import type { Store } from "../../../runtime/ports/index.ts";
import { type ManualClock, settle } from "../../../runtime/simulation/index.ts";
import { counterEntity, hosting } from "./hosting.ts";

const A = parseAddress("acme/counter/a");
const add = { type: "count.add", by: 1 } as const;
const never = <V>(): Promise<V> => new Promise(() => undefined);

const cup = entityType({
  root: actorType({
    name: "cup",
    version: 1,
    messages: messages({ "cup.fill": { body: {}, reply: T.Integer() } }),
    behaviour: reducer({ initial: () => 0, step: (n: number) => n + 1 }),
  }),
  durability: "events",
  placement: "cloud",
  passivateAfterMs: 100,
});

/** What became of it, and when. */
function timed<V>(clock: ManualClock, work: Promise<V>): { said: unknown; atMs: number | undefined } {
  const outcome: { said: unknown; atMs: number | undefined } = { said: undefined, atMs: undefined };
  const note = (said: unknown): void => {
    outcome.said = said;
    outcome.atMs = clock.monotonic();
  };
  work.then(note, note);
  return outcome;
}

test("S5. a message that begins its entity has one deadline: what has no place at the gate by then is told so, is never acted on, and begins nothing", async (t) => {
  const { system, clock } = await hosting({ activation: { perSecond: 1, burst: 1 } });
  const addresses = Array.from({ length: 8 }, (_, at) => `acme/counter/n-${String(at)}`);
  const options = { withinMs: 2_500, create: { input: undefined } };
  const told = addresses.map((address, at) => (at % 2 === 0 ? timed(clock, system.tell(address, add, options)) : timed(clock, system.ask(address, add, options))));
  await clock.advance(2_500);
  await settle(0);
  t.same(
    told.map(({ said }) => (said as { readonly kind?: string } | undefined)?.kind),
    ["accepted", "replied", "accepted", "deadline", "deadline", "deadline", "deadline", "deadline"],
  );
  for (const { atMs } of told) t.ok((atMs ?? Number.POSITIVE_INFINITY) <= 2_500, `settled at ${String(atMs)} ms`);
  await clock.advance(60_000);
  t.same([...system.addresses()].sort(), addresses.slice(0, 3), "nobody waited for the others");
  await system.stop();
  t.equal(clock.pending, 0);
});

test("S5. what the beginning took is taken off the time of its message", async (t) => {
  const { system, clock, store } = await hosting();
  let delayMs = 800;
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    await new Promise<void>((resolve) => {
      clock.setTimeout(resolve, delayMs);
    });
    return commit(batch);
  };
  const late = timed(clock, system.tell(A, add, { withinMs: 1_000, create: { input: undefined } }));
  await clock.advance(1_000);
  t.match(late, { said: { kind: "unknown" }, atMs: 1_000 }, "it was taken after 800 ms, and its own commit takes as long again");
  delayMs = 2_000;
  const slow = timed(clock, system.ask("acme/counter/b", add, { withinMs: 1_000, create: { input: undefined } }));
  await clock.advance(1_000);
  t.match(slow, { said: { kind: "deadline" }, atMs: 2_000 });
  await clock.advance(60_000);
  t.equal((system.read(parseAddress("acme/counter/b"))?.context as { readonly total: number }).total, 0, "the entity has begun, and the message was not acted on");
  await system.stop();
});

test("S5. with a store that never reads, every call ends in its time, and so does a stop", async (t) => {
  const { system, clock, store } = await hosting({ types: [cup, counterEntity] });
  const known = parseAddress("acme/cup/known");
  await system.activate(known, { input: undefined });
  await clock.advance(1_000);
  t.equal(system.describeEntities().length, 0, "it has left memory");
  const began = clock.monotonic();
  let late: (() => void) | undefined;
  const load = store.load.bind(store);
  store.load = async (entity: Address): ReturnType<Store["load"]> => {
    await new Promise<void>((resolve) => {
      late = resolve;
    });
    return load(entity);
  };
  const fill = { type: "cup.fill" };
  const calls = {
    tell: timed(clock, system.tell(known, fill, { withinMs: 1_000, create: { input: undefined } })),
    ask: timed(clock, system.ask("acme/cup/new", fill, { withinMs: 2_000, create: { input: undefined } })),
    inform: timed(clock, system.inform(known, fill)),
    informNew: timed(clock, system.inform(A, add, { input: undefined })),
    look: timed(clock, system.look(known)),
    inspect: timed(clock, system.inspection.inspect(known)),
    stateAt: timed(clock, system.inspection.stateAt(known, 1)),
    activate: timed(clock, system.activate(A, { input: undefined })),
  };
  await clock.advance(10_000);
  const at = (ms: number): number => began + ms;
  const failed = { code: "DROVER_STORE_FAILED", retryable: true };
  t.match(calls, {
    tell: { said: { kind: "deadline" }, atMs: at(1_000) },
    ask: { said: { kind: "deadline" }, atMs: at(2_000) },
    inform: { said: { kind: "deadline" }, atMs: at(10_000) },
    informNew: { said: { kind: "deadline" }, atMs: at(10_000) },
    look: { said: failed, atMs: at(10_000) },
    inspect: { said: failed, atMs: at(10_000) },
    stateAt: { said: failed, atMs: at(10_000) },
    activate: { said: undefined },
  });
  await clock.advance(25_000);
  t.match(calls.activate, { said: { code: "DROVER_STORE_FAILED", message: /acme\/counter\/a could not be read: no answer for 30 s/ }, atMs: at(30_000) });

  const again = timed(clock, system.activate(A, { input: undefined }));
  await settle(0);
  const stopping = timed(clock, system.stop());
  await clock.advance(5_000);
  t.ok(stopping.atMs !== undefined, "a stop does not wait for the store");
  t.match(again.said, { code: "DROVER_STORE_FAILED", message: /stopped before the store had answered/ });
  t.equal(system.describeEntities().length, 0);
  late?.();
  await settle(0);
  t.equal(system.describeEntities().length, 0, "what the store says afterwards brings nobody");
  await clock.advance(30_000);
  t.equal(clock.pending, 0);
});

test("S5. with a store that never writes, an entity that begins holds up neither its caller nor a stop", async (t) => {
  const { system, clock, store } = await hosting();
  store.commit = never;
  const told = timed(clock, system.tell(A, add, { withinMs: 1_000, create: { input: undefined } }));
  const activated = timed(clock, system.activate(A, { input: undefined }));
  await clock.advance(60_000);
  t.match(told, { said: { kind: "deadline" }, atMs: 1_000 });
  t.match(activated, { said: { code: "DROVER_STORE_FAILED", retryable: true }, atMs: 60_000 });
  t.match(system.describeEntities(), [{ id: A }], "it goes on beginning");
  const stopping = timed(clock, system.stop());
  await clock.advance(10_000);
  t.ok(stopping.atMs !== undefined);
  t.equal(system.describeEntities().length, 0);
  t.equal(clock.pending, 0);
});

test("S5. a node's own word is not taken after its time, and unknown while it is being committed then", async (t) => {
  const { system, clock, store } = await hosting();
  await system.activate(A, { input: undefined });
  store.commit = never;
  const taken = timed(clock, system.inform(A, add));
  await clock.advance(10);
  const waiting = timed(clock, system.inform(A, add));
  await clock.advance(10_000);
  t.match(taken.said, { kind: "unknown" });
  t.match(waiting.said, { kind: "deadline" });
  const stopping = timed(clock, system.stop());
  await clock.advance(5_000);
  t.ok(stopping.atMs !== undefined);
});

test("N2. a failed entity whose caller finds no place at the gate goes on being recovered", async (t) => {
  const { system, clock, store } = await hosting({ activation: { perSecond: 0.1, burst: 2 } });
  await system.activate(A, { input: undefined });
  await system.activate(parseAddress("acme/counter/b"), { input: undefined });
  store.refuseNext(A, "bad data");
  t.match(await system.tell(A, add), { kind: "not-stored" });
  const called = timed(clock, system.tell(A, add, { withinMs: 50, create: { input: undefined } }));
  await clock.advance(60);
  t.match(called.said, { kind: "deadline" });
  await clock.advance(120_000);
  t.match(system.describeEntities(), [{ state: "running" }, { state: "running" }]);
  t.match(await system.tell(A, add), { kind: "accepted" });
  await system.stop();
});
