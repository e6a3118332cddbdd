// Captures of SocketCAN made by hand, as libpcap's description of the formats has them.

export interface CaptureOptions {
  readonly isLittle: boolean;
  readonly isNano: boolean;
}

/** A packet of LINKTYPE_CAN_SOCKETCAN. @param canId the kernel's @param size of the whole packet: 16, or 72 for CAN FD */
export function packet(canId: number, data: readonly number[], { flags = 0, dlc = 0, size = 16, length = data.length } = {}): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32BE(canId >>> 0, 0);
  bytes.set([length, flags, 0, dlc, ...data], 4);
  return bytes;
}

const u16 = (value: number, isLittle: boolean): Buffer => (isLittle ? Buffer.from([value & 255, value >> 8]) : Buffer.from([value >> 8, value & 255]));
const u32 = (value: number, isLittle: boolean): Buffer =>
  Buffer.concat([u16(isLittle ? value & 0xffff : value >>> 16, isLittle), u16(isLittle ? value >>> 16 : value & 0xffff, isLittle)]);

export function pcapFile(packets: readonly (readonly [seconds: number, fraction: number, packet: Buffer])[], { isLittle, isNano }: CaptureOptions, linkType = 227): Buffer {
  const all = (...values: readonly number[]): Buffer => Buffer.concat(values.map((value) => u32(value, isLittle)));
  const head = Buffer.concat([u32(isNano ? 0xa1b23c4d : 0xa1b2c3d4, isLittle), u16(2, isLittle), u16(4, isLittle), all(0, 0, 262_144, linkType)]);
  return Buffer.concat([head, ...packets.flatMap(([seconds, fraction, bytes]) => [all(seconds, fraction, bytes.length, bytes.length), bytes])]);
}

/** A block of pcapng. */
export function block(type: number, body: Buffer, isLittle: boolean): Buffer {
  const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)]);
  const size = u32(padded.length + 12, isLittle);
  return Buffer.concat([u32(type, isLittle), size, padded, size]);
}

export function section(isLittle: boolean): Buffer {
  return block(0x0a0d0d0a, Buffer.concat([u32(0x1a2b3c4d, isLittle), u16(1, isLittle), u16(0, isLittle), Buffer.alloc(8, 0xff)]), isLittle);
}

function option(code: number, value: Buffer, isLittle: boolean): Buffer {
  return Buffer.concat([u16(code, isLittle), u16(value.length, isLittle), value, Buffer.alloc(-value.length & 3)]);
}

export function interfaceBlock(isLittle: boolean, { name = "", resolution = -1, offsetS = 0n, linkType = 227 } = {}): Buffer {
  const offset = Buffer.alloc(8);
  if (isLittle) offset.writeBigInt64LE(offsetS);
  else offset.writeBigInt64BE(offsetS);
  const options = [
    ...(name === "" ? [] : [option(2, Buffer.from(name), isLittle)]),
    ...(resolution < 0 ? [] : [option(9, Buffer.from([resolution]), isLittle)]),
    ...(offsetS === 0n ? [] : [option(14, offset, isLittle)]),
  ];
  return block(1, Buffer.concat([u16(linkType, isLittle), u16(0, isLittle), u32(0, isLittle), ...options, ...(options.length === 0 ? [] : [Buffer.alloc(4)])]), isLittle);
}

export function packetBlock(isLittle: boolean, from: number, ticks: bigint, bytes: Buffer, direction = 0): Buffer {
  const half = (shift: bigint): Buffer => u32(Number((ticks >> shift) & 0xffff_ffffn), isLittle);
  const flags = direction === 0 ? [] : [option(2, u32(direction, isLittle), isLittle), Buffer.alloc(4)];
  return block(
    6,
    Buffer.concat([u32(from, isLittle), half(32n), half(0n), u32(bytes.length, isLittle), u32(bytes.length, isLittle), bytes, Buffer.alloc(-bytes.length & 3), ...flags]),
    isLittle,
  );
}
