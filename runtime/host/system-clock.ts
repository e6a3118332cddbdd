// The real clock: the one place beside workers that touches Date, performance and setTimeout.

import type { Clock, TimeoutHandle } from "../ports/index.ts";

/** Node fires at once, with a warning, for anything longer; longer waits are made of several. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

interface Armed {
  readonly armed: true;
  timer: NodeJS.Timeout | undefined;
}

function arm(armed: Armed, run: () => void, dueAt: number, unref: boolean): void {
  const leftMs = Math.max(0, dueAt - performance.now());
  const last = leftMs <= LONGEST_TIMEOUT_MS;
  armed.timer = setTimeout(
    () => {
      armed.timer = undefined;
      // Node may fire up to a millisecond early; the port promises "at least".
      if (last && performance.now() >= dueAt) run();
      else arm(armed, run, dueAt, unref);
    },
    last ? Math.ceil(leftMs) : LONGEST_TIMEOUT_MS,
  );
  if (unref) armed.timer.unref();
}

/** Wall time may jump, monotonic time does not. Delays of any length; `Infinity` never fires, and holds the process only until it ends by itself. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(run, delayMs, options) {
    const armed: Armed = { armed: true, timer: undefined };
    if (Number.isNaN(delayMs)) throw new RangeError("a delay is a number of ms, got NaN");
    if (delayMs !== Number.POSITIVE_INFINITY) arm(armed, run, performance.now() + Math.max(0, delayMs), options?.unref === true);
    return armed;
  },
  clearTimeout(handle: TimeoutHandle | undefined) {
    if (handle === undefined) return;
    const armed = handle as unknown as Armed;
    clearTimeout(armed.timer);
    armed.timer = undefined;
  },
};
