// The objects of a Vector BLF recording that are frames; all others are none. Behind the header of an object, whose length it tells:
//
//   1, 86   u16 channel  u8 flags  u8 length code  u32 id  8 bytes                                        classic
//   100     u16 channel  u8 flags  u8 length code  u32 id  …  u8 CAN FD flags at 13  u8 bytes at 14       bytes from 20 on
//   101     u8 channel  u8 length code  u8 bytes  …  u32 id at 4  …  u32 flags at 12  …  u8 sent at 34    bytes from 40 on, up to what the u8 at 35 says lies behind them
//   73      u16 channel  …                                                                               error frame
//
// Flags: 0x01 sent, 0x80 remote request; CAN FD flags: 1 CAN FD, 2 bit rate switch, 4 error state; those of 101 the same from 0x1000 on, 0x10 remote request. Bit 31 of an id: extended.
// An id of more than 11 bits is extended whatever its bit 31 says, a length code over 15 is 15: vendors' tools read such objects too. Channel 2 is `can2`. Fewer bytes may be there than the frame had: the others are zero, as the vendor's own reader has them.

import { EXTENDED_FRAME, type FrameBatch, FrameFlag, ID_MASK, lengthOfDlc, rawDlc, REMOTE_REQUEST, SLOT_BYTES } from "../can/index.ts";
import { TOO_MANY_BUSES } from "./bus-index.ts";
import { appendBusError } from "./error-frame.ts";
import { appendRecorded, timeProblem } from "./recorded-frame.ts";

const CLASSIC = new Set([1, 86]);
const FD = 100;
const FD_64 = 101;
const ERROR = 73;
const TEN_MICROSECONDS = 1;
const TOO_SHORT = "the object is shorter than what it holds";
/** Bytes that are needed behind the header. */
const BODY_BYTES = new Map([
  [1, 16],
  [86, 16],
  [FD, 20],
  [FD_64, 40],
  [ERROR, 4],
]);

export interface BlfContext {
  readonly startS: number;
  readonly line: number;
  readonly busOf: (channel: number) => number | undefined;
}

/** Appends at most one frame; returns why the object cannot be read, or undefined. */
export function appendBlfObject(batch: FrameBatch, object: DataView, context: BlfContext): string | undefined {
  const type = object.getUint32(12, true);
  const needed = BODY_BYTES.get(type);
  if (needed === undefined) return undefined;
  const headerBytes = object.getUint16(4, true);
  if (headerBytes < 32 || object.byteLength < headerBytes + needed) return TOO_SHORT;
  const ticks = object.getBigUint64(24, true);
  const perSecond = object.getUint32(16, true) === TEN_MICROSECONDS ? 100_000n : 1_000_000_000n;
  const timeS = context.startS + Number(ticks / perSecond) + Number(ticks % perSecond) / Number(perSecond);
  const noTime = timeProblem(timeS);
  if (noTime !== undefined) return noTime.problem;
  const body = new DataView(object.buffer, object.byteOffset + headerBytes, object.byteLength - headerBytes);
  const bus = context.busOf(type === FD_64 ? body.getUint8(0) : body.getUint16(0, true));
  if (bus === undefined) return TOO_MANY_BUSES.problem;
  if (type === ERROR) {
    appendBusError(batch, { timeS, bus, line: context.line, flags: 0 });
    return undefined;
  }
  const frame = CLASSIC.has(type) ? classicFrame(body) : type === FD ? fdFrame(body) : fd64Frame(body, headerBytes);
  return append(batch, body, frame, { timeS, bus, line: context.line });
}

interface BlfFrame {
  readonly id: number;
  readonly dlc: number;
  readonly isSent: boolean;
  readonly isRemote: boolean;
  /** 1 CAN FD, 2 bit rate switch, 4 error state. */
  readonly fdFlags: number;
  /** Where its bytes are, how many it says there are, and how many there can be. */
  readonly dataAt: number;
  readonly said: number;
  readonly available: number;
}

function classicFrame(body: DataView): BlfFrame {
  const flags = body.getUint8(2);
  return { id: body.getUint32(4, true), dlc: body.getUint8(3), isSent: (flags & 1) !== 0, isRemote: (flags & 0x80) !== 0, fdFlags: 0, dataAt: 8, said: 8, available: 8 };
}

function fdFrame(body: DataView): BlfFrame {
  return { ...classicFrame(body), fdFlags: body.getUint8(13), dataAt: 20, said: body.getUint8(14), available: body.byteLength - 20 };
}

function fd64Frame(body: DataView, headerBytes: number): BlfFrame {
  const flags = body.getUint32(12, true);
  const behind = body.getUint8(35);
  return {
    id: body.getUint32(4, true),
    dlc: body.getUint8(1),
    isSent: body.getUint8(34) !== 0,
    isRemote: (flags & 0x10) !== 0,
    fdFlags: (flags >>> 12) & 7,
    dataAt: 40,
    said: body.getUint8(2),
    available: (behind === 0 ? body.byteLength : Math.min(body.byteLength, Math.max(40, behind - headerBytes))) - 40,
  };
}

function append(batch: FrameBatch, body: DataView, frame: BlfFrame, place: { readonly timeS: number; readonly bus: number; readonly line: number }): string | undefined {
  const { isRemote, fdFlags } = frame;
  const dlc = Math.min(frame.dlc, 15);
  const id = frame.id & ID_MASK;
  const isExtended = frame.id >= EXTENDED_FRAME || id > 0x7ff;
  const isFd = (fdFlags & 1) !== 0 && !isRemote;
  const length = isRemote ? lengthOfDlc(dlc, false) : Math.min(lengthOfDlc(dlc, isFd), frame.said, SLOT_BYTES);
  const base = appendRecorded(batch, {
    ...place,
    canId: id + (isExtended ? EXTENDED_FRAME : 0) + (isRemote ? REMOTE_REQUEST : 0),
    length,
    dlc: isFd || length < 8 ? rawDlc(length) : dlc,
    flags:
      (frame.isSent ? FrameFlag.sentByUs : FrameFlag.received) |
      (isFd ? FrameFlag.fd | ((fdFlags & 2) !== 0 ? FrameFlag.bitRateSwitch : 0) | ((fdFlags & 4) !== 0 ? FrameFlag.errorState : 0) : 0),
  });
  if (isRemote) return undefined;
  for (let at = 0; at < Math.min(length, frame.available); at++) batch.data[base + at] = body.getUint8(frame.dataAt + at);
  return undefined;
}
