// The parent's side of the line: what a worker in a thread, a process or this very thread looks like from outside.
//
// P1. It has exited when its carrier is gone (the thread or process has ended), not when it says so: only then are its sockets, files and locks free.
//     One that has said its last word and is not gone within 2 s is killed; its word stands.
// P2. A throw of `into`, silence past `livenessMs`, and a message that cannot be read are failures of the worker: it is killed and exits with that cause.
// P3. Whoever takes the link has it before the first item that follows `ready()`.
// P4. After a stop was asked for, an end without error is a shutdown; before, it is normal.

import { DroverError } from "../errors.ts";
import type { Clock, Log, TimeoutHandle } from "../ports/index.ts";
import { Inbox, Outbox } from "./channel.ts";
import { deferred } from "./deferred.ts";
import { EndedError, type EndCause, killedAfter } from "./end-cause.ts";
import { errorFromData } from "./error-data.ts";
import type { Exit, Isolation, Running } from "./running.ts";
import type { RunOrder, ToParent, ToWorker, Transfer } from "./wire.ts";

const GONE_AFTER_END_MS = 2_000;
/** A parent that was held up itself sees the timer before the signs of life that came in time: it looks a second time so much later. */
const SECOND_LOOK_MS = 100;

/** Moves messages and ends the far side; one for each isolation. */
export interface Carrier {
  readonly pid: number | undefined;
  /** False when the far side cannot be reached any more. Throws what serialization throws. */
  post(message: ToWorker, transfer?: Transfer): void;
  /** Whatever is done beside the `stop` message (a signal to a process). */
  askToStop(): void;
  kill(): void;
}

/** How a carrier ended, when the worker had not said so itself. */
export interface Gone {
  readonly error?: Error;
  readonly detail: string;
  /** Where its end says more than `error`. */
  readonly end?: EndCause;
  /** It ended of the signal that asks it to. */
  readonly asAsked?: boolean;
}

export interface ParentSideOptions {
  readonly isolation: Isolation;
  readonly order: RunOrder;
  readonly into: ((item: unknown) => void) | undefined;
  /** Called at `ready()`, before any later message of the worker is looked at. */
  readonly linked: ((parent: ParentSide) => void) | undefined;
  readonly log: Log;
  readonly clock: Clock;
}

export class ParentSide implements Running {
  readonly isolation: Isolation;
  readonly exited: Promise<Exit>;
  /** Resolves true at `ready()`, false when it ended before. */
  readonly ready: Promise<boolean>;
  readonly #options: ParentSideOptions;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #exit = deferred<Exit>();
  readonly #ready = deferred<boolean>();
  #carrier: Carrier | undefined;
  #said: { readonly error?: Error } | undefined;
  #failure: Error | undefined;
  #stopping = false;
  #killed = false;
  #gone = false;
  #toldReady = false;
  #heardAt: number | undefined;
  #timer: TimeoutHandle | undefined;
  /** Items of the worker that found no room on their way here. */
  dropped = 0;

  constructor(options: ParentSideOptions) {
    this.#options = options;
    this.isolation = options.isolation;
    this.exited = this.#exit.promise;
    this.ready = this.#ready.promise;
    const post = (message: ToWorker, transfer?: Transfer): void => this.#carrier?.post(message, transfer);
    this.#outbox = new Outbox(options.order.window, post);
    this.#inbox = new Inbox(options.order.window, post);
    this.#inbox.receive(options.into ?? (() => undefined));
  }

  get shutdownMs(): number {
    return this.#options.order.shutdownMs;
  }

  get pid(): number | undefined {
    return this.#carrier?.pid;
  }

  /** Before any message: the carrier exists. */
  carriedBy(carrier: Carrier): void {
    this.#carrier = carrier;
    if (this.#killed) carrier.kill();
  }

  send(item: unknown, transfer?: Transfer): boolean {
    return !this.#gone && this.#outbox.send(item, transfer);
  }

  room(): Promise<void> {
    return this.#outbox.room();
  }

  stop(): void {
    if (this.#stopping || this.#gone) return;
    this.#stopping = true;
    this.#clearTimer();
    this.#carrier?.post({ kind: "stop" });
    this.#carrier?.askToStop();
  }

  kill(): void {
    if (this.#gone) return;
    this.#killed = true;
    this.#carrier?.kill();
  }

  /** Ends it with a cause found on this side. */
  fail(error: Error): void {
    if (this.#gone) return;
    this.#failure ??= error;
    this.kill();
  }

  message(message: ToParent): void {
    if (this.#gone) return;
    const { log } = this.#options;
    switch (message.kind) {
      case "loaded":
        this.#carrier?.post({ kind: "run", order: this.#options.order });
        return;
      case "ready":
        this.#isReady();
        return;
      case "alive":
        this.#heard();
        return;
      case "item":
        try {
          this.#inbox.arrived(message.item, message.weight);
        } catch (error) {
          this.fail(new DroverError("DROVER_WORKER_FAILED", "what takes its items threw", { cause: error }));
        }
        return;
      case "taken":
        this.#outbox.taken(message.items);
        return;
      case "dropped":
        this.dropped += message.items;
        log.warn({ items: message.items, inAll: this.dropped }, "items of this worker found no room and were dropped");
        return;
      case "log":
        log[message.level](message.fields, message.message);
        return;
      case "end":
        this.#said = message.error === undefined ? {} : { error: errorFromData(message.error) };
        this.#clearTimer();
        this.#timer = this.#options.clock.setTimeout(() => this.#carrier?.kill(), GONE_AFTER_END_MS, { unref: true });
        return;
    }
  }

  /** The carrier has ended; the last call of all. */
  gone(how: Gone): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#clearTimer();
    this.#outbox.close();
    this.#exit.resolve(this.#exitOf(how));
    this.#ready.resolve(false);
  }

  #exitOf(how: Gone): Exit {
    if (this.#failure !== undefined) return { kind: "failed", error: this.#failure };
    if (this.#said !== undefined) {
      if (this.#said.error !== undefined) return { kind: "failed", error: this.#said.error };
      return this.#stopping ? { kind: "shutdown" } : { kind: "normal" };
    }
    if (this.#killed) return { kind: "killed", error: killedAfter(this.#options.order.shutdownMs) };
    if (this.#stopping && how.asAsked === true) return { kind: "shutdown" };
    if (how.end !== undefined) return { kind: "failed", error: new EndedError("DROVER_WORKER_FAILED", how.detail, how.end, how.error) };
    return { kind: "failed", error: how.error ?? new DroverError("DROVER_WORKER_FAILED", how.detail) };
  }

  #isReady(): void {
    if (this.#killed) return;
    try {
      if (!this.#toldReady) this.#options.linked?.(this);
      this.#toldReady = true;
      this.#ready.resolve(true);
    } catch (error) {
      this.fail(new DroverError("DROVER_WORKER_FAILED", "what takes its link threw", { cause: error }));
    }
  }

  #heard(): void {
    const { livenessMs } = this.#options.order;
    if (livenessMs === undefined || this.#stopping || this.#said !== undefined) return;
    this.#heardAt = this.#options.clock.monotonic();
    if (this.#timer === undefined) this.#watch(livenessMs, livenessMs, false);
  }

  /** One timer that is set again only when it fires: a sign of life costs a store, not a timer. */
  #watch(delayMs: number, livenessMs: number, second: boolean): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined;
      const silentMs = clock.monotonic() - (this.#heardAt ?? 0);
      if (silentMs < livenessMs) this.#watch(livenessMs - silentMs, livenessMs, false);
      else if (!second) this.#watch(SECOND_LOOK_MS, livenessMs, true);
      else {
        const detail = `no sign of life for ${String(Math.round(silentMs))} ms, allowed are ${String(livenessMs)} ms`;
        this.fail(new EndedError("DROVER_WORKER_FAILED", detail, { kind: "probe-failed", probe: "liveness", detail }));
      }
    }, delayMs);
  }

  #clearTimer(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
