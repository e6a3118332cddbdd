// A frame as a capture of SocketCAN holds it (LINKTYPE_CAN_SOCKETCAN, 227):
//
//   0  can_id, the bits of the kernel's, most significant byte first, whatever the file's byte order
//   4  payload bytes    5  flags of CAN FD (1 bit rate switch, 2 error state, 4 CAN FD; of CAN XL bit 7)    7  raw data length code of a classic frame of 8 bytes
//   8  payload; a packet of 72 bytes is CAN FD, also without its flag

import { ERROR_FRAME, EXTENDED_FRAME, type FrameBatch, FrameFlag, ID_MASK, rawDlc, REMOTE_REQUEST } from "../can/index.ts";
import { appendRecorded, type RecordedFrame, timeProblem } from "./recorded-frame.ts";

const HEADER_BYTES = 8;
const FD_PACKET_BYTES = 72;
const XL_FLAG = 0x80;

/** Appends it; returns why it cannot be read, or undefined. */
export function appendPacket(batch: FrameBatch, packet: DataView, { timeS, bus, line, flags }: Pick<RecordedFrame, "timeS" | "bus" | "line" | "flags">): string | undefined {
  if (packet.byteLength < HEADER_BYTES) return "the packet is shorter than the header of a frame";
  if ((packet.getUint8(4) & XL_FLAG) !== 0) return "CAN XL frames are not read";
  const raw = packet.getUint32(0);
  const length = packet.getUint8(4);
  const isFd = packet.byteLength === FD_PACKET_BYTES || (packet.getUint8(5) & FrameFlag.fd) !== 0;
  if (length > (isFd ? 64 : 8)) return `${String(length)} data bytes in a ${isFd ? "CAN FD" : "classic"} frame`;
  const isRemote = (raw & REMOTE_REQUEST) !== 0;
  if (isRemote && isFd) return "a remote request of CAN FD";
  if (!isRemote && packet.byteLength < HEADER_BYTES + length) return "the packet was cut when it was captured";
  const noTime = timeProblem(timeS);
  if (noTime !== undefined) return noTime.problem;
  const isError = (raw & ERROR_FRAME) !== 0;
  const isExtended = !isError && raw >= EXTENDED_FRAME;
  if (!isError && !isExtended && (raw & ID_MASK) > 0x7ff) return `standard id ${(raw & ID_MASK).toString(16).toUpperCase()} has more than 11 bits`;
  const dlc = packet.getUint8(7);
  const base = appendRecorded(batch, {
    canId: (raw & ID_MASK) + (isError ? ERROR_FRAME : 0) + (isExtended ? EXTENDED_FRAME : 0) + (isRemote ? REMOTE_REQUEST : 0),
    timeS,
    bus,
    line,
    length,
    dlc: !isFd && length === 8 && dlc > 8 && dlc <= 15 ? dlc : rawDlc(length),
    flags: flags | (isFd ? FrameFlag.fd | (packet.getUint8(5) & (FrameFlag.bitRateSwitch | FrameFlag.errorState)) : 0),
  });
  if (!isRemote) for (let at = 0; at < length; at++) batch.data[base + at] = packet.getUint8(HEADER_BYTES + at);
  return undefined;
}
