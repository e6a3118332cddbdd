// What a CAN database says, whatever file it came from, as readonly data: messages in file order, their signals by index. Names are data (Map keys, never property names), since `__proto__` is a legal DBC name and
// cut names collide inside one message. Section 1 of research/can-stack.md holds the rules; ../dbc makes this, decoders, encoders and overlays read it.

import type { TextPosition } from "../../../runtime/ports/index.ts";

export type IdKind = "standard" | "extended";

/**
 * Bit numbering is one sawtooth for both byte orders: bit b is byte b >> 3, weight 1 << (b & 7).
 *
 *   byte 0             byte 1
 *   7 6 5 4 3 2 1 0    15 14 13 12 11 10 9 8
 *
 * intel:    `start` is the least significant bit; value bit k is sawtooth bit start + k.
 * motorola: `start` is the most significant bit; the value goes down within a byte, then on to bit 7 of the next byte.
 */
export type ByteOrder = "intel" | "motorola";

export type RawType = "unsigned" | "signed" | "float32" | "float64";

export type AttributeValue = number | string;

/** Whose attribute it is. */
export type AttributeOwner = "network" | "node" | "message" | "signal";

export type AttributeType =
  | { readonly kind: "integer" | "hex" | "float"; readonly min: number | undefined; readonly max: number | undefined }
  | { readonly kind: "string" }
  | { readonly kind: "enum"; readonly labels: readonly string[] };

export interface AttributeDefinition {
  readonly owner: AttributeOwner;
  readonly type: AttributeType;
  /** What holds for an object that says nothing (`attributeOf`); an enumeration's as its label. */
  readonly default: AttributeValue | undefined;
}

export interface CanNode {
  readonly name: string;
  readonly comment: string | undefined;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
}

/** Inclusive range of raw switch values. */
export interface MuxRange {
  readonly low: number;
  readonly high: number;
}

/** A signal is there only while the raw value of its switch lies in one of the ranges and the switch itself is there. */
export interface MuxCondition {
  /** Index of the switch signal within the same message. */
  readonly switchIndex: number;
  readonly ranges: readonly MuxRange[];
}

export interface CanSignal {
  /** Position within the message, from 0; identifies the signal. */
  readonly index: number;
  /** The long one where the file has two. */
  readonly name: string;
  /** Another signal of this message has the same name. */
  readonly sharesName: boolean;
  /** Sawtooth bit number: least significant bit (intel), most significant bit (motorola). */
  readonly start: number;
  /** 1 to 64 bits. */
  readonly size: number;
  readonly byteOrder: ByteOrder;
  readonly type: RawType;
  /** physical = raw * factor + offset, in exactly this order, in doubles. */
  readonly factor: number;
  readonly offset: number;
  /** Both without loss where they are whole numbers and a double cannot hold one of them; else undefined. */
  readonly wholeScale: WholeScale | undefined;
  /** Declared physical range, whole numbers beyond 2^53 as bigint; undefined where the file says [0|0]. Never applied when decoding. */
  readonly range: { readonly min: number | bigint; readonly max: number | bigint } | undefined;
  readonly unit: string;
  /** Names of nodes; none where the file names none. */
  readonly receivers: readonly string[];
  /** Other signals are selected by this one's raw value. */
  readonly isSwitch: boolean;
  readonly mux: MuxCondition | undefined;
  /** Labels by raw value: a number where that is a safe integer, else a bigint. */
  readonly labels: ReadonlyMap<number | bigint, string> | undefined;
  readonly comment: string | undefined;
  /** GenSigStartValue: raw, the value that an encoder uses for a signal that was not given. */
  readonly startRaw: number | undefined;
  /** Payload bytes that must be there for this signal to be read. */
  readonly needsBytes: number;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  readonly position: TextPosition;
}

export interface CanMessage {
  /** Position among `Database.messages`, from 0. */
  readonly index: number;
  /** 11 or 29 bits. A standard 0x123 and an extended 0x123 are different messages. */
  readonly id: number;
  readonly kind: IdKind;
  /** The long one where the file has two. */
  readonly name: string;
  /** Declared payload bytes: a claim; real frames are shorter and longer. Over 8: CAN FD or a transport protocol. */
  readonly length: number;
  readonly isFd: boolean;
  readonly senders: readonly string[];
  readonly signals: readonly CanSignal[];
  /** GenMsgCycleTime in ms, undefined when absent or 0. */
  readonly cycleTimeMs: number | undefined;
  readonly comment: string | undefined;
  /** False for the parking message of unassigned signals (VECTOR__INDEPENDENT_SIG_MSG) and for ids that no frame can carry. */
  readonly matchable: boolean;
  /** What is said of this one: without the definitions' defaults, as everywhere here (`attributeOf`). */
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  readonly position: TextPosition;
}

export interface Diagnostic {
  /** `error`: something of the file was left out or read by guess, refused in strict mode. `warning`: read as meant. */
  readonly severity: "error" | "warning";
  /** Kind of the finding, in the reader's stable words: `shared-bits`. */
  readonly code: string;
  readonly message: string;
  readonly position: TextPosition;
  /** `CanMessage.position` of the message that alone it concerns; absent: it may concern any. */
  readonly about?: TextPosition;
}

export interface Database {
  readonly file: string | undefined;
  readonly version: string;
  readonly nodes: readonly CanNode[];
  /** In file order, duplicates included: the last of one id and kind is the one that counts. */
  readonly messages: readonly CanMessage[];
  /** Sets of labels with a name, which signals may share; each signal has its own copy. */
  readonly valueTables: ReadonlyMap<string, ReadonlyMap<number | bigint, string>>;
  readonly attributeDefinitions: ReadonlyMap<string, AttributeDefinition>;
  /** Attributes of the network itself (BusType, Baudrate, DBName, ProtocolType). */
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  readonly comment: string | undefined;
  /** The first 1,000 errors and 1,000 warnings, in order of position; `suppressedDiagnostics` counts the rest. */
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressedDiagnostics: number;
}

/** `file:line:column`, as editors and compilers write it. */
export function formatPosition(position: TextPosition): string {
  return `${position.file ?? "<text>"}:${String(position.line)}:${String(position.column)}`;
}

/** Signals of the message that has most of them. */
export function widestMessage(database: Database): number {
  return database.messages.reduce((widest, message) => Math.max(widest, message.signals.length), 0);
}

/** The message called `name`; of several, the last that a frame can carry (the later wins). */
export function findMessage(database: Database, name: string): CanMessage | undefined {
  return database.messages.findLast((message) => message.name === name && message.matchable) ?? database.messages.findLast((message) => message.name === name);
}

/** The signal called `name`; of several with that name the first. */
export function findSignal(message: CanMessage, name: string): CanSignal | undefined {
  return message.signals.find((signal) => signal.name === name);
}

/** The attribute of one message, signal, node or of the network itself: what is said of it, else the definition's default. */
export function attributeOf(database: Database, holder: Pick<CanNode, "attributes">, name: string): AttributeValue | undefined {
  return holder.attributes.get(name) ?? database.attributeDefinitions.get(name)?.default;
}

export interface WholeScale {
  readonly factor: bigint;
  readonly offset: bigint;
}

/** Factor and offset where both are whole numbers, so that physical values are exact integers. */
export function wholeScaleOf({ wholeScale, factor, offset }: Pick<CanSignal, "wholeScale" | "factor" | "offset">): WholeScale | undefined {
  if (wholeScale !== undefined) return wholeScale;
  return Number.isSafeInteger(factor) && Number.isSafeInteger(offset) ? { factor: BigInt(factor), offset: BigInt(offset) } : undefined;
}

export function isFloat(signal: CanSignal): boolean {
  return signal.type === "float32" || signal.type === "float64";
}
