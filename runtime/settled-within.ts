// A wait with an end: what is under way goes on by itself, only its end is not awaited longer (promise S5).

import type { Clock, TimeoutHandle } from "./ports/clock.ts";

/**
 * The value, or undefined when `ms` passed or `hurry` was aborted first. Rejects as the promise does, if it does so in time.
 * @param ms `Infinity` arms nothing
 * @param options.unref the wait keeps no process alive
 */
export function settledWithin<T>(promise: Promise<T>, clock: Clock, ms: number, hurry: AbortSignal | undefined, options?: { readonly unref?: boolean }): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let timer: TimeoutHandle | undefined;
    const end = (): void => {
      clock.clearTimeout(timer);
      hurry?.removeEventListener("abort", give);
    };
    const give = (): void => {
      end();
      resolve(undefined);
    };
    if (Number.isFinite(ms)) timer = clock.setTimeout(give, ms, options);
    hurry?.addEventListener("abort", give);
    promise.then(end, end);
    promise.then(resolve, reject);
    // After the promise's own listeners, so that what has already ended wins over what is already late.
    if (hurry?.aborted === true)
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(give);
  });
}
