// The bus between a simulated node and its cabin: frames take a little time, and now and then one of ours is never echoed.

import {
  appendFrame,
  type BusState,
  type CanFrame,
  createFrameBatch,
  FrameFlag,
  type FrameListener,
  type FrameSink,
  type FrameSource,
  type SendOutcome,
} from "../../protocols/can/index.ts";
import type { Clock, Random, TimeoutHandle } from "../../runtime/ports/index.ts";
import type { Cabin, CabinFrame } from "./cabin.ts";

/** Slower than the real modules, which keeps a seed short, and fast enough not to be called silent. */
const STATUS_EVERY_MS = 700;
const ON_THE_WIRE_MS = 1;
const NO_ECHO = 0.02;

export class CabinBus implements FrameSource, FrameSink {
  readonly buses = ["can0"];
  readonly simulated = true;
  readonly counters = { received: 0, dropped: 0, sent: 0, sendFailed: 0 };
  readonly #cabin: Cabin;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #batch = createFrameBatch(1);
  readonly #sending = new Set<(outcome: SendOutcome) => void>();
  #listener: FrameListener | undefined;
  #status: TimeoutHandle | undefined;
  #state: BusState = { kind: "down", reason: "not started" };

  constructor(cabin: Cabin, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#cabin = cabin;
    this.#clock = clock;
    this.#random = random;
  }

  get state(): BusState {
    return this.#state;
  }

  start(listener: FrameListener): Promise<void> {
    this.#listener = listener;
    this.#state = { kind: "up" };
    listener.onState?.(this.#state);
    const tell = (): void => {
      this.#status = this.#clock.setTimeout(tell, STATUS_EVERY_MS);
      for (const frame of this.#cabin.status()) this.#deliver(frame, FrameFlag.received);
    };
    this.#status = this.#clock.setTimeout(tell, this.#random.next() * STATUS_EVERY_MS);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#clock.clearTimeout(this.#status);
    this.#state = { kind: "down", reason: "stopped" };
    for (const settle of [...this.#sending]) settle({ kind: "unknown", reason: "stopped" });
    return Promise.resolve();
  }

  send(frame: CanFrame, { withinMs }: { readonly withinMs: number }): Promise<SendOutcome> {
    return new Promise((resolve) => {
      const settle = (outcome: SendOutcome): void => {
        this.#sending.delete(settle);
        this.#clock.clearTimeout(arrival);
        this.#clock.clearTimeout(limit);
        resolve(outcome);
      };
      this.#sending.add(settle);
      const limit = this.#clock.setTimeout(() => {
        settle({ kind: "unknown", reason: "no echo by the deadline" });
      }, withinMs);
      const arrival = this.#clock.setTimeout(() => {
        const said = this.#cabin.take(frame);
        if (this.#random.next() < NO_ECHO) return;
        settle({ kind: "sent", timeS: this.#clock.monotonic() / 1_000 });
        this.#deliver(frame, FrameFlag.sentByUs);
        for (const answer of said) this.#deliver(answer, FrameFlag.received);
      }, ON_THE_WIRE_MS);
    });
  }

  #deliver(frame: CabinFrame, flags: number): void {
    if (this.#state.kind === "down") return;
    this.#batch.count = 0;
    appendFrame(this.#batch, frame, { timeS: this.#clock.monotonic() / 1_000, flags });
    this.#listener?.onFrames(this.#batch);
  }
}
