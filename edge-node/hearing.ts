// Whether this node is able to hear. A process that was stopped, or kept from running, finds all its timers due at once when it goes on, before it has read a frame of what was said
// meanwhile: that is its own absence and nobody's silence (vehicle.md, States: silence counts only where the module could be heard).
//
// G1. While it attends, a node passes here every few ms. A longer gap is a pause: no time of silence.
// G2. After a pause nothing is concluded before what waits in the sources was read; never twice in a row, so that a node that is always late tells late, not never.

import type { Listening } from "../protocols/can/index.ts";

/** Several beats; far below the least time after which a module is silent (1 s). */
const PAUSE_FROM_MS = 250;

export interface Hearing {
  /** Call often while the node attends, and before anything is concluded from the passing of time. */
  attend(nowMs: number): void;
  /** The regular beat. @returns whether facts may be concluded now (G2) */
  beat(nowMs: number): boolean;
  /** Nobody passes here regularly any more, until the next beat. */
  rest(): void;
}

export function createHearing(listening: Listening): Hearing {
  let attendedMs: number | undefined;
  let hasPaused = false;
  let hasWaited = false;

  function attend(nowMs: number): void {
    if (attendedMs === undefined) return;
    if (nowMs - attendedMs >= PAUSE_FROM_MS) {
      listening.deaf(attendedMs, nowMs);
      hasPaused = true;
    }
    attendedMs = nowMs;
  }

  return {
    attend,
    beat: (nowMs) => {
      attend(nowMs);
      attendedMs = nowMs;
      hasWaited = hasPaused && !hasWaited;
      hasPaused = false;
      return !hasWaited;
    },
    rest: () => {
      attendedMs = undefined;
    },
  };
}
