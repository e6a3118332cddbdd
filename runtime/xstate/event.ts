// Whether something that author's code handed over is an event at all: the types say so, the code may not.

import type { EventData } from "../entity/contract.ts";

export function isEvent(value: unknown): value is EventData {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
