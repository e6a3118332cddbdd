// Where a signal's bits lie. Two independent readings of the same rule: `bitPlaces` walks bit by bit (interpreter, exact integers, encoder), `byteParts` shifts whole bytes (compiler).
//
//   intel:    value bit k is sawtooth bit start + k
//   motorola: with net(s) = 8 * (s >> 3) + 7 - (s & 7), value bit k is network bit net(start) + size - 1 - k; network bit n is byte n >> 3, weight 1 << (7 - (n & 7))

import type { ByteOrder } from "./database.ts";

export interface Place {
  readonly start: number;
  readonly size: number;
  readonly byteOrder: ByteOrder;
}

/** A byte of the payload and how far it is shifted left (negative: right) to lie in the value. */
export interface BytePart {
  readonly byte: number;
  readonly shift: number;
}

/** From a sawtooth bit number to a network one, and back. */
export function networkBit(sawtooth: number): number {
  return 8 * (sawtooth >> 3) + 7 - (sawtooth & 7);
}

/** Payload bytes that must be there for all bits to be. */
export function bytesNeeded(place: Place): number {
  const last = place.byteOrder === "intel" ? place.start + place.size : networkBit(place.start) + place.size;
  return Math.ceil(last / 8);
}

/** Sawtooth bit number of each value bit, least significant first. */
export function bitPlaces(place: Place): readonly number[] {
  const first = networkBit(place.start);
  return Array.from({ length: place.size }, (_, k) => (place.byteOrder === "intel" ? place.start + k : networkBit(first + place.size - 1 - k)));
}

/** The bytes that hold value bits `low` to `low + width - 1` (width 1 to 32), shifted so that bit `low` becomes bit 0; what lies above `width` is still to be masked off. */
export function byteParts(place: Place, low: number, width: number): readonly BytePart[] {
  if (place.byteOrder === "intel") {
    const first = place.start + low;
    return range(first >> 3, (first + width - 1) >> 3, (byte) => 8 * byte - first);
  }
  const last = networkBit(place.start) + place.size - 1 - low;
  return range((last - width + 1) >> 3, last >> 3, (byte) => last - 8 * byte - 7);
}

function range(first: number, last: number, shift: (byte: number) => number): readonly BytePart[] {
  return Array.from({ length: last - first + 1 }, (_, at) => ({ byte: first + at, shift: shift(first + at) }));
}
