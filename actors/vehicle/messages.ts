// The protocol of a vehicle: what its buses may do, and facts that the edge node and its modules tell it.

import { messages, T } from "../../runtime/index.ts";
import { campaignMessages } from "../campaign/index.ts";

const bus = T.String({ minLength: 1, maxLength: 32, description: "name of the bus in the vehicle's file" });

const module = T.String({ minLength: 1, maxLength: 64, description: "name of the module in the vehicle's file" });

/** Of version 1, which had no campaigns. */
export const messagesOf1 = messages({
  /** Stops all sending on a bus; survives restarts (vehicle X1). */
  "bus.mute": { body: { bus, reason: T.Optional(T.String({ maxLength: 200 })) }, reply: T.Object({ muted: T.Array(T.String()) }), whenAway: "refuse" },
  "bus.unmute": { body: { bus }, reply: T.Object({ muted: T.Array(T.String()) }), whenAway: "refuse" },
  /** Somebody has taken note of what was lost with a store: the vehicle is not degraded for that any more. */
  "store.acknowledge": { body: {}, reply: T.Object({ acknowledged: T.Array(T.String()) }), whenAway: "refuse" },

  /** The vehicle's file, and what stands behind its buses, are so now. */
  "vehicle.described": { body: { model: T.String({ maxLength: 128 }), buses: T.Array(T.String({ maxLength: 64 }), { maxItems: 64 }), simulated: T.Boolean() }, internal: true },
  "motion.observed": { body: { motion: T.Union([T.Literal("parked"), T.Literal("moving"), T.Literal("unknown")]) }, internal: true },
  "bus.changed": { body: { bus: T.String(), state: T.Union([T.Literal("awake"), T.Literal("down")]) }, internal: true },
  /** It has been down for longer than a start or a quick reopening takes: its alarm is raised, since when (wall ms) and why. */
  "bus.failed": { body: { bus: T.String(), since: T.Number(), reason: T.String({ maxLength: 500 }) }, internal: true },
  /** It has been up again for a while, or is down as it should be: its alarm is cleared. */
  "bus.recovered": { body: { bus: T.String() }, internal: true },
  "module.changed": { body: { module: T.String(), cause: T.String(), presence: T.Optional(T.String()), health: T.Optional(T.String()) }, internal: true },
  "signal.changed": { body: { signal: T.String(), why: T.String() }, internal: true },
  /** One of its stores was lost, or came back from an older copy, so that its history has forked: its alarm is raised. When, wall ms; left out: now. */
  "store.moved-aside": {
    body: { reason: T.String(), what: T.Optional(T.Union([T.Literal("journal"), T.Literal("telemetry"), T.Literal("history")])), at: T.Optional(T.Number()) },
    internal: true,
  },
});

export const vehicleMessages = messages({
  ...messagesOf1.specs,
  ...campaignMessages.specs,
  /** Lets a module out of the penalty box. */
  "update.clear": { body: { module }, reply: T.Object({ cleared: T.Array(T.String()) }), whenAway: "refuse" },
  /** A module of the campaign under way may be updated although outputs of it are on. */
  "update.release": { body: { module }, reply: T.Object({ released: T.Array(T.String()) }), whenAway: "refuse" },

  /** Whether a module of the campaign may be updated: the vehicle's guard on fresh values, its outputs off or released. `why` not. */
  "safety.observed": { body: { module, open: T.Boolean(), why: T.Optional(T.String({ maxLength: 300 })) }, internal: true },
  /** Of the upload that is under way. At most one in ten per cent. */
  "upload.progressed": { body: { module, attempt: T.Integer({ minimum: 1 }), percent: T.Integer({ minimum: 0, maximum: 100 }) }, internal: true },
  /** The node's wall clock was set, by so many ms: forward where that is more than 0. Dates of before are of the clock as it was. */
  "clock.corrected": { body: { byMs: T.Number() }, internal: true },
  /** A module has said which firmware it runs; `at`: when that was on the bus, wall ms. */
  "module.reported": { body: { module, part: T.String(), firmware: T.String(), at: T.Number() }, internal: true },
});
