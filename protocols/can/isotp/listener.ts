// Listens to ISO-TP (protocol-frame.ts draws the frames) and puts its messages together. It only listens; a receiver that takes part is in receiver.ts.
//
// I1. Nothing in a frame says that it is ISO-TP: `carries` names the ids. A flow is (bus, id), with extended and mixed addressing (bus, id, address byte); each has one message at a time.
// I2. Consecutive frames come in order; a wrong sequence number ends the message. Its remaining frames are stray.
// I3. A single or first frame ends what was under way on its flow.
// I4. The next frame is awaited 1 s (N_Cr), behind a first frame 2 s (the flow control has its own second, N_Bs). Where the flow control is heard, "wait" gives 2 s more and
//     "overflow" ends the message.
// I5. Every frame of a message is as long as its first one, but for the last.

import { ERROR_FRAME, EXTENDED_FRAME, type FrameBatch, ID_MASK, REMOTE_REQUEST, SLOT_BYTES } from "../frames/index.ts";
import { createReassemblyCounters, createSessionTable, nextBy, NO_DATA, type Reassembler, type Session, type TransportMessage } from "../reassembly/index.ts";
import { append, type Assembly, grow } from "./assembly.ts";
import { addressBytesOf, type FlowStatus, type IsoTpAddressing, N_BS_MS, N_CR_MS, parseProtocolFrame } from "./protocol-frame.ts";

export interface IsoTpMessage extends TransportMessage {
  /** The byte before the protocol's own: a target (extended) or an address extension (mixed). */
  readonly address: number | undefined;
}

export interface IsoTpListenerOptions {
  /** Whether frames with this can_id are ISO-TP. */
  readonly carries: (canId: number) => boolean;
  /** Default `normal`, which `normal fixed` is too. */
  readonly addressing?: IsoTpAddressing;
  /** The can_id under which the other side of a flow sends; undefined: not known. Default: `diagnosticPeer`. Not followed with extended addressing, where both sides name another target. */
  readonly peerOf?: (canId: number) => number | undefined;
  /** Longest message that is put together. Default 1 MiB; four times that is the memory for all at one time. */
  readonly maxBytes?: number;
  /** Messages under way, in all. Default 1,024. */
  readonly sessions?: number;
}

const N_BS_S = N_BS_MS / 1_000;
const N_CR_S = N_CR_MS / 1_000;
/** Flows of one id at one time (address bytes). */
const PER_ID = 16;

interface Transfer extends Session, Assembly {
  readonly firstS: number;
}

export function createIsoTpListener(options: IsoTpListenerOptions): Reassembler<IsoTpMessage> {
  const { carries, addressing = "normal", peerOf = diagnosticPeer, maxBytes = 0x10_0000, sessions = 1_024 } = options;
  const addressBytes = addressBytesOf(addressing);
  const counters = createReassemblyCounters();
  const table = createSessionTable<Transfer>({ perSender: PER_ID, sessions, bytes: 4 * maxBytes }, counters);
  const wants = (canId: number): boolean => (canId & (REMOTE_REQUEST | ERROR_FRAME)) === 0 && carries(canId);

  function take(batch: FrameBatch, slot: number): IsoTpMessage | undefined {
    const canId = batch.ids[slot] ?? 0;
    if (!wants(canId)) return undefined;
    const { data } = batch;
    const start = slot * SLOT_BYTES;
    const length = batch.lengths[slot] ?? 0;
    const bus = batch.buses[slot] ?? 0;
    const timeS = batch.timesS[slot] ?? 0;
    const frame = parseProtocolFrame(data, start, length, addressBytes);
    if (frame.kind === "invalid") {
      counters.malformed++;
      return undefined;
    }
    const key = addressBytes === 0 ? 0 : (data[start] ?? 0);
    if (frame.kind === "flow") {
      flowControlled(bus, peerOf(canId), key, frame.status, timeS);
      return undefined;
    }
    const message = (payload: Uint8Array, firstS: number): IsoTpMessage => ({ bus, canId, data: payload, firstS, lastS: timeS, address: addressBytes === 0 ? undefined : key });
    const sender = senderOf(bus, canId);
    const former = table.find(sender, key, timeS);
    const payload = data.subarray(start + frame.header, start + length);
    if (frame.kind === "consecutive") {
      if (former === undefined) counters.stray++;
      else if (goOn(former, frame.sequence, payload, length, timeS)) return message(former.data, former.firstS);
      return undefined;
    }
    if (former !== undefined) table.end(former, "replaced");
    if (frame.kind === "single") {
      counters.messages++;
      return message(payload.slice(0, frame.size), timeS);
    }
    if (frame.size > maxBytes) {
      counters.tooLong++;
      return undefined;
    }
    const begun: Transfer = {
      sender,
      key,
      size: frame.size,
      data: NO_DATA,
      deadlineS: timeS + N_BS_S + N_CR_S,
      firstS: timeS,
      frameBytes: length,
      received: 0,
      sequence: 0,
    };
    if (table.add(begun, timeS)) append(begun, payload, (bytes) => table.reserve(begun, bytes));
    return undefined;
  }

  /** True when the message is whole. */
  function goOn(transfer: Transfer, sequence: number, payload: Uint8Array, length: number, timeS: number): boolean {
    const growth = grow(transfer, sequence, payload, length, (bytes) => table.reserve(transfer, bytes));
    if (growth === "wrong-length") counters.malformed++;
    else if (growth === "wrong-sequence") table.end(transfer, "missing");
    else if (growth === "whole") table.end(transfer, "messages");
    else if (growth === "more") {
      transfer.deadlineS = timeS + N_CR_S;
      table.progress(transfer);
    }
    return growth === "whole";
  }

  function flowControlled(bus: number, canId: number | undefined, key: number, status: FlowStatus, timeS: number): void {
    const transfer = canId === undefined || addressing === "extended" ? undefined : table.find(senderOf(bus, canId), key, timeS);
    if (transfer === undefined) return;
    if (status === "overflow") table.end(transfer, "aborted");
    else transfer.deadlineS = timeS + N_CR_S + (status === "wait" ? N_BS_S : 0);
  }

  return { wants, next: nextBy(wants), piecesShareId: true, take, expire: table.expire, counters, held: table.held };
}

/** Whoever answers in diagnostics: 0x7E0 to 0x7E7 and 0x7E8 to 0x7EF (ISO 15765-4), and 29-bit ids 0x18DA, 0x18DB, 0x18CD, 0x18CE whose last two bytes are target and source (ISO 15765-2). */
export function diagnosticPeer(canId: number): number | undefined {
  if (canId < EXTENDED_FRAME) return (canId & 0x7f0) === 0x7e0 ? canId ^ 8 : undefined;
  const top = (canId & ID_MASK) >>> 16;
  if (top !== 0x18da && top !== 0x18db && top !== 0x18cd && top !== 0x18ce) return undefined;
  return ((canId & 0xffff_0000) | ((canId & 0xff) << 8) | ((canId >>> 8) & 0xff)) >>> 0;
}

const senderOf = (bus: number, canId: number): number => bus * 2 ** 32 + canId;
