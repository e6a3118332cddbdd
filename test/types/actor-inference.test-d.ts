// What an actor author's editor says. Every marked line must fail to compile; one that compiles makes the build fail (an unused expectation).

import { assign, sendTo, setup } from "xstate";

import { actorType, ask, decline, effect, entityType, type EventOf, messages, now, random, reducer, type ReplyTo, reply, T, task } from "../../runtime/actor/index.ts";

const torrentMessages = messages({
  "light.set": { body: { channel: T.Integer(), level: T.Integer() }, reply: T.Object({ level: T.Integer() }), whenAway: "refuse", reads: ["Brightness"] },
  "light.reported": { body: { channel: T.Integer(), level: T.Integer() } },
  "firmware.offered": { body: { url: T.String(), version: T.String() } },
});

const crewMessages = messages({ "crew.work": { body: { hours: T.Integer() }, from: "actors" }, "crew.rest": { body: {} }, "crew.tick": { body: {}, internal: true } });

interface Wanted {
  readonly level: number;
  readonly since: number;
  readonly replyTo: ReplyTo<{ level: number }>;
}

const torrentMachine = setup({
  types: {
    events: {} as EventOf<typeof torrentMessages>,
    input: {} as { address: string },
    context: {} as { address: string; wanted: Wanted | null; version: string },
  },
  actions: { transmit: effect<{ message: string; signals: Record<string, number> }>({ class: "idempotent" }), note: assign({ version: "noted" }) },
  actors: { upload: task<{ url: string }, { version: string }>({ class: "once", withinMs: 5_000 }) },
  guards: { alreadySo: ({ event }) => event.type === "light.set" && event.read.Brightness?.value === event.level },
  delays: { CONFIRM_WITHIN: 1_500 },
}).createMachine({
  id: "torrent",
  context: ({ input }) => ({ address: input.address, wanted: null, version: "" }),
  initial: "running",
  states: {
    running: {
      on: {
        "light.set": { target: "setting", actions: assign({ wanted: ({ event, self }) => ({ level: event.level, since: now(self) + random(self), replyTo: event.replyTo }) }) },
        "firmware.offered": "updating",
      },
    },
    setting: {
      entry: { type: "transmit", params: ({ context }) => ({ message: "TorrentBrightness0", signals: { Brightness: context.wanted?.level ?? 0 } }) },
      on: { "light.reported": { target: "running", actions: ["note"] } },
      after: { CONFIRM_WITHIN: "faulted" },
    },
    updating: {
      invoke: {
        src: "upload",
        input: ({ event }) => ({ url: event.type === "firmware.offered" ? event.url : "" }),
        onDone: { target: "running", actions: assign({ version: ({ event }) => event.output.version }) },
        onError: "faulted",
      },
    },
    faulted: {},
  },
});

const torrent = actorType({
  name: "torrent",
  version: 2,
  messages: torrentMessages,
  behaviour: torrentMachine,
  migrate: { 1: (old) => ({ value: "running", context: { ...(old.context as object), wanted: null } }) },
});
export const vehicle = entityType({
  root: actorType({ name: "vehicle", version: 1, messages: messages({}), behaviour: setup({}).createMachine({}) }),
  durability: "events",
  placement: "vehicle",
  children: { module: { types: [torrent], strategy: "one-for-one", restart: "transient" } },
});

// ---- inside machines

setup({ types: { events: {} as EventOf<typeof torrentMessages>, context: {} as { to: ReplyTo<{ level: number }> } } }).createMachine({
  context: { to: null as never },
  on: {
    // @ts-expect-error the event is not in the protocol
    "light.sett": {},
    "light.set": {
      actions: [
        sendTo(({ event }) => event.replyTo, reply({ level: 1 })),
        sendTo(({ event }) => event.replyTo, decline({ kind: "unknown", reason: "nothing confirmed it" })),
        // @ts-expect-error the reply has the wrong shape
        sendTo(({ event }) => event.replyTo, reply({ brightness: 1 })),
        // @ts-expect-error there is no such field
        sendTo(({ event }) => event.replyToo, reply({ level: 1 })),
        sendTo(
          ({ event }) => event.replyTo,
          // @ts-expect-error a value that the message does not name
          ({ event }) => reply({ level: event.read.Voltage.value }),
        ),
        sendTo(
          ({ event }) => event.replyTo,
          // @ts-expect-error a value may be missing
          ({ event }) => reply({ level: event.read.Brightness.value }),
        ),
        sendTo(torrent.at("a/b/c"), { type: "light.reported", channel: 1, level: 1 }),
        // @ts-expect-error not a message of that actor
        sendTo(torrent.at("a/b/c"), { type: "light.dance" }),
        // By its protocol alone, and what nobody outside may say.
        sendTo(crewMessages.at("a/b/c"), { type: "crew.work", hours: 1 }),
        sendTo(crewMessages.at("a/b/c"), { type: "crew.tick" }),
        // @ts-expect-error the runtime says who speaks
        sendTo(crewMessages.at("a/b/c"), { type: "crew.work", hours: 1, sender: "a/b/d" }),
        sendTo(
          ({ context }) => context.to,
          ({ event }) => reply({ level: event.level }),
        ),
      ],
    },
    // @ts-expect-error a fact carries no replyTo
    "light.reported": { actions: sendTo(({ event }) => event.replyTo, reply({ level: 1 })) },
  },
});

// ---- asking another entity

export const goodnight = setup({ actors: { dim: ask(torrent, "light.set") } }).createMachine({
  context: { level: -1 },
  initial: "dimming",
  states: {
    done: {},
    dark: {},
    dimming: {
      invoke: {
        src: "dim",
        input: { to: "acme/vehicle/rav4-01/module/torrent-0", body: { channel: 1, level: 0 }, withinMs: 2_000 },
        onDone: { target: "done", actions: assign({ level: ({ event }) => event.output.level }) },
        onError: "dark",
      },
    },
  },
});
// @ts-expect-error a message without a reply cannot be asked
ask(torrent, "light.reported");
// @ts-expect-error no such message
ask(torrent, "light.dance");
// An ask is the host's own work: nothing is supplied for it.
actorType({ name: "goodnight", version: 1, messages: messages({}), behaviour: goodnight }).with({});

// ---- the machine must accept every message of its protocol

const more = messages({
  "light.set": { body: { channel: T.Integer(), level: T.Integer() }, reply: T.Object({ level: T.Integer() }), reads: ["Brightness"] },
  "light.reported": { body: { channel: T.Integer(), level: T.Integer() } },
  "firmware.offered": { body: { url: T.String(), version: T.String() } },
  "light.blink": { body: {} },
});
// @ts-expect-error the machine does not accept light.blink
actorType({ name: "x", version: 1, messages: more, behaviour: torrentMachine });

// ---- what a node supplies: complete and of the right shape. Not run: `with` would refuse the wrong ones.

export const supplied = (): unknown => [
  torrent.with({
    effects: {
      transmit: (frame, { key }) => {
        key.at(0);
        frame.message.at(0);
      },
    },
    tasks: { upload: ({ url }) => Promise.resolve({ version: url }) },
  }),
  // @ts-expect-error a task is missing
  torrent.with({ effects: { transmit: () => undefined }, tasks: {} }),
  // @ts-expect-error tasks are missing
  torrent.with({ effects: { transmit: () => undefined } }),
  // @ts-expect-error an effect that the machine does not declare
  torrent.with({ effects: { transmit: () => undefined, blow: () => undefined }, tasks: { upload: ({ url }) => Promise.resolve({ version: url }) } }),
  // @ts-expect-error wrong output of a task
  torrent.with({ effects: { transmit: () => undefined }, tasks: { upload: ({ url }) => Promise.resolve({ vers: url }) } }),
  torrent.with({
    effects: {
      transmit: (frame) => {
        // @ts-expect-error no such parameter
        frame.nope.at(0);
      },
    },
    tasks: { upload: ({ url }) => Promise.resolve({ version: url }) },
  }),
];

// ---- declarations

// @ts-expect-error an effect without a class
effect<{ a: number }>({});
// @ts-expect-error not a class of effects
effect<{ a: number }>({ class: "twice" });
// @ts-expect-error not a restart type of OTP
entityType({ root: torrent, durability: "events", placement: "vehicle", children: { module: { types: [torrent], strategy: "one-for-one", restart: "always" } } });
// @ts-expect-error messages have a body
messages({ "light.set": {} });

export const counterMessages = messages({ "count.add": { body: { by: T.Integer() } } });
export const counter = reducer({
  initial: (input: { start: number }) => ({ count: input.start }),
  step: (state, event: EventOf<typeof counterMessages>) => ({ count: state.count + event.by }),
});
reducer({
  initial: (input: { start: number }) => ({ count: input.start }),
  // @ts-expect-error a step returns the state
  step: (state, event: EventOf<typeof counterMessages>) => state.count + event.by,
});
