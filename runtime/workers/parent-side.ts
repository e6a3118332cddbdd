// The parent's side of the line: what a worker in a thread, a process or this very thread looks like from outside.
//
// P1. It has exited when its carrier is gone (the thread or process has ended), not when it says so: only then are its sockets, files and locks free.
//     One that has said its last word and is not gone within 2 s is killed; its word stands.
// P2. A throw of `into`, or the rejection of what it returned, silence past `livenessMs` counted from `ready()`, a message that cannot be read, and more messages than its side of
//     the protocol ever sends, are failures of the worker: it is killed and exits with that cause. What comes after its failure or its last word is not looked at.
// P3. Whoever takes the link has it before the first item that follows `ready()`.
//     A kill that does not end it within 2 s (kill-wait.ts) is not waited for: its end is told then, with its cause and that it was let go of; what it says and does afterwards is
//     nobody's, and its real end only makes room for another run.
// P4. After a stop was asked for, an end without error is a shutdown; before, it is normal.

import { DroverError } from "../errors.ts";
import type { Clock, Log, TimeoutHandle } from "../ports/index.ts";
import { whenRejected } from "../when-rejected.ts";
import { Inbox, Outbox } from "./channel.ts";
import { deferred } from "./deferred.ts";
import { EndedError, type EndCause, killedAfter } from "./end-cause.ts";
import { errorFromData } from "./error-data.ts";
import { KillWait, type LeftBehind, SECOND_LOOK_MS } from "./kill-wait.ts";
import { readToParent, shownMessage } from "./parent-door.ts";
import { RateBound } from "./rate-bound.ts";
import { asError, type Exit, type Isolation, type Running } from "./running.ts";
import type { RunOrder, ToParent, ToWorker, Transfer } from "./wire.ts";

const GONE_AFTER_END_MS = 2_000;
/** Lines of its log that are written: what worker-side.ts lets pass of it and of its stdout and stderr. */
const LOG_RATE = { perSecond: 200, burst: 800 } as const;
/**
 * Words that need no room in the window. Far more than worker-side.ts ever sends (signs of life: eight in each `livenessMs`), since what it said while this thread
 * was held up comes at once.
 */
const WORD_RATE = { perSecond: 2_000, burst: 20_000, beats: 16_000 } as const;
const DROPS_TOLD_PER_SECOND = 1;
const DROPS_TOLD_BURST = 5;

/** Moves messages and ends the far side; one for each isolation. */
export interface Carrier {
  readonly pid: number | undefined;
  /** False when the far side cannot be reached any more. Throws what serialization throws. */
  post(message: ToWorker, transfer?: Transfer): void;
  /** Whatever is done beside the `stop` message (a signal to a process). */
  askToStop(): void;
  kill(): void;
  /** Its kill has not ended it: nothing of it is heard any more, and it keeps this process from nothing that can be done without it. `gone` comes late. */
  letGo(): void;
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
  readonly into: ((item: unknown) => unknown) | undefined;
  /** Called at `ready()`, before any later message of the worker is looked at. */
  readonly linked: ((parent: ParentSide) => void) | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly left: LeftBehind | undefined;
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
  /** None for code of this very thread: it can do worse than to ignore a bound. */
  readonly #bounds: { readonly words: RateBound; readonly logs: RateBound } | undefined;
  readonly #dropsTold: RateBound;
  #carrier: Carrier | undefined;
  #said: { readonly error?: Error } | undefined;
  #failure: Error | undefined;
  #stopping = false;
  #askedAt: number | undefined;
  #killedAfterMs: number | undefined;
  readonly #killWait: KillWait;
  #gone = false;
  #ordered = false;
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
    const { clock, order } = options;
    this.#killWait = new KillWait(options, options.left, () => {
      this.#carrier?.letGo();
      this.#over({ detail: "it was let go of" });
    });
    this.#dropsTold = new RateBound(clock, DROPS_TOLD_PER_SECOND, DROPS_TOLD_BURST);
    const isFar = options.isolation !== "inline";
    const wordsPerSecond = WORD_RATE.perSecond + WORD_RATE.beats / (order.livenessMs ?? Number.POSITIVE_INFINITY);
    this.#bounds = isFar ? { words: new RateBound(clock, wordsPerSecond, WORD_RATE.burst), logs: new RateBound(clock, LOG_RATE.perSecond, LOG_RATE.burst) } : undefined;
    this.#inbox = new Inbox(order.window, post, isFar ? (acknowledge) => void clock.setTimeout(acknowledge, 0) : undefined);
    const { into } = options;
    this.#inbox.receive((item) => {
      whenRejected(into?.(item), (error) => {
        this.fail(itemsThrew(error));
      });
    });
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
    if (this.#killedAfterMs !== undefined) carrier.kill();
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
    this.#askedAt = this.#options.clock.monotonic();
    this.#clearTimer();
    this.#carrier?.post({ kind: "stop" });
    this.#carrier?.askToStop();
  }

  kill(): void {
    if (this.#gone) return;
    const now = this.#options.clock.monotonic();
    this.#killedAfterMs ??= now - (this.#askedAt ?? now);
    this.#endCarrier();
  }

  #endCarrier(): void {
    this.#clearTimer();
    this.#killWait.begin();
    this.#carrier?.kill();
  }

  /** Ends it with a cause found on this side. */
  fail(error: Error): void {
    if (this.#gone) return;
    this.#failure ??= error;
    this.kill();
  }

  /** Whatever came from the far side. Never throws. */
  message(received: unknown): void {
    if (this.#gone || this.#failure !== undefined || this.#said !== undefined) return;
    const message = readToParent(received);
    if (message === undefined) {
      this.fail(new DroverError("DROVER_WORKER_FAILED", `it sent a message that cannot be read: ${shownMessage(received)}`));
      return;
    }
    try {
      const wrong = this.#take(message);
      if (wrong !== undefined) this.fail(new DroverError("DROVER_WORKER_FAILED", wrong));
    } catch (error) {
      this.fail(asError(error));
    }
  }

  /** What is wrong with it, if anything. */
  #take(message: ToParent): string | undefined {
    const { log } = this.#options;
    switch (message.kind) {
      case "loaded":
        if (this.#ordered) return "it asked for its order twice";
        this.#ordered = true;
        this.#carrier?.post({ kind: "run", order: this.#options.order });
        return undefined;
      case "ready":
        this.#isReady();
        return floods(this.#bounds?.words);
      case "alive":
        this.#heard();
        return floods(this.#bounds?.words);
      case "item":
        try {
          return this.#inbox.arrived(message.item, message.weight) ? undefined : `it sent more than the ${String(this.#options.order.window.items)} items of its window`;
        } catch (error) {
          throw itemsThrew(error);
        }
      case "taken":
        return this.#outbox.taken(message.items) ? undefined : "it took more items than it was sent";
      case "dropped":
        this.dropped += message.items;
        if (this.#dropsTold.pass() !== undefined) log.warn({ items: message.items, inAll: this.dropped }, "items of this worker found no room and were dropped");
        return floods(this.#bounds?.words);
      case "log": {
        const suppressed = this.#bounds === undefined ? 0 : this.#bounds.logs.pass();
        if (suppressed !== undefined) log[message.level](suppressed === 0 ? message.fields : { ...message.fields, suppressed }, message.message);
        return floods(this.#bounds?.words);
      }
      case "end":
        this.#said = message.error === undefined ? {} : { error: errorFromData(message.error) };
        this.#clearTimer();
        this.#timer = this.#options.clock.setTimeout(
          () => {
            this.#endCarrier();
          },
          GONE_AFTER_END_MS,
          { unref: true },
        );
        return undefined;
    }
  }

  /** The carrier has ended; the last call of all. */
  gone(how: Gone): void {
    this.#killWait.end();
    this.#over(how);
  }

  #over(how: Gone): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#clearTimer();
    this.#outbox.close();
    this.#exit.resolve(this.#exitOf(how));
    this.#ready.resolve(false);
  }

  #exitOf(how: Gone): Exit {
    if (this.#failure !== undefined) return { kind: "failed", error: this.#killWait.told(this.#failure) };
    if (this.#said !== undefined) {
      if (this.#said.error !== undefined) return { kind: "failed", error: this.#said.error };
      return this.#stopping ? { kind: "shutdown" } : { kind: "normal" };
    }
    if (this.#killedAfterMs !== undefined) return { kind: "killed", error: this.#killWait.told(killedAfter(this.#killedAfterMs)) };
    if (this.#stopping && how.asAsked === true) return { kind: "shutdown" };
    if (how.end !== undefined) return { kind: "failed", error: new EndedError("DROVER_WORKER_FAILED", how.detail, how.end, how.error) };
    return { kind: "failed", error: how.error ?? new DroverError("DROVER_WORKER_FAILED", how.detail) };
  }

  #isReady(): void {
    if (this.#killedAfterMs !== undefined || this.#toldReady) return;
    this.#toldReady = true;
    try {
      this.#options.linked?.(this);
      this.#ready.resolve(true);
      // From here on silence counts.
      this.#heard();
    } catch (error) {
      this.fail(new DroverError("DROVER_WORKER_FAILED", "what takes its link threw", { cause: error }));
    }
  }

  #heard(): void {
    const { livenessMs } = this.#options.order;
    if (livenessMs === undefined || this.#stopping || this.#killedAfterMs !== undefined || this.#said !== undefined) return;
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

function floods(bound: RateBound | undefined): string | undefined {
  return bound !== undefined && bound.pass() === undefined ? "it floods its channel with words that nobody waits for" : undefined;
}

function itemsThrew(cause: unknown): DroverError {
  return new DroverError("DROVER_WORKER_FAILED", "what takes its items threw", { cause });
}
