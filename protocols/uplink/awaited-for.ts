// A wait with an end: what is under way goes on by itself, only its end is not awaited longer.

import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";

/** @param work never rejects */
export async function awaitedFor(work: Promise<unknown> | undefined, withinMs: number, clock: Clock): Promise<void> {
  let timeout: TimeoutHandle | undefined;
  const limit = new Promise<void>((resolve) => {
    timeout = clock.setTimeout(resolve, withinMs, { unref: true });
  });
  await Promise.race([work, limit]);
  clock.clearTimeout(timeout);
}
