// Message → straight-line code. One small function a message: engines do not optimise one function for a whole DBC (measured, research/can-stack.md 3.2). Bytes are loaded at constant
// places, shifted and masked; signs by `<< k >> k`; over 32 bits as high * 2^32 + low; `* 1` and `+ 0` are left out where the result cannot differ.
//
// C1. Only numbers and indices reach the code: names, units and labels of a file never do.
// C2. The code of a message grows with its signals and the ranges of their switches, which are bounded: a message with more is interpreted.

import { byteParts, type CanMessage, type CanSignal, type MuxRange } from "../model/index.ts";
import type { RowDecoder } from "./row-decoder.ts";

/** Signals a function: engines give up on very large ones. */
const SIGNALS_PER_FUNCTION = 64;
/** Ranges of switch values in the code of one message; real ones have some tens. */
const MAX_RANGES = 2_048;

const words = new Uint32Array(2);
const doubles = new Float64Array(words.buffer);
const singles = new Float32Array(words.buffer);
doubles[0] = 1;
/** Which of the two words of a double is the high one, on this machine. */
const HIGH = words[1] === 0 ? 0 : 1;
const LOW = 1 - HIGH;

type Maker = (words: Uint32Array, singles: Float32Array, doubles: Float64Array) => unknown;

/**
 * Undefined where the code would be too large (C2); the interpreter is the way then.
 *
 * @throws EvalError where the process forbids generated code; likewise
 */
export function compileMessage(message: CanMessage, output: "physical" | "raw"): RowDecoder | undefined {
  const chunks: (readonly CanSignal[])[] = [];
  for (let at = 0; at < message.signals.length; at += SIGNALS_PER_FUNCTION) chunks.push(message.signals.slice(at, at + SIGNALS_PER_FUNCTION));
  let ranges = 0;
  for (const chunk of chunks) for (const signal of new Set([...chunk, ...switchesAbove(message, chunk)])) ranges += signal.mux?.ranges.length ?? 0;
  if (ranges > MAX_RANGES) return undefined;
  const wholes = chunks.map((chunk) => make(`(d, o, out, w) => { ${chunk.map((signal) => store(signal, output)).join(" ")} }`) as RowDecoder["whole"]);
  const checks = chunks.map((chunk) => make(checkedSource(message, chunk, output)) as RowDecoder["checked"]);
  const [whole, checked] = [wholes[0], checks[0]];
  if (wholes.length === 1 && whole !== undefined && checked !== undefined) return { whole, checked };
  return {
    whole: (data, start, out, cell) => {
      for (const part of wholes) part(data, start, out, cell);
    },
    checked: (data, start, length, out, cell, present) => {
      for (const part of checks) part(data, start, length, out, cell, present);
    },
  };
}

function make(source: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the point of this file; C1 says what may stand in the source
  const maker = new Function("u", "s", "f", `"use strict"; return ${source};`) as Maker;
  return maker(words, singles, doubles);
}

function store(signal: CanSignal, output: "physical" | "raw"): string {
  return `out[w + ${literal(signal.index)}] = ${output === "raw" ? rawExpression(signal) : physicalExpression(signal)};`;
}

/** Switches that decide about signals of the chunk, each once and behind those that decide about it. */
function switchesAbove(message: CanMessage, chunk: readonly CanSignal[]): ReadonlySet<CanSignal> {
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

/** Each switch is read and judged once, whatever hangs on it: `k<index>` is its raw value, `t<index>` whether it is there. */
function checkedSource(message: CanMessage, chunk: readonly CanSignal[], output: "physical" | "raw"): string {
  const above = switchesAbove(message, chunk);
  const switches = [...above].map((signal) => {
    const at = literal(signal.index);
    return `const t${at} = ${isThere(signal)}; const k${at} = t${at} ? ${rawExpression(signal)} : 0;`;
  });
  const lines = chunk.map((signal) => {
    const at = literal(signal.index);
    return `if (${above.has(signal) ? `t${at}` : isThere(signal)}) { ${store(signal, output)} p[w + ${at}] = 1; } else p[w + ${at}] = 0;`;
  });
  return `(d, o, n, out, w, p) => { ${switches.join(" ")} ${lines.join(" ")} }`;
}

/** Its own bits were received, its switch is there and selects it. */
function isThere(signal: CanSignal): string {
  const received = `n >= ${literal(signal.needsBytes)}`;
  if (signal.mux === undefined) return received;
  const above = literal(signal.mux.switchIndex);
  return `${received} && t${above} && (${rangesExpression(`k${above}`, signal.mux.ranges)})`;
}

function rangesExpression(name: string, ranges: readonly MuxRange[]): string {
  if (ranges.length === 0) return "false";
  return ranges.map(({ low, high }) => (low === high ? `${name} === ${literal(low)}` : `(${name} >= ${literal(low)} && ${name} <= ${literal(high)})`)).join(" || ");
}

function physicalExpression(signal: CanSignal): string {
  const raw = rawExpression(signal);
  const { factor, offset } = signal;
  if (factor === 1 && offset === 0) return raw;
  const scaled = factor === 1 ? `(${raw})` : `(${raw}) * ${literal(factor)}`;
  // An integer raw value is never -0, so that with a positive factor `+ 0` changes nothing.
  const keepsZero = offset === 0 && factor > 0 && (signal.type === "signed" || signal.type === "unsigned");
  return keepsZero ? scaled : `${scaled} + ${literal(offset)}`;
}

function rawExpression(signal: CanSignal): string {
  const { size, type } = signal;
  if (type === "float32") return `(u[0] = ${wordExpression(signal, 0, 32)}, s[0])`;
  if (type === "float64") return `(u[${literal(LOW)}] = ${wordExpression(signal, 0, 32)}, u[${literal(HIGH)}] = ${wordExpression(signal, 32, 32)}, f[0])`;
  if (size <= 32) return type === "signed" ? signedWord(signal, 0, size) : unsignedWord(signal, 0, size);
  const high = type === "signed" ? signedWord(signal, 32, size - 32) : unsignedWord(signal, 32, size - 32);
  return `(${high}) * 4294967296 + (${unsignedWord(signal, 0, 32)})`;
}

function unsignedWord(signal: CanSignal, low: number, width: number): string {
  const word = wordExpression(signal, low, width);
  if (width === 32) return `(${word}) >>> 0`;
  const parts = byteParts(signal, low, width);
  const wholeBytes = width % 8 === 0 && parts.every((part) => part.shift >= 0 && part.shift % 8 === 0);
  return wholeBytes ? word : `(${word}) & ${literal(2 ** width - 1)}`;
}

function signedWord(signal: CanSignal, low: number, width: number): string {
  const word = wordExpression(signal, low, width);
  return width === 32 ? `(${word}) | 0` : `(${word}) << ${literal(32 - width)} >> ${literal(32 - width)}`;
}

/** Value bits `low` and up in bits 0 and up of an int32; above `width` there may be more of the payload. */
function wordExpression(signal: CanSignal, low: number, width: number): string {
  return byteParts(signal, low, width)
    .map(({ byte, shift }) => {
      const load = byte === 0 ? "d[o]" : `d[o + ${literal(byte)}]`;
      if (shift === 0) return load;
      return shift > 0 ? `${load} << ${literal(shift)}` : `${load} >>> ${literal(-shift)}`;
    })
    .join(" | ");
}

/** The only way into the code (C1). */
function literal(value: number): string {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new TypeError(`not a finite number: ${String(value)}`);
  return value < 0 || Object.is(value, -0) ? `(${Object.is(value, -0) ? "-0" : String(value)})` : String(value);
}
