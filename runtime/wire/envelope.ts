// One message between nodes: fixed first bytes, then named fields by position (wire-kinds.ts), in MessagePack.
//
// W3. Decoding never throws and builds nothing from bytes that were not walked first; what is refused says why, and the caller counts it by that reason.
// W4. Time in an envelope is what remains, in ms. Wall clocks of two nodes are never compared; what the transit took is measured by transit.ts.

import { Packr } from "msgpackr";
import { addressProblem, type Address } from "../address.ts";
import { DroverError } from "../errors.ts";
import { messagePackProblem } from "./message-pack-check.ts";
import { WIRE_MAGIC, WIRE_MAJOR, WIRE_MINOR, wireFields, wireKinds, type WireKind } from "./wire-kinds.ts";

/** Bytes; a larger envelope is not decoded. */
export const MAX_ENVELOPE_BYTES = 1_048_576;
const HEAD_BYTES = 5;

export interface WireSender {
  readonly node: string;
  /** Names the run of the node and its link session, e.g. `<32 hex>:7`. */
  readonly session?: string;
  /** The sender's monotonic clock when it sent, ms. */
  readonly sentAt?: number;
  readonly entity?: Address;
  readonly incarnation?: string;
  readonly seq?: number;
  readonly epoch?: number;
  /** Lower numbers of this line had their last word (rules M1). */
  readonly oldest?: number;
}

export interface Envelope {
  readonly kind: WireKind;
  readonly id: string;
  readonly sender: WireSender;
  readonly to?: Address;
  readonly remainingMs?: number;
  readonly expiresInMs?: number;
  readonly correlation?: string;
  readonly replyKey?: string;
  readonly answers?: string;
  /** W3C traceparent; one that is not well formed is dropped on arrival, as the recommendation demands. */
  readonly trace?: string;
  readonly author?: string;
  readonly against?: number;
  readonly waitedMs?: number;
  readonly repeatedMs?: number;
  /** JSON and Uint8Array; undefined arrives as null. Dates, maps, sets and classes are not carried. */
  readonly body: unknown;
}

export type BadEnvelope = "too-large" | "not-an-envelope" | "unknown-version" | "unknown-kind" | "malformed" | "invalid-field";

export type DecodedEnvelope = { readonly ok: true; readonly envelope: Envelope } | { readonly ok: false; readonly reason: BadEnvelope; readonly detail: string };

const packr = new Packr({ useRecords: false, moreTypes: false, structuredClone: false });
const kindByCode = new Map<number, WireKind>(Object.entries(wireKinds).map(([kind, code]) => [code, kind as WireKind]));

/** @throws DROVER_ENVELOPE_INVALID when a field is not of its form or the body holds what cannot be carried. Size is the transport's to refuse (`too-large`). */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { sender } = envelope;
  const values: Partial<Record<FieldName, unknown>> = { ...envelope, ...sender, body: envelope.body ?? null };
  const problem = fieldProblem(values);
  if (problem !== undefined) throw new DroverError("DROVER_ENVELOPE_INVALID", problem);
  let packed: Uint8Array;
  try {
    packed = packr.pack(wireFields.map(([name]) => values[name] ?? null));
  } catch (error) {
    throw new DroverError("DROVER_ENVELOPE_INVALID", `the body of a ${envelope.kind} cannot be written`, { cause: error });
  }
  const bytes = new Uint8Array(HEAD_BYTES + packed.length);
  bytes.set([...WIRE_MAGIC, WIRE_MAJOR, WIRE_MINOR, wireKinds[envelope.kind]]);
  bytes.set(packed, HEAD_BYTES);
  return bytes;
}

export function decodeEnvelope(bytes: Uint8Array): DecodedEnvelope {
  if (bytes.length > MAX_ENVELOPE_BYTES) return bad("too-large", `${String(bytes.length)} bytes, at most ${String(MAX_ENVELOPE_BYTES)}`);
  if (bytes.length < HEAD_BYTES || bytes[0] !== WIRE_MAGIC[0] || bytes[1] !== WIRE_MAGIC[1])
    return bad("not-an-envelope", `${String(bytes.length)} bytes that do not begin with DR`);
  if (bytes[2] !== WIRE_MAJOR) return bad("unknown-version", `major version ${String(bytes[2])}, this node speaks ${String(WIRE_MAJOR)}`);
  const kind = kindByCode.get(bytes[4] ?? 0);
  if (kind === undefined) return bad("unknown-kind", `kind ${String(bytes[4])}`);
  const problem = messagePackProblem(bytes, HEAD_BYTES);
  if (problem !== undefined) return bad("malformed", problem);
  let values: unknown;
  try {
    values = packr.unpack(bytes.subarray(HEAD_BYTES));
  } catch (error) {
    return bad("malformed", error instanceof Error ? error.message : "not MessagePack");
  }
  if (!Array.isArray(values)) return bad("malformed", "an array is expected");
  return fromValues(kind, values);
}

type FieldName = (typeof wireFields)[number][0];

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function text(maximum: number): (value: unknown) => boolean {
  return (value) => typeof value === "string" && value.length > 0 && value.length <= maximum;
}
const count = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const duration = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;
const address = (value: unknown): boolean => typeof value === "string" && addressProblem(value) === undefined;
const anything = (): boolean => true;

const isOfForm: Readonly<Record<FieldName, (value: unknown) => boolean>> = {
  id: text(128),
  node: text(128),
  session: text(128),
  sentAt: (value) => typeof value === "number" && Number.isFinite(value),
  entity: address,
  incarnation: text(128),
  seq: count,
  epoch: count,
  to: address,
  remainingMs: duration,
  expiresInMs: duration,
  correlation: text(128),
  replyKey: text(512),
  answers: text(512),
  trace: anything,
  author: text(256),
  body: anything,
  against: count,
  oldest: count,
  waitedMs: duration,
  repeatedMs: duration,
};

function fieldProblem(values: Readonly<Partial<Record<FieldName, unknown>>>): string | undefined {
  for (const [name, form] of wireFields) {
    const value = values[name];
    if (value === undefined || value === null ? name === "id" || name === "node" : !isOfForm[name](value)) return `field ${name}: ${form} is expected`;
  }
  return undefined;
}

function fromValues(kind: WireKind, list: readonly unknown[]): DecodedEnvelope {
  const values = Object.fromEntries(wireFields.map(([name], position) => [name, list[position] ?? undefined])) as Record<FieldName, unknown>;
  const problem = fieldProblem(values);
  if (problem !== undefined) return bad("invalid-field", problem);
  const { node, session, sentAt, entity, incarnation, seq, epoch, oldest, id, body, trace, ...rest } = values;
  const sender = present({ node, session, sentAt, entity, incarnation, seq, epoch, oldest }) as unknown as WireSender;
  const known = { kind, id, sender, ...present(rest), ...(typeof trace === "string" && TRACEPARENT.test(trace) ? { trace } : {}), body: body ?? null };
  return { ok: true, envelope: known as Envelope };
}

function present(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function bad(reason: BadEnvelope, detail: string): DecodedEnvelope {
  return { ok: false, reason, detail };
}
