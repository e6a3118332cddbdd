// The index of absent entities' timers in the store: a row for the earliest of each clock, named by clock, due time and entity. In the order of their names the rows of a clock fall due.
//
// R1. A due time has as many digits as any other. One that has more, which nobody lives to see, is named by the latest that has not: early, never late (wakes W3). One before 1970 is named 0.
// R2. A row whose name tells no due time (0; what earlier versions made of 1e21) calls its entity when it is the first: it hides no other then, and the entity's leaving puts it right.
// R3. Where the entity has timers that keep a rhythm, the value of its row on the wall clock tells since when: a clock that shows an earlier time was set back, and the row lies too far ahead (timer-policy P3). What earlier
//     versions have written tells nothing, until that entity leaves with another row.

import type { Address } from "../address.ts";
import type { NextTimer } from "../entity/index.ts";

export type WakeClock = "elapsed" | "wall";

export const WAKE_CLOCKS: readonly WakeClock[] = ["elapsed", "wall"];
/** Begins the names of marks, each followed by an entity. */
export const WAKE_MARKS = "wake/now/";
const DIGITS = 16;
/** R1. It has as many digits. */
const LATEST_MS = Number.MAX_SAFE_INTEGER;
const DUE = /^\d{16}$/;

export interface WakeRow {
  readonly entity: Address;
  readonly clock: WakeClock;
  /** By that clock, whole ms; undefined: its name does not tell (R2). */
  readonly due: number | undefined;
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

/** R3. The value of the wall clock's row; of other rows it is empty. */
export function wakeValueOf({ setBackBefore }: NextTimer): string {
  return setBackBefore === undefined ? "" : String(Math.floor(setBackBefore));
}

/** R3. A wall clock that shows less was set back. */
export function setBackBeforeOf(value: Uint8Array): number {
  return value.length === 0 ? Number.NEGATIVE_INFINITY : Number(new TextDecoder().decode(value));
}

export function wakeRowOf(key: string): WakeRow | undefined {
  const [, clock, digits = "", ...rest] = key.split("/");
  const entity = rest.join("/") as Address;
  const due = DUE.test(digits) ? Number(digits) : 0;
  return (clock === "elapsed" || clock === "wall") && entity !== "" ? { entity, clock, due: due > 0 ? due : undefined } : undefined;
}

/** What the names of rows begin with that are due at this time; those of earlier ones come before it. */
export function dueName(clock: WakeClock, ms: number): string {
  const due = ms < LATEST_MS ? Math.max(0, Math.floor(ms)) : LATEST_MS;
  return wakePrefix(clock) + String(due).padStart(DIGITS, "0");
}
