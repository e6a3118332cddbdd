// Receives messages by ISO-TP and asks for their frames, as a state machine without bus and clock: it is told what was heard and what time it is, and says which frame leaves now.
//
// V1. A message ends once, as `received` or `failed` with a reason. A new one takes the place of the one under way.
// V2. A flow control leaves for the first frame and behind each block. While `setBusy` holds, it says wait, again every 500 ms.
// V3. Without a consecutive frame for 1 s (N_Cr) it fails; a wrong sequence number fails at once, a frame of another length is passed over.
// V4. A message longer than `maxBytes` is answered by overflow.

import type { CanFrame } from "../frames/index.ts";
import { append, type Assembly, grow } from "./assembly.ts";
import { addressBytes, flowControl, type IsoTpLink, isHeard } from "./link.ts";
import { N_BS_MS, N_CR_MS, parseProtocolFrame } from "./protocol-frame.ts";

export interface IsoTpReceiverOptions {
  readonly link: IsoTpLink;
  /** Frames between two flow controls, 0 to 255; 0: all at once. Default 0. */
  readonly blockSize?: number;
  /** Least time between frames: whole ms from 0 to 127, or 0.1 to 0.9. Default 0. */
  readonly stMinMs?: number;
  /** Default 4,095. */
  readonly maxBytes?: number;
}

export type IsoTpReceiveFailure = "timeout" | "wrong-sequence" | "replaced" | "too-long";
export type IsoTpReceiverStep =
  | { readonly kind: "frame"; readonly frame: CanFrame }
  | { readonly kind: "received"; readonly data: Uint8Array }
  | { readonly kind: "failed"; readonly reason: IsoTpReceiveFailure };

export interface IsoTpReceiver {
  /** Takes a frame of the bus; others than the link's change nothing. */
  readonly hear: (frame: CanFrame, nowMs: number) => readonly IsoTpReceiverStep[];
  readonly due: (nowMs: number) => readonly IsoTpReceiverStep[];
  /** When to ask again, in ms; undefined: not before the next frame. */
  readonly nextDueMs: () => number | undefined;
  /** While busy no further block is asked for. */
  readonly setBusy: (isBusy: boolean, nowMs: number) => void;
}

const WAIT_EVERY_MS = N_BS_MS / 2;

type Phase =
  | { readonly kind: "idle" }
  /** A flow control is to leave at `atMs`. */
  | { readonly kind: "asking"; readonly assembly: Assembly; readonly atMs: number }
  /** `left`: frames until the next flow control. */
  | { readonly kind: "taking"; readonly assembly: Assembly; readonly untilMs: number; readonly left: number };

/** @throws RangeError for a block size or STmin that no flow control can say */
export function createIsoTpReceiver(options: IsoTpReceiverOptions): IsoTpReceiver {
  const { link, blockSize = 0, stMinMs = 0, maxBytes = 4_095 } = options;
  const code = stMinCode(stMinMs);
  if (!Number.isInteger(blockSize) || blockSize < 0 || blockSize > 255) throw new RangeError(`blockSize is ${String(blockSize)}; expected a whole number from 0 to 255`);
  let phase: Phase = { kind: "idle" };
  let busy = false;

  function hear(frame: CanFrame, nowMs: number): readonly IsoTpReceiverStep[] {
    if (!isHeard(link, frame)) return [];
    const { data } = frame;
    const parsed = parseProtocolFrame(data, 0, data.length, addressBytes(link));
    if (parsed.kind === "invalid" || parsed.kind === "flow") return [];
    const overdue = expire(nowMs);
    const payload = data.subarray(parsed.header);
    if (parsed.kind === "consecutive") return [...overdue, ...goOn(parsed.sequence, payload, data.length, nowMs)];
    const replaced = phase.kind === "idle" ? overdue : fail("replaced");
    if (parsed.kind === "single") return [...replaced, { kind: "received", data: payload.slice(0, parsed.size) }];
    if (parsed.size > maxBytes) return [...replaced, { kind: "frame", frame: flowControl(link, "overflow", 0, 0) }, { kind: "failed", reason: "too-long" }];
    const assembly: Assembly = { size: parsed.size, frameBytes: data.length, data: new Uint8Array(parsed.size), received: 0, sequence: 0 };
    append(assembly, payload, hasRoom);
    phase = { kind: "asking", assembly, atMs: nowMs };
    return [...replaced, ...due(nowMs)];
  }

  function goOn(sequence: number, payload: Uint8Array, length: number, nowMs: number): readonly IsoTpReceiverStep[] {
    if (phase.kind !== "taking") return [];
    const { assembly } = phase;
    const growth = grow(assembly, sequence, payload, length, hasRoom);
    if (growth === "wrong-length") return [];
    if (growth === "wrong-sequence") return fail("wrong-sequence");
    if (growth === "whole") {
      phase = { kind: "idle" };
      return [{ kind: "received", data: assembly.data }];
    }
    const left = phase.left - 1;
    phase = left > 0 ? { kind: "taking", assembly, untilMs: nowMs + N_CR_MS, left } : { kind: "asking", assembly, atMs: nowMs };
    return due(nowMs);
  }

  function due(nowMs: number): readonly IsoTpReceiverStep[] {
    if (phase.kind !== "asking") return expire(nowMs);
    if (nowMs < phase.atMs) return [];
    const { assembly } = phase;
    if (busy) phase = { kind: "asking", assembly, atMs: nowMs + WAIT_EVERY_MS };
    else phase = { kind: "taking", assembly, untilMs: nowMs + N_CR_MS, left: blockSize === 0 ? Number.POSITIVE_INFINITY : blockSize };
    return [{ kind: "frame", frame: flowControl(link, busy ? "wait" : "continue", blockSize, code) }];
  }

  function expire(nowMs: number): readonly IsoTpReceiverStep[] {
    return phase.kind === "taking" && nowMs >= phase.untilMs ? fail("timeout") : [];
  }

  function fail(reason: IsoTpReceiveFailure): readonly IsoTpReceiverStep[] {
    phase = { kind: "idle" };
    return [{ kind: "failed", reason }];
  }

  return {
    hear,
    due,
    nextDueMs: () => (phase.kind === "idle" ? undefined : phase.kind === "asking" ? phase.atMs : phase.untilMs),
    setBusy: (isBusy, nowMs) => {
      busy = isBusy;
      if (!isBusy && phase.kind === "asking") phase = { ...phase, atMs: nowMs };
    },
  };
}

const hasRoom = (): boolean => true;

function stMinCode(ms: number): number {
  const tenths = Math.round(ms * 10);
  if (Number.isInteger(ms) && ms >= 0 && ms <= 127) return ms;
  if (tenths >= 1 && tenths <= 9 && Math.abs(tenths / 10 - ms) < 1e-9) return 0xf0 + tenths;
  throw new RangeError(`stMinMs is ${String(ms)}; expected whole milliseconds from 0 to 127, or 0.1 to 0.9 in steps of 0.1`);
}
