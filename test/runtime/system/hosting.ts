// A system over a memory store and a clock that moves when told, for the tests of runtime/system.

import { assign, sendTo, setup } from "xstate";
import { actorType, createSystem, entityType, type EventOf, messages, reply, type System, type SystemOptions, T } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, type MemoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";

const counterMessages = messages({
  "count.add": { body: { by: T.Integer() }, reply: T.Object({ total: T.Integer() }) },
  "count.later": { body: { ms: T.Integer() } },
  "count.slow": { body: {}, reply: T.Object({ total: T.Integer() }) },
  "count.release": { body: {} },
  "count.fail": { body: {} },
  "count.close": { body: {} },
  "count.tick": { body: {}, internal: true },
});

type CounterEvent = EventOf<typeof counterMessages>;

interface CounterContext {
  readonly total: number;
  readonly waiting: Extract<CounterEvent, { type: "count.slow" }>["replyTo"] | undefined;
}

const counterMachine = setup({
  types: { context: {} as CounterContext, events: {} as CounterEvent },
  actions: {
    add: assign({ total: ({ context, event }) => context.total + (event.type === "count.add" ? event.by : 1) }),
    answer: sendTo(
      ({ event }) => (event as Extract<CounterEvent, { type: "count.add" }>).replyTo,
      ({ context }) => reply({ total: context.total }),
    ),
    hold: assign({ waiting: ({ event }) => (event.type === "count.slow" ? event.replyTo : undefined) }),
    release: sendTo(
      ({ context }) => context.waiting as NonNullable<CounterContext["waiting"]>,
      ({ context }) => reply({ total: context.total }),
    ),
    fail: assign(() => {
      throw new Error("failed on purpose");
    }),
  },
  delays: { LATER: ({ event }) => (event.type === "count.later" ? event.ms : 0) },
}).createMachine({
  id: "counter",
  context: { total: 0, waiting: undefined },
  initial: "open",
  states: {
    open: {
      on: {
        "count.add": { actions: ["add", "answer"] },
        "count.later": "later",
        "count.slow": { actions: "hold" },
        "count.release": { actions: "release" },
        "count.fail": { actions: "fail" },
        "count.close": "closed",
        "count.tick": { actions: "add" },
      },
    },
    later: { after: { LATER: { target: "open", actions: "add" } }, on: { "count.add": { actions: ["add", "answer"] } } },
    closed: {},
  },
});

const counterRoot = actorType({ name: "counter", version: 1, messages: counterMessages, behaviour: counterMachine });
export const counterEntity = entityType({ root: counterRoot, durability: "events", placement: "cloud" });

export interface Hosting {
  readonly system: System;
  readonly clock: ManualClock;
  readonly store: MemoryStore;
  readonly disk: MemoryDisk;
}

/** A started system; the same disk makes it a restart. */
export async function hosting(options: { readonly disk?: MemoryDisk; readonly clock?: ManualClock; readonly seed?: number } & Partial<SystemOptions> = {}): Promise<Hosting> {
  const { disk = new MemoryDisk(), clock = new ManualClock(), seed = 1, ...more } = options;
  const store = memoryStore({ disk });
  await store.open();
  const system = createSystem({ node: "n1", types: [counterEntity], store, clock, random: new SeededRandom(seed), log: silentLog, ...more });
  await system.start();
  return { system, clock, store, disk };
}
