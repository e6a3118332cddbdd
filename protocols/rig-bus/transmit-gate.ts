// What leaves, and what became of it (vehicle.md X4). Pure of sockets: it is given a way to hand a frame over, and is told of echoes and refusals.
//
// G1. At most one frame is with the bus until its echo returns; the others wait here, where they can still be refused.
// G2. A frame that waits here at its deadline was never sent: refused. One that is with the bus: unknown, and the gate stalls.
// G3. Stalled: everything queued is refused, the controller is emptied, nothing is taken. It opens after the flush is confirmed and a frame from
//     another node was heard, which is the proof that the bus lives.
// G4. Every send settles by its deadline, whatever happens.

import type { CanFrame, SendOutcome } from "../can/index.ts";
import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";

export interface TransmitPath {
  /** Hands one frame to the bus. */
  transmit(request: number, frame: CanFrame): void;
  /** Asks the controller to throw away what it holds. */
  flush(token: number): void;
}

interface Sending {
  readonly request: number;
  readonly frame: CanFrame;
  readonly timer: TimeoutHandle;
  readonly settle: (outcome: SendOutcome) => void;
}

type GateState =
  | { readonly kind: "closed"; readonly reason: string }
  | { readonly kind: "open"; readonly path: TransmitPath; readonly outstanding: Sending | undefined }
  | { readonly kind: "stalled"; readonly path: TransmitPath; readonly token: number; readonly isFlushed: boolean };

export class TransmitGate {
  readonly #clock: Clock;
  readonly #queueLimit: number;
  readonly #queue: Sending[] = [];
  #state: GateState = { kind: "closed", reason: "not connected" };
  #requests = 0;
  #wasStalled = false;

  /** @param queueLimit frames that may wait here beside the one that is with the bus */
  constructor(clock: Clock, queueLimit: number) {
    this.#clock = clock;
    this.#queueLimit = queueLimit;
  }

  get isStalled(): boolean {
    return this.#state.kind === "stalled";
  }

  /** A way to the bus is there, its controller empty. A gate that closed while stalled still waits for the bus to show life. */
  open(path: TransmitPath): void {
    this.#state = this.#wasStalled ? { kind: "stalled", path, token: NO_TOKEN, isFlushed: true } : { kind: "open", path, outstanding: undefined };
  }

  /** The way to the bus is gone. What it had is unknown, what waited is refused. */
  close(reason: string): void {
    const before = this.#state;
    this.#wasStalled ||= before.kind === "stalled";
    this.#state = { kind: "closed", reason };
    if (before.kind === "open" && before.outstanding !== undefined) this.#settle(before.outstanding, { kind: "unknown", reason });
    this.#refuseQueued("down", reason);
  }

  send(frame: CanFrame, withinMs: number): Promise<SendOutcome> {
    const state = this.#state;
    if (state.kind === "closed") return Promise.resolve({ kind: "refused", reason: "down", detail: state.reason });
    if (state.kind === "stalled") return Promise.resolve({ kind: "refused", reason: "down", detail: STALLED });
    if (this.#queue.length >= this.#queueLimit) return Promise.resolve({ kind: "refused", reason: "queue-full", detail: `${String(this.#queueLimit)} frames wait` });
    return new Promise((settle) => {
      this.#requests = (this.#requests + 1) >>> 0;
      const sending: Sending = {
        request: this.#requests,
        // A copy: the caller may use its buffer again before the frame's turn.
        frame: { ...frame, data: frame.data.slice() },
        timer: this.#clock.setTimeout(() => {
          this.#expired(sending);
        }, withinMs),
        settle,
      };
      this.#queue.push(sending);
      this.#next();
    });
  }

  /** @param timeS of the echo, on our clock. False: it answers nothing that waits (its deadline had passed). */
  echoed(request: number, timeS: number): boolean {
    const state = this.#state;
    if (state.kind !== "open" || state.outstanding?.request !== request) return false;
    this.#release(state.path, state.outstanding, { kind: "sent", timeS });
    return true;
  }

  refused(request: number, reason: "invalid" | "queue-full", detail: string): void {
    const state = this.#state;
    if (state.kind === "open" && state.outstanding?.request === request) this.#release(state.path, state.outstanding, { kind: "refused", reason, detail });
  }

  flushed(token: number): void {
    if (this.#state.kind === "stalled" && this.#state.token === token) this.#state = { ...this.#state, isFlushed: true };
  }

  /** A frame of another node was on the bus. */
  heardAnother(): void {
    if (this.#state.kind !== "stalled" || !this.#state.isFlushed) return;
    this.#wasStalled = false;
    this.open(this.#state.path);
  }

  #next(): void {
    const state = this.#state;
    if (state.kind !== "open" || state.outstanding !== undefined) return;
    const sending = this.#queue.shift();
    if (sending === undefined) return;
    this.#state = { ...state, outstanding: sending };
    state.path.transmit(sending.request, sending.frame);
  }

  #release(path: TransmitPath, sending: Sending, outcome: SendOutcome): void {
    this.#state = { kind: "open", path, outstanding: undefined };
    this.#settle(sending, outcome);
    this.#next();
  }

  /** G2. */
  #expired(sending: Sending): void {
    const state = this.#state;
    if (state.kind === "open" && state.outstanding === sending) {
      this.#requests = (this.#requests + 1) >>> 0;
      this.#state = { kind: "stalled", path: state.path, token: this.#requests, isFlushed: false };
      this.#settle(sending, { kind: "unknown", reason: "no echo by the deadline" });
      this.#refuseQueued("down", STALLED);
      state.path.flush(this.#requests);
      return;
    }
    const at = this.#queue.indexOf(sending);
    if (at !== -1) this.#queue.splice(at, 1);
    this.#settle(sending, { kind: "refused", reason: "deadline", detail: "its deadline passed while it waited for the frame before it" });
  }

  #refuseQueued(reason: "down", detail: string): void {
    for (const sending of this.#queue.splice(0)) this.#settle(sending, { kind: "refused", reason, detail });
  }

  #settle(sending: Sending, outcome: SendOutcome): void {
    this.#clock.clearTimeout(sending.timer);
    sending.settle(outcome);
  }
}

/** No flush is awaited. */
const NO_TOKEN = -1;
const STALLED = "tx-stalled: an earlier frame found no echo; sending opens again after a frame from another node";
