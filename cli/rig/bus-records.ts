// The rig's side of the wire to its clients, written apart from the client's (protocols/rig-bus/wire.ts, which documents the format) so that
// one side's mistake does not hide in the other's. A test reads each with the other.

import type { RigFrame } from "./rig-frame.ts";

export type ClientRecord =
  | { readonly kind: "transmit"; readonly request: number; readonly frame: RigFrame | undefined; readonly problem: string | undefined }
  | { readonly kind: "flush"; readonly token: number };

const HELLO = 0x01;
const RECEIVED = 0x02;
const ECHO = 0x03;
const REFUSED = 0x04;
const FLUSHED = 0x05;
const LOST = 0x06;
const TRANSMIT = 0x10;
const FLUSH = 0x11;
const EXTENDED = 0x8000_0000;
/** Remote frames and error frames: not on this bus. */
const FOREIGN_FLAGS = 0x6000_0000;

/** Reason bytes of `refused`. */
export const REFUSAL = { malformed: 1, queueFull: 2, flushed: 3 } as const;

export function helloRecord(hello: { readonly bus: string; readonly bitrate: number; readonly simulated: true }): Buffer {
  return record(HELLO, Buffer.from(JSON.stringify({ protocol: 1, ...hello }), "utf8"));
}

/** @param atMs when the frame's last bit was on the wire, on the rig's monotonic clock */
export function receivedRecord(atMs: number, frame: RigFrame): Buffer {
  return record(RECEIVED, timedFrame(atMs, frame));
}

export function echoRecord(request: number, atMs: number, frame: RigFrame): Buffer {
  return record(ECHO, Buffer.concat([word(request), timedFrame(atMs, frame)]));
}

export function refusedRecord(request: number, reason: number): Buffer {
  return record(REFUSED, Buffer.concat([word(request), Buffer.of(reason)]));
}

export function flushedRecord(token: number): Buffer {
  return record(FLUSHED, word(token));
}

export function lostRecord(frames: number): Buffer {
  return record(LOST, word(frames));
}

/** Takes whole records off the front of `bytes`. Undefined: what came is no such record and the connection is of no use. */
export function takeClientRecords(bytes: Buffer): { readonly records: readonly ClientRecord[]; readonly rest: Buffer } | undefined {
  const records: ClientRecord[] = [];
  let at = 0;
  while (bytes.length - at >= 2) {
    const length = bytes.readUInt16BE(at);
    if (length < 5 || length > 64) return undefined;
    if (bytes.length - at - 2 < length) break;
    const body = bytes.subarray(at + 2, at + 2 + length);
    const kind = body[0];
    if (kind === TRANSMIT && length >= 10) records.push(transmit(body));
    else if (kind === FLUSH && length === 5) records.push({ kind: "flush", token: body.readUInt32BE(1) });
    else return undefined;
    at += 2 + length;
  }
  return { records, rest: bytes.subarray(at) };
}

function transmit(body: Buffer): ClientRecord {
  const request = body.readUInt32BE(1);
  const flagged = body.readUInt32BE(5);
  const length = body.readUInt8(9);
  const extended = flagged >= EXTENDED;
  const id = flagged & 0x1fff_ffff;
  const problem =
    (flagged & FOREIGN_FLAGS) !== 0 ? "remote or error frame" : length > 8 || body.length !== 10 + length ? "length" : !extended && id > 0x7ff ? "identifier" : undefined;
  return { kind: "transmit", request, problem, frame: problem === undefined ? { id, extended, data: Uint8Array.from(body.subarray(10)) } : undefined };
}

function record(kind: number, body: Buffer): Buffer {
  const head = Buffer.alloc(3);
  head.writeUInt16BE(body.length + 1, 0);
  head.writeUInt8(kind, 2);
  return Buffer.concat([head, body]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0, 0);
  return bytes;
}

/** u64 microseconds of the rig's monotonic clock, u32 identifier (bit 31: extended), u8 length, data. */
function timedFrame(atMs: number, frame: RigFrame): Buffer {
  const bytes = Buffer.alloc(13 + frame.data.length);
  bytes.writeBigUInt64BE(BigInt(Math.max(0, Math.round(atMs * 1000))), 0);
  bytes.writeUInt32BE((frame.id | (frame.extended ? EXTENDED : 0)) >>> 0, 8);
  bytes.writeUInt8(frame.data.length, 12);
  bytes.set(frame.data, 13);
  return bytes;
}
