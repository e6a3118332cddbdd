// A signal's value as an expression of code, for functions that are made in this process (compiler.ts) and for modules that are written out (generator.ts). Bytes are loaded at constant
// places, shifted and masked; signs by `<< k >> k`; over 32 bits as high * 2^32 + low; `* 1` and `+ 0` are left out where the result cannot differ.
//
// C1. Only numbers and indices reach an expression: names, units and labels of a file never do.
// C2. The code of a message grows with its signals and the ranges of their switches, which are bounded: no code is made of a message with more.

import { byteParts, type CanMessage, type CanSignal, type MuxRange } from "../model/index.ts";

/** Ranges of switch values in the code of one message; real ones have some tens. */
const MAX_RANGES = 2_048;

/** What the code calls the payload's bytes, and the words and floats that share memory. */
export interface PayloadNames {
  readonly byte: (at: number) => string;
  /** The word under `single`. */
  readonly word: string;
  /** The words under `double`. */
  readonly lowWord: string;
  readonly highWord: string;
  readonly single: string;
  readonly double: string;
}

/** Whether C2 forbids code for the message. @param chunks its signals, by function */
export function isTooLarge(message: CanMessage, chunks: readonly (readonly CanSignal[])[]): boolean {
  let ranges = 0;
  for (const chunk of chunks) for (const signal of new Set([...chunk, ...switchesAbove(message, chunk)])) ranges += signal.mux?.ranges.length ?? 0;
  return ranges > MAX_RANGES;
}

/** Switches that decide about signals of the chunk, each once and behind those that decide about it. */
export function switchesAbove(message: CanMessage, chunk: readonly CanSignal[]): ReadonlySet<CanSignal> {
  const found = new Set<CanSignal>();
  const add = (signal: CanSignal): void => {
    const above = signal.mux === undefined ? undefined : message.signals[signal.mux.switchIndex];
    if (above === undefined || found.has(above)) return;
    add(above);
    found.add(above);
  };
  chunk.forEach(add);
  return found;
}

/** Its own bits were received, its switch is there and selects it. */
export function isThere(signal: CanSignal): string {
  const received = `n >= ${literal(signal.needsBytes)}`;
  if (signal.mux === undefined) return received;
  const above = literal(signal.mux.switchIndex);
  return `${received} && t${above} && (${rangesExpression(`k${above}`, signal.mux.ranges)})`;
}

function rangesExpression(name: string, ranges: readonly MuxRange[]): string {
  if (ranges.length === 0) return "false";
  return ranges.map(({ low, high }) => (low === high ? `${name} === ${literal(low)}` : `(${name} >= ${literal(low)} && ${name} <= ${literal(high)})`)).join(" || ");
}

export function physicalExpression(signal: CanSignal, names: PayloadNames): string {
  const raw = rawExpression(signal, names);
  const { factor, offset } = signal;
  if (factor === 1 && offset === 0) return raw;
  const scaled = factor === 1 ? `(${raw})` : `(${raw}) * ${literal(factor)}`;
  // An integer raw value is never -0, so that with a positive factor `+ 0` changes nothing.
  const keepsZero = offset === 0 && factor > 0 && (signal.type === "signed" || signal.type === "unsigned");
  return keepsZero ? scaled : `${scaled} + ${literal(offset)}`;
}

export function rawExpression(signal: CanSignal, names: PayloadNames): string {
  const { size, type } = signal;
  if (type === "float32") return `(${names.word} = ${wordExpression(signal, names, 0, 32)}, ${names.single})`;
  if (type === "float64") return `(${names.lowWord} = ${wordExpression(signal, names, 0, 32)}, ${names.highWord} = ${wordExpression(signal, names, 32, 32)}, ${names.double})`;
  if (size <= 32) return type === "signed" ? signedWord(signal, names, 0, size) : unsignedWord(signal, names, 0, size);
  const high = type === "signed" ? signedWord(signal, names, 32, size - 32) : unsignedWord(signal, names, 32, size - 32);
  return `(${high}) * 4294967296 + (${unsignedWord(signal, names, 0, 32)})`;
}

function unsignedWord(signal: CanSignal, names: PayloadNames, low: number, width: number): string {
  const word = wordExpression(signal, names, low, width);
  if (width === 32) return `(${word}) >>> 0`;
  const parts = byteParts(signal, low, width);
  const wholeBytes = width % 8 === 0 && parts.every((part) => part.shift >= 0 && part.shift % 8 === 0);
  return wholeBytes ? word : `(${word}) & ${literal(2 ** width - 1)}`;
}

function signedWord(signal: CanSignal, names: PayloadNames, low: number, width: number): string {
  const word = wordExpression(signal, names, low, width);
  return width === 32 ? `(${word}) | 0` : `(${word}) << ${literal(32 - width)} >> ${literal(32 - width)}`;
}

/** Value bits `low` and up in bits 0 and up of an int32; above `width` there may be more of the payload. */
function wordExpression(signal: CanSignal, names: PayloadNames, low: number, width: number): string {
  return byteParts(signal, low, width)
    .map(({ byte, shift }) => {
      const load = names.byte(byte);
      if (shift === 0) return load;
      return shift > 0 ? `${load} << ${literal(shift)}` : `${load} >>> ${literal(-shift)}`;
    })
    .join(" | ");
}

/** The only way into the code (C1). */
export function literal(value: number): string {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new TypeError(`not a finite number: ${String(value)}`);
  return value < 0 || Object.is(value, -0) ? `(${Object.is(value, -0) ? "-0" : String(value)})` : String(value);
}
