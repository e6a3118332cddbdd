// The simulated rig's bus as a frame source on the test's own clock: no socket, no real time.

import type { SimulatedRig } from "../../cli/rig/index.ts";
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
import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";

interface Waiting {
  readonly settle: (outcome: SendOutcome) => void;
  readonly timer: TimeoutHandle;
}

export class RigInTime implements FrameSource, FrameSink {
  readonly buses = ["can0"];
  readonly simulated = true;
  readonly counters = { received: 0, dropped: 0, sent: 0, sendFailed: 0 };
  readonly #rig: SimulatedRig;
  readonly #clock: Clock;
  readonly #batch = createFrameBatch(1);
  readonly #waiting = new Map<number, Waiting>();
  #plug: ReturnType<SimulatedRig["bus"]["attach"]> | undefined;
  #listener: FrameListener | undefined;
  #state: BusState = { kind: "down", reason: "not started" };
  #tokens = 0;
  #held: (() => void)[] | undefined;

  constructor(rig: SimulatedRig, clock: Clock) {
    this.#rig = rig;
    this.#clock = clock;
  }

  get state(): BusState {
    return this.#state;
  }

  async start(listener: FrameListener): Promise<void> {
    this.#listener = listener;
    this.#plug = this.#rig.bus.attach({
      name: "client",
      kind: "client",
      queueLimit: 16,
      receive: (frame, at) => {
        this.#deliver(frame, at, FrameFlag.received);
      },
      sent: (frame, at, token) => {
        this.#deliver(frame, at, FrameFlag.sentByUs);
        this.#settle(token, { kind: "sent", timeS: at / 1_000 });
      },
    });
    this.setState({ kind: "up" });
  }

  async stop(): Promise<void> {
    this.#plug?.detach();
    this.#plug = undefined;
    for (const token of [...this.#waiting.keys()]) this.#settle(token, { kind: "unknown", reason: "stopped" });
    this.#state = { kind: "down", reason: "stopped" };
  }

  setState(state: BusState): void {
    this.#state = state;
    this.#listener?.onState?.(state);
  }

  /** The node does not read: what the bus says waits in the source. @returns lets it read */
  hold(): () => void {
    this.#held = [];
    return () => {
      const waiting = this.#held ?? [];
      this.#held = undefined;
      for (const deliver of waiting) deliver();
    };
  }

  send(frame: CanFrame, { withinMs }: { readonly withinMs: number }): Promise<SendOutcome> {
    return new Promise((settle) => {
      const token = ++this.#tokens;
      const timer = this.#clock.setTimeout(() => {
        this.#plug?.flush();
        this.#settle(token, { kind: "unknown", reason: "no echo by the deadline" });
      }, withinMs);
      this.#waiting.set(token, { settle, timer });
      if (this.#plug?.send({ id: frame.id, extended: false, data: frame.data }, token) !== true) this.#settle(token, { kind: "refused", reason: "down", detail: "not attached" });
    });
  }

  #settle(token: number, outcome: SendOutcome): void {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    this.#clock.clearTimeout(waiting?.timer);
    waiting?.settle(outcome);
  }

  #deliver(frame: { readonly id: number; readonly data: Uint8Array }, at: number, flags: number): void {
    if (this.#state.kind === "down") return;
    if (this.#held !== undefined) {
      this.#held.push(() => {
        this.#deliver(frame, at, flags);
      });
      return;
    }
    this.#batch.count = 0;
    appendFrame(this.#batch, frame, { timeS: at / 1_000, flags });
    this.#listener?.onFrames(this.#batch);
  }
}
