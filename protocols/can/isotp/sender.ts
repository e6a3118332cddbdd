// Sends messages by ISO-TP, as a state machine without bus and clock: it is told what was heard and what time it is, and says which frame leaves now and when to ask again.
//
// S1. One message at a time. It ends once, as `sent` (its last frame was handed out) or `failed` with a reason.
// S2. Between two frames of a block lies at least the STmin that the receiver asked for, counted from when the first was handed out; behind a block it waits for the next flow control.
// S3. Without flow control for 1 s (N_Bs) it fails; so does it when the receiver says wait more than `maxWaits` times one after the other, or that it has no room.

import type { CanFrame } from "../frames/index.ts";
import { addressBytes, consecutiveFrame, consecutiveFrameBytes, firstFrame, firstFrameBytes, fitsSingle, type IsoTpLink, isHeard, singleFrame } from "./link.ts";
import { N_BS_MS, parseProtocolFrame } from "./protocol-frame.ts";

export interface IsoTpSenderOptions {
  readonly link: IsoTpLink;
  /** Default 10. */
  readonly maxWaits?: number;
}

export type IsoTpSendFailure = "no-flow-control" | "too-many-waits" | "overflow";
export type IsoTpSenderStep = { readonly kind: "frame"; readonly frame: CanFrame } | { readonly kind: "sent" } | { readonly kind: "failed"; readonly reason: IsoTpSendFailure };

export interface IsoTpSender {
  /** Begins a message of 1 to 2^32 - 1 bytes, which is read until it ends. False: one is under way. @throws RangeError for an empty one */
  readonly begin: (payload: Uint8Array, nowMs: number) => boolean;
  /** Takes a frame of the bus; others than the link's flow control change nothing. */
  readonly hear: (frame: CanFrame, nowMs: number) => readonly IsoTpSenderStep[];
  /** What is due at `nowMs`: at most one frame. */
  readonly due: (nowMs: number) => readonly IsoTpSenderStep[];
  /** When to ask again, in ms; undefined: not before `begin`. */
  readonly nextDueMs: () => number | undefined;
}

type Phase =
  | { readonly kind: "idle" }
  /** The first (or only) frame may leave. */
  | { readonly kind: "ready"; readonly payload: Uint8Array; readonly atMs: number }
  | { readonly kind: "awaiting"; readonly payload: Uint8Array; readonly sent: number; readonly sequence: number; readonly untilMs: number; readonly waits: number }
  /** `left`: frames until the next flow control. */
  | {
      readonly kind: "sending";
      readonly payload: Uint8Array;
      readonly sent: number;
      readonly sequence: number;
      readonly atMs: number;
      readonly left: number;
      readonly stMinMs: number;
    };

export function createIsoTpSender(options: IsoTpSenderOptions): IsoTpSender {
  const { link, maxWaits = 10 } = options;
  let phase: Phase = { kind: "idle" };

  function end(...steps: readonly IsoTpSenderStep[]): readonly IsoTpSenderStep[] {
    phase = { kind: "idle" };
    return steps;
  }

  function hear(frame: CanFrame, nowMs: number): readonly IsoTpSenderStep[] {
    if (phase.kind !== "awaiting" || !isHeard(link, frame)) return [];
    const parsed = parseProtocolFrame(frame.data, 0, frame.data.length, addressBytes(link));
    if (parsed.kind !== "flow") return [];
    if (nowMs >= phase.untilMs) return end({ kind: "failed", reason: "no-flow-control" });
    if (parsed.status === "overflow") return end({ kind: "failed", reason: "overflow" });
    const { payload, sent, sequence, waits } = phase;
    if (parsed.status === "wait") {
      if (waits >= maxWaits) return end({ kind: "failed", reason: "too-many-waits" });
      phase = { ...phase, waits: waits + 1, untilMs: nowMs + N_BS_MS };
      return [];
    }
    const left = parsed.blockSize === 0 ? Number.POSITIVE_INFINITY : parsed.blockSize;
    phase = { kind: "sending", payload, sent, sequence, atMs: nowMs, left, stMinMs: parsed.stMinMs };
    return [];
  }

  function due(nowMs: number): readonly IsoTpSenderStep[] {
    switch (phase.kind) {
      case "idle":
        return [];
      case "ready": {
        const { payload } = phase;
        if (fitsSingle(link, payload.length)) return end({ kind: "frame", frame: singleFrame(link, payload) }, { kind: "sent" });
        phase = { kind: "awaiting", payload, sent: firstFrameBytes(link, payload.length), sequence: 1, untilMs: nowMs + N_BS_MS, waits: 0 };
        return [{ kind: "frame", frame: firstFrame(link, payload) }];
      }
      case "awaiting":
        return nowMs >= phase.untilMs ? end({ kind: "failed", reason: "no-flow-control" }) : [];
      case "sending":
        return nowMs < phase.atMs ? [] : sendNext(phase, nowMs);
    }
  }

  function sendNext(now: Phase & { readonly kind: "sending" }, nowMs: number): readonly IsoTpSenderStep[] {
    const { payload, stMinMs } = now;
    const step: IsoTpSenderStep = { kind: "frame", frame: consecutiveFrame(link, payload, now.sent, now.sequence) };
    const sent = now.sent + consecutiveFrameBytes(link);
    if (sent >= payload.length) return end(step, { kind: "sent" });
    const sequence = (now.sequence + 1) & 0xf;
    const left = now.left - 1;
    if (left > 0) phase = { kind: "sending", payload, sent, sequence, atMs: nowMs + stMinMs, left, stMinMs };
    else phase = { kind: "awaiting", payload, sent, sequence, untilMs: nowMs + N_BS_MS, waits: 0 };
    return [step];
  }

  return {
    begin: (payload, nowMs) => {
      if (payload.length === 0) throw new RangeError("ISO-TP carries no empty message");
      if (phase.kind !== "idle") return false;
      phase = { kind: "ready", payload, atMs: nowMs };
      return true;
    },
    hear,
    due,
    nextDueMs: () => (phase.kind === "idle" ? undefined : phase.kind === "awaiting" ? phase.untilMs : phase.atMs),
  };
}
