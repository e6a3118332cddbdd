// The index of absent entities' timers in the store: a row for the earliest of each clock, named by clock, due time and entity. In the order of their names the rows of a clock fall due.

import type { Address } from "../address.ts";
import type { NextTimer } from "../entity/index.ts";

export type WakeClock = "elapsed" | "wall";

export const WAKE_CLOCKS: readonly WakeClock[] = ["elapsed", "wall"];
/** Begins the names of marks, each followed by an entity. */
export const WAKE_MARKS = "wake/now/";
const DIGITS = 16;

export interface WakeRow {
  readonly entity: Address;
  readonly clock: WakeClock;
  /** By that clock, whole ms. */
  readonly due: number;
}

/** Begins the names of a clock's rows. */
export function wakePrefix(clock: WakeClock): string {
  return `wake/${clock}/`;
}

export function wakeKeysOf(entity: Address, next: NextTimer): readonly string[] {
  return WAKE_CLOCKS.flatMap((clock) => {
    const due = next[clock];
    return due === undefined ? [] : [`${dueName(clock, due)}/${entity}`];
  });
}

export function wakeRowOf(key: string): WakeRow | undefined {
  const [, clock, digits = "", ...entity] = key.split("/");
  const due = Number(digits);
  return (clock === "elapsed" || clock === "wall") && digits !== "" && Number.isFinite(due) ? { entity: entity.join("/") as Address, clock, due } : undefined;
}

/** What the names of rows begin with that are due at this time; those of earlier ones come before it. */
export function dueName(clock: WakeClock, ms: number): string {
  return wakePrefix(clock) + String(Math.max(0, Math.floor(ms))).padStart(DIGITS, "0");
}
