// Notices that the wall clock was corrected, by NTP or GNSS: it moves against the monotonic one. Dates of before are of another clock then, and whoever compares them with later ones must know by how much.

import type { Clock } from "../runtime/ports/index.ts";

/** Less is how a clock drifts and is trimmed; what adds up to it is told as well. */
const LEAST_STEP_MS = 500;

export interface ClockSteps {
  /** Tells a correction since the last look. */
  look(): void;
}

/** @param corrected is given ms, more than 0 where the clock was set forward; false: it could not be told now, and is told again */
export function watchClock(clock: Pick<Clock, "now" | "monotonic">, corrected: (byMs: number) => boolean): ClockSteps {
  const lead = (): number => clock.now() - clock.monotonic();
  let known = lead();
  return {
    look: () => {
      const byMs = Math.round(lead() - known);
      if (Math.abs(byMs) >= LEAST_STEP_MS && corrected(byMs)) known += byMs;
    },
  };
}
