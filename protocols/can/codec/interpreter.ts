// Signals read bit by bit: the plain reading of the rules, used where code cannot be generated, for exact 64-bit integers, and as the check of the compiler (identical results).

import { bitPlaces, type CanMessage, type CanSignal, isFloat, type MuxRange } from "../model/index.ts";
import type { RowDecoder } from "./row-decoder.ts";

const TWO_32 = 4_294_967_296;
const UNJUDGED = 255;
const pun = new DataView(new ArrayBuffer(8));

export interface SignalReader {
  readonly signal: CanSignal;
  readonly places: readonly number[];
}

export function signalReader(signal: CanSignal): SignalReader {
  return { signal, places: bitPlaces(signal) };
}

/** Raw value as a double: exact up to 53 bits, correctly rounded above. `data[start]` is payload byte 0; all bits must be there. */
export function readRaw(reader: SignalReader, data: Uint8Array, start: number): number {
  const { size, type } = reader.signal;
  const low = readBits(reader.places, 0, 32, data, start);
  const high = readBits(reader.places, 32, 64, data, start);
  if (type === "float32") {
    pun.setUint32(0, low);
    return pun.getFloat32(0);
  }
  if (type === "float64") {
    pun.setUint32(0, high);
    pun.setUint32(4, low);
    return pun.getFloat64(0);
  }
  if (type === "unsigned" || !bitAt(reader.places[size - 1] ?? 0, data, start)) return high * TWO_32 + low;
  return size <= 32 ? low - 2 ** size : (high - 2 ** (size - 32)) * TWO_32 + low;
}

/** Raw integer without loss. Not for floats. */
export function readRawExact(reader: SignalReader, data: Uint8Array, start: number): bigint {
  const bits = (BigInt(readBits(reader.places, 32, 64, data, start)) << 32n) | BigInt(readBits(reader.places, 0, 32, data, start));
  return reader.signal.type === "signed" ? BigInt.asIntN(reader.signal.size, bits) : bits;
}

function readBits(places: readonly number[], from: number, to: number, data: Uint8Array, start: number): number {
  let bits = 0;
  for (let k = from; k < Math.min(to, places.length); k++) if (bitAt(places[k] ?? 0, data, start)) bits += 2 ** (k - from);
  return bits;
}

function bitAt(place: number, data: Uint8Array, start: number): boolean {
  return (((data[start + (place >> 3)] ?? 0) >> (place & 7)) & 1) === 1;
}

/** physical = raw * factor + offset in this order; factor 1 and offset 0 leave the raw value as it is. */
export function scale(signal: CanSignal, raw: number): number {
  return signal.factor === 1 && signal.offset === 0 ? raw : raw * signal.factor + signal.offset;
}

/** @param ranges ascending and disjoint */
export function inRanges(raw: number, ranges: readonly MuxRange[]): boolean {
  let [from, to] = [0, ranges.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const range = ranges[middle];
    // A switch that is no number selects nothing.
    if (range === undefined || Number.isNaN(raw)) return false;
    if (raw < range.low) to = middle;
    else if (raw > range.high) from = middle + 1;
    else return true;
  }
  return false;
}

export function interpretMessage(message: CanMessage, output: "physical" | "raw"): RowDecoder {
  const readers = message.signals.map(signalReader);
  const value = (reader: SignalReader, data: Uint8Array, start: number): number => {
    const raw = readRaw(reader, data, start);
    return output === "raw" ? raw : scale(reader.signal, raw);
  };
  /** By signal, within one frame: 1 there, 0 not there, 255 not judged yet; and the raw values of switches that are there. */
  const judged = new Uint8Array(readers.length);
  const switchRaws = new Float64Array(readers.length);
  /** Its own bits were received, its switch is there and selects it. */
  const isThere = (reader: SignalReader, data: Uint8Array, start: number, length: number): boolean => {
    const { mux, needsBytes } = reader.signal;
    if (needsBytes > length) return false;
    return mux === undefined || (isSwitchThere(mux.switchIndex, data, start, length) && inRanges(switchRaws[mux.switchIndex] ?? 0, mux.ranges));
  };
  const isSwitchThere = (index: number, data: Uint8Array, start: number, length: number): boolean => {
    const reader = readers[index];
    if (reader === undefined) return false;
    if (judged[index] === UNJUDGED) {
      judged[index] = isThere(reader, data, start, length) ? 1 : 0;
      if (judged[index] === 1) switchRaws[index] = readRaw(reader, data, start);
    }
    return judged[index] === 1;
  };
  return {
    whole: (data, start, out, cell) => {
      for (const [index, reader] of readers.entries()) out[cell + index] = value(reader, data, start);
    },
    checked: (data, start, length, out, cell, present) => {
      judged.fill(UNJUDGED);
      for (const [index, reader] of readers.entries()) {
        const there = isThere(reader, data, start, length);
        present[cell + index] = there ? 1 : 0;
        if (there) out[cell + index] = value(reader, data, start);
      }
    },
  };
}

/** A double cannot hold every raw or physical value of this signal, an integer can. */
export function needsExactIntegers(signal: CanSignal): boolean {
  if (isFloat(signal)) return false;
  if (signal.wholeScale !== undefined) return true;
  const largest = 2 ** signal.size;
  if (largest > 2 ** 53) return true;
  return Number.isSafeInteger(signal.factor) && Number.isSafeInteger(signal.offset) && largest * Math.abs(signal.factor) + Math.abs(signal.offset) > 2 ** 53;
}
