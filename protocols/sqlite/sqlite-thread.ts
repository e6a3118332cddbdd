// The main thread's end of the thread that owns one SQLite file: starts it when told, posts requests, settles each by an answer, a deadline, or the thread's end.
//
// H1. A request that was posted and not answered is *lost*: whether it was carried out is not known. It is never taken for undone.
// H2. A thread that ended is not started again before a backoff has passed; what was lost stays lost.
// H3. Requests wait only in the thread, at most `MAX_PENDING` of them; what is more is turned away at once, unposted. What is to be carried out first has room of its own: reads and
//     small values never take that of commits.
// H4. After a flush that failed no thread is started in this process any more: what a new connection would read may not be what the disk holds (rules L3).

import { Worker } from "node:worker_threads";
import { endProcess, settledWithin } from "../../runtime/index.ts";
import { type Clock, DroverError, type Log, type TimeoutHandle } from "../../runtime/ports/index.ts";
import { createGate, shut, shutAndWait, type ThreadGate } from "./thread-gate.ts";
import { errorOf, type ThreadAnswer, type ThreadRequest } from "./thread-protocol.ts";

export const MAX_PENDING = 1024;
/** Of what is carried out first. A system has one batch of commits under way at a time. */
export const MAX_PENDING_FIRST = 64;
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 5000;
/** How long a thread that was asked to end is waited for: longer than a card's worst stall. */
const END_WITHIN_MS = 10_000;

/** The request never left the main thread: for certain it was not carried out, and will not be. After every other error it may have been (H1). */
export class NotPosted extends DroverError {
  /** @param because what kept it back, when that was an error of its own */
  constructor(reason: string, because?: unknown) {
    const { code, retryable } = because instanceof DroverError ? because : { code: "DROVER_STORE_FAILED" as const, retryable: true };
    super(code, reason, { retryable, cause: because });
  }
}

/** Nothing was tried: so much waits already. */
export class TooManyWait extends NotPosted {
  constructor(pending: number) {
    super(`${String(pending)} requests wait for the store already`);
  }
}

export interface CallOptions {
  /** Handed over instead of copied. */
  readonly transfer?: readonly ArrayBuffer[];
  /** Carried out before what waits for the thread and is not first. Default false. */
  readonly isFirst?: boolean;
  /** Beyond what every request may take, ms. Default 0. */
  readonly moreMs?: number;
}

export interface SqliteThreadOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** A request without an answer for this long is lost, ms. Default 30,000: longer than a card's worst stall. */
  readonly answerWithinMs?: number;
  /** Called once, when a flush has failed (H4): the process must end. Default: it ends, with exit code 1 and a line on standard error. */
  readonly onFlushFailed?: ((reason: string) => void) | undefined;
}

interface Pending {
  readonly settle: (value: unknown) => void;
  readonly fail: (error: Error) => void;
  readonly deadline: number;
  readonly isFirst: boolean;
}

interface Running {
  readonly worker: Worker;
  readonly gate: ThreadGate;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

export class SqliteThread {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #answerWithinMs: number;
  /** In the order of posting, which is that of their deadlines. */
  readonly #pending = new Map<number, Pending>();
  #pendingFirst = 0;
  #running: Running | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  #generation = 0;
  #requests = 0;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #timeout: TimeoutHandle | undefined;
  #flushFailed: string | undefined;
  readonly #onFlushFailed: (reason: string) => void;
  readonly counters = { started: 0, lost: 0, turnedAway: 0 };

  constructor({ clock, log, answerWithinMs = 30_000, onFlushFailed }: SqliteThreadOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#answerWithinMs = answerWithinMs;
    this.#onFlushFailed =
      onFlushFailed ??
      ((reason) => {
        endProcess(log, reason);
      });
  }

  /** Changes whenever another thread took the place of the last one: what was open is not. */
  get generation(): number {
    return this.#generation;
  }

  get pending(): number {
    return this.#pending.size;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** @throws NotPosted; DroverError when it was answered with one, or (retryable) when it was lost */
  call(call: string, argument: unknown, { transfer = [], isFirst = false, moreMs = 0 }: CallOptions = {}): Promise<unknown> {
    if (this.#flushFailed !== undefined) return Promise.reject(this.#ended(this.#flushFailed));
    const waiting = isFirst ? this.#pendingFirst : this.#pending.size - this.#pendingFirst;
    if (waiting >= (isFirst ? MAX_PENDING_FIRST : MAX_PENDING)) {
      this.counters.turnedAway++;
      return Promise.reject(new TooManyWait(waiting));
    }
    const running = this.#running;
    if (running === undefined) return Promise.reject(new NotPosted("the store's thread does not run"));
    const request: ThreadRequest = { id: this.#requests++, call, argument, isFirst };
    return new Promise((settle, fail) => {
      this.#pending.set(request.id, { settle, fail, deadline: this.#clock.monotonic() + this.#answerWithinMs + moreMs, isFirst });
      if (isFirst) this.#pendingFirst++;
      this.#arm();
      running.worker.postMessage(request, [...transfer]);
    });
  }

  /** Starts the thread when it does not run. Waits for the end of the one before: two connections on one file would meet its lock. @throws NotPosted within the backoff */
  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    if (this.#flushFailed !== undefined) throw this.#ended(this.#flushFailed);
    if (this.#clock.monotonic() < this.#notBefore) throw new NotPosted("the store's thread ended and is started again after a pause");
    await this.#ending;
    this.#running ??= this.#spawn();
  }

  /** Ends the thread as a crash would: nothing is closed, what is pending is lost, of which the call under way may still be carried out. */
  async kill(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#failed(running, new Error("it was ended"));
    await this.#end(running);
  }

  /** Waits for a thread whose file was closed. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) await this.#end(running);
  }

  #spawn(): Running {
    const gate = createGate();
    const worker = new Worker(new URL(`./store.worker${import.meta.url.slice(-3)}`, import.meta.url), { name: "drover-store", workerData: gate });
    const onProcessExit = (): void => void shutAndWait(gate, END_WITHIN_MS);
    process.on("exit", onProcessExit);
    let cause: unknown;
    worker.on("message", (answer: ThreadAnswer) => {
      this.#answered(answer);
    });
    worker.on("error", (error) => {
      cause = error;
    });
    const ended = new Promise<void>((resolve) => {
      worker.once("exit", (exitCode) => {
        process.off("exit", onProcessExit);
        // Its last file was closed: nothing holds the thread any more, and nobody waits for it.
        if (exitCode === 0 && cause === undefined && this.#pending.size === 0 && this.#running === running) this.#running = undefined;
        this.#failed(running, cause ?? new Error(`exit code ${String(exitCode)}`));
        resolve();
      });
    });
    const running: Running = { worker, gate, ended };
    this.#ending = ended;
    this.#generation++;
    this.counters.started++;
    return running;
  }

  /** A thread that hangs in the operating system cannot be ended without ending the process; it is left behind, and holds its lock. */
  async #end({ worker, gate, ended }: Running): Promise<void> {
    shut(gate);
    const wake: ThreadRequest = { id: -1, call: "end", argument: undefined, isFirst: false };
    worker.postMessage(wake);
    const hasEnded = ended.then(() => true);
    this.#ending = settledWithin(hasEnded, this.#clock, END_WITHIN_MS, undefined).then((inTime) => {
      if (inTime === true) return;
      this.#log.error({ withinMs: END_WITHIN_MS }, "store thread does not end");
      worker.unref();
    });
    await this.#ending;
  }

  /** H4. */
  #ended(reason: string): NotPosted {
    return new NotPosted(reason, new DroverError("DROVER_STORE_FLUSH_FAILED", reason));
  }

  #answered({ id, value, error, flushFailed }: ThreadAnswer): void {
    this.#failures = 0;
    if (flushFailed !== undefined && this.#flushFailed === undefined) {
      this.#flushFailed = `a flush of the store failed: ${flushFailed}`;
      this.#log.error({ reason: flushFailed }, "a flush of the store failed; nothing more is acknowledged");
      this.#onFlushFailed(this.#flushFailed);
    }
    const pending = this.#take(id);
    // Its deadline passed; whoever asked was told that it is lost.
    if (pending === undefined) return;
    this.#arm();
    if (error === undefined) pending.settle(value);
    else pending.fail(errorOf(error));
  }

  #failed(running: Running, cause: unknown): void {
    if (this.#running !== running) return;
    this.#running = undefined;
    this.#notBefore = this.#clock.monotonic() + (this.#failures === 0 ? 0 : Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#failures - 1)));
    this.#failures++;
    this.#log.error({ err: cause, lost: this.#pending.size }, "store thread ended");
    this.#lose([...this.#pending.keys()], `the store's thread ended: ${cause instanceof Error ? cause.message : String(cause)}`);
  }

  #lose(ids: readonly number[], reason: string): void {
    for (const id of ids) {
      this.counters.lost++;
      this.#take(id)?.fail(new DroverError("DROVER_STORE_FAILED", reason, { retryable: true }));
    }
    this.#arm();
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (this.#pending.delete(id) && pending?.isFirst === true) this.#pendingFirst--;
    return pending;
  }

  /** One timeout for the oldest request. */
  #arm(): void {
    const oldest = this.#pending.values().next().value;
    if (oldest === undefined) {
      this.#clock.clearTimeout(this.#timeout);
      this.#timeout = undefined;
      return;
    }
    if (this.#timeout !== undefined) return;
    this.#timeout = this.#clock.setTimeout(() => {
      this.#timeout = undefined;
      const now = this.#clock.monotonic();
      const late = [...this.#pending].filter(([, { deadline }]) => deadline <= now).map(([id]) => id);
      if (late.length > 0) this.#log.error({ requests: late.length, withinMs: this.#answerWithinMs }, "store did not answer in time");
      this.#lose(late, `no answer from the store within ${String(this.#answerWithinMs)} ms`);
    }, oldest.deadline - this.#clock.monotonic());
  }
}
