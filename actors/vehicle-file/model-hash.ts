// The hash of a checked model (vehicle D6, rules R1): equal hashes decode, guard and send alike. Comments, order of keys and spelling of YAML do not count.

import { createHash } from "node:crypto";
import type { Database } from "../../protocols/can/index.ts";
import type { VehicleModel } from "./vehicle-model.ts";

export function modelHash(model: Omit<VehicleModel, "hash" | "vehicle" | "labels" | "parts">): string {
  const buses = model.buses.map(({ database, dbcFile: _, ...bus }) => ({ ...bus, layout: layoutOf(database) }));
  return createHash("sha256")
    .update(canonical({ ...model, buses }))
    .digest("hex");
}

/** Everything of a database that decides how a frame is read or made; texts for people are left out. */
function layoutOf(database: Database): unknown {
  return database.messages.map((message) => [
    message.id,
    message.kind,
    message.name,
    message.length,
    message.matchable,
    message.cycleTimeMs ?? 0,
    message.signals.map((signal) => [signal.name, signal.start, signal.size, signal.byteOrder, signal.type, signal.factor, signal.offset, signal.unit, signal.mux ?? 0]),
  ]);
}

/** JSON with sorted keys; `undefined` members are left out, infinities and NaN written as words. */
function canonical(value: unknown): string {
  if (typeof value === "number" && !Number.isFinite(value)) return `"${String(value)}"`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
    return `{${members.join(",")}}`;
  }
  return value === undefined ? "null" : JSON.stringify(value);
}
