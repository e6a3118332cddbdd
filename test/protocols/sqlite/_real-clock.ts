// The machine's clock: the thread under test is a real one.

import type { Clock, TimeoutHandle } from "../../../runtime/ports/index.ts";

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (run, delayMs) => setTimeout(run, delayMs) as unknown as TimeoutHandle,
  clearTimeout: (handle) => {
    clearTimeout(handle as unknown as NodeJS.Timeout | undefined);
  },
};
