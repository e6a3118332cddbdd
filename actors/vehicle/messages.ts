// The protocol of a vehicle: what its buses may do, and facts that the edge node and its modules tell it.

import { messages, T } from "../../runtime/index.ts";

const bus = T.String({ minLength: 1, maxLength: 32, description: "name of the bus in the vehicle's file" });

export const vehicleMessages = messages({
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
  /** One of its stores was lost: its alarm is raised. When, wall ms; left out: now. */
  "store.moved-aside": {
    body: { reason: T.String(), what: T.Optional(T.Union([T.Literal("journal"), T.Literal("telemetry")])), at: T.Optional(T.Number()) },
    internal: true,
  },
});
