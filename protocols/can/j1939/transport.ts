// Listens to J1939 transport sessions on any number of buses and puts their messages together (transport-frames.ts draws the frames). It only listens, to both sides where both are heard.
//
// J1. A session is (bus, sender, receiver), apart for TP and ETP; to everyone (BAM) a sender has one. Another announcement between the two takes its place.
// J2. A BAM comes in order: a gap ends it, a repeated packet changes nothing.
// J3. Between two parties a packet counts wherever it belongs, in any order, up to the end of what was last asked for by CTS (ETP: offered by DPO). Packets that are sent again change nothing.
// J4. A CTS or an acknowledgement for more than was heard ends the session: the receiver has the missing packets and nobody sends them again.
// J5. T1 to T4 run by the times of the frames, a bus that is silent by `expire`.
// J6. An announcement that is refused, too long or malformed leaves packets that are stray: nothing is guessed.

import { EXTENDED_FRAME, type FrameBatch, SLOT_BYTES } from "../frames/index.ts";
import { createReassemblyCounters, createSessionTable, NO_DATA, type Reassembler, type Session, type SessionTable, type TransportMessage } from "../reassembly/index.ts";
import { j1939Id, parseJ1939Id, pgnOf } from "./id.ts";
import { Control, ETP_DATA, ETP_MANAGEMENT, GLOBAL, LIMITS_S, MAX_TP_BYTES, PACKET_BYTES, packetsOf, TP_DATA, TP_MANAGEMENT } from "./transport-frames.ts";

export interface J1939Message extends TransportMessage {
  readonly pgn: number;
  readonly source: number;
  /** 255: everyone. */
  readonly destination: number;
  /** Of the announcement: the message itself has none on the bus. */
  readonly priority: number;
}

export interface J1939TransportOptions {
  /** Sessions of one sender on one bus. Default 16. */
  readonly sessionsPerSender?: number;
  /** Sessions in all, of TP and of ETP. Default 4,096 each. */
  readonly sessions?: number;
  /** Longest message by ETP that is put together; also the memory for all of them at one time is four times that. Default 1 MiB. */
  readonly maxEtpBytes?: number;
}

interface Transfer extends Session {
  readonly bus: number;
  readonly pgn: number;
  readonly source: number;
  readonly destination: number;
  readonly priority: number;
  readonly firstS: number;
  readonly packets: number;
  /** The lowest packet that has not come, from 1. */
  next: number;
  /** Packets beyond it that have. */
  readonly ahead: Set<number>;
  /** Sequence numbers count from here. */
  offset: number;
  /** The last packet that may come. */
  end: number;
}

const MANAGEMENT = 1;
const DATA = 2;
const ETP = 4;

/** A role by the upper 16 bits of a can_id: 0 for what is no transport frame. One look-up, since every frame of a bus is asked. */
const ROLES = new Uint8Array(0x1_0000);
for (let priority = 0; priority < 8; priority++) {
  const top = (EXTENDED_FRAME >>> 16) | (priority << 10);
  ROLES[top | (TP_MANAGEMENT >> 8)] = MANAGEMENT;
  ROLES[top | (TP_DATA >> 8)] = DATA;
  ROLES[top | (ETP_MANAGEMENT >> 8)] = MANAGEMENT | ETP;
  ROLES[top | (ETP_DATA >> 8)] = DATA | ETP;
}

export function createJ1939Transport(options: J1939TransportOptions = {}): Reassembler<J1939Message> {
  const { sessionsPerSender: perSender = 16, sessions = 4_096, maxEtpBytes = 0x10_0000 } = options;
  const counters = createReassemblyCounters();
  const short = createSessionTable<Transfer>({ perSender, sessions, bytes: sessions * MAX_TP_BYTES }, counters);
  const long = createSessionTable<Transfer>({ perSender, sessions, bytes: 4 * maxEtpBytes }, counters);

  const roleOf = (canId: number): number => ROLES[canId >>> 16] ?? 0;

  function take(batch: FrameBatch, slot: number): J1939Message | undefined {
    const canId = batch.ids[slot] ?? 0;
    const role = roleOf(canId);
    if (role === 0) return undefined;
    const frame = { canId, bus: batch.buses[slot] ?? 0, timeS: batch.timesS[slot] ?? 0, length: batch.lengths[slot] ?? 0, data: batch.data, start: slot * SLOT_BYTES };
    const table = (role & ETP) === 0 ? short : long;
    if ((role & MANAGEMENT) === 0) return takeData(table, frame);
    if (frame.length < 8) counters.malformed++;
    else manage(table, frame);
    return undefined;
  }

  function manage(table: SessionTable<Transfer>, frame: Frame): void {
    const { bus, canId, timeS } = frame;
    const { source, destination } = parseJ1939Id(canId);
    const group = number24(frame, 5) & 0x3ffff;
    const control = byte(frame, 0);
    if (control !== Control.abort && (control >= Control.etpRts && control <= Control.etpEndOfMessage) !== (table === long)) {
      counters.malformed++;
      return;
    }
    const sent = sameGroup(table.find(senderOf(bus, source), destination, timeS), group);
    const received = sameGroup(table.find(senderOf(bus, destination), source, timeS), group);
    switch (control) {
      case Control.rts:
      case Control.bam:
      case Control.etpRts:
        announced(table, frame, group);
        return;
      case Control.cts:
      case Control.etpCts:
        if (received === undefined) counters.stray++;
        else cleared(table, received, frame);
        return;
      case Control.etpOffset:
        if (sent === undefined) counters.stray++;
        else offered(sent, frame);
        return;
      case Control.endOfMessage:
      case Control.etpEndOfMessage:
        // What was put together is no session any more: an acknowledgement without one is what one expects.
        if (received !== undefined) table.end(received, "missing");
        return;
      case Control.abort: {
        const session = sent ?? received;
        if (session !== undefined) table.end(session, "aborted");
        return;
      }
      default:
        counters.malformed++;
    }
  }

  function announced(table: SessionTable<Transfer>, frame: Frame, group: number): void {
    const { bus, canId, timeS } = frame;
    const { source, destination, priority } = parseJ1939Id(canId);
    const isBam = byte(frame, 0) === Control.bam;
    const isEtp = table === long;
    const size = isEtp ? number24(frame, 1) + byte(frame, 4) * 0x100_0000 : number16(frame, 1);
    const packets = packetsOf(size);
    if (isBam !== (destination === GLOBAL) || (isEtp ? size <= MAX_TP_BYTES : size === 0 || size > MAX_TP_BYTES || byte(frame, 3) !== packets)) {
      counters.malformed++;
      return;
    }
    const sender = senderOf(bus, source);
    const former = table.find(sender, destination, timeS);
    if (former !== undefined) table.end(former, "replaced");
    if (isEtp && size > maxEtpBytes) {
      counters.tooLong++;
      return;
    }
    table.add(
      {
        sender,
        key: destination,
        size,
        data: NO_DATA,
        deadlineS: timeS + (isBam ? LIMITS_S.t1 : LIMITS_S.t3),
        bus,
        pgn: group,
        source,
        destination,
        priority,
        firstS: timeS,
        packets,
        next: 1,
        ahead: new Set(),
        offset: 0,
        // Where the receiver is not heard everything may come; ETP says it by DPO.
        end: isEtp ? 0 : packets,
      },
      timeS,
    );
  }

  function cleared(table: SessionTable<Transfer>, session: Transfer, frame: Frame): void {
    const count = byte(frame, 1);
    const next = table === long ? number24(frame, 2) : byte(frame, 2);
    if (count > 0 && (next === 0 || next > session.packets)) {
      counters.malformed++;
      return;
    }
    if (count > 0 && next > session.next) {
      table.end(session, "missing");
      return;
    }
    table.progress(session);
    session.deadlineS = frame.timeS + (count === 0 ? LIMITS_S.t4 : LIMITS_S.t2);
    if (table === short && count > 0) session.end = Math.min(session.packets, next + count - 1);
  }

  function offered(session: Transfer, frame: Frame): void {
    const offset = number24(frame, 2);
    if (offset >= session.next) {
      long.end(session, "missing");
      return;
    }
    session.offset = offset;
    session.end = Math.min(session.packets, offset + byte(frame, 1));
    session.deadlineS = frame.timeS + LIMITS_S.t1;
  }

  function takeData(table: SessionTable<Transfer>, frame: Frame): J1939Message | undefined {
    const { canId, timeS, length } = frame;
    const { source, destination } = parseJ1939Id(canId);
    const session = table.find(senderOf(frame.bus, source), destination, timeS);
    const packet = (session?.offset ?? 0) + byte(frame, 0);
    if (session === undefined || packet > session.end) {
      counters.stray++;
      return undefined;
    }
    const at = (packet - 1) * PACKET_BYTES;
    const bytes = Math.min(PACKET_BYTES, session.size - at);
    if (byte(frame, 0) === 0 || length < 1 + bytes) {
      counters.malformed++;
      return undefined;
    }
    const isBam = destination === GLOBAL;
    if (packet < session.next || session.ahead.has(packet)) {
      counters.repeated++;
      if (!isBam) session.deadlineS = timeS + (packet === session.end ? LIMITS_S.t3 : LIMITS_S.t1);
      return undefined;
    }
    if (isBam && packet > session.next) {
      table.end(session, "missing");
      return undefined;
    }
    if (!table.reserve(session, at + bytes)) return undefined;
    session.data.set(frame.data.subarray(frame.start + 1, frame.start + 1 + bytes), at);
    table.progress(session);
    session.deadlineS = timeS + (packet === session.end && !isBam ? LIMITS_S.t3 : LIMITS_S.t1);
    session.ahead.add(packet);
    while (session.ahead.delete(session.next)) session.next++;
    if (session.next <= session.packets) return undefined;
    table.end(session, "messages");
    const id = j1939Id(session);
    return {
      bus: session.bus,
      canId: (EXTENDED_FRAME | id) >>> 0,
      data: session.data,
      firstS: session.firstS,
      lastS: timeS,
      pgn: pgnOf(id),
      source,
      destination,
      priority: session.priority,
    };
  }

  return {
    wants: (canId) => roleOf(canId) !== 0,
    // Not by `nextBy`: nearly every frame of a truck's bus is passed over here.
    next: (ids, from, to) => {
      let slot = from;
      while (slot < to && ROLES[(ids[slot] ?? 0) >>> 16] === 0) slot++;
      return slot;
    },
    piecesShareId: false,
    take,
    expire: (nowS) => {
      short.expire(nowS);
      long.expire(nowS);
    },
    counters,
    get held() {
      return { sessions: short.held.sessions + long.held.sessions, bytes: short.held.bytes + long.held.bytes };
    },
  };
}

interface Frame {
  readonly canId: number;
  readonly bus: number;
  readonly timeS: number;
  readonly length: number;
  readonly data: Uint8Array;
  readonly start: number;
}

const senderOf = (bus: number, address: number): number => (bus << 8) | address;
const sameGroup = (session: Transfer | undefined, group: number): Transfer | undefined => (session?.pgn === group ? session : undefined);
const byte = (frame: Frame, at: number): number => frame.data[frame.start + at] ?? 0;
const number16 = (frame: Frame, at: number): number => byte(frame, at) | (byte(frame, at + 1) << 8);
const number24 = (frame: Frame, at: number): number => number16(frame, at) | (byte(frame, at + 2) << 16);
