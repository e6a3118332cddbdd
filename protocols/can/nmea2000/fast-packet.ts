// Puts the fast packets of NMEA 2000 together: 1 to 223 bytes in up to 32 frames with the id of their group, without any answer.
//
//   byte 0         1        2 .. 7         byte 0: 7 6 5 | 4 3 2 1 0
//   0 | counter    length   6 bytes                order | number of the frame, 0 to 31
//   n | counter    7 bytes
//
// N1. A message is (bus, sender, group, receiver, order): messages of several senders and groups may interleave, also two of one group whose order differs.
// N2. Its first frame comes first, the others in any order: controllers with several mailboxes swap them. A frame that is there already changes nothing.
// N3. It is given up when nothing of it comes for 750 ms, and when its sender begins another one with the same order.

import { EXTENDED_FRAME, type FrameBatch, SLOT_BYTES } from "../frames/index.ts";
import { type J1939Message, parseJ1939Id, pgnOf } from "../j1939/index.ts";
import { createReassemblyCounters, createSessionTable, nextBy, NO_DATA, type Reassembler, type Session } from "../reassembly/index.ts";
import { FAST_PACKET_GROUPS, FAST_PACKET_RANGES } from "./fast-packet-groups.ts";

export interface FastPacketOptions {
  /** Groups that are fast packets beside those of the table, such as a manufacturer's own. */
  readonly groups?: readonly number[];
  /** Messages under way of one sender on one bus. Default 64. */
  readonly sessionsPerSender?: number;
  /** Messages under way in all. Default 4,096. */
  readonly sessions?: number;
}

const MAX_BYTES = 223;
const FIRST_FRAME_BYTES = 6;
const FRAME_BYTES = 7;
const TIMEOUT_S = 0.75;
/** The top three bits of a can_id that is extended, no remote request and no error frame. */
const DATA_FRAME = EXTENDED_FRAME >>> 29;

interface Transfer extends Session {
  readonly firstS: number;
  /** Bit n: frame n is missing. */
  missing: number;
}

export function createFastPackets(options: FastPacketOptions = {}): Reassembler<J1939Message> {
  const { groups = [], sessionsPerSender: perSender = 64, sessions = 4_096 } = options;
  const counters = createReassemblyCounters();
  const table = createSessionTable<Transfer>({ perSender, sessions, bytes: sessions * (MAX_BYTES + 1) }, counters);
  const fast = new Set([...FAST_PACKET_GROUPS, ...groups]);
  const isFast = (pgn: number): boolean => fast.has(pgn) || FAST_PACKET_RANGES.some(([first, last]) => pgn >= first && pgn <= last);
  const wants = (canId: number): boolean => canId >>> 29 === DATA_FRAME && isFast(pgnOf(canId));

  function take(batch: FrameBatch, slot: number): J1939Message | undefined {
    const canId = batch.ids[slot] ?? 0;
    if (!wants(canId)) return undefined;
    const { data } = batch;
    const start = slot * SLOT_BYTES;
    const length = batch.lengths[slot] ?? 0;
    const bus = batch.buses[slot] ?? 0;
    const timeS = batch.timesS[slot] ?? 0;
    const order = (data[start] ?? 0) >> 5;
    const number = (data[start] ?? 0) & 0x1f;
    const { source } = parseJ1939Id(canId);
    const sender = (bus << 8) | source;
    // The id without priority and sender: the group and, where it has one, the receiver.
    const key = ((canId >>> 8) & 0x3ffff) * 8 + order;
    if (length < 2) {
      counters.malformed++;
      return undefined;
    }
    const transfer = number === 0 ? begin(data, start, sender, key, timeS) : table.find(sender, key, timeS);
    if (transfer === undefined) {
      if (number > 0) counters.stray++;
      return undefined;
    }
    const at = number === 0 ? 0 : FIRST_FRAME_BYTES + (number - 1) * FRAME_BYTES;
    const header = number === 0 ? 2 : 1;
    const bytes = Math.min(number === 0 ? FIRST_FRAME_BYTES : FRAME_BYTES, transfer.size - at);
    if (bytes <= 0 || length < header + bytes) {
      counters.malformed++;
      return undefined;
    }
    if ((transfer.missing & (1 << number)) === 0) {
      counters.repeated++;
      return undefined;
    }
    if (!table.reserve(transfer, at + bytes)) return undefined;
    transfer.data.set(data.subarray(start + header, start + header + bytes), at);
    transfer.missing &= ~(1 << number);
    if (number > 0) table.progress(transfer);
    transfer.deadlineS = timeS + TIMEOUT_S;
    if (transfer.missing !== 0) return undefined;
    table.end(transfer, "messages");
    return { ...parseJ1939Id(canId), bus, canId, data: transfer.data, firstS: transfer.firstS, lastS: timeS };
  }

  function begin(data: Uint8Array, start: number, sender: number, key: number, timeS: number): Transfer | undefined {
    const size = data[start + 1] ?? 0;
    const former = table.find(sender, key, timeS);
    if (former !== undefined) table.end(former, "replaced");
    if (size === 0 || size > MAX_BYTES) {
      counters.malformed++;
      return undefined;
    }
    const frames = 1 + Math.ceil(Math.max(0, size - FIRST_FRAME_BYTES) / FRAME_BYTES);
    const transfer: Transfer = { sender, key, size, data: NO_DATA, deadlineS: timeS + TIMEOUT_S, firstS: timeS, missing: frames === 32 ? -1 : 2 ** frames - 1 };
    return table.add(transfer, timeS) ? transfer : undefined;
  }

  return { wants, next: nextBy(wants), piecesShareId: true, take, expire: table.expire, counters, held: table.held };
}
