// What the reader of a recording asks of a format.

import type { FrameBatch } from "../can/index.ts";

/** Appended a frame; nothing to read here (blank line, comment, status row); or why the line cannot be read. */
export type LineOutcome = "frame" | "nothing" | { readonly problem: string };

export interface LineParser {
  readonly format: "candump" | "trc";
  /** Reads `bytes` from `start` up to (not including) `end`. The batch has room for one frame. */
  readonly parse: (bytes: Uint8Array, start: number, end: number, line: number, batch: FrameBatch) => LineOutcome;
}

/** Index of a bus by its name, as bytes of the line; grows as names are seen. Undefined beyond 255 names. */
export type BusIndex = (bytes: Uint8Array, start: number, end: number) => number | undefined;

const MAX_BUSES = 255;
/** No clock shows a later time (the year 5138): what reads so is damage, and would be neither a number of JSON nor one that a replay could wait for. */
const MAX_TIME_S = 1e11;

/** Why a frame cannot have this time, or undefined. */
export function timeProblem(timeS: number): { readonly problem: string } | undefined {
  return Math.abs(timeS) <= MAX_TIME_S ? undefined : { problem: "the time is beyond every clock" };
}

/** @param names receives each new name */
export function createBusIndex(names: string[]): BusIndex {
  let lastBytes = new Uint8Array(0);
  let lastIndex = 0;
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const nameOf = (bytes: Uint8Array): string => {
    try {
      return utf8.decode(bytes);
    } catch {
      return Buffer.from(bytes).toString("latin1");
    }
  };
  return (bytes, start, end) => {
    if (isSame(bytes, start, end, lastBytes)) return lastIndex;
    const name = nameOf(bytes.subarray(start, end));
    let index = names.indexOf(name);
    if (index < 0) {
      if (names.length >= MAX_BUSES) return undefined;
      index = names.push(name) - 1;
    }
    lastBytes = bytes.slice(start, end);
    lastIndex = index;
    return index;
  };
}

function isSame(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (name.length !== end - start || name.length === 0) return false;
  for (let at = 0; at < name.length; at++) if (bytes[start + at] !== name[at]) return false;
  return true;
}
