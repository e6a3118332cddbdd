// A CAN bus inside the process, for tests and embedders. Every port hears what the others send, and the echo of what it sent itself, after it was on the bus.
//
// B1. One frame at a time when the bus has a bit rate: it takes its bit time, and of those that wait the lowest id goes first. Without a bit rate frames pass in order of sending, at the
//     next turn of the clock.
// B2. Each port has a bounded queue; what does not fit is refused, never dropped in silence.
// B3. A send settles by its deadline: refused while it still waited (it is then withdrawn), unknown once it was on its way.

import {
  appendFrame,
  type BusState,
  type CanFrame,
  createFrameBatch,
  type FrameBatch,
  FrameFlag,
  frameProblem,
  type FrameListener,
  type FrameSink,
  type FrameSource,
  ID_MASK,
  type SendOutcome,
} from "../can/index.ts";
import { type Clock, DroverError, type TimeoutHandle } from "../../runtime/ports/index.ts";

const DEFAULT_QUEUE_LIMIT = 64;
/** Frames handed on at once on a bus without a bit rate. */
const FRAMES_PER_TURN = 256;

export interface VirtualBusOptions {
  readonly clock: Clock;
  /** Default "virtual0". */
  readonly name?: string;
  /** Default: frames take no time. */
  readonly bitrateBps?: number;
}

export interface VirtualPortOptions {
  /** `listen-only` refuses to send. Default `normal`. */
  readonly mode?: "normal" | "listen-only";
  /** Frames that may wait to be sent; default 64. */
  readonly queueLimit?: number;
}

export type VirtualPort = FrameSource & FrameSink;

export interface VirtualBus {
  readonly name: string;
  readonly state: BusState;
  /** A new participant. */
  attach(options?: VirtualPortOptions): VirtualPort;
  /** Frames as if from a participant that is not ours, at once and in this order. */
  inject(frames: readonly CanFrame[]): void;
  /** `down`: what waits is refused, what is on its way becomes unknown. */
  setState(state: BusState): void;
  /** While false nobody acknowledges: the frame that is on its way stays there. */
  setAcknowledges(acknowledges: boolean): void;
  /** Frames that were on the bus. */
  readonly frames: number;
}

interface Sending {
  readonly frame: CanFrame;
  readonly port: Port;
  readonly order: number;
  deadline: TimeoutHandle | undefined;
  settle: ((outcome: SendOutcome) => void) | undefined;
}

export function createVirtualBus(options: VirtualBusOptions): VirtualBus {
  return new Bus(options);
}

class Bus implements VirtualBus {
  readonly name: string;
  readonly clock: Clock;
  readonly #bitrateBps: number | undefined;
  readonly #ports = new Set<Port>();
  readonly #waiting: Sending[] = [];
  readonly #batch: FrameBatch = createFrameBatch(FRAMES_PER_TURN);
  #onItsWay: readonly Sending[] = [];
  #transfer: TimeoutHandle | undefined;
  #acknowledges = true;
  #order = 0;
  #state: BusState = { kind: "up" };
  #frames = 0;

  constructor(options: VirtualBusOptions) {
    this.clock = options.clock;
    this.name = options.name ?? "virtual0";
    this.#bitrateBps = options.bitrateBps;
    if (this.#bitrateBps !== undefined && !(this.#bitrateBps > 0)) throw new DroverError("DROVER_CAN_USE", `bit rate ${String(this.#bitrateBps)}, expected more than 0`);
  }

  get state(): BusState {
    return this.#state;
  }

  get frames(): number {
    return this.#frames;
  }

  attach(options: VirtualPortOptions = {}): VirtualPort {
    const port = new Port(this, options.mode ?? "normal", options.queueLimit ?? DEFAULT_QUEUE_LIMIT);
    this.#ports.add(port);
    return port;
  }

  detach(port: Port): void {
    this.#ports.delete(port);
    this.#withdraw(
      (sending) => sending.port === port,
      { kind: "refused", reason: "down", detail: "the port was stopped" },
      { kind: "unknown", reason: "the port was stopped before the echo came" },
    );
  }

  inject(frames: readonly CanFrame[]): void {
    if (this.#state.kind === "down") return;
    for (const frame of frames) {
      const problem = frameProblem(frame);
      if (problem !== undefined) throw new DroverError("DROVER_CAN_USE", `frame ${frame.id.toString(16)}: ${problem}`);
      this.#batch.count = 0;
      appendFrame(this.#batch, frame, { timeS: this.clock.monotonic() / 1_000, line: ++this.#frames });
      for (const port of [...this.#ports]) port.deliver(this.#batch, undefined);
    }
  }

  setState(state: BusState): void {
    this.#state = state;
    if (state.kind === "down") {
      this.clock.clearTimeout(this.#transfer);
      this.#transfer = undefined;
      this.#withdraw(() => true, { kind: "refused", reason: "down", detail: state.reason }, { kind: "unknown", reason: `the bus went down: ${state.reason}` });
      this.#onItsWay = [];
    }
    for (const port of [...this.#ports]) port.tell(state);
    this.#pump();
  }

  setAcknowledges(acknowledges: boolean): void {
    this.#acknowledges = acknowledges;
    if (acknowledges && this.#onItsWay.length > 0 && this.#transfer === undefined) this.#begin(this.#onItsWay);
    else this.#pump();
  }

  queued(port: Port): number {
    return this.#waiting.reduce((count, sending) => count + (sending.port === port ? 1 : 0), 0);
  }

  send(port: Port, frame: CanFrame, withinMs: number): Promise<SendOutcome> {
    return new Promise((resolve) => {
      const sending: Sending = { frame, port, order: this.#order++, deadline: undefined, settle: resolve };
      sending.deadline = this.clock.setTimeout(() => this.#expire(sending, withinMs), withinMs);
      this.#waiting.push(sending);
      this.#pump();
    });
  }

  #expire(sending: Sending, withinMs: number): void {
    const at = this.#waiting.indexOf(sending);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#settle(
      sending,
      at >= 0
        ? { kind: "refused", reason: "deadline", detail: `still waiting after ${String(withinMs)} ms` }
        : { kind: "unknown", reason: `no echo within ${String(withinMs)} ms` },
    );
  }

  #pump(): void {
    if (this.#transfer !== undefined || this.#onItsWay.length > 0 || this.#waiting.length === 0 || this.#state.kind === "down") return;
    if (this.#bitrateBps === undefined) this.#begin(this.#waiting.splice(0, FRAMES_PER_TURN));
    else {
      const next = this.#waiting.reduce((best, sending) => (priority(sending.frame) < priority(best.frame) ? sending : best));
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#begin([next]);
    }
  }

  #begin(sendings: readonly Sending[]): void {
    this.#onItsWay = sendings;
    if (!this.#acknowledges) return;
    const first = sendings[0];
    const delayMs = this.#bitrateBps === undefined || first === undefined ? 0 : (frameBits(first.frame) * 1_000) / this.#bitrateBps;
    this.#transfer = this.clock.setTimeout(() => {
      this.#transfer = undefined;
      if (this.#acknowledges) this.#arrive();
    }, delayMs);
  }

  #arrive(): void {
    const sendings = this.#onItsWay;
    this.#onItsWay = [];
    const timeS = this.clock.monotonic() / 1_000;
    for (const sending of sendings) {
      this.#batch.count = 0;
      appendFrame(this.#batch, sending.frame, { timeS, line: ++this.#frames });
      for (const port of [...this.#ports]) port.deliver(this.#batch, sending.port);
      this.#settle(sending, { kind: "sent", timeS });
    }
    this.#pump();
  }

  #withdraw(which: (sending: Sending) => boolean, ifWaiting: SendOutcome, ifOnItsWay: SendOutcome): void {
    for (const sending of this.#waiting.filter(which)) {
      this.#waiting.splice(this.#waiting.indexOf(sending), 1);
      this.#settle(sending, ifWaiting);
    }
    for (const sending of this.#onItsWay.filter(which)) this.#settle(sending, ifOnItsWay);
  }

  #settle(sending: Sending, outcome: SendOutcome): void {
    this.clock.clearTimeout(sending.deadline);
    const { settle } = sending;
    sending.settle = undefined;
    if (settle === undefined) return;
    sending.port.count(outcome);
    settle(outcome);
  }
}

class Port implements FrameSource, FrameSink {
  readonly buses: readonly string[];
  readonly #bus: Bus;
  readonly #mode: "normal" | "listen-only";
  readonly #queueLimit: number;
  readonly #counters = { received: 0, dropped: 0, sent: 0, sendFailed: 0 };
  #phase: { readonly kind: "new" | "stopped" } | { readonly kind: "running"; readonly listener: FrameListener } = { kind: "new" };

  constructor(bus: Bus, mode: "normal" | "listen-only", queueLimit: number) {
    this.#bus = bus;
    this.buses = [bus.name];
    this.#mode = mode;
    this.#queueLimit = queueLimit;
  }

  get state(): BusState {
    return this.#phase.kind === "running" ? this.#bus.state : { kind: "down", reason: this.#phase.kind === "new" ? "not started" : "stopped" };
  }

  get counters(): FrameSource["counters"] {
    return { ...this.#counters };
  }

  async start(listener: FrameListener): Promise<void> {
    if (this.#phase.kind !== "new") throw new DroverError("DROVER_CAN_USE", `a port of ${this.#bus.name} was started twice`);
    this.#phase = { kind: "running", listener };
    await Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#phase = { kind: "stopped" };
    this.#bus.detach(this);
    await Promise.resolve();
  }

  async send(frame: CanFrame, options: { readonly withinMs: number }): Promise<SendOutcome> {
    const refusal = this.#refusal(frame);
    if (refusal === undefined) return await this.#bus.send(this, frame, options.withinMs);
    this.count(refusal);
    return refusal;
  }

  #refusal(frame: CanFrame): SendOutcome | undefined {
    const problem = frameProblem(frame);
    const { state } = this;
    if (this.#mode === "listen-only") return { kind: "refused", reason: "listen-only", detail: `${this.#bus.name} is listen-only` };
    if (problem !== undefined) return { kind: "refused", reason: "invalid", detail: problem };
    if (state.kind === "down") return { kind: "refused", reason: "down", detail: state.reason };
    if (this.#bus.queued(this) >= this.#queueLimit) return { kind: "refused", reason: "queue-full", detail: `${String(this.#queueLimit)} frames wait` };
    return undefined;
  }

  deliver(batch: FrameBatch, sender: Port | undefined): void {
    if (this.#phase.kind !== "running") {
      this.#counters.dropped++;
      return;
    }
    batch.flags[0] = ((batch.flags[0] ?? 0) & ~(FrameFlag.sentByUs | FrameFlag.received)) | (sender === this ? FrameFlag.sentByUs : FrameFlag.received);
    this.#counters.received++;
    this.#phase.listener.onFrames(batch);
  }

  tell(state: BusState): void {
    if (this.#phase.kind === "running") this.#phase.listener.onState?.(state);
  }

  count(outcome: SendOutcome): void {
    if (outcome.kind === "sent") this.#counters.sent++;
    else this.#counters.sendFailed++;
  }
}

/** What arbitration compares: the lower wins; of two with the same first 11 bits the standard one. */
function priority(frame: CanFrame): number {
  return frame.extended === true ? (frame.id & ID_MASK) + 0.5 : (frame.id << 18) >>> 0;
}

/** Bits of a classic frame without stuffing, with the gap between frames. */
function frameBits(frame: CanFrame): number {
  return (frame.extended === true ? 67 : 47) + 8 * frame.data.length;
}
