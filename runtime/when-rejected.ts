// A promise that an author's code returned where nobody waits for one: unheard, its rejection would end the process (research: each runtime's most frequent outage; hosting N8).

import { types } from "node:util";

/**
 * Does nothing for what is no promise: others that have a `then` may begin their work when they are asked.
 * @param failed hears of the rejection; must not throw
 */
export function whenRejected(returned: unknown, failed: (error: unknown) => void): void {
  if (types.isPromise(returned)) void heard(returned, failed);
}

/** Runs it; a throw and a rejection are one thing. @param failed must not throw */
export function attempt(run: () => unknown, failed: (error: unknown) => void): void {
  try {
    whenRejected(run(), failed);
  } catch (error) {
    failed(error);
  }
}

async function heard(promise: Promise<unknown>, failed: (error: unknown) => void): Promise<void> {
  try {
    await promise;
  } catch (error) {
    failed(error);
  }
}
