// At-least-once sending with a bounded window: so many in flight, so many waiting behind them in order, the rest refused.
//
// Z1. Nothing in flight is sent again by itself: what was lost is told as `unknown`, and only the caller knows whether it may be repeated.
// Z2. Nothing waits for ever: an unconfirmed one settles after `confirmWithinMs` and the owner is told that the link is stuck; what waits behind it settles when the link is dropped.

import type { Clock, PublishOutcome, TimeoutHandle } from "../ports/index.ts";

export interface SendWindowOptions<T> {
  readonly clock: Clock;
  /** Hands one to the link; `confirmed` is called when the other side has it. Must not throw. */
  readonly send: (item: T, confirmed: (outcome: PublishOutcome) => void) => void;
  /** Called when one was not confirmed in time. */
  readonly onStuck: () => void;
  /** Default 20: the bound under which mqtt.js and Mosquitto lose nothing (research/transports.md 5.1). */
  readonly maxInFlight?: number;
  /** Default 256 KiB; a larger message goes alone. On a slow link everything before the socket delays the ping that keeps it. */
  readonly maxInFlightBytes?: number;
  /** Default 1,024. */
  readonly maxWaiting?: number;
  /** Default 8 MiB. */
  readonly maxWaitingBytes?: number;
  /** Default 10,000. */
  readonly confirmWithinMs?: number;
}

interface Waiting<T> {
  readonly item: T;
  readonly bytes: number;
  readonly settle: (outcome: PublishOutcome) => void;
}

interface InFlight {
  readonly bytes: number;
  readonly deadline: TimeoutHandle;
  readonly settle: (outcome: PublishOutcome) => void;
}

export class SendWindow<T> {
  readonly #options: Required<SendWindowOptions<T>>;
  readonly #inFlight = new Set<InFlight>();
  readonly #waiting: Waiting<T>[] = [];
  readonly #idle: (() => void)[] = [];
  #waitingBytes = 0;
  #inFlightBytes = 0;

  constructor(options: SendWindowOptions<T>) {
    this.#options = { maxInFlight: 20, maxInFlightBytes: 262_144, maxWaiting: 1_024, maxWaitingBytes: 8_388_608, confirmWithinMs: 10_000, ...options };
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  offer(item: T, bytes: number): Promise<PublishOutcome> {
    const { maxWaiting, maxWaitingBytes } = this.#options;
    if (this.#waiting.length >= maxWaiting) return Promise.resolve({ kind: "overloaded", reason: `${String(maxWaiting)} messages wait already` });
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes > maxWaitingBytes)
      return Promise.resolve({ kind: "overloaded", reason: `${String(maxWaitingBytes)} bytes wait already` });
    return new Promise((settle) => {
      this.#waiting.push({ item, bytes, settle });
      this.#waitingBytes += bytes;
      this.#pump();
    });
  }

  /** The link is gone: in flight becomes `unknown`, what waits was never sent. */
  lose(reason: string): void {
    for (const one of [...this.#inFlight]) this.#finish(one, { kind: "unknown", reason });
    const waiting = this.#waiting.splice(0);
    this.#waitingBytes = 0;
    for (const one of waiting) one.settle({ kind: "unavailable", reason });
    this.#tellIdle();
  }

  /** Resolves when nothing is in flight or waiting. */
  whenIdle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#inFlight.size === 0 && this.#waiting.length === 0;
  }

  #pump(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#hasRoom(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes;
      const deadline = this.#options.clock.setTimeout(() => {
        this.#finish(one, { kind: "unknown", reason: `not confirmed within ${String(this.#options.confirmWithinMs)} ms` });
        this.#options.onStuck();
      }, this.#options.confirmWithinMs);
      const one: InFlight = { bytes: next.bytes, deadline, settle: next.settle };
      this.#inFlight.add(one);
      this.#inFlightBytes += next.bytes;
      this.#options.send(next.item, (outcome) => {
        if (!this.#finish(one, outcome)) return;
        this.#pump();
        this.#tellIdle();
      });
    }
  }

  #hasRoom(bytes: number): boolean {
    if (this.#inFlight.size === 0) return true;
    return this.#inFlight.size < this.#options.maxInFlight && this.#inFlightBytes + bytes <= this.#options.maxInFlightBytes;
  }

  #finish(one: InFlight, outcome: PublishOutcome): boolean {
    if (!this.#inFlight.delete(one)) return false;
    this.#inFlightBytes -= one.bytes;
    this.#options.clock.clearTimeout(one.deadline);
    one.settle(outcome);
    return true;
  }

  #tellIdle(): void {
    if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
