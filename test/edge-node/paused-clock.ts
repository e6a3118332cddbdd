// A process that is stopped where it stands (SIGSTOP): time goes on without it, and when it goes on itself all its timers are due at once.

import type { ManualClock } from "../../runtime/simulation/index.ts";
import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";

export class PausedClock implements Clock {
  readonly #time: ManualClock;
  readonly #due = new Map<object, () => void>();
  #isPaused = false;

  constructor(time: ManualClock) {
    this.#time = time;
  }

  now(): number {
    return this.#time.now();
  }

  monotonic(): number {
    return this.#time.monotonic();
  }

  setTimeout(run: () => void, delayMs: number): TimeoutHandle {
    const handle: TimeoutHandle = this.#time.setTimeout(() => {
      if (this.#isPaused) this.#due.set(handle, run);
      else run();
    }, delayMs);
    return handle;
  }

  clearTimeout(handle: TimeoutHandle | undefined): void {
    if (handle !== undefined) this.#due.delete(handle);
    this.#time.clearTimeout(handle);
  }

  pause(): void {
    this.#isPaused = true;
  }

  goOn(): void {
    this.#isPaused = false;
    for (const [handle, run] of this.#due) {
      this.#due.delete(handle);
      run();
    }
  }
}
