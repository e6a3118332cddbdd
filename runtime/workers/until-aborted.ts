// What a worker that only holds something open waits for, after it said that it is ready.

/** Resolves when the signal is aborted: the rest of a life that only waits to be ended. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    signal.addEventListener(
      "abort",
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
