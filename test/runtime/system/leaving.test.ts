// Entities that leave memory, many at once, on a disk that takes its time: they have a small share of it, and what they leave behind is certain.

import { test } from "tap";
import { assign, setup } from "xstate";
import { actorType, type Address, entityType, type EntityType, messages, parseAddress, type System, T } from "../../../runtime/index.ts";
import type { Store } from "../../../runtime/ports/index.ts";
import { type ManualClock, settle } from "../../../runtime/simulation/index.ts";
import { hosting } from "./hosting.ts";

const IDLE_MS = 10_000;
const FLUSH_MS = 20;

/** Armed anew by every word. */
function alarmType(name: string, passivateAfterMs?: number): EntityType {
  const machine = setup({
    types: { context: {} as { ms: number; fired: number; poked: number }, events: {} as { type: "alarm.arm"; ms: number } | { type: "alarm.poke" } },
    delays: { LATER: ({ context }) => context.ms },
    actions: {
      keep: assign({ ms: ({ event }) => (event as { ms: number }).ms }),
      fire: assign({ fired: ({ context }) => context.fired + 1 }),
      poke: assign({ poked: ({ context }) => context.poked + 1 }),
    },
  }).createMachine({
    context: { ms: 0, fired: 0, poked: 0 },
    initial: "idle",
    on: { "alarm.poke": { actions: "poke" }, "alarm.arm": { target: ".armed", reenter: true, actions: "keep" } },
    states: { idle: {}, armed: { after: { LATER: { target: "idle", actions: "fire" } } } },
  });
  const root = actorType({ name, version: 1, messages: messages({ "alarm.arm": { body: { ms: T.Integer() } }, "alarm.poke": { body: {} } }), behaviour: machine });
  return entityType({ root, durability: "events", placement: "cloud", ...(passivateAfterMs === undefined ? {} : { passivateAfterMs }) });
}

const leaver = alarmType("leaver", IDLE_MS);
const stayer = alarmType("stayer");
const addressOf = (type: string, at: number): Address => parseAddress(`acme/${type}/a-${String(at)}`);
const inMemory = (system: System): number => system.describeEntities().filter(({ state }) => state === "running").length;

/** Every write takes a flush, one after the other, as on a card. @returns how many there were */
function slowed(store: Store, clock: ManualClock): () => number {
  let card = Promise.resolve();
  let flushes = 0;
  const flushed = <Given extends readonly unknown[], Answer>(write: (...given: Given) => Promise<Answer>): ((...given: Given) => Promise<Answer>) => {
    return async (...given) => {
      flushes++;
      const before = card;
      const mine = before.then(
        () =>
          new Promise<void>((resolve) => {
            clock.setTimeout(resolve, FLUSH_MS);
          }),
      );
      card = mine;
      await mine;
      return write(...given);
    };
  };
  const { values }: { values: { -readonly [Name in keyof Store["values"]]: Store["values"][Name] } } = store;
  store.commit = flushed(store.commit.bind(store));
  values.set = flushed(values.set);
  values.delete = flushed(values.delete);
  values.write = flushed(values.write);
  return () => flushes;
}

test("S5. however many entities leave at once, a command waits for its own flush and two more, and hundreds of them share one", async (t) => {
  const LEAVERS = 1_000;
  const { system, clock, store } = await hosting({ types: [leaver, stayer] });
  const steady = addressOf("stayer", 0);
  await system.activate(steady, { input: undefined });
  const armed = Array.from({ length: LEAVERS }, (_, at) => system.tell(addressOf("leaver", at), { type: "alarm.arm", ms: 3_600_000 }, { create: { input: undefined } }));
  await clock.advance(100);
  for (const each of armed) t.equal((await each).kind, "accepted");
  t.equal(inMemory(system), LEAVERS + 1);

  const flushes = slowed(store, clock);
  const waits: number[] = [];
  let commands = 0;
  for (let passedMs = 0; passedMs < IDLE_MS * 3; passedMs += 50) {
    const toldAt = clock.monotonic();
    commands++;
    void system
      .tell(steady, { type: "alarm.poke" }, { withinMs: 5_000 })
      .then(({ kind }) => waits.push(kind === "accepted" ? clock.monotonic() - toldAt : Number.POSITIVE_INFINITY));
    for (let ms = 0; ms < 50; ms += 5) await clock.advance(5);
  }
  await clock.advance(1_000);
  t.equal(waits.length, commands);
  t.ok(Math.max(...waits) <= FLUSH_MS * 3, `the longest wait was ${String(Math.max(...waits))} ms`);
  t.equal(inMemory(system), 1, "all have left");
  const others = flushes() - commands;
  t.ok(others < LEAVERS / 20, `${String(others)} flushes for ${String(LEAVERS)} entities`);
  const stopped = system.stop();
  await clock.advance(1_000);
  await stopped;
});

test("S7. where the store did not say what became of an entity's rows none of them is counted on: what it has to do from then on is known after a crash", async (t) => {
  const { system, clock, store, disk } = await hosting({ types: [leaver] });
  const one = addressOf("leaver", 0);
  await system.tell(one, { type: "alarm.arm", ms: 1_000_000 }, { create: { input: undefined } });
  const values = store.values as { write: Store["values"]["write"] };
  const write = values.write;
  const writtenAt: number[] = [];
  values.write = async (changes) => {
    await write(changes);
    writtenAt.push(clock.monotonic());
    if (writtenAt.length === 1) throw new Error("no answer in time");
  };
  while (writtenAt.length === 0) await clock.advance(100);
  await settle();
  t.equal(inMemory(system), 1, "it was written, and nobody knows");
  t.match(await system.tell(one, { type: "alarm.arm", ms: 60_000 }), { kind: "accepted" });
  store.crash();
  const again = await hosting({ types: [leaver], disk, clock, seed: 2 });
  await clock.advance(90_000);
  t.match((await again.system.look(one))?.context, { fired: 1 }, "the earlier time has come");
  await clock.advance(1_000_000);
  t.equal(inMemory(again.system), 0);
  t.strictSame(await again.store.values.entries("wake/"), [], "and what was written for nothing is gone once it was due");
  await again.system.stop();
});
