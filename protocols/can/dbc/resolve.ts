// Statements → database: comments, labels, attributes, float types and multiplexing are brought to the messages and signals they refer to. A reference to nothing is a diagnostic.

import { type AttributeValue, bytesNeeded, type CanMessage, type CanSignal, type Database, type IdKind, type RawType, type WholeScale } from "../model/index.ts";
import { type DiagnosticLog, quote } from "./diagnostics.ts";
import { type MuxRangesOfSignal, resolveMultiplexing } from "./mux.ts";
import type { At, DbcSyntax, LabelsSyntax, MessageSyntax, SignalSyntax, Target } from "./syntax.ts";

const EXTENDED_BIT = 0x8000_0000;
const MAX_STANDARD_ID = 0x7ff;
const MAX_EXTENDED_ID = 0x1fff_ffff;
const MAX_FILE_ID = 0xffff_ffff;
const PARKING_ID = 0xc000_0000;
const MAX_SIZE_BITS = 64;
/** No transport on CAN carries more than 65,535 bytes with a declared length in a DBC. */
const MAX_START_BIT = 8 * 65_535;
/** A frame of 64 bytes has 512 bits; real messages reach some hundred signals. */
const MAX_SIGNALS = 4_096;
const NO_SENDER = new Set(["Vector__XXX", ""]);
const NO_RANGES: ReadonlyMap<string, readonly MuxRangesOfSignal[]> = new Map();

/** Everything that refers to one message, gathered before the message is built. */
interface References {
  readonly senders: string[];
  comment: string | undefined;
  readonly attributes: Map<string, AttributeValue>;
  readonly signalComments: Map<string, string>;
  readonly signalAttributes: Map<string, Map<string, AttributeValue>>;
  readonly labels: Map<string, ReadonlyMap<number | bigint, string>>;
  readonly valueTypes: Map<string, { readonly at: At; readonly type: number }>;
  readonly muxRanges: Map<string, MuxRangesOfSignal[]>;
}

/** References of the message with this id (and signal); a diagnostic about `what` and undefined when there is none. */
type Lookup = (fileId: number, signal: string | undefined, at: At, what: string) => References | undefined;

export function resolveDatabase(syntax: DbcSyntax, log: DiagnosticLog, options: { readonly file: string | undefined; readonly strict: boolean }): Database {
  const known = indexByFileId(syntax.messages);
  const references = new Map<MessageSyntax, References>();
  const network = { attributes: new Map<string, AttributeValue>(), comment: undefined as string | undefined };
  const of: Lookup = (fileId, signal, at, what) => {
    const entry = known.get(fileId);
    const message = signal === undefined ? entry?.last : entry?.bySignal.get(signal);
    if (entry === undefined) log.add("warning", `${what} refers to message ${String(fileId)}, which does not exist`, at);
    else if (message === undefined) log.add("warning", `${what} refers to ${quote(signal ?? "")}, which is no signal of message ${quote(entry.last.name)}`, at);
    return message === undefined ? undefined : remembered(references, message);
  };

  for (const { at, fileId, names } of syntax.senders) {
    const found = of(fileId, undefined, at, "BO_TX_BU_");
    for (const name of names) found?.senders.push(name);
  }
  for (const { at, target, text } of syntax.comments) {
    if (target.kind === "network") network.comment = text;
    else if (target.kind === "message") {
      const found = of(target.fileId, undefined, at, "a comment");
      if (found !== undefined) found.comment = text;
    } else if (target.kind === "signal") of(target.fileId, target.signal, at, "a comment")?.signalComments.set(target.signal, text);
  }
  for (const entry of syntax.labels) addLabels(entry, syntax, log, of);
  for (const { at, fileId, signal, type } of syntax.valueTypes) of(fileId, signal, at, "SIG_VALTYPE_")?.valueTypes.set(signal, { at, type });
  for (const { at, fileId, signal, switchName, ranges } of syntax.muxRanges) {
    const found = of(fileId, signal, at, "SG_MUL_VAL_");
    const entry = { at, switchName, ranges };
    const present = found?.muxRanges.get(signal);
    if (present === undefined) found?.muxRanges.set(signal, [entry]);
    else present.push(entry);
  }
  for (const { at, name, target, value } of syntax.attributes) {
    const meant = attributeMeaning(name, value, syntax);
    if (target.kind === "network") network.attributes.set(name, meant);
    else if (target.kind === "message") of(target.fileId, undefined, at, `attribute ${quote(name)}`)?.attributes.set(name, meant);
    else if (target.kind === "signal") addSignalAttribute(of(target.fileId, target.signal, at, `attribute ${quote(name)}`), target, name, meant);
  }

  const defaults = { message: attributeDefaults(syntax, "message"), signal: attributeDefaults(syntax, "signal") };
  const messages = syntax.messages.map((message, index) => buildMessage(message, index, references.get(message), defaults, log, options.strict));
  log.about = undefined;
  reportDuplicates(messages, log);
  return {
    file: options.file,
    version: syntax.version,
    nodes: syntax.nodes,
    messages,
    attributes: new Map([...attributeDefaults(syntax, "network"), ...network.attributes]),
    comment: network.comment,
    diagnostics: log.inOrder(),
    suppressedDiagnostics: log.suppressed,
  };
}

/** Messages by the id as written; of several with one id the last, and for a signal's name the last that has it. */
function indexByFileId(messages: readonly MessageSyntax[]): ReadonlyMap<number, { readonly last: MessageSyntax; readonly bySignal: ReadonlyMap<string, MessageSyntax> }> {
  const known = new Map<number, { last: MessageSyntax; readonly bySignal: Map<string, MessageSyntax> }>();
  for (const message of messages) {
    const entry = known.get(message.fileId) ?? { last: message, bySignal: new Map<string, MessageSyntax>() };
    entry.last = message;
    for (const signal of message.signals) entry.bySignal.set(signal.name, message);
    known.set(message.fileId, entry);
  }
  return known;
}

function remembered(references: Map<MessageSyntax, References>, message: MessageSyntax): References {
  const present = references.get(message);
  if (present !== undefined) return present;
  const fresh: References = {
    senders: [],
    comment: undefined,
    attributes: new Map(),
    signalComments: new Map(),
    signalAttributes: new Map(),
    labels: new Map(),
    valueTypes: new Map(),
    muxRanges: new Map(),
  };
  references.set(message, fresh);
  return fresh;
}

function addLabels(entry: LabelsSyntax, syntax: DbcSyntax, log: DiagnosticLog, of: Lookup): void {
  if (entry.target.kind !== "signal") return;
  const labels = typeof entry.labels === "string" ? syntax.valueTables.get(entry.labels) : entry.labels;
  if (labels === undefined) log.add("warning", `VAL_ refers to the table ${quote(typeof entry.labels === "string" ? entry.labels : "")}, which does not exist`, entry.at);
  else of(entry.target.fileId, entry.target.signal, entry.at, "VAL_")?.labels.set(entry.target.signal, labels);
}

function addSignalAttribute(found: References | undefined, target: Extract<Target, { kind: "signal" }>, name: string, value: AttributeValue): void {
  if (found === undefined) return;
  const attributes = found.signalAttributes.get(target.signal) ?? new Map<string, AttributeValue>();
  attributes.set(name, value);
  found.signalAttributes.set(target.signal, attributes);
}

/** An enumeration's value is written as its index or as its label; here it is always the label, where the index has one. */
function attributeMeaning(name: string, value: AttributeValue, syntax: DbcSyntax): AttributeValue {
  const type = syntax.attributeTypes.get(name)?.type;
  return type?.kind === "enum" && typeof value === "number" ? (type.labels[value] ?? value) : value;
}

function attributeDefaults(syntax: DbcSyntax, owner: "network" | "message" | "signal"): ReadonlyMap<string, AttributeValue> {
  return new Map(
    [...syntax.attributeDefaults]
      .filter(([name]) => syntax.attributeTypes.get(name)?.owner === owner)
      .map(([name, value]) => [name, attributeMeaning(name, value, syntax)] as const),
  );
}

function buildMessage(
  syntax: MessageSyntax,
  index: number,
  found: References | undefined,
  defaults: { readonly message: ReadonlyMap<string, AttributeValue>; readonly signal: ReadonlyMap<string, AttributeValue> },
  log: DiagnosticLog,
  strict: boolean,
): CanMessage {
  log.about = syntax.at;
  if (syntax.signals.length > MAX_SIGNALS)
    log.add("error", `message ${quote(syntax.name)} has ${String(syntax.signals.length)} signals; the first ${String(MAX_SIGNALS)} are read`, syntax.at);
  const lost = [...syntax.lost];
  const sound = syntax.signals.slice(0, MAX_SIGNALS).filter((signal) => {
    const isSound = isUsable(signal, syntax, log);
    if (!isSound) lost.push({ at: signal.at, name: signal.name, isSwitch: signal.muxMark.isSwitch });
    return isSound;
  });
  const { usable, conditions, switches } = resolveMultiplexing(sound, lost, found?.muxRanges ?? NO_RANGES, log);
  const longName = (attributes: ReadonlyMap<string, AttributeValue> | undefined, key: string, short: string): string => {
    const long = attributes?.get(key);
    return typeof long === "string" && long !== "" ? long : short;
  };
  const names = usable.map((signal) => longName(found?.signalAttributes.get(signal.name), "SystemSignalLongSymbol", signal.name));
  const seen = new Map<string, number>();
  for (const name of names) seen.set(name, (seen.get(name) ?? 0) + 1);
  const signals = usable.map((signal, at): CanSignal => {
    const place = { start: signal.start, size: signal.size, byteOrder: signal.motorola ? "motorola" : "intel" } as const;
    const own = found?.signalAttributes.get(signal.name);
    const startRaw = own?.get("GenSigStartValue") ?? defaults.signal.get("GenSigStartValue");
    return {
      ...place,
      index: at,
      name: names[at] ?? signal.name,
      sharesName: (seen.get(names[at] ?? "") ?? 0) > 1,
      type: rawType(signal, found?.valueTypes.get(signal.name), log),
      factor: Number(signal.factor),
      offset: Number(signal.offset),
      wholeScale: wholeScale(signal.factor, signal.offset),
      range: signal.min === 0 && signal.max === 0 ? undefined : { min: signal.min, max: signal.max },
      unit: signal.unit,
      receivers: signal.receivers,
      isSwitch: switches.has(at),
      mux: conditions[at],
      labels: found?.labels.get(signal.name),
      comment: found?.signalComments.get(signal.name),
      startRaw: typeof startRaw === "number" ? startRaw : undefined,
      needsBytes: bytesNeeded(place),
      attributes: own === undefined ? defaults.signal : new Map([...defaults.signal, ...own]),
      position: log.position(signal.at),
    };
  });
  reportPlacement(signals, syntax, log, strict);
  reportSharedNames(signals, syntax, log, strict);
  const attributes = found === undefined || found.attributes.size === 0 ? defaults.message : new Map([...defaults.message, ...found.attributes]);
  const cycleTime = attributes.get("GenMsgCycleTime");
  return {
    ...identity(syntax, log),
    index,
    name: longName(attributes, "SystemMessageLongSymbol", syntax.name),
    length: syntax.length,
    isFd: isFd(attributes.get("VFrameFormat"), syntax.length),
    senders: [...new Set([syntax.sender, ...(found?.senders ?? [])])].filter((sender) => !NO_SENDER.has(sender)),
    signals,
    cycleTimeMs: typeof cycleTime === "number" && cycleTime > 0 ? cycleTime : undefined,
    comment: found?.comment,
    attributes,
    position: log.position(syntax.at),
  };
}

/** Bit 31 of the id in the file marks 29-bit ids; GM's files leave it out. */
function identity(syntax: MessageSyntax, log: DiagnosticLog): { readonly id: number; readonly kind: IdKind; readonly matchable: boolean } {
  const marked = syntax.fileId >= EXTENDED_BIT;
  const number = marked ? syntax.fileId - EXTENDED_BIT : syntax.fileId;
  if (syntax.fileId === PARKING_ID) return { id: 0, kind: "extended", matchable: false };
  if (syntax.fileId > MAX_FILE_ID || number > MAX_EXTENDED_ID) {
    log.add("error", `no frame can carry the id ${String(syntax.fileId)} of message ${quote(syntax.name)}`, syntax.at);
    return { id: number % (MAX_EXTENDED_ID + 1), kind: "extended", matchable: false };
  }
  if (!marked && number > MAX_STANDARD_ID)
    log.add("error", `id ${String(number)} of message ${quote(syntax.name)} has more than 11 bits but no bit 31; read as a 29-bit id`, syntax.at);
  return { id: number, kind: marked || number > MAX_STANDARD_ID ? "extended" : "standard", matchable: true };
}

function isUsable(signal: SignalSyntax, message: MessageSyntax, log: DiagnosticLog): boolean {
  if (signal.size < 1 || signal.size > MAX_SIZE_BITS)
    log.add("error", `signal ${quote(signal.name)} of ${quote(message.name)} has ${String(signal.size)} bits, expected 1 to 64; left out`, signal.at);
  else if (signal.start > MAX_START_BIT) log.add("error", `signal ${quote(signal.name)} of ${quote(message.name)} starts at bit ${String(signal.start)}; left out`, signal.at);
  else return true;
  return false;
}

function rawType(signal: SignalSyntax, declared: { readonly at: At; readonly type: number } | undefined, log: DiagnosticLog): RawType {
  const integer = signal.signed ? "signed" : "unsigned";
  if (declared === undefined || declared.type === 0) return integer;
  const size = declared.type === 1 ? 32 : declared.type === 2 ? 64 : 0;
  if (size === signal.size) return size === 32 ? "float32" : "float64";
  log.add("error", `SIG_VALTYPE_ ${String(declared.type)} does not fit signal ${quote(signal.name)} of ${String(signal.size)} bits; read as an integer`, declared.at);
  return integer;
}

function isFd(frameFormat: AttributeValue | undefined, length: number): boolean {
  if (frameFormat === 14 || frameFormat === 15 || (typeof frameFormat === "string" && frameFormat.endsWith("_FD"))) return true;
  const declared = frameFormat === "J1939PG" || frameFormat === 3;
  return !declared && length > 8 && length <= 64;
}

/** Signals beyond the message's end and signals that share bits are common in good files: worth a word, an error only in strict mode. */
function reportPlacement(signals: readonly CanSignal[], message: MessageSyntax, log: DiagnosticLog, strict: boolean): void {
  const severity = strict ? "error" : "warning";
  const owners = new Map<number, CanSignal>();
  for (const signal of signals) {
    if (signal.needsBytes > message.length)
      log.add(severity, `signal ${quote(signal.name)} needs ${String(signal.needsBytes)} bytes, message ${quote(message.name)} has ${String(message.length)}`, signal.position);
    if (signal.mux !== undefined) continue;
    const first = signal.byteOrder === "intel" ? signal.start : 8 * (signal.start >> 3) + 7 - (signal.start & 7);
    let overlapped: CanSignal | undefined;
    for (let bit = first; bit < first + signal.size; bit++) {
      const sawtooth = signal.byteOrder === "intel" ? bit : 8 * (bit >> 3) + 7 - (bit & 7);
      overlapped ??= owners.get(sawtooth);
      owners.set(sawtooth, signal);
    }
    if (overlapped !== undefined) log.add(severity, `signals ${quote(overlapped.name)} and ${quote(signal.name)} of message ${quote(message.name)} share bits`, signal.position);
  }
}

/** What is told by name leaves them out: nobody could say which of them is meant. Each name once, at its second signal. */
function reportSharedNames(signals: readonly CanSignal[], message: MessageSyntax, log: DiagnosticLog, strict: boolean): void {
  const seen = new Map<string, number>();
  for (const { name, sharesName, position } of signals) {
    if (!sharesName) continue;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    if (seen.get(name) === 2)
      log.add(
        strict ? "error" : "warning",
        `message ${quote(message.name)} has several signals ${quote(name)}: none of them is told, since their name does not say which it is`,
        position,
      );
  }
}

function reportDuplicates(messages: readonly CanMessage[], log: DiagnosticLog): void {
  const first = new Map<string, CanMessage>();
  for (const message of messages) {
    if (!message.matchable) continue;
    const key = `${message.kind} ${String(message.id)}`;
    const other = first.get(key);
    if (other !== undefined)
      log.add("warning", `message ${quote(message.name)} has the ${message.kind} id ${String(message.id)} of ${quote(other.name)}; the later counts`, message.position);
    first.set(key, message);
  }
}

function wholeScale(factor: number | bigint, offset: number | bigint): WholeScale | undefined {
  if (typeof factor === "number" && typeof offset === "number") return undefined;
  return isWhole(factor) && isWhole(offset) ? { factor: BigInt(factor), offset: BigInt(offset) } : undefined;
}

function isWhole(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}
