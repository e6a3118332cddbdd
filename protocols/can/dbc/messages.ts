// One message with all that refers to it → the message of the model.

import { type AttributeDefinition, type AttributeValue, bytesNeeded, type CanMessage, type CanSignal, type IdKind, type RawType, type WholeScale } from "../model/index.ts";
import { type DiagnosticLog, quote } from "./diagnostics.ts";
import { reportPlacement, reportSharedNames } from "./findings.ts";
import { NO_NODE } from "./keywords.ts";
import { type MuxRangesOfSignal, resolveMultiplexing } from "./mux.ts";
import type { References } from "./references.ts";
import type { At, MessageSyntax, SignalSyntax } from "./syntax.ts";

const EXTENDED_BIT = 0x8000_0000;
const MAX_STANDARD_ID = 0x7ff;
const MAX_EXTENDED_ID = 0x1fff_ffff;
const MAX_FILE_ID = 0xffff_ffff;
/** Holds signals that belong to no message. */
const PARKING_NAME = "VECTOR__INDEPENDENT_SIG_MSG";
const PARKING_ID = 0xc000_0000;
const MAX_SIZE_BITS = 64;
/** No transport on CAN carries more than 65,535 bytes with a declared length in a DBC. */
const MAX_START_BIT = 8 * 65_535;
/** A frame of 64 bytes has 512 bits; real messages reach some hundred signals. */
const MAX_SIGNALS = 4_096;
const NO_ATTRIBUTES: ReadonlyMap<string, AttributeValue> = new Map();
const NO_NAMES: readonly string[] = [];
const NO_RANGES: ReadonlyMap<string, readonly MuxRangesOfSignal[]> = new Map();

export interface MessageContext {
  readonly definitions: ReadonlyMap<string, AttributeDefinition>;
  /** Long names of nodes by their short ones. */
  readonly nodeNames: ReadonlyMap<string, string>;
  readonly log: DiagnosticLog;
  readonly strict: boolean;
}

export function buildMessage(syntax: MessageSyntax, index: number, found: References | undefined, { definitions, nodeNames, log, strict }: MessageContext): CanMessage {
  log.about = syntax.at;
  if (syntax.signals.length > MAX_SIGNALS)
    log.add("error", "too-many-signals", `message ${quote(syntax.name)} has ${String(syntax.signals.length)} signals; the first ${String(MAX_SIGNALS)} are read`, syntax.at);
  const lost = [...syntax.lost];
  const sound = syntax.signals.slice(0, MAX_SIGNALS).filter((signal) => {
    const isSound = isUsable(signal, syntax, log);
    if (!isSound) lost.push({ at: signal.at, name: signal.name, isSwitch: signal.muxMark.isSwitch });
    return isSound;
  });
  const { usable, conditions, switches } = resolveMultiplexing(sound, lost, found?.muxRanges ?? NO_RANGES, log);
  const names = usable.map((signal) => found?.signalNames.get(signal.name) ?? signal.name);
  const seen = new Map<string, number>();
  for (const name of names) seen.set(name, (seen.get(name) ?? 0) + 1);
  const startDefault = definitions.get("GenSigStartValue")?.default;
  const signals = usable.map((signal, at): CanSignal => {
    const { start, size } = signal;
    const byteOrder = signal.motorola ? "motorola" : "intel";
    const own = found?.signalAttributes.get(signal.name);
    const startRaw = own?.get("GenSigStartValue") ?? startDefault;
    return {
      start,
      size,
      byteOrder,
      index: at,
      name: names[at] ?? signal.name,
      sharesName: (seen.get(names[at] ?? "") ?? 0) > 1,
      type: rawType(signal, found?.valueTypes.get(signal.name), log),
      factor: Number(signal.factor),
      offset: Number(signal.offset),
      wholeScale: wholeScale(signal.factor, signal.offset),
      range: signal.min === 0 && signal.max === 0 ? undefined : { min: signal.min, max: signal.max },
      unit: signal.unit,
      receivers: realNodes(signal.receivers, nodeNames),
      isSwitch: switches.has(at),
      mux: conditions[at],
      labels: found?.labels.get(signal.name),
      comment: found?.signalComments.get(signal.name),
      startRaw: typeof startRaw === "number" ? startRaw : undefined,
      needsBytes: bytesNeeded({ start, size, byteOrder }),
      attributes: own ?? NO_ATTRIBUTES,
      position: log.position(signal.at),
    };
  });
  reportPlacement(signals, syntax, log, strict);
  reportSharedNames(signals, syntax, log, strict);
  const attributes = found?.attributes ?? NO_ATTRIBUTES;
  const cycleTime = attributes.get("GenMsgCycleTime") ?? definitions.get("GenMsgCycleTime")?.default;
  return {
    ...identity(syntax, log),
    index,
    name: found?.name ?? syntax.name,
    length: syntax.length,
    isFd: isFd(attributes.get("VFrameFormat") ?? definitions.get("VFrameFormat")?.default, syntax.length),
    senders: sendersOf(syntax.sender, found?.senders ?? NO_NAMES, nodeNames),
    signals,
    cycleTimeMs: typeof cycleTime === "number" && cycleTime > 0 ? cycleTime : undefined,
    comment: found?.comment,
    attributes,
    position: log.position(syntax.at),
  };
}

function sendersOf(first: string, more: readonly string[], nodeNames: ReadonlyMap<string, string>): readonly string[] {
  return more.length === 0 ? realNodes([first], nodeNames) : [...new Set(realNodes([first, ...more], nodeNames))];
}

function realNodes(names: readonly string[], nodeNames: ReadonlyMap<string, string>): readonly string[] {
  const real = names.includes(NO_NODE) ? names.filter((name) => name !== NO_NODE) : names;
  return nodeNames.size === 0 ? real : real.map((name) => nodeNames.get(name) ?? name);
}

/** Bit 31 of the id in the file marks 29-bit ids; GM's files leave it out. */
function identity(syntax: MessageSyntax, log: DiagnosticLog): { readonly id: number; readonly kind: IdKind; readonly matchable: boolean } {
  const marked = syntax.fileId >= EXTENDED_BIT;
  const number = marked ? syntax.fileId - EXTENDED_BIT : syntax.fileId;
  if (syntax.fileId === PARKING_ID || syntax.name === PARKING_NAME) return { id: 0, kind: "extended", matchable: false };
  if (syntax.fileId > MAX_FILE_ID || number > MAX_EXTENDED_ID) {
    log.add("error", "id-impossible", `no frame can carry the id ${String(syntax.fileId)} of message ${quote(syntax.name)}`, syntax.at);
    return { id: number % (MAX_EXTENDED_ID + 1), kind: "extended", matchable: false };
  }
  if (!marked && number > MAX_STANDARD_ID)
    log.add("error", "id-not-marked-extended", `id ${String(number)} of message ${quote(syntax.name)} has more than 11 bits but no bit 31; read as a 29-bit id`, syntax.at);
  return { id: number, kind: marked || number > MAX_STANDARD_ID ? "extended" : "standard", matchable: true };
}

function isUsable(signal: SignalSyntax, message: MessageSyntax, log: DiagnosticLog): boolean {
  if (signal.size < 1 || signal.size > MAX_SIZE_BITS)
    log.add("error", "size-impossible", `signal ${quote(signal.name)} of ${quote(message.name)} has ${String(signal.size)} bits, expected 1 to 64; left out`, signal.at);
  else if (signal.start > MAX_START_BIT)
    log.add("error", "start-impossible", `signal ${quote(signal.name)} of ${quote(message.name)} starts at bit ${String(signal.start)}; left out`, signal.at);
  else return true;
  return false;
}

function rawType(signal: SignalSyntax, declared: { readonly at: At; readonly type: number } | undefined, log: DiagnosticLog): RawType {
  const integer = signal.signed ? "signed" : "unsigned";
  if (declared === undefined || declared.type === 0) return integer;
  const size = declared.type === 1 ? 32 : declared.type === 2 ? 64 : 0;
  if (size === signal.size) return size === 32 ? "float32" : "float64";
  log.add("error", "float-size", `SIG_VALTYPE_ ${String(declared.type)} does not fit signal ${quote(signal.name)} of ${String(signal.size)} bits; read as an integer`, declared.at);
  return integer;
}

function isFd(frameFormat: AttributeValue | undefined, length: number): boolean {
  if (frameFormat === 14 || frameFormat === 15 || (typeof frameFormat === "string" && frameFormat.endsWith("_FD"))) return true;
  const declared = frameFormat === "J1939PG" || frameFormat === 3;
  return !declared && length > 8 && length <= 64;
}

function wholeScale(factor: number | bigint, offset: number | bigint): WholeScale | undefined {
  if (typeof factor === "number" && typeof offset === "number") return undefined;
  return isWhole(factor) && isWhole(offset) ? { factor: BigInt(factor), offset: BigInt(offset) } : undefined;
}

function isWhole(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}
