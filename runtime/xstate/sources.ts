// Runs sources outside of the turn: promises, callbacks, observables, and the tasks that a node supplies (hosting H9).
//
// S1. What a source says is handed over as data, as it was when it was said; during its own start it waits until the start has returned.
// S2. A throw in start, receive or cleanup is that source's failure: nobody else's, and never this runner's. So is the rejection of a promise that one of them returned: nobody else
//     waits for it, and it would end the process.
// S3. After its stop a source is not heard any more: what it says is counted (hosting H5), but that its promise was rejected for the stop's sake is no news. Its cleanup's failure,
//     that of a listener to its signal, and what a callback fails with that was still at work, is only reported (named difference N16).
// S4. What fails still holds what it opened, and is stopped. A promise that was rejected has ended by itself: its signal says that work was called off, which it was not.

import type { SourceSaid } from "../entity/contract.ts";
import { guardedSignal } from "../guarded-signal.ts";
import { whenRejected } from "../when-rejected.ts";
import { asItIsNow } from "./context-parts.ts";
import type { CellRef } from "./ref.ts";

export interface RunnableSource {
  readonly incarnation: number;
  readonly kind: "promise" | "callback" | "observable" | "event-observable";
  /** XState's logic; its `config` is what the author wrote. */
  readonly logic: { readonly config: unknown };
  /** A task as this node supplies it: it takes the place of the promise. */
  readonly task: ((input: unknown, signal: AbortSignal) => unknown) | undefined;
  readonly input: unknown;
  readonly self: CellRef;
  readonly system: object;
}

export interface SourceHearing {
  said(incarnation: number, said: SourceSaid): void;
  /** S3. It said something after its stop, or its end. */
  unheard(): void;
  /** A failure that nobody is to hear as an event: of a cleanup, or after the stop. @param cell address of the source */
  failedToStop(cell: string, error: unknown): void;
  /** Runs what the author wrote; default as it is. */
  watched?(incarnation: number, part: SourcePart, run: () => void): void;
}

export type SourcePart = "start" | "receive" | "cleanup";

interface Running {
  /** It has ended by itself: there is nothing to stop. */
  isOver: boolean;
  receive(event: unknown): void;
  stop(): void;
  stopped: boolean;
  /** Of a promise that was returned. */
  readonly failed: (error: unknown) => void;
  readonly failedToStop: (error: unknown) => void;
}

export class Sources {
  readonly #hearing: SourceHearing;
  readonly #running = new Map<number, Running>();

  constructor(hearing: SourceHearing) {
    this.#hearing = hearing;
  }

  get size(): number {
    return this.#running.size;
  }

  /** A source that runs already goes on. */
  start(source: RunnableSource): void {
    if (this.#running.has(source.incarnation)) return;
    const { incarnation } = source;
    const waiting: SourceSaid[] = [];
    let starting = true;
    const said = (word: SourceSaid): void => {
      if (running.stopped) this.#hearing.unheard();
      else if (starting) waiting.push(word);
      else this.#say(incarnation, word);
    };
    const running: Running = {
      isOver: false,
      receive: () => undefined,
      stop: () => undefined,
      stopped: false,
      failed: (error) => {
        if (running.stopped) running.failedToStop(error);
        else said({ kind: "error", error });
      },
      failedToStop: (error) => {
        this.#hearing.failedToStop(source.self.address, error);
      },
    };
    this.#running.set(incarnation, running);
    try {
      this.#watched(incarnation, "start", () => {
        launch(source, running, said);
      });
    } catch (error) {
      waiting.push({ kind: "error", error });
    }
    starting = false;
    for (const word of waiting) {
      if (running.stopped) break;
      this.#say(incarnation, word);
    }
  }

  send(incarnation: number, event: unknown): void {
    const running = this.#running.get(incarnation);
    if (running === undefined) return;
    try {
      this.#watched(incarnation, "receive", () => {
        running.receive(event);
      });
    } catch (error) {
      this.#say(incarnation, { kind: "error", error });
    }
  }

  stop(incarnation: number): void {
    const running = this.#running.get(incarnation);
    if (running === undefined) return;
    this.#running.delete(incarnation);
    this.#silence(incarnation, running);
  }

  stopAll(): void {
    for (const incarnation of [...this.#running.keys()].toReversed()) this.stop(incarnation);
  }

  #say(incarnation: number, said: SourceSaid): void {
    const running = this.#running.get(incarnation);
    if (running === undefined) return;
    if (said.kind === "error" || said.kind === "done") {
      this.#running.delete(incarnation);
      // S4.
      if (said.kind === "error" && !running.isOver) this.#silence(incarnation, running);
      else running.stopped = true;
    }
    this.#hearing.said(incarnation, said);
  }

  #watched(incarnation: number, part: SourcePart, run: () => void): void {
    if (this.#hearing.watched === undefined) run();
    else this.#hearing.watched(incarnation, part, run);
  }

  #silence(incarnation: number, running: Running): void {
    running.stopped = true;
    try {
      this.#watched(incarnation, "cleanup", () => {
        running.stop();
      });
    } catch (error) {
      running.failedToStop(error);
    }
  }
}

type Say = (word: SourceSaid) => void;

function launch(source: RunnableSource, running: Running, say: Say): void {
  switch (source.kind) {
    case "promise":
      launchPromise(source, running, say);
      return;
    case "callback":
      launchCallback(source, running, say);
      return;
    case "observable":
    case "event-observable":
      launchObservable(source, running, say);
      return;
  }
}

function launchPromise(source: RunnableSource, running: Running, say: Say): void {
  const controller = new AbortController();
  running.stop = () => {
    controller.abort();
  };
  const signal = guardedSignal(controller.signal, running.failedToStop);
  const { task, input } = source;
  const work =
    task === undefined ? (source.logic.config as (given: object) => unknown)({ input, system: source.system, self: source.self, signal, emit: emitter(say) }) : task(input, signal);
  void Promise.resolve(work).then(
    (output) => {
      running.isOver = true;
      say({ kind: "done", output: asItIsNow(output) });
    },
    (error: unknown) => {
      running.isOver = true;
      if (!(controller.signal.aborted && isAbort(error, controller.signal))) say({ kind: "error", error: asItIsNow(error) });
    },
  );
}

function isAbort(error: unknown, { reason }: AbortSignal): boolean {
  try {
    return error === reason || (error instanceof Error && error.name === "AbortError");
  } catch {
    // Whatever throws when it is asked is no news of an abort.
    return false;
  }
}

function launchCallback(source: RunnableSource, running: Running, say: Say): void {
  const receivers = new Set<(event: unknown) => unknown>();
  running.receive = (event) => {
    for (const receiver of receivers) whenRejected(receiver(event), running.failed);
  };
  const cleanup = (source.logic.config as (given: object) => unknown)({
    input: source.input,
    system: source.system,
    self: source.self,
    sendBack: (event: { readonly type: string }) => {
      say({ kind: "event", event: asItIsNow(event) });
    },
    receive: (receiver: (event: unknown) => unknown) => receivers.add(receiver),
    emit: emitter(say),
  });
  whenRejected(cleanup, running.failed);
  running.stop = () => {
    receivers.clear();
    if (typeof cleanup === "function") whenRejected((cleanup as () => unknown)(), running.failedToStop);
  };
}

interface Subscribable {
  subscribe(observer: { next(value: unknown): void; error(error: unknown): void; complete(): void }): { unsubscribe(): unknown };
}

function launchObservable(source: RunnableSource, running: Running, say: Say): void {
  const observable = (source.logic.config as (given: object) => Subscribable)({ input: source.input, system: source.system, self: source.self, emit: emitter(say) });
  whenRejected(observable, running.failed);
  const subscription = observable.subscribe({
    next: (given) => {
      const value = asItIsNow(given);
      say(source.kind === "observable" ? { kind: "next", value } : { kind: "event", event: value as { readonly type: string } });
    },
    error: (error) => {
      say({ kind: "error", error: asItIsNow(error) });
    },
    complete: () => {
      say({ kind: "done", output: undefined });
    },
  });
  whenRejected(subscription, running.failed);
  running.stop = () => {
    whenRejected(subscription.unsubscribe(), running.failedToStop);
  };
}

function emitter(say: Say): (event: { readonly type: string }) => void {
  return (event) => {
    say({ kind: "emit", event: asItIsNow(event) });
  };
}
