// What made a temporary child fail has its last word under its id, as anywhere else (rules M1, M2; entity/supervision.ts V3).

import { test } from "tap";

import { actorType, entityType, messages, reducer, reply } from "../../../runtime/actor/index.ts";
import { parseAddress } from "../../../runtime/address.ts";
import { createSystem, type System, T } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";

const OPENS_AFTER_MS = 5_000;
const AFTERWARDS_MS = 10_000;
const till = messages({ pay: { body: {}, reply: T.Object({ paid: T.Integer() }) }, "pay.soon": { body: {} } });

interface Bank {
  readonly clock: ManualClock;
  system(): System;
  pay(id: string): Promise<unknown>;
  parked(): Promise<readonly unknown[]>;
  restart(): Promise<void>;
}

async function bank(durability: "events" | "snapshot" | "volatile"): Promise<Bank> {
  const clock = new ManualClock();
  const disk = new MemoryDisk();
  const opensAt = clock.now() + OPENS_AFTER_MS;
  const kid = actorType({
    name: "kid",
    version: 1,
    messages: till,
    behaviour: reducer<{ readonly paid: number }, { readonly type: string; readonly replyTo?: string }>({
      initial: () => ({ paid: 0 }),
      step: (state, event, turn) => {
        if (event.type === "pay.soon") {
          turn.arm("soon", 100, { type: "pay" });
          return state;
        }
        if (turn.now < opensAt) throw new Error("the bank is shut");
        if (event.replyTo !== undefined) turn.send(event.replyTo, reply({ paid: state.paid + 1 }) as never);
        return { paid: state.paid + 1 };
      },
    }),
  });
  const root = actorType({ name: "home", version: 1, messages: messages({}), behaviour: reducer({ initial: () => ({}), step: (state) => state }) });
  const type = entityType({ root, durability, placement: "cloud", children: { kid: { types: [kid], strategy: "one-for-one", restart: "temporary" } } });
  const begin = async (): Promise<System> => {
    const store = memoryStore({ disk });
    await store.open();
    const system = createSystem({ node: "n1", types: [type], store, clock, random: new SeededRandom(1), log: silentLog });
    await system.start();
    await system.activate(parseAddress("a/home/x"), { input: undefined, children: [{ kind: "kid", id: "1", type: "kid", input: null }] });
    return system;
  };
  let system = await begin();
  return {
    clock,
    system: () => system,
    pay: (id) => system.ask("a/home/x/kid/1", { type: "pay" }, { withinMs: 1_000, id }),
    parked: async () => (await system.inspection.inspect(parseAddress("a/home/x")))?.parked ?? [],
    restart: async () => {
      await system.stop();
      await clock.advance(AFTERWARDS_MS);
      system = await begin();
    },
  };
}

for (const durability of ["events", "snapshot", "volatile"] as const)
  test(`M1, M2. a message that makes a temporary child of a ${durability} entity fail is parked, its sender is told why, and its id has that one outcome`, async (t) => {
    const all = await bank(durability);
    const why = { kind: "refused", accepts: [], reason: "its actor has failed and is not started again: the bank is shut" };
    t.same(await all.pay("i1"), why);
    t.same(await all.pay("i1"), why, "the same id at once");
    t.match(all.system().read(parseAddress("a/home/x/kid/1")), { status: "error" });
    t.match(await all.parked(), [{ offender: "a/home/x/kid/1", reason: "the bank is shut" }]);
    await all.restart();
    if (durability !== "volatile") t.same(await all.pay("i1"), why, "the same id after a restart, which starts nothing again");
    await all.system().stop();
  });

test("M1. a timer that makes a temporary child fail is parked with its cause", async (t) => {
  const all = await bank("events");
  await all.system().tell("a/home/x/kid/1", { type: "pay.soon" });
  await all.clock.advance(200);
  t.match(await all.parked(), [{ offender: "a/home/x/kid/1", reason: "the bank is shut" }]);
  await all.system().stop();
});
