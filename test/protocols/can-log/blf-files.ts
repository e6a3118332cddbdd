// Vector BLF recordings made by hand, as public readers of the format take them.

import { deflateSync } from "node:zlib";

/** An object with a header of version 1. @param ticks ns since the start, or 10 us with `unit` 1 */
export function object(type: number, ticks: bigint, body: Buffer, unit = 2): Buffer {
  const head = Buffer.alloc(32);
  head.write("LOBJ", "latin1");
  head.writeUInt16LE(32, 4);
  head.writeUInt16LE(1, 6);
  head.writeUInt32LE(32 + body.length, 8);
  head.writeUInt32LE(type, 12);
  head.writeUInt32LE(unit, 16);
  head.writeBigUInt64LE(ticks, 24);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 4)]);
}

export function container(content: Buffer, method = 2): Buffer {
  const packed = method === 2 ? deflateSync(content) : content;
  const head = Buffer.alloc(32);
  head.write("LOBJ", "latin1");
  head.writeUInt16LE(16, 4);
  head.writeUInt16LE(1, 6);
  head.writeUInt32LE(32 + packed.length, 8);
  head.writeUInt32LE(10, 12);
  head.writeUInt16LE(method, 16);
  head.writeUInt32LE(content.length, 24);
  return Buffer.concat([head, packed, Buffer.alloc((32 + packed.length) % 4)]);
}

/** @param start year, month, day of the week, day, hour, minute, second, millisecond */
export function blfFile(start: readonly number[], ...objects: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(144);
  head.write("LOGG", "latin1");
  head.writeUInt32LE(144, 4);
  start.forEach((value, at) => head.writeUInt16LE(value, 40 + 2 * at));
  return Buffer.concat([head, ...objects]);
}

export function classic(channel: number, canId: number, data: readonly number[], { flags = 0, dlc = data.length } = {}): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt16LE(channel, 0);
  body.set([flags, dlc], 2);
  body.writeUInt32LE(canId >>> 0, 4);
  body.set(data, 8);
  return body;
}

export function fd(channel: number, canId: number, dlc: number, data: readonly number[], { flags = 0, fdFlags = 1 } = {}): Buffer {
  const body = Buffer.alloc(84);
  body.writeUInt16LE(channel, 0);
  body.set([flags, dlc], 2);
  body.writeUInt32LE(canId >>> 0, 4);
  body.set([fdFlags, data.length], 13);
  body.set(data, 20);
  return body;
}

/** @param behind bytes behind the data that are not of the frame */
export function fd64(channel: number, canId: number, dlc: number, data: readonly number[], { flags = 0x1000, sent = 0, said = data.length, behind = 0 } = {}): Buffer {
  const body = Buffer.alloc(40 + data.length + behind, 0xee).fill(0, 0, 40);
  body.set([channel, dlc, said], 0);
  body.writeUInt32LE(canId >>> 0, 4);
  body.writeUInt32LE(flags, 12);
  body.set([sent, behind === 0 ? 0 : 32 + 40 + data.length], 34);
  body.set(data, 40);
  return body;
}
