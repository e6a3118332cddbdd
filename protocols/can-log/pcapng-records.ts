// Captures of SocketCAN in the pcapng format. Every block begins with its type and length and ends with its length:
//
//   section header (0A0D0D0A)   magic 1A2B3C4D in the byte order of all that follows, until the next
//   interface (1)               link type; options: name (2), resolution of times (9: 10^-n s, or 2^-n s with bit 7), what is added to them (14, s)
//   enhanced packet (6)         interface, time in two halves, captured and original length, packet; options: flags (2), whose lowest bits tell received (1) and sent (2)
//
// Other blocks are passed over, and so are packets of other link types, which are no frames. A packet without a time (3) is not read: it could not be placed.

import { FrameFlag } from "../can/index.ts";
import { type BlockFormat, BlockRecords } from "./block-records.ts";
import { TOO_MANY_BUSES } from "./bus-index.ts";
import { LINKTYPE_SOCKETCAN } from "./pcap-records.ts";
import type { RecordReader, RecordTally } from "./record-format.ts";
import { recordedText } from "./recorded-text.ts";
import { appendPacket } from "./socketcan-packet.ts";

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const HEAD_BYTES = 12;
const TAIL_BYTES = 4;
const MAX_BUSES = 255;
const OPTION = { name: 2, flags: 2, resolution: 9, offset: 14 } as const;

interface Interface {
  readonly isSocketCan: boolean;
  readonly bus: number | undefined;
  readonly ticksPerSecond: bigint;
  readonly offsetS: number;
}

export function isPcapng(head: Uint8Array): boolean {
  return head.length >= 4 && head[0] === 0x0a && head[1] === 0x0d && head[2] === 0x0d && head[3] === 0x0a;
}

/** @param buses receives the names of its interfaces */
export function pcapngRecords(buses: string[], tally: RecordTally): RecordReader {
  let isLittle = true;
  let interfaces: Interface[] = [];
  const busOf = (name: string): number | undefined => {
    const known = buses.indexOf(name);
    return known >= 0 ? known : buses.length >= MAX_BUSES ? undefined : buses.push(name) - 1;
  };
  const format: BlockFormat = {
    format: "pcapng",
    namesBuses: true,
    headBytes: HEAD_BYTES,
    sizeOf: (head) => {
      if (head.getUint32(0) === SECTION) {
        isLittle = head.getUint32(8, true) === BYTE_ORDER_MAGIC;
        if (!isLittle && head.getUint32(8) !== BYTE_ORDER_MAGIC) return { problem: "a section without its byte order" };
      }
      const size = head.getUint32(4, isLittle);
      return size < HEAD_BYTES || size % 4 !== 0 ? { problem: `a block of ${String(size)} bytes` } : size;
    },
    take: (block, batch) => {
      if (block.getUint32(block.byteLength - TAIL_BYTES, isLittle) !== block.byteLength) return "the two lengths of the block differ";
      const type = block.getUint32(0, isLittle);
      if (type === SECTION) interfaces = [];
      if (type === INTERFACE) {
        if (block.byteLength < 20) return "the block is too short for an interface";
        interfaces.push(interfaceOf(block, isLittle, interfaces.length, busOf));
      }
      if (type === SIMPLE_PACKET) return "the packet has no time";
      if (type !== ENHANCED_PACKET) return undefined;
      if (block.byteLength < 32) return "the block is too short for a packet";
      const from = interfaces[block.getUint32(8, isLittle)];
      if (from === undefined) return `interface ${String(block.getUint32(8, isLittle))} is not described`;
      if (!from.isSocketCan) return undefined;
      if (from.bus === undefined) return TOO_MANY_BUSES.problem;
      const captured = block.getUint32(20, isLittle);
      if (captured > block.byteLength - 32) return "the packet is longer than its block";
      const ticks = (BigInt(block.getUint32(12, isLittle)) << 32n) | BigInt(block.getUint32(16, isLittle));
      const timeS = from.offsetS + Number(ticks / from.ticksPerSecond) + Number(ticks % from.ticksPerSecond) / Number(from.ticksPerSecond);
      const said = optionOf(block, 28 + captured + (-captured & 3), OPTION.flags, isLittle);
      const direction = said?.byteLength === 4 ? said.getUint32(0, isLittle) & 3 : 0;
      const flags = direction === 1 ? FrameFlag.received : direction === 2 ? FrameFlag.sentByUs : 0;
      return appendPacket(batch, new DataView(block.buffer, block.byteOffset + 28, captured), { timeS, bus: from.bus, line: tally.records, flags });
    },
  };
  return new BlockRecords(format, tally);
}

function interfaceOf(block: DataView, isLittle: boolean, index: number, busOf: (name: string) => number | undefined): Interface {
  const isSocketCan = block.getUint16(8, isLittle) === LINKTYPE_SOCKETCAN;
  const option = (code: number): DataView | undefined => optionOf(block, 16, code, isLittle);
  const named = option(OPTION.name);
  const name = named === undefined ? "" : recordedText(new Uint8Array(named.buffer, named.byteOffset, named.byteLength)).replace(/\0.*$/s, "");
  const resolution = option(OPTION.resolution);
  const said = resolution === undefined || resolution.byteLength < 1 ? 6 : resolution.getUint8(0);
  const offset = option(OPTION.offset);
  return {
    isSocketCan,
    bus: isSocketCan ? busOf(name === "" ? `can${String(index)}` : name) : undefined,
    ticksPerSecond: (said & 0x80) === 0 ? 10n ** BigInt(said) : 2n ** BigInt(said & 0x7f),
    offsetS: offset?.byteLength === 8 ? Number(offset.getBigInt64(0, isLittle)) : 0,
  };
}

/** The first of its kind among the options that begin at `from`. */
function optionOf(block: DataView, from: number, code: number, isLittle: boolean): DataView | undefined {
  const end = block.byteLength - TAIL_BYTES;
  for (let at = from; at + 4 <= end; ) {
    const found = block.getUint16(at, isLittle);
    const length = block.getUint16(at + 2, isLittle);
    if (found === 0 || at + 4 + length > end) return undefined;
    if (found === code) return new DataView(block.buffer, block.byteOffset + at + 4, length);
    at += 4 + length + (-length & 3);
  }
  return undefined;
}
