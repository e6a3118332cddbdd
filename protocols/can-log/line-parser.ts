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

/** @param names receives each new name */
export function createBusIndex(names: string[]): BusIndex {
  let lastBytes = new Uint8Array(0);
  let lastIndex = 0;
  return (bytes, start, end) => {
    if (isSame(bytes, start, end, lastBytes)) return lastIndex;
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
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
