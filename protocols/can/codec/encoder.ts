// Values → frame, for commands. Refuses rather than wraps: a value out of range, a signal that its switch does not select, two signals that share bits.
//
//   raw = round half to even((physical - offset) / factor)      floats are not rounded
//
// E1. The declared range counts, with a tolerance of a millionth of the factor; a raw value with a label is always in range.
// E2. A signal that is not given takes its GenSigStartValue (raw) where the file has one, else its bits are padding.
// E3. Every given signal is read back from the payload; one that does not come back as written is refused.
// E4. A label stands for its raw value. One that the signal does not have, or that several of its values have, is refused; so is a name that several signals of the message have.

import { bitPlaces, type CanMessage, type CanSignal, findSignal, isFloat } from "../model/index.ts";
import { type CanFrame, fdLength, SLOT_BYTES } from "../frames/index.ts";
import { inRanges, readRaw, readRawExact, signalReader } from "./interpreter.ts";

/** By the signal's name, or its index where names collide: a number, or the label of one. */
export type EncodeValues = ReadonlyMap<string | number, number | bigint | string>;

export interface EncodeOptions {
  /** Values are raw instead of physical. Default false. */
  readonly raw?: boolean;
  /** What fills bits that belong to no given signal. Default 0; 1 is usual where all ones mean "not available" (J1939). */
  readonly padding?: 0 | 1;
  /** Payload bytes. Default: the message's length (for CAN FD the next length that exists). */
  readonly length?: number;
}

export interface EncodeProblem {
  /** As given. */
  readonly signal: string | number;
  readonly message: string;
}

export type EncodeOutcome = { readonly kind: "encoded"; readonly frame: CanFrame } | { readonly kind: "refused"; readonly problems: readonly EncodeProblem[] };

const TOLERANCE_OF_FACTOR = 1e-6;
const MAX_LABELS_SHOWN = 10;

interface Chosen {
  readonly key: string | number;
  readonly signal: CanSignal;
  readonly raw: number | bigint;
}

export function encodeFrame(message: CanMessage, values: EncodeValues, options: EncodeOptions = {}): EncodeOutcome {
  if (!message.matchable) return refused([{ signal: message.name, message: "no frame can carry its id" }]);
  const length = options.length ?? (message.isFd ? fdLength(message.length) : message.length);
  if (length > SLOT_BYTES || (!message.isFd && length > 8))
    return refused([{ signal: message.name, message: `${String(length)} bytes do not fit one ${message.isFd ? "CAN FD" : "classic"} frame` }]);
  const problems: EncodeProblem[] = [];
  const chosen: Chosen[] = [];
  for (const [key, value] of values) {
    const signal = typeof key === "number" ? message.signals[key] : findSignal(message, key);
    const outcome =
      signal === undefined
        ? `message "${message.name}" has no such signal`
        : typeof key === "string" && signal.sharesName
          ? `message "${message.name}" has several signals of this name`
          : signal.needsBytes > length
            ? `its bits lie beyond ${String(length)} bytes`
            : rawOf(signal, value, options.raw ?? false);
    if (typeof outcome === "string") problems.push({ signal: key, message: outcome });
    else if (signal !== undefined) chosen.push({ key, signal, raw: outcome.raw });
  }
  const data = new Uint8Array(length).fill(options.padding === 1 ? 0xff : 0);
  const given = new Set(chosen.map((each) => each.signal));
  for (const signal of message.signals) {
    if (given.has(signal) || signal.startRaw === undefined || signal.mux !== undefined || signal.needsBytes > length) continue;
    if (rawProblem(signal, signal.startRaw) === undefined) writeRaw(signal, signal.startRaw, data);
  }
  for (const { signal, raw } of chosen) writeRaw(signal, raw, data);
  for (const { key, signal, raw } of chosen) {
    const problem = readsBack(signal, raw, data) ? unselected(message, signal, data) : "another given signal shares its bits";
    if (problem !== undefined) problems.push({ signal: key, message: problem });
  }
  return problems.length > 0
    ? refused(problems)
    : { kind: "encoded", frame: { id: message.id, extended: message.kind === "extended", data, ...(message.isFd ? { fd: true } : {}) } };
}

/** The integer nearest to `value`; of two equally near the even one. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

function refused(problems: readonly EncodeProblem[]): EncodeOutcome {
  return { kind: "refused", problems };
}

function rawOf(signal: CanSignal, value: number | bigint | string, isRaw: boolean): { readonly raw: number | bigint } | string {
  if (typeof value === "string") return rawOfLabel(signal, value);
  if (typeof value === "number" && Number.isNaN(value) && !isFloat(signal)) return "not a number";
  const raw = isRaw ? value : toRaw(signal, value);
  if (raw === undefined) return "its factor is 0, no value can be chosen";
  const problem = rawProblem(signal, raw);
  if (problem !== undefined) return problem;
  if (!isRaw && !signal.labels?.has(raw)) {
    const physical = Number(value);
    const tolerance = Math.abs(signal.factor) * TOLERANCE_OF_FACTOR;
    const { range } = signal;
    if (range !== undefined && (physical < Number(range.min) - tolerance || physical > Number(range.max) + tolerance))
      return `${String(value)} lies outside of ${String(range.min)} to ${String(range.max)}`;
  }
  return { raw };
}

function rawOfLabel(signal: CanSignal, label: string): { readonly raw: number | bigint } | string {
  const labels = [...(signal.labels ?? [])];
  if (labels.length === 0) return `${JSON.stringify(label)} is no number, and it has no labels`;
  const raws = labels.flatMap(([raw, text]) => (text === label ? [raw] : []));
  const [raw] = raws;
  if (raw === undefined) {
    const known = labels.slice(0, MAX_LABELS_SHOWN).map(([, text]) => JSON.stringify(text));
    return `it has no label ${JSON.stringify(label)}, but ${known.join(", ")}${labels.length > MAX_LABELS_SHOWN ? ` and ${String(labels.length - MAX_LABELS_SHOWN)} more` : ""}`;
  }
  if (raws.length > 1) return `the label ${JSON.stringify(label)} stands for ${raws.join(", ")}; give the number`;
  return rawProblem(signal, raw) ?? { raw };
}

function toRaw(signal: CanSignal, physical: number | bigint): number | bigint | undefined {
  const { factor, offset } = signal;
  if (factor === 0) return Number(physical) === offset ? 0 : undefined;
  if (factor === 1 && offset === 0) return typeof physical === "bigint" || isFloat(signal) ? physical : roundHalfEven(physical);
  if (typeof physical === "bigint" && factor === 1 && Number.isSafeInteger(offset)) return physical - BigInt(offset);
  const raw = (Number(physical) - offset) / factor;
  return isFloat(signal) ? raw : roundHalfEven(raw);
}

/** Why the raw value does not fit the signal's bits, or undefined. */
function rawProblem(signal: CanSignal, raw: number | bigint): string | undefined {
  if (isFloat(signal)) return undefined;
  if (typeof raw === "number" && !Number.isInteger(raw)) return `raw value ${String(raw)} is no whole number`;
  const whole = BigInt(raw);
  const fits = signal.type === "signed" ? BigInt.asIntN(signal.size, whole) === whole : BigInt.asUintN(signal.size, whole) === whole;
  return fits ? undefined : `raw value ${String(whole)} does not fit ${String(signal.size)} ${signal.type} bits`;
}

function writeRaw(signal: CanSignal, raw: number | bigint, data: Uint8Array): void {
  const bits = bitPattern(signal, raw);
  bitPlaces(signal).forEach((place, k) => {
    const weight = 1 << (place & 7);
    const byte = data[place >> 3] ?? 0;
    data[place >> 3] = ((bits >> BigInt(k)) & 1n) === 1n ? byte | weight : byte & ~weight;
  });
}

function bitPattern(signal: CanSignal, raw: number | bigint): bigint {
  const view = new DataView(new ArrayBuffer(8));
  if (signal.type === "float32") {
    view.setFloat32(0, Number(raw));
    return BigInt(view.getUint32(0));
  }
  if (signal.type === "float64") {
    view.setFloat64(0, Number(raw));
    return view.getBigUint64(0);
  }
  return BigInt.asUintN(signal.size, BigInt(raw));
}

function readsBack(signal: CanSignal, raw: number | bigint, data: Uint8Array): boolean {
  const reader = signalReader(signal);
  if (!isFloat(signal)) return readRawExact(reader, data, 0) === BigInt(raw);
  const written = signal.type === "float32" ? Math.fround(Number(raw)) : Number(raw);
  return Object.is(readRaw(reader, data, 0), written);
}

/** Why the switch above the signal does not select it in this payload, or undefined. */
function unselected(message: CanMessage, signal: CanSignal, data: Uint8Array): string | undefined {
  for (let { mux } = signal; mux !== undefined; ) {
    const above = message.signals[mux.switchIndex];
    if (above === undefined || above.needsBytes > data.length) return "its switch is not part of the frame";
    const raw = readRaw(signalReader(above), data, 0);
    if (!inRanges(raw, mux.ranges))
      return `it is selected by ${above.name} = ${mux.ranges.map(({ low, high }) => (low === high ? String(low) : `${String(low)}..${String(high)}`)).join(", ")}, which is ${String(raw)}`;
    mux = above.mux;
  }
  return undefined;
}
