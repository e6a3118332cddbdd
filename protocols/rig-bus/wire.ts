// The wire between a node and the simulated rig: records on a Unix stream socket. The rig's own side is written apart (cli/rig/bus-records.ts).
// All integers are big-endian. A record is
//
//   u16 length of what follows · u8 kind · body
//
//   from the rig   0x01 hello     JSON {"protocol":1,"bus":"can0","bitrate":500000,"simulated":true}; the first record, once
//                  0x02 received  frame of another node
//                  0x03 echo      u32 request · frame; our frame was on the wire
//                  0x04 refused   u32 request · u8 reason: 1 malformed, 2 queue full, 3 flushed; it never was on the wire
//                  0x05 flushed   u32 token; every request from before it has been answered, but for one that is on the wire now
//                  0x06 lost      u32 frames that we did not read in time
//   from us        0x10 transmit  u32 request · u32 id · u8 length · data
//                  0x11 flush     u32 token; throw away what waits in the controller (a real interface is taken down and up)
//
//   frame          u64 microseconds on the rig's monotonic clock, at its last bit · u32 id · u8 length 0..8 · data
//   id             bits 0..28 identifier, bit 31 extended
//
// A record of a kind that is not listed is skipped, so that either side may be newer.

export type RigRecord =
  | { readonly kind: "hello"; readonly hello: RigHello }
  | { readonly kind: "received"; readonly frame: TimedFrame }
  | { readonly kind: "echo"; readonly request: number; readonly frame: TimedFrame }
  | { readonly kind: "refused"; readonly request: number; readonly reason: "malformed" | "queue-full" | "flushed" | "other" }
  | { readonly kind: "flushed"; readonly token: number }
  | { readonly kind: "lost"; readonly frames: number };

export interface RigHello {
  readonly bus: string;
  /** Bits per second. */
  readonly bitrate: number;
  readonly simulated: boolean;
}

export interface TimedFrame {
  /** ms on the rig's monotonic clock; only differences mean something here. */
  readonly rigMs: number;
  readonly id: number;
  readonly extended: boolean;
  /** A view into what was received: copy it to keep it. */
  readonly data: Uint8Array;
}

const RIG_PROTOCOL = 1;
/** No record is longer; hello is the longest. */
const MAX_RECORD_BYTES = 1024;
const EXTENDED = 0x8000_0000;

export function encodeTransmit(request: number, frame: { readonly id: number; readonly extended?: boolean; readonly data: Uint8Array }): Uint8Array {
  const bytes = new Uint8Array(12 + frame.data.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 10 + frame.data.length);
  view.setUint8(2, 0x10);
  view.setUint32(3, request);
  view.setUint32(7, (frame.id | (frame.extended === true ? EXTENDED : 0)) >>> 0);
  view.setUint8(11, frame.data.length);
  bytes.set(frame.data, 12);
  return bytes;
}

export function encodeFlush(token: number): Uint8Array {
  const bytes = new Uint8Array(7);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 5);
  view.setUint8(2, 0x11);
  view.setUint32(3, token);
  return bytes;
}

/** Cuts a stream of bytes into records. */
export class RigRecordReader {
  #rest: Uint8Array = new Uint8Array(0);

  /**
   * Calls `onRecord` for each whole record in order.
   * @returns what is wrong with the stream, and then it is of no more use; undefined while all is well
   */
  push(chunk: Uint8Array, onRecord: (record: RigRecord) => void): string | undefined {
    const bytes = this.#rest.length === 0 ? chunk : joined(this.#rest, chunk);
    let at = 0;
    while (bytes.length - at >= 2) {
      const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      if (length === 0 || length > MAX_RECORD_BYTES) return `a record of ${String(length)} bytes`;
      if (bytes.length - at - 2 < length) break;
      const record = decode(bytes.subarray(at + 2, at + 2 + length));
      if (typeof record === "string") return record;
      if (record !== undefined) onRecord(record);
      at += 2 + length;
    }
    // A copy, since the chunk may be a pooled buffer of 64 KiB; at most one record less a byte.
    this.#rest = bytes.slice(at);
    return undefined;
  }
}

/** A record, the complaint about one, or undefined for a kind from a newer rig. */
function decode(body: Uint8Array): RigRecord | string | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  switch (body[0]) {
    case 0x01:
      return decodeHello(body.subarray(1));
    case 0x02: {
      const frame = decodeFrame(view, 1);
      return frame === undefined ? "a received frame that is cut short or too long" : { kind: "received", frame };
    }
    case 0x03: {
      const frame = body.length < 5 ? undefined : decodeFrame(view, 5);
      return frame === undefined ? "an echo that is cut short or too long" : { kind: "echo", request: view.getUint32(1), frame };
    }
    case 0x04:
      if (body.length !== 6) return "a refusal of wrong length";
      return { kind: "refused", request: view.getUint32(1), reason: (["other", "malformed", "queue-full", "flushed"] as const)[view.getUint8(5)] ?? "other" };
    case 0x05:
      return body.length === 5 ? { kind: "flushed", token: view.getUint32(1) } : "a flushed record of wrong length";
    case 0x06:
      return body.length === 5 ? { kind: "lost", frames: view.getUint32(1) } : "a lost record of wrong length";
    default:
      return undefined;
  }
}

function decodeFrame(view: DataView, at: number): TimedFrame | undefined {
  if (view.byteLength < at + 13) return undefined;
  const length = view.getUint8(at + 12);
  if (length > 8 || view.byteLength !== at + 13 + length) return undefined;
  const flagged = view.getUint32(at + 8);
  return {
    rigMs: (view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)) / 1000,
    id: flagged & 0x1fff_ffff,
    extended: flagged >= EXTENDED,
    data: new Uint8Array(view.buffer, view.byteOffset + at + 13, length),
  };
}

function decodeHello(text: Uint8Array): RigRecord | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(text));
  } catch {
    return "a hello that is no JSON";
  }
  if (typeof parsed !== "object" || parsed === null) return "a hello that is no object";
  const { protocol, bus, bitrate, simulated } = parsed as Readonly<Record<string, unknown>>;
  if (protocol !== RIG_PROTOCOL) return `protocol ${String(protocol)}, this side speaks ${String(RIG_PROTOCOL)}`;
  if (typeof bus !== "string" || typeof bitrate !== "number" || typeof simulated !== "boolean") return "a hello without bus, bitrate and simulated";
  return { kind: "hello", hello: { bus, bitrate, simulated } };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first, 0);
  bytes.set(second, first.length);
  return bytes;
}
