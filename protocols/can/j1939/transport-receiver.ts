// Receives J1939 messages of up to 1,785 bytes that are sent to one address (RTS/CTS) and asks for their packets, as a state machine without bus and clock. Broadcasts ask for nothing:
// transport.ts hears them.
//
// V1. One session at a time: whoever else asks for one meanwhile is refused by an abort. Another RTS of the same sender takes the place of the first.
// V2. Packets are asked for in windows. What is missing at the end of one, or after 750 ms without a packet (T1), is asked for again, at most twice a message; then it is called off.
// V3. A message ends once, as `received`, which is acknowledged, or `failed` with a reason.

import type { CanFrame } from "../frames/index.ts";
import { Control, LIMITS_S, MAX_TP_BYTES, PACKET_BYTES, packetsOf } from "./transport-frames.ts";
import { AbortReason, type HeardFrame, heardBy, managementFrame } from "./transport-party.ts";

export interface J1939ReceiverOptions {
  /** Its own address. */
  readonly address: number;
  /** Packets of a window, 1 to 255, where the sender allows as many. Default 16. */
  readonly window?: number;
  /** Longer messages are refused. Default 1,785. */
  readonly maxBytes?: number;
}

export type J1939ReceiveFailure = "timeout" | "aborted" | "replaced" | "too-long";
export type J1939ReceiverStep =
  | { readonly kind: "frame"; readonly frame: CanFrame }
  | { readonly kind: "received"; readonly pgn: number; readonly source: number; readonly data: Uint8Array }
  | { readonly kind: "failed"; readonly pgn: number; readonly source: number; readonly reason: J1939ReceiveFailure };

export interface J1939Receiver {
  /** Takes a frame of the bus; what is not meant for it changes nothing. */
  readonly hear: (frame: CanFrame, nowMs: number) => readonly J1939ReceiverStep[];
  readonly due: (nowMs: number) => readonly J1939ReceiverStep[];
  /** When to ask again, in ms; undefined: not before the next frame. */
  readonly nextDueMs: () => number | undefined;
}

interface Session {
  readonly source: number;
  readonly pgn: number;
  readonly data: Uint8Array;
  readonly packets: number;
  readonly window: number;
  readonly missing: Set<number>;
  /** The last packet that was asked for. */
  end: number;
  repeats: number;
  untilMs: number;
}

const MAX_REPEATS = 2;

export function createJ1939Receiver(options: J1939ReceiverOptions): J1939Receiver {
  const { address, window = 16, maxBytes = MAX_TP_BYTES } = options;
  let session: Session | undefined;

  const send = (destination: number, pgn: number, ...head: readonly [number, number, number, number, number]): J1939ReceiverStep => ({
    kind: "frame",
    frame: managementFrame({ source: address, destination }, pgn, head),
  });
  const refuse = (destination: number, pgn: number, why: number): J1939ReceiverStep => send(destination, pgn, Control.abort, why, 255, 255, 255);

  function fail({ source, pgn }: Session, reason: J1939ReceiveFailure): J1939ReceiverStep {
    session = undefined;
    return { kind: "failed", pgn, source, reason };
  }

  function hear(frame: CanFrame, nowMs: number): readonly J1939ReceiverStep[] {
    const heard = heardBy(address, frame);
    if (heard === undefined) return [];
    const overdue = due(nowMs);
    if (heard.kind === "data") return [...overdue, ...take(heard, nowMs)];
    if (heard.data[0] === Control.rts) return [...overdue, ...begin(heard, nowMs)];
    if (heard.data[0] === Control.abort && session?.source === heard.source && session.pgn === heard.group) return [...overdue, fail(session, "aborted")];
    return overdue;
  }

  function begin({ source, group, data }: HeardFrame, nowMs: number): readonly J1939ReceiverStep[] {
    const [, low = 0, high = 0, packets = 0, perCts = 0] = data;
    const size = low | (high << 8);
    if (size === 0 || packets !== packetsOf(size)) return [];
    if (session !== undefined && session.source !== source) return [refuse(source, group, AbortReason.alreadyInSession)];
    const replaced = session === undefined ? [] : [fail(session, "replaced")];
    if (size > maxBytes) return [...replaced, refuse(source, group, AbortReason.noResources), { kind: "failed", pgn: group, source, reason: "too-long" }];
    const missing = new Set(Array.from({ length: packets }, (_, at) => at + 1));
    session = { source, pgn: group, data: new Uint8Array(size), packets, window: Math.max(1, Math.min(window, perCts)), missing, end: 0, repeats: 0, untilMs: 0 };
    return [...replaced, ...ask(session, nowMs)];
  }

  /** Asks for the lowest packets that are missing: of the window, else for the next one. */
  function ask(now: Session, nowMs: number): readonly J1939ReceiverStep[] {
    const [next = 0] = now.missing;
    if (next <= now.end && ++now.repeats > MAX_REPEATS) return [refuse(now.source, now.pgn, AbortReason.timeout), fail(now, "timeout")];
    now.end = next <= now.end ? now.end : Math.min(now.packets, next + now.window - 1);
    now.untilMs = nowMs + LIMITS_S.t2 * 1_000;
    return [send(now.source, now.pgn, Control.cts, now.end - next + 1, next, 255, 255)];
  }

  function take({ source, data }: HeardFrame, nowMs: number): readonly J1939ReceiverStep[] {
    const packet = data[0] ?? 0;
    const now = session;
    if (now?.source !== source || packet > now.end) return [];
    if (now.missing.delete(packet)) {
      const at = (packet - 1) * PACKET_BYTES;
      now.data.set(data.subarray(1, 1 + Math.min(PACKET_BYTES, now.data.length - at)), at);
    }
    now.untilMs = nowMs + LIMITS_S.t1 * 1_000;
    if (now.missing.size === 0) {
      session = undefined;
      const { length } = now.data;
      return [send(source, now.pgn, Control.endOfMessage, length & 0xff, length >> 8, now.packets, 255), { kind: "received", pgn: now.pgn, source, data: now.data }];
    }
    return packet === now.end ? ask(now, nowMs) : [];
  }

  function due(nowMs: number): readonly J1939ReceiverStep[] {
    return session === undefined || nowMs < session.untilMs ? [] : ask(session, nowMs);
  }

  return { hear, due, nextDueMs: () => session?.untilMs };
}
