// Names of a recording's buses and their indices in a batch.

import { recordedText } from "./recorded-text.ts";

/** Index of a bus by its name, as bytes of the line; grows as names are seen. Undefined beyond 255 names. */
export type BusIndex = (bytes: Uint8Array, start: number, end: number) => number | undefined;

const MAX_BUSES = 255;
export const TOO_MANY_BUSES = { problem: "more than 255 buses in one recording" } as const;

/** @param names receives each new name */
export function createBusIndex(names: string[]): BusIndex {
  // A name is decoded once: lines of several buses stand in turn. Of two writings of one name both are kept.
  const seen: { readonly bytes: Uint8Array; readonly index: number }[] = [];
  return (bytes, start, end) => {
    for (const known of seen) if (isSame(bytes, start, end, known.bytes)) return known.index;
    const name = recordedText(bytes.subarray(start, end));
    let index = names.indexOf(name);
    if (index < 0) {
      if (names.length >= MAX_BUSES) return undefined;
      index = names.push(name) - 1;
    }
    if (seen.length < MAX_BUSES) seen.push({ bytes: Uint8Array.from(bytes.subarray(start, end)), index });
    return index;
  };
}

/** Index of the bus that a format knows by its number: 2 is `can2`. Undefined beyond 255 buses. @param names receives each new name */
export function createNumberedBuses(names: string[]): (number: number) => number | undefined {
  const indices = new Map<number, number>();
  return (number) => {
    const known = indices.get(number);
    if (known !== undefined || names.length >= MAX_BUSES) return known;
    const index = names.push(`can${String(number)}`) - 1;
    indices.set(number, index);
    return index;
  };
}

function isSame(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (name.length !== end - start || name.length === 0) return false;
  for (let at = 0; at < name.length; at++) if (bytes[start + at] !== name[at]) return false;
  return true;
}
