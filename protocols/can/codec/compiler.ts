// Message → straight-line code, in this process. One small function a message: engines do not optimise one function for a whole DBC (measured, research/can-stack.md 3.2).
// What a signal's value is in code stands in expressions.ts (C1, C2).

import type { CanMessage, CanSignal } from "../model/index.ts";
import { isThere, isTooLarge, literal, type PayloadNames, physicalExpression, rawExpression, switchesAbove } from "./expressions.ts";
import type { RowDecoder } from "./row-decoder.ts";

/** Signals a function: engines give up on very large ones. */
const SIGNALS_PER_FUNCTION = 64;

const words = new Uint32Array(2);
const doubles = new Float64Array(words.buffer);
const singles = new Float32Array(words.buffer);
doubles[0] = 1;
/** Which of the two words of a double is the high one, on this machine. */
const HIGH = words[1] === 0 ? 0 : 1;
const LOW = 1 - HIGH;
/** Payload byte 0 is `d[o]`; floats are read through words that they share. */
const PAYLOAD: PayloadNames = {
  byte: (at) => (at === 0 ? "d[o]" : `d[o + ${literal(at)}]`),
  word: "u[0]",
  lowWord: `u[${literal(LOW)}]`,
  highWord: `u[${literal(HIGH)}]`,
  single: "s[0]",
  double: "f[0]",
};

type Maker = (words: Uint32Array, singles: Float32Array, doubles: Float64Array) => unknown;

/**
 * Undefined where the code would be too large (C2); the interpreter is the way then.
 *
 * @throws EvalError where the process forbids generated code; likewise
 */
export function compileMessage(message: CanMessage, output: "physical" | "raw"): RowDecoder | undefined {
  const chunks: (readonly CanSignal[])[] = [];
  for (let at = 0; at < message.signals.length; at += SIGNALS_PER_FUNCTION) chunks.push(message.signals.slice(at, at + SIGNALS_PER_FUNCTION));
  if (isTooLarge(message, chunks)) return undefined;
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
  return `out[w + ${literal(signal.index)}] = ${output === "raw" ? rawExpression(signal, PAYLOAD) : physicalExpression(signal, PAYLOAD)};`;
}

/** Each switch is read and judged once, whatever hangs on it: `k<index>` is its raw value, `t<index>` whether it is there. */
function checkedSource(message: CanMessage, chunk: readonly CanSignal[], output: "physical" | "raw"): string {
  const above = switchesAbove(message, chunk);
  const switches = [...above].map((signal) => {
    const at = literal(signal.index);
    return `const t${at} = ${isThere(signal)}; const k${at} = t${at} ? ${rawExpression(signal, PAYLOAD)} : 0;`;
  });
  const lines = chunk.map((signal) => {
    const at = literal(signal.index);
    return `if (${above.has(signal) ? `t${at}` : isThere(signal)}) { ${store(signal, output)} p[w + ${at}] = 1; } else p[w + ${at}] = 0;`;
  });
  return `(d, o, n, out, w, p) => { ${switches.join(" ")} ${lines.join(" ")} }`;
}
