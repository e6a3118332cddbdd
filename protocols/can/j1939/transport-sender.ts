// Sends J1939 messages of 9 to 1,785 bytes, to everyone (BAM) or to one receiver (RTS/CTS), as a state machine without bus and clock: it is told what was heard and what time it is.
//
// S1. One message at a time. It ends once: `sent` (a BAM with its last packet, else with the receiver's acknowledgement) or `failed` with a reason.
// S2. Packets of a BAM leave `spacingMs` apart, counted from when the one before was handed out; between two parties as soon as they are asked for.
// S3. A CTS may ask for packets again, at most twice a message; one that says wait gives 1,050 ms (T4). Without an answer for 1,250 ms (T3) the session is called off.

import type { CanFrame } from "../frames/index.ts";
import { Control, GLOBAL, LIMITS_S, MAX_TP_BYTES, packetsOf } from "./transport-frames.ts";
import { AbortReason, dataFrame, heardBy, managementFrame } from "./transport-party.ts";

export interface J1939SenderOptions {
  /** Its own address. */
  readonly source: number;
  /** Between packets of a BAM, 50 to 200 ms. Default 50. */
  readonly spacingMs?: number;
}

export interface J1939Payload {
  readonly pgn: number;
  /** 255: everyone. */
  readonly destination: number;
  readonly data: Uint8Array;
}

export type J1939SendFailure = "no-answer" | "aborted" | "too-many-repeats";
export type J1939SenderStep = { readonly kind: "frame"; readonly frame: CanFrame } | { readonly kind: "sent" } | { readonly kind: "failed"; readonly reason: J1939SendFailure };

export interface J1939Sender {
  /** Begins a message, whose bytes are read until it ends. False: one is under way. @throws RangeError for what is not 9 to 1,785 bytes long */
  readonly begin: (payload: J1939Payload, nowMs: number) => boolean;
  /** Takes a frame of the bus; what is not meant for it changes nothing. */
  readonly hear: (frame: CanFrame, nowMs: number) => readonly J1939SenderStep[];
  /** What is due at `nowMs`: at most one frame of a message that goes on. */
  readonly due: (nowMs: number) => readonly J1939SenderStep[];
  /** When to ask again, in ms; undefined: not before `begin`. */
  readonly nextDueMs: () => number | undefined;
}

const MIN_TP_BYTES = 9;
const MAX_REPEATS = 2;

type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "ready"; readonly atMs: number }
  | { readonly kind: "awaiting"; readonly atMs: number }
  /** Packets from `next` to `end` may leave. */
  | { readonly kind: "sending"; readonly atMs: number; readonly next: number; readonly end: number };

export function createJ1939Sender(options: J1939SenderOptions): J1939Sender {
  const { source, spacingMs = 50 } = options;
  let phase: Phase = { kind: "idle" };
  let payload: J1939Payload = { pgn: 0, destination: GLOBAL, data: new Uint8Array(0) };
  /** The highest packet that has left. */
  let reached = 0;
  let repeats = 0;

  const manage = (...head: readonly [number, number, number, number, number]): J1939SenderStep => ({
    kind: "frame",
    frame: managementFrame({ source, destination: payload.destination }, payload.pgn, head),
  });

  function end(...steps: readonly J1939SenderStep[]): readonly J1939SenderStep[] {
    phase = { kind: "idle" };
    return steps;
  }

  const callOff = (why: number, reason: J1939SendFailure): readonly J1939SenderStep[] => end(manage(Control.abort, why, 255, 255, 255), { kind: "failed", reason });

  function hear(frame: CanFrame, nowMs: number): readonly J1939SenderStep[] {
    const heard = heardBy(source, frame);
    if (phase.kind === "idle" || phase.kind === "ready" || heard?.kind !== "management" || heard.source !== payload.destination || heard.group !== payload.pgn) return [];
    const [control, count = 0, next = 0] = heard.data;
    const packets = packetsOf(payload.data.length);
    if (control === Control.abort) return end({ kind: "failed", reason: "aborted" });
    if (control === Control.endOfMessage) return reached === packets ? end({ kind: "sent" }) : [];
    if (control !== Control.cts) return [];
    if (count === 0) {
      phase = { kind: "awaiting", atMs: nowMs + LIMITS_S.t4 * 1_000 };
      return [];
    }
    if (next === 0 || next > packets) return [];
    if (next <= reached && ++repeats > MAX_REPEATS) return callOff(AbortReason.tooManyRepeats, "too-many-repeats");
    phase = { kind: "sending", atMs: nowMs, next, end: Math.min(packets, next + count - 1) };
    return [];
  }

  function due(nowMs: number): readonly J1939SenderStep[] {
    if (phase.kind === "idle" || nowMs < phase.atMs) return [];
    const { data, destination } = payload;
    const packets = packetsOf(data.length);
    const isBam = destination === GLOBAL;
    if (phase.kind === "awaiting") return callOff(AbortReason.timeout, "no-answer");
    if (phase.kind === "ready") {
      if (isBam) phase = { kind: "sending", atMs: nowMs + spacingMs, next: 1, end: packets };
      else phase = { kind: "awaiting", atMs: nowMs + LIMITS_S.t3 * 1_000 };
      return [manage(isBam ? Control.bam : Control.rts, data.length & 0xff, data.length >> 8, packets, 255)];
    }
    const { next, end: last } = phase;
    const step: J1939SenderStep = { kind: "frame", frame: dataFrame({ source, destination }, data, next) };
    reached = Math.max(reached, next);
    if (next < last) phase = { kind: "sending", atMs: nowMs + (isBam ? spacingMs : 0), next: next + 1, end: last };
    else if (isBam) return end(step, { kind: "sent" });
    else phase = { kind: "awaiting", atMs: nowMs + LIMITS_S.t3 * 1_000 };
    return [step];
  }

  return {
    begin: (message, nowMs) => {
      const { length } = message.data;
      if (length < MIN_TP_BYTES || length > MAX_TP_BYTES) throw new RangeError(`the payload has ${String(length)} bytes; expected 9 to 1785`);
      if (phase.kind !== "idle") return false;
      payload = message;
      reached = 0;
      repeats = 0;
      phase = { kind: "ready", atMs: nowMs };
      return true;
    },
    hear,
    due,
    nextDueMs: () => (phase.kind === "idle" ? undefined : phase.atMs),
  };
}
