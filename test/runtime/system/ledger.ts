// Entities that leave traces: a writer that sends to ledgers, a ledger that lists what it took, an asker, and a worker with effects of each class.

import { assign, setup } from "xstate";
import { actorType, ask, effect, effectOutcomes, entityType, messages, type ReplyTo, reducer, T } from "../../../runtime/index.ts";

const ledgerMessages = messages({
  "ledger.enter": { body: { n: T.Integer() } },
  "ledger.count": { body: {}, reply: T.Object({ count: T.Integer() }) },
  "ledger.mute": { body: {}, reply: T.Object({}) },
});

interface Entries {
  readonly entries: readonly number[];
}

export const ledgerRoot = actorType({
  name: "ledger",
  version: 1,
  messages: ledgerMessages,
  behaviour: reducer<Entries, { readonly type: string; readonly n?: number; readonly replyTo?: ReplyTo<never> }>({
    initial: () => ({ entries: [] }),
    step: (state, event, turn) => {
      if (event.type === "ledger.enter") {
        if ((event.n ?? 0) < 0) {
          turn.refuse("negative");
          return state;
        }
        return { entries: [...state.entries, event.n ?? 0] };
      }
      if (event.type === "ledger.count" && event.replyTo !== undefined) turn.send(event.replyTo, { type: "reply", value: { count: state.entries.length } });
      return state;
    },
  }),
});

const writerMessages = messages({ "writer.write": { body: { to: T.String(), n: T.Integer() } } });

const writerRoot = actorType({
  name: "writer",
  version: 1,
  messages: writerMessages,
  behaviour: reducer<{ readonly written: number }, { readonly type: string; readonly to: string; readonly n: number }>({
    initial: () => ({ written: 0 }),
    step: (state, event, turn) => {
      turn.send(event.to, { type: "ledger.enter", n: event.n });
      return { written: state.written + 1 };
    },
  }),
});

const askerMessages = messages({ "asker.go": { body: { to: T.String(), withinMs: T.Integer(), mute: T.Optional(T.Boolean()) } } });

const askerMachine = setup({
  types: { context: {} as { to: string; withinMs: number; got: unknown }, events: {} as { type: "asker.go"; to: string; withinMs: number; mute?: boolean } },
  actors: { count: ask(ledgerRoot, "ledger.count"), mute: ask(ledgerRoot, "ledger.mute") },
  guards: { isMute: ({ event }) => event.mute === true },
  actions: { note: assign({ to: ({ event }) => event.to, withinMs: ({ event }) => event.withinMs, got: null }) },
}).createMachine({
  context: { to: "", withinMs: 0, got: null },
  initial: "idle",
  states: {
    idle: {
      on: {
        "asker.go": [
          { guard: "isMute", target: "muted", actions: "note" },
          { target: "asking", actions: "note" },
        ],
      },
    },
    asking: {
      invoke: {
        src: "count",
        input: ({ context }) => ({ to: context.to, body: {}, withinMs: context.withinMs }),
        onDone: { target: "idle", actions: assign({ got: ({ event }) => event.output }) },
        onError: { target: "idle", actions: assign({ got: ({ event }) => event.error }) },
      },
    },
    muted: {
      invoke: {
        src: "mute",
        input: ({ context }) => ({ to: context.to, body: {}, withinMs: context.withinMs }),
        onDone: { target: "idle", actions: assign({ got: ({ event }) => event.output }) },
        onError: { target: "idle", actions: assign({ got: ({ event }) => event.error }) },
      },
    },
  },
});

const askerRoot = actorType({ name: "asker", version: 1, messages: askerMessages, behaviour: askerMachine });

const workerMessages = messages({
  "worker.do": { body: { what: T.Union([T.Literal("paint"), T.Literal("fire"), T.Literal("hold")]), n: T.Integer() } },
  ...effectOutcomes,
});

interface Heard {
  readonly heard: readonly { readonly type: string; readonly effect: string; readonly reason: string }[];
}

export const workerRoot = actorType({
  name: "worker",
  version: 1,
  messages: workerMessages,
  behaviour: reducer<Heard, { readonly type: string; readonly what: string; readonly n: number; readonly effect: string; readonly reason: string }>({
    initial: () => ({ heard: [] }),
    step: (state, event, turn) => {
      if (event.type !== "worker.do") return { heard: [...state.heard, { type: event.type, effect: event.effect, reason: event.reason }] };
      turn.perform(event.what, { n: event.n });
      return state;
    },
    effects: { paint: effect<{ n: number }>({ class: "idempotent" }), fire: effect<{ n: number }>({ class: "once" }), hold: effect<{ n: number }>({ class: "state" }) },
  }),
});

export const ledgerEntity = entityType({ root: ledgerRoot, durability: "events", placement: "cloud" });
const writerEntity = entityType({ root: writerRoot, durability: "events", placement: "cloud" });
const askerEntity = entityType({ root: askerRoot, durability: "events", placement: "cloud" });
export const workerEntity = entityType({ root: workerRoot, durability: "events", placement: "cloud" });
/** Keeps nothing. */
export const volatileLedger = entityType({
  root: actorType({ name: "scratch", version: 1, messages: ledgerMessages, behaviour: ledgerRoot.behaviour }),
  durability: "volatile",
  placement: "cloud",
});

export const ledgerTypes = [ledgerEntity, writerEntity, askerEntity];
