// The simulated rig's bus as a FrameSource and FrameSink like any other: connects to its Unix socket, keeps connecting, hands frames on in batches.
// Neighbours: wire.ts (records), transmit-gate.ts (what leaves), clock-offset.ts (whose time).
//
// C1. A batch is handed on at most `batchMs` after its first frame was read, or when it is full.
// C2. The outcome of a send comes after every frame that was on the bus before it, its own echo included, has been handed on.
// C3. Connection lost: `down`, what was with the rig is `unknown`; retried for ever, full jitter, 50 ms doubling to 2 s, from the start again after 5 s up.

import { connect, type Socket } from "node:net";
import { appendFrame, type CanFrame, createFrameBatch, FrameFlag, frameProblem } from "../can/index.ts";
import type { BusState, FrameCounters, FrameListener, FrameSink, FrameSource, SendOutcome } from "../can/index.ts";
import { type Clock, DroverError, type Log, type Random, silentLog, type TimeoutHandle } from "../../runtime/ports/index.ts";
import { ClockOffset } from "./clock-offset.ts";
import { TransmitGate } from "./transmit-gate.ts";
import { encodeFlush, encodeTransmit, RigRecordReader, type RigHello, type RigRecord, type TimedFrame } from "./wire.ts";

export interface RigBusOptions {
  /** The rig's frame socket. */
  readonly path: string;
  /** Default `listen-only`: nothing is ever sent (vehicle.md X1). */
  readonly mode?: "normal" | "listen-only";
  /** Another bit rate than this keeps the bus down; default: any. */
  readonly bitrate?: number;
  /** Its name in `buses`, whatever the rig calls it; default `can0`. */
  readonly name?: string;
  /** 1 to 20, default 10. */
  readonly batchMs?: number;
  /** Frames that may wait to be sent; default 64. */
  readonly queueLimit?: number;
}

export interface RigBusPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
}

export interface RigBus extends FrameSource, FrameSink {
  /** What the rig said of itself in this connection; undefined while down. `simulated` is to be shown wherever its values are. */
  readonly hello: RigHello | undefined;
  /** True from the first hello of a simulated bus on. */
  readonly simulated: boolean;
  /** An own frame found no echo; nothing is sent until the bus shows life (X4). */
  readonly isTransmitStalled: boolean;
  /** Beside the counters of every source. */
  readonly rigCounters: Readonly<{ connections: number; protocolErrors: number; lateEchoes: number }>;
}

const BATCH_FRAMES = 256;
const HELLO_WITHIN_MS = 2000;
const BACKOFF_FIRST_MS = 50;
const BACKOFF_MOST_MS = 2000;
/** Node's timers fire at once beyond 2^31 ms; nobody waits this long for a frame. */
const LONGEST_WAIT_MS = 3_600_000;
const MIN_UPTIME_FOR_BACKOFF_RESET_MS = 5000;

/** @throws DROVER_CONFIG_INVALID for a `batchMs` outside 1..20 or a `queueLimit` outside 1..1024 */
export function createRigBus(options: RigBusOptions, ports: RigBusPorts): RigBus {
  return new RigBusSource(options, ports);
}

class RigBusSource implements RigBus {
  readonly buses: string[];
  readonly rigCounters = { connections: 0, protocolErrors: 0, lateEchoes: 0 };
  readonly #options: Required<Pick<RigBusOptions, "path" | "mode" | "batchMs">> & Pick<RigBusOptions, "bitrate">;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #gate: TransmitGate;
  readonly #offset = new ClockOffset();
  readonly #batch = createFrameBatch(BATCH_FRAMES);
  readonly #counters = { received: 0, dropped: 0, sent: 0, sendFailed: 0 };
  #state: BusState = { kind: "down", reason: "not started" };
  #hello: RigHello | undefined;
  #simulated = false;
  #listener: FrameListener | undefined;
  #stopped = false;
  #socket: Socket | undefined;
  #timer: TimeoutHandle | undefined;
  #batchTimer: TimeoutHandle | undefined;
  #attempts = 0;
  #upSince = 0;
  #lines = 0;
  #firstAttempt: (() => void) | undefined;

  constructor(options: RigBusOptions, ports: RigBusPorts) {
    const { batchMs = 10, queueLimit = 64 } = options;
    if (!(batchMs >= 1 && batchMs <= 20)) throw new DroverError("DROVER_CONFIG_INVALID", `batchMs ${String(batchMs)} is outside 1..20`);
    if (!(Number.isInteger(queueLimit) && queueLimit >= 1 && queueLimit <= 1024))
      throw new DroverError("DROVER_CONFIG_INVALID", `queueLimit ${String(queueLimit)} is outside 1..1024`);
    this.#options = { path: options.path, mode: options.mode ?? "listen-only", batchMs, ...(options.bitrate === undefined ? {} : { bitrate: options.bitrate }) };
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#log = (ports.log ?? silentLog).child({ socket: options.path });
    this.#gate = new TransmitGate(ports.clock, queueLimit);
    this.buses = [options.name ?? "can0"];
  }

  get state(): BusState {
    return this.#state;
  }

  get counters(): FrameCounters {
    return { ...this.#counters };
  }

  get hello(): RigHello | undefined {
    return this.#hello;
  }

  get simulated(): boolean {
    return this.#simulated;
  }

  get isTransmitStalled(): boolean {
    return this.#gate.isStalled;
  }

  /** Resolves after the first attempt to connect, whether the rig was there or not: a vehicle starts without its bus. */
  start(listener: FrameListener): Promise<void> {
    if (this.#listener !== undefined || this.#stopped) return Promise.reject(new DroverError("DROVER_CONFIG_INVALID", "a rig bus starts once"));
    this.#listener = listener;
    return new Promise((resolve) => {
      this.#firstAttempt = resolve;
      this.#connect();
    });
  }

  stop(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#stopped = true;
    this.#batch.count = 0;
    this.#clock.clearTimeout(this.#timer);
    this.#clock.clearTimeout(this.#batchTimer);
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#hello = undefined;
    this.#state = { kind: "down", reason: "stopped" };
    this.#gate.close("stopped");
    this.#attempted();
    return Promise.resolve();
  }

  async send(frame: CanFrame, options: { readonly withinMs: number; readonly bus?: number }): Promise<SendOutcome> {
    const outcome = await this.#trySend(frame, options);
    if (outcome.kind === "sent") this.#counters.sent++;
    else this.#counters.sendFailed++;
    return outcome;
  }

  #trySend(frame: CanFrame, { withinMs, bus = 0 }: { readonly withinMs: number; readonly bus?: number }): Promise<SendOutcome> {
    const refused = (reason: "invalid" | "listen-only" | "deadline", detail: string): Promise<SendOutcome> => Promise.resolve({ kind: "refused", reason, detail });
    const problem = bus !== 0 ? `no bus ${String(bus)}` : frame.fd === true || frame.remote === true ? "the rig's bus carries classic data frames only" : frameProblem(frame);
    if (problem !== undefined) return refused("invalid", problem);
    if (this.#options.mode === "listen-only") return refused("listen-only", "this bus was opened to listen only");
    if (!(withinMs > 0)) return refused("deadline", "its deadline had passed before it was handed over");
    return this.#gate.send(frame, Math.min(withinMs, LONGEST_WAIT_MS));
  }

  #connect(): void {
    const socket = connect(this.#options.path);
    const reader = new RigRecordReader();
    this.#socket = socket;
    let reason = "the rig closed the connection";
    const giveUp = (why: string): void => {
      reason = why;
      socket.destroy();
    };
    this.#timer = this.#clock.setTimeout(() => {
      giveUp(`no hello within ${String(HELLO_WITHIN_MS)} ms`);
    }, HELLO_WITHIN_MS);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      reason = error.code === "ENOENT" || error.code === "ECONNREFUSED" ? "no rig is there" : error.message;
    });
    socket.on("data", (chunk: Buffer) => {
      if (this.#socket !== socket) return;
      const readAt = this.#clock.monotonic();
      const problem = reader.push(chunk, (record) => {
        const refusal = this.#socket === socket ? this.#take(record, socket, readAt) : undefined;
        if (refusal !== undefined) giveUp(refusal);
      });
      if (problem === undefined) return;
      this.#countProtocolError(problem);
      giveUp(`not understood: ${problem}`);
    });
    socket.once("close", () => {
      if (this.#socket === socket) this.#lost(reason);
    });
  }

  /** @returns why this connection is of no use, or undefined */
  #take(record: RigRecord, socket: Socket, readAt: number): string | undefined {
    if (record.kind === "hello") return this.#welcome(record.hello, socket);
    if (this.#hello === undefined) {
      this.#countProtocolError("a record before hello");
      return "not understood: a record before hello";
    }
    switch (record.kind) {
      case "received":
        this.#append(record.frame, readAt, FrameFlag.received);
        this.#gate.heardAnother();
        return undefined;
      case "echo": {
        const timeS = this.#append(record.frame, readAt, FrameFlag.sentByUs);
        this.#deliver();
        if (!this.#gate.echoed(record.request, timeS)) this.rigCounters.lateEchoes++;
        return undefined;
      }
      case "refused":
        if (record.reason === "queue-full") this.#gate.refused(record.request, "queue-full", "the rig's controller is full");
        else if (record.reason !== "flushed") this.#gate.refused(record.request, "invalid", "the rig takes no such frame");
        return undefined;
      case "flushed":
        this.#gate.flushed(record.token);
        return undefined;
      case "lost":
        this.#counters.dropped += record.frames;
        this.#log.warn({ frames: record.frames }, "rig bus: frames were lost, this process read too slowly");
        return undefined;
    }
  }

  #welcome(hello: RigHello, socket: Socket): string | undefined {
    if (this.#hello !== undefined) return "not understood: a second hello";
    const { bitrate } = this.#options;
    if (bitrate !== undefined && bitrate !== hello.bitrate) return `the bus runs at ${String(hello.bitrate)} bit/s, expected ${String(bitrate)}`;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#hello = hello;
    this.#simulated ||= hello.simulated;
    this.#upSince = this.#clock.monotonic();
    this.rigCounters.connections++;
    this.#offset.reset();
    this.#gate.open({
      transmit: (request, frame) => {
        socket.write(encodeTransmit(request, frame));
      },
      flush: (token) => {
        socket.write(encodeFlush(token));
      },
    });
    this.#log.info({ bus: hello.bus, bitrate: hello.bitrate, simulated: hello.simulated }, "rig bus: up");
    this.#become({ kind: "up" });
    this.#attempted();
    return undefined;
  }

  #lost(reason: string): void {
    const wasUp = this.#hello !== undefined;
    this.#socket = undefined;
    this.#hello = undefined;
    this.#clock.clearTimeout(this.#timer);
    this.#deliver();
    this.#gate.close(reason);
    if (wasUp) {
      this.#log.warn({ reason }, "rig bus: down");
      if (this.#clock.monotonic() - this.#upSince >= MIN_UPTIME_FOR_BACKOFF_RESET_MS) this.#attempts = 0;
    }
    this.#become({ kind: "down", reason });
    this.#attempted();
    const most = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.#attempts, 16));
    this.#attempts++;
    this.#timer = this.#clock.setTimeout(() => {
      this.#connect();
    }, most * this.#random.next());
  }

  #become(state: BusState): void {
    const before = this.#state;
    if (before.kind === state.kind && (before.kind === "up" || (state.kind === "down" && before.reason === state.reason))) return;
    this.#state = state;
    this.#listener?.onState?.(state);
  }

  #attempted(): void {
    this.#firstAttempt?.();
    this.#firstAttempt = undefined;
  }

  #append(frame: TimedFrame, readAt: number, flags: number): number {
    const timeS = this.#offset.toOurs(frame.rigMs, readAt) / 1000;
    this.#lines++;
    appendFrame(this.#batch, frame, { timeS, line: this.#lines, flags });
    if (this.#batch.count === this.#batch.capacity) this.#deliver();
    else
      this.#batchTimer ??= this.#clock.setTimeout(() => {
        this.#deliver();
      }, this.#options.batchMs);
    return timeS;
  }

  #deliver(): void {
    this.#clock.clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    const { count } = this.#batch;
    if (count === 0) return;
    try {
      this.#listener?.onFrames(this.#batch);
      this.#counters.received += count;
    } catch (error) {
      // A fault of the reader's, not of the bus: the frames are lost to it and counted, the connection goes on.
      this.#counters.dropped += count;
      this.#log.error({ err: error, frames: count }, "rig bus: the listener failed");
    } finally {
      this.#batch.count = 0;
    }
  }

  #countProtocolError(problem: string): void {
    this.rigCounters.protocolErrors++;
    this.#log.warn({ problem }, "rig bus: the rig sent what is no record");
  }
}
