// The protocol of a module: commands that it takes, and facts that the edge node tells it. One protocol for all module types; what a type takes is its table's matter
// and is checked at the vehicle's door (vehicle V3, X1).

import { effectOutcomes, messages, T } from "../../runtime/index.ts";

/** Set by the door from the vehicle's file; a sender may ask for less. */
const times = {
  /** The frame must be on the bus this long after the command was taken, ms. */
  deadlineMs: T.Optional(T.Integer({ minimum: 1, maximum: 86_400_000 })),
  /** The desired value stands at most this long, ms. */
  ttlMs: T.Optional(T.Integer({ minimum: 1, maximum: 604_800_000 })),
  /** Name of the command in the vehicle's file, where it has a name of its own. */
  command: T.Optional(T.String({ maxLength: 64 })),
  /** Count of the output's changes of hand that the sender had seen (rules O2). */
  against: T.Optional(T.Integer({ minimum: 0 })),
} as const;

const output = T.Optional(T.String({ minLength: 1, maxLength: 64, description: "name of the output in the vehicle's file; may be left out where there is one" }));

/** How a command ended. */
export const commandReply = T.Object({
  outcome: T.Union([T.Literal("confirmed"), T.Literal("superseded"), T.Literal("done")]),
  output: T.Optional(T.String()),
  value: T.Optional(T.Number({ description: "confirmed: as the module itself reports it; superseded: what the command had wanted" })),
});

export const moduleMessages = messages({
  ...effectOutcomes,
  "light.set": {
    body: { output, level: T.Integer({ minimum: 0, maximum: 255, description: "0 off, 255 full" }), ...times },
    reply: commandReply,
    whenAway: "refuse",
    reads: ["reported"],
  },
  "relay.set": { body: { output, on: T.Boolean(), ...times }, reply: commandReply, whenAway: "refuse", reads: ["reported"] },
  "output.identify": { body: { output, ...times }, reply: commandReply, whenAway: "refuse", reads: ["reported"] },

  "module.seen": { body: {}, internal: true },
  "module.silenced": { body: {}, internal: true },
  "module.excused": { body: { why: T.String({ maxLength: 64 }) }, internal: true },
  "module.expected": { body: {}, internal: true },
  /** The vehicle's file says so now; commands in force stay. */
  "module.described": {
    body: {
      bus: T.String({ maxLength: 64 }),
      moduleType: T.Union([T.String({ maxLength: 128 }), T.Null()]),
      outputs: T.Array(T.String({ maxLength: 64 }), { maxItems: 64 }),
      /** Commands by their name in the file, with the word of the type. */
      offers: T.Record(T.String({ maxLength: 64 }), T.String({ maxLength: 64 })),
      /** Their times to live, ms. */
      ttlMs: T.Optional(T.Record(T.String({ maxLength: 64 }), T.Integer({ minimum: 1 }))),
      /** What happens to them while the vehicle cannot be reached. */
      whenAway: T.Optional(T.Record(T.String({ maxLength: 64 }), T.Union([T.Literal("refuse"), T.Literal("wait"), T.Literal("run-at-owner")]))),
      /** Outputs that they may name. */
      reaches: T.Optional(T.Record(T.String({ maxLength: 64 }), T.Array(T.String({ maxLength: 64 }), { maxItems: 64 }))),
      /** What an image for it must be made for. */
      hardware: T.Optional(T.Union([T.String({ maxLength: 64 }), T.Null()])),
      address: T.Optional(T.Union([T.Integer({ minimum: 0, maximum: 255 }), T.Null()])),
    },
    internal: true,
  },
  /** `at`: when it said so on the bus, wall ms; absent where the node does not date it. */
  "module.identified": { body: { part: T.String({ maxLength: 64 }), firmware: T.String({ maxLength: 64 }), at: T.Optional(T.Number()) }, internal: true },
  "fault.raised": {
    body: { code: T.String({ maxLength: 64 }), health: T.Union([T.Literal("degraded"), T.Literal("faulted")]), title: T.String({ maxLength: 200 }) },
    internal: true,
  },
  "fault.cleared": { body: { code: T.String({ maxLength: 64 }) }, internal: true },
  /** `stands`: of a set point that the module itself keeps. */
  "output.reported": { body: { output: T.String({ maxLength: 64 }), foreign: T.Optional(T.Boolean()), stands: T.Optional(T.Number()) }, internal: true },
  /** `value`: what the module's status showed; absent where no status confirms the command, and in journals of before. */
  "output.confirmed": { body: { output: T.String({ maxLength: 64 }), key: T.String({ maxLength: 512 }), value: T.Optional(T.Number()) }, internal: true },
  "output.contended": { body: { output: T.String({ maxLength: 64 }), key: T.String({ maxLength: 512 }) }, internal: true },
  "output.unconfirmed": { body: { output: T.String({ maxLength: 64 }), key: T.String({ maxLength: 512 }), reason: T.String({ maxLength: 200 }) }, internal: true },
  /** Nothing is known of it any more: after a start, a gap, a bus that was down (vehicle V1). */
  "output.forgotten": { body: { output: T.String({ maxLength: 64 }) }, internal: true },
  /** The desired value's time has ended. */
  "output.expired": { body: { output: T.String({ maxLength: 64 }), key: T.String({ maxLength: 512 }) }, internal: true },
});

/** What an own set point keeps on top: Therma's owner rule (research/trailcurrent.md 2.3). */
export const ownerMessages = messages({
  ...moduleMessages.specs,
  "climate.setpoint.request": {
    body: { value: T.Number({ minimum: -40, maximum: 125, description: "wanted set point, degC" }), ...times },
    reply: commandReply,
    whenAway: "wait",
    reads: ["reported"],
  },
});
