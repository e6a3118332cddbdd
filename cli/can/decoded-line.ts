// One decoded frame as a line of JSON: {"l":line,"t":seconds,"bus":"can0","m":"EEC1","s":{"Engine_Speed":[raw,physical,label?]}}.
// Physical is left out where it equals raw and no label follows; integers beyond 2^53 and NaN or infinities are strings; signals that share their name with another of the message are
// left out, since nothing could tell them apart.

import { type CanMessage, type CanSignal, needsExactIntegers, readRawExact, scale, type SignalReader, signalReader, wholeScaleOf } from "../../protocols/can/index.ts";

export interface LineWriter {
  readonly message: CanMessage;
  /**
   * @param raws raw values, one cell a signal from `cell` on
   * @param present 1 for each cell that is there; undefined when all are
   * @param data payload, from `start` on, for integers that a double cannot hold
   */
  readonly write: (
    head: { readonly line: number; readonly timeS: number; readonly bus: string },
    raws: Float64Array,
    cell: number,
    present: Uint8Array | undefined,
    data: Uint8Array,
    start: number,
  ) => string;
}

interface SignalWriter {
  readonly signal: CanSignal;
  /** `"Engine_Speed":[` */
  readonly opening: string;
  readonly exact: SignalReader | undefined;
}

const MAX_DOUBLE_INTEGER = 2n ** 53n;

export function lineWriter(message: CanMessage): LineWriter {
  const middle = `,"m":${JSON.stringify(message.name)},"s":{`;
  const signals = message.signals
    .filter((signal) => !signal.sharesName)
    .map((signal): SignalWriter => ({ signal, opening: `${JSON.stringify(signal.name)}:[`, exact: needsExactIntegers(signal) ? signalReader(signal) : undefined }));
  return {
    message,
    write: (head, raws, cell, present, data, start) => {
      let body = "";
      for (const { signal, opening, exact } of signals) {
        if (present !== undefined && present[cell + signal.index] !== 1) continue;
        const values = exact === undefined ? doubleValues(signal, raws[cell + signal.index] ?? 0) : exactValues(signal, readRawExact(exact, data, start));
        body += `${body === "" ? "" : ","}${opening}${values}]`;
      }
      return `{"l":${String(head.line)},"t":${String(head.timeS)},"bus":${JSON.stringify(head.bus)}${middle}${body}}}\n`;
    },
  };
}

function doubleValues(signal: CanSignal, raw: number): string {
  const physical = scale(signal, raw);
  return together(number(raw), raw === physical || (Number.isNaN(raw) && Number.isNaN(physical)), number(physical), signal.labels?.get(raw));
}

function exactValues(signal: CanSignal, raw: bigint): string {
  const label = signal.labels?.get(Number.isSafeInteger(Number(raw)) ? Number(raw) : raw);
  const whole = wholeScaleOf(signal);
  if (whole !== undefined) {
    const physical = raw * whole.factor + whole.offset;
    return together(integer(raw), raw === physical, integer(physical), label);
  }
  const physical = scale(signal, Number(raw));
  return together(integer(raw), !isLarge(raw) && physical === Number(raw), number(physical), label);
}

function together(raw: string, same: boolean, physical: string, label: string | undefined): string {
  if (label !== undefined) return `${raw},${physical},${JSON.stringify(label)}`;
  return same ? raw : `${raw},${physical}`;
}

function number(value: number): string {
  return Number.isFinite(value) ? String(value) : `"${String(value)}"`;
}

function integer(value: bigint): string {
  return isLarge(value) ? `"${String(value)}"` : String(value);
}

function isLarge(value: bigint): boolean {
  return value > MAX_DOUBLE_INTEGER || value < -MAX_DOUBLE_INTEGER;
}
