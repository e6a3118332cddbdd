// A recording as a frame source: its frames come when they came, at real speed or any factor of it, once or for ever. Times are those of the clock, as from a real bus.
//
// R1. Two batches are held: one is played while the other is read. Nothing else grows.
// R2. Frames are at most 20 ms late while the process keeps up. After a longer stop (over 1 s) the recording goes on where it was: no frame is lost, its time moves.
// R3 to R5: recording-passes.ts.
// R6. Whether the wanted bus is there is known at the latest after one pass without a frame of it. `start` waits for that for a second; a longer search goes on behind it.
// R7. What cannot be played, or not any further, is a fault: `start` throws it, or the state that it goes down with carries it. The end of a recording is none.

import { type BusState, copySlot, createFrameBatch, type FrameBatch, type FrameListener, type FrameSource } from "../can/index.ts";
import { type Clock, DroverError, type Log, settledWithin, silentLog, type TimeoutHandle } from "../../runtime/ports/index.ts";
import type { LogSummary } from "./log-reader.ts";
import { RecordingPasses, type RecordingPassesOptions } from "./recording-passes.ts";

const BATCH_FRAMES = 2_048;
/** Frames of this long come together. */
const BATCH_MS = 10;
/** Timers of a host end at 24 days; a recording may be silent for longer. */
const MAX_SLEEP_MS = 60_000;
const WAIT_FOR_PAGE_MS = 1;
const MAX_LAG_MS = 1_000;
const MAX_START_MS = 1_000;

export interface LogReplayOptions extends RecordingPassesOptions {
  /** Recorded second a second of the clock; > 0, default 1. */
  readonly speed?: number;
}

export interface LogReplay extends FrameSource {
  /** Of the pass that is being played. */
  readonly summary: LogSummary | undefined;
  /** Passes begun. */
  readonly passes: number;
  /** How often it fell behind by more than a second and went on later (R2). */
  readonly stalls: number;
  /** How often the recording's clock jumped, over all passes (R4). */
  readonly clockJumps: number;
}

/** @throws DROVER_CAN_USE for a speed that is not above 0; `start` throws what opening the recording throws, and DROVER_CAN_BUS_NOT_RECORDED */
export function createLogReplay(options: LogReplayOptions, ports: { readonly clock: Clock; readonly log?: Log }): LogReplay {
  if (options.speed !== undefined && !(options.speed > 0 && Number.isFinite(options.speed)))
    throw new DroverError("DROVER_CAN_USE", `replay speed ${String(options.speed)}, expected a number above 0`);
  return new Replay(options, ports.clock, ports.log ?? silentLog);
}

interface Page {
  readonly batch: FrameBatch;
  /** First slot that was not played. */
  at: number;
}

class Replay implements LogReplay {
  readonly #path: string;
  readonly #speed: number;
  readonly #passes: RecordingPasses;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #out: FrameBatch = createFrameBatch(BATCH_FRAMES);
  #playing: Page = { batch: createFrameBatch(BATCH_FRAMES), at: 0 };
  #next: Page = { batch: createFrameBatch(BATCH_FRAMES), at: 0 };
  /** The reading of `#next`; undefined when it is done. */
  #reading: Promise<void> | undefined;
  /** The search for the first wanted frame. */
  #search: Promise<void> | undefined;
  #exhausted = false;
  /** Why it cannot be played on. */
  #failure: Error | undefined;
  #listener: FrameListener | undefined;
  #timer: TimeoutHandle | undefined;
  #state: BusState = { kind: "down", reason: "not started" };
  readonly #counters = { received: 0, dropped: 0, sent: 0, sendFailed: 0 };
  /** Clock (ms) at which recorded time 0 would have been. */
  #zeroMs = 0;
  #stalls = 0;
  #stopped = false;

  constructor(options: LogReplayOptions, clock: Clock, log: Log) {
    this.#path = options.path;
    this.#speed = options.speed ?? 1;
    this.#passes = new RecordingPasses(options, log);
    this.#clock = clock;
    this.#log = log;
  }

  get buses(): readonly string[] {
    return this.#passes.buses;
  }

  get state(): BusState {
    return this.#state;
  }

  get counters(): FrameSource["counters"] {
    return { ...this.#counters };
  }

  get summary(): LogSummary | undefined {
    return this.#passes.summary;
  }

  get passes(): number {
    return this.#passes.count;
  }

  get stalls(): number {
    return this.#stalls;
  }

  get clockJumps(): number {
    return this.#passes.clockJumps;
  }

  async start(listener: FrameListener): Promise<void> {
    if (this.#listener !== undefined || this.#stopped) throw new DroverError("DROVER_CAN_USE", `the replay of ${this.#path} was started twice`);
    this.#listener = listener;
    this.#state = { kind: "down", reason: "no frame of this bus has come up in the recording yet", isExpected: true };
    let isAwaited = true;
    this.#search = this.#read().then(
      () => this.#begin(),
      (error: unknown) => {
        this.#failure = asError(error);
        if (!isAwaited) return this.#end();
        void this.#passes.close();
      },
    );
    await settledWithin(this.#search, this.#clock, MAX_START_MS, undefined);
    isAwaited = false;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Plays what was read first. */
  #begin(): void {
    if (this.#stopped) return;
    this.#turnPage();
    this.#zeroMs = this.#clock.monotonic() - (this.#playing.batch.timesS[0] ?? 0) * this.#perSecond();
    this.#setState({ kind: "up" });
    this.#play();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#passes.stop();
    this.#clock.clearTimeout(this.#timer);
    this.#setState({ kind: "down", reason: "stopped" });
    await this.#search;
    await this.#reading;
    await this.#passes.close();
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #perSecond(): number {
    return 1_000 / this.#speed;
  }

  /** Plays what is due, then sleeps until something is. */
  #play(): void {
    if (this.#stopped) return;
    let nowMs = this.#clock.monotonic();
    const dueMs = this.#dueMs();
    if (dueMs !== undefined && nowMs - dueMs > MAX_LAG_MS) {
      this.#zeroMs += nowMs - dueMs;
      this.#stalls++;
    }
    this.#out.count = 0;
    while (this.#out.count < BATCH_FRAMES) {
      const due = this.#dueMs();
      if (due === undefined || due > nowMs) break;
      copySlot(this.#playing.batch, this.#playing.at, this.#out);
      this.#out.timesS[this.#out.count - 1] = due / 1_000;
      this.#playing.at++;
      if (this.#playing.at >= this.#playing.batch.count) this.#turnPage();
    }
    if (this.#out.count > 0) {
      this.#counters.received += this.#out.count;
      this.#listener?.onFrames(this.#out);
    }
    // The listener may have stopped it.
    if (this.#isStopped()) return;
    if (this.#playing.at >= this.#playing.batch.count && this.#reading === undefined && this.#exhausted) return this.#end();
    nowMs = this.#clock.monotonic();
    const next = this.#dueMs();
    const waitMs = next === undefined ? WAIT_FOR_PAGE_MS : this.#out.count >= BATCH_FRAMES ? 0 : Math.min(Math.max(next - nowMs, BATCH_MS), MAX_SLEEP_MS);
    this.#timer = this.#clock.setTimeout(() => this.#play(), waitMs);
  }

  /** When the next frame is to be played, ms; undefined while none is read. */
  #dueMs(): number | undefined {
    const { batch, at } = this.#playing;
    return at < batch.count ? this.#zeroMs + (batch.timesS[at] ?? 0) * this.#perSecond() : undefined;
  }

  /** The page that was read becomes the one that is played, if it is ready, and the other is read. */
  #turnPage(): void {
    if (this.#reading !== undefined) return;
    const played = this.#playing;
    this.#playing = this.#next;
    this.#next = played;
    played.batch.count = 0;
    played.at = 0;
    if (this.#exhausted) return;
    this.#reading = this.#read()
      .catch((error: unknown) => {
        this.#exhausted = true;
        this.#failure = asError(error);
        this.#log.error({ path: this.#path, error: this.#failure.message }, "the replay cannot read on");
      })
      .finally(() => {
        this.#reading = undefined;
        if (!this.#stopped && this.#playing.at >= this.#playing.batch.count) this.#turnPage();
      });
  }

  /** Leaves `#next` empty only when there is nothing more. */
  async #read(): Promise<void> {
    this.#exhausted = !(await this.#passes.fill(this.#next.batch));
  }

  #end(): void {
    void this.#passes.close();
    if (this.#stopped) return;
    if (this.#failure !== undefined) this.#setState({ kind: "down", reason: this.#failure.message, cause: this.#failure });
    else if (this.#passes.isEmpty) this.#setState({ kind: "down", reason: "the recording has no frame" });
    else this.#setState({ kind: "down", reason: "the recording has ended", isExpected: true });
  }

  #setState(state: BusState): void {
    this.#state = state;
    this.#listener?.onState?.(state);
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
