// Waiting in real time: for a condition, never for a while.

import { setTimeout as pause } from "node:timers/promises";

const LOOK_EVERY_MS = 5;
/** A look that asks a node costs it and us as much work as what is waited for: two hundred of them a second slow that down. */
const ASK_EVERY_MS = 40;

/** Resolves with what `look` gives once it is neither undefined nor false. @throws when that takes longer than `withinMs` */
export async function until<T>(what: string, withinMs: number, look: () => T | Promise<T>): Promise<Exclude<T, undefined | false>> {
  const began = performance.now();
  for (;;) {
    const looked = look();
    const found = await looked;
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (performance.now() - began > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(looked instanceof Promise ? ASK_EVERY_MS : LOOK_EVERY_MS);
  }
}

/** Looks again and again for `forMs` and fails as soon as `holds` does not. */
export async function whileFor(what: string, forMs: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const began = performance.now();
  while (performance.now() - began < forMs) {
    if (!(await holds())) throw new Error(`it did not stay so: ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}
