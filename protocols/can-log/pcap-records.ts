// Captures of SocketCAN in the pcap format, in both byte orders, with microseconds or nanoseconds: a header of 24 bytes, then packets behind 16 bytes of seconds, fraction and lengths.

import { type BlockFormat, BlockRecords } from "./block-records.ts";
import type { RecordReader, RecordTally } from "./record-format.ts";
import { appendPacket } from "./socketcan-packet.ts";

export const LINKTYPE_SOCKETCAN = 227;
const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;

/** @param head its first bytes; undefined where they are no pcap */
export function pcapHeader(head: Uint8Array): { readonly isLittle: boolean; readonly ticksPerSecond: number; readonly linkType: number | undefined } | undefined {
  if (head.length < 4) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  for (const isLittle of [true, false]) {
    const magic = view.getUint32(0, isLittle);
    if (magic !== MICROSECONDS && magic !== NANOSECONDS) continue;
    // The upper bits of the link type are of other things.
    return { isLittle, ticksPerSecond: magic === NANOSECONDS ? 1e9 : 1e6, linkType: head.length < FILE_HEADER_BYTES ? undefined : view.getUint32(20, isLittle) & 0x0fff_ffff };
  }
  return undefined;
}

/** @param head with a header of pcap @param addBus tells the recording's one bus, once a frame is there; the format has no names */
export function pcapRecords(head: Uint8Array, addBus: () => number, tally: RecordTally): RecordReader {
  const { isLittle, ticksPerSecond } = pcapHeader(head) ?? { isLittle: true, ticksPerSecond: 1e6 };
  const format: BlockFormat = {
    format: "pcap",
    namesBuses: false,
    headBytes: PACKET_HEADER_BYTES,
    sizeOf: (packet) => PACKET_HEADER_BYTES + packet.getUint32(8, isLittle),
    take: (packet, batch) => {
      const ticks = packet.getUint32(4, isLittle);
      if (ticks >= ticksPerSecond) return "the time has a fraction of more than a second";
      const timeS = packet.getUint32(0, isLittle) + ticks / ticksPerSecond;
      return appendPacket(batch, new DataView(packet.buffer, packet.byteOffset + PACKET_HEADER_BYTES, packet.byteLength - PACKET_HEADER_BYTES), {
        timeS,
        bus: addBus(),
        line: tally.records,
        flags: 0,
      });
    },
  };
  return new BlockRecords(format, tally, FILE_HEADER_BYTES);
}
