// A recording as a frame source: its frames come when they came, at real speed or any factor of it, once or for ever. Times are those of the clock, as from a real bus.
//
// R1. Two batches are held: one is played while the other is read. Nothing else grows.
// R2. Frames are at most 20 ms late while the process keeps up. After a longer stop (over 1 s) the recording goes on where it was: no frame is lost, its time moves.
// R3. A loop goes on without a pause; its times never go back, also where the recording's do.
// R4. A recording whose clock jumps (over 60 s ahead, over 2 s back, from one line to the next, on whatever bus) goes on right away: no frame is lost, all later times move by the jump.
//     Jumps are counted, and the first is logged. A true silence of more than a minute is passed over likewise: the file cannot tell the two apart.
// R5. Frames of buses that are not wanted are passed over, and do not count as dropped.
// R6. Whether the wanted bus is there is known at the latest after one pass without a frame of it. `start` waits for that for a second; a longer search goes on behind it.
// R7. What cannot be played, or not any further, is a fault: `start` throws it, or the state that it goes down with carries it. The end of a recording is none.

import { type BusState, copySlot, createFrameBatch, type FrameBatch, type FrameListener, type FrameSource } from "../can/index.ts";
import { DroverError } from "../../runtime/index.ts";
import { type Clock, type Log, silentLog, type TimeoutHandle } from "../../runtime/ports/index.ts";
import { type LogReader, type LogSummary, openLog } from "./log-reader.ts";
import { interfaceToPlay, KnownInterfaces, type PlayedBus, stampOf } from "./played-bus.ts";

const BATCH_FRAMES = 2_048;
/** Frames of this long come together. */
const BATCH_MS = 10;
/** Timers of a host end at 24 days; a recording may be silent for longer. */
const MAX_SLEEP_MS = 60_000;
const WAIT_FOR_PAGE_MS = 1;
const MAX_LAG_MS = 1_000;
const MAX_START_MS = 1_000;
/** Between the last frame of a pass and the first of the next, and across a jump of the recording's clock; in the recording's time. */
const SEAM_GAP_S = 0.01;
/** Steps of the recording's clock that are no passing of time (R4). Lines of several buses may be a little out of order. */
const MAX_STEP_AHEAD_S = 60;
const MAX_STEP_BACK_S = 2;

export interface LogReplayOptions {
  readonly path: string;
  /** Recorded second a second of the clock; > 0, default 1. */
  readonly speed?: number;
  /** Start again at the end. Default false. */
  readonly loop?: boolean;
  /** The one that is played; others are passed over. Default: all, under their own names. */
  readonly bus?: PlayedBus;
  /** What earlier replays of the same recording found in it, for the next. */
  readonly known?: KnownInterfaces;
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
  readonly #loop: boolean;
  readonly #bus: PlayedBus | undefined;
  readonly #known: KnownInterfaces;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #names: string[];
  readonly #out: FrameBatch = createFrameBatch(BATCH_FRAMES);
  #reader: LogReader | undefined;
  /** Of the file, before this pass. */
  #stamp: string | undefined;
  /** The interface that is played; undefined: whatever there is. */
  #interface: string | undefined;
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
  /** Added to the recorded times of this pass, s. */
  #shiftS = 0;
  #lastS = Number.NEGATIVE_INFINITY;
  /** As recorded, of the frame before on any bus; undefined at the start of a pass. */
  #recordedS: number | undefined;
  #framesInPass = 0;
  #passes = 0;
  #stalls = 0;
  #clockJumps = 0;
  #stopped = false;

  constructor(options: LogReplayOptions, clock: Clock, log: Log) {
    this.#path = options.path;
    this.#speed = options.speed ?? 1;
    this.#loop = options.loop ?? false;
    this.#bus = options.bus;
    this.#known = options.known ?? new KnownInterfaces();
    this.#names = options.bus === undefined ? [] : [options.bus.name];
    this.#clock = clock;
    this.#log = log;
  }

  get buses(): readonly string[] {
    return this.#names;
  }

  get state(): BusState {
    return this.#state;
  }

  get counters(): FrameSource["counters"] {
    return { ...this.#counters };
  }

  get summary(): LogSummary | undefined {
    return this.#reader?.summary;
  }

  get passes(): number {
    return this.#passes;
  }

  get stalls(): number {
    return this.#stalls;
  }

  get clockJumps(): number {
    return this.#clockJumps;
  }

  async start(listener: FrameListener): Promise<void> {
    if (this.#listener !== undefined || this.#stopped) throw new DroverError("DROVER_CAN_USE", `the replay of ${this.#path} was started twice`);
    this.#listener = listener;
    this.#state = { kind: "down", reason: "no frame of this bus has come up in the recording yet" };
    let isAwaited = true;
    this.#search = this.#read().then(
      () => this.#begin(),
      (error: unknown) => {
        this.#failure = asError(error);
        if (!isAwaited) return this.#end();
        void this.#reader?.close();
      },
    );
    let timer: TimeoutHandle | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(resolve, MAX_START_MS);
    });
    await Promise.race([this.#search, late]);
    this.#clock.clearTimeout(timer);
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
    this.#clock.clearTimeout(this.#timer);
    this.#setState({ kind: "down", reason: "stopped" });
    await this.#search;
    await this.#reading;
    await this.#reader?.close();
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

  /** Fills `#next` with wanted frames; begins the next pass at the end of one. Leaves it empty only when there is nothing more. @throws DROVER_CAN_BUS_NOT_RECORDED, what opening throws */
  async #read(): Promise<void> {
    const { batch } = this.#next;
    while (batch.count === 0 && !this.#stopped) {
      this.#reader ??= await this.#openPass();
      const reader = this.#reader;
      if ((await reader.fill(batch)) > 0) {
        this.#arrange(batch, reader.buses);
        this.#framesInPass += batch.count;
        continue;
      }
      if (this.#isStopped()) return;
      const { summary } = reader;
      if (summary.unreadable > 0 || summary.cutShort !== undefined)
        this.#log.warn({ path: this.#path, unreadable: summary.unreadable, problems: summary.problems, cutShort: summary.cutShort }, "the recording has lines that cannot be read");
      if (this.#framesInPass === 0 && this.#bus !== undefined) {
        this.#known.keep(this.#stamp, reader.buses);
        // Throws where there is nothing else to play: no pass is without frames twice.
        this.#choose(this.#bus, reader.buses);
      } else if (!this.#loop || this.#framesInPass === 0) {
        this.#exhausted = true;
        return;
      }
      await reader.close();
      this.#reader = undefined;
    }
  }

  async #openPass(): Promise<LogReader> {
    this.#stamp = await stampOf(this.#path);
    if (this.#passes === 0) this.#interface = this.#bus?.recorded ?? this.#bus?.name;
    const known = await this.#known.recall(this.#path);
    if (this.#bus !== undefined && known !== undefined) this.#choose(this.#bus, known);
    const reader = await openLog(this.#path);
    if (!reader.namesBuses) this.#interface = undefined;
    this.#passes++;
    this.#recordedS = undefined;
    this.#framesInPass = 0;
    return reader;
  }

  #choose(bus: PlayedBus, interfaces: readonly string[]): void {
    const chosen = interfaceToPlay(bus, interfaces, this.#path);
    if (chosen !== this.#interface)
      this.#log.info({ path: this.#path, bus: bus.name, interface: chosen }, "the recording has no frame of this bus; its only interface is played for it");
    this.#interface = chosen;
  }

  /** Drops what is not wanted, renames buses, and makes times go on from pass to pass. */
  #arrange(batch: FrameBatch, recorded: readonly string[]): void {
    const indices = recorded.map((name) => {
      if (this.#interface !== undefined && name !== this.#interface) return -1;
      const wanted = this.#bus?.name ?? name;
      const known = this.#names.indexOf(wanted);
      return known >= 0 ? known : this.#names.push(wanted) - 1;
    });
    const { count } = batch;
    batch.count = 0;
    for (let slot = 0; slot < count; slot++) {
      const recordedS = batch.timesS[slot] ?? 0;
      this.#follow(recordedS, batch.lines[slot] ?? 0);
      const bus = indices[batch.buses[slot] ?? 0] ?? -1;
      if (bus < 0) continue;
      this.#lastS = Math.max(this.#lastS, recordedS + this.#shiftS);
      const at = batch.count;
      copySlot(batch, slot, batch);
      batch.timesS[at] = this.#lastS;
      batch.buses[at] = bus;
    }
  }

  /** Moves the times from here on where the recording starts again or its clock jumps. */
  #follow(recordedS: number, line: number): void {
    const beforeS = this.#recordedS;
    this.#recordedS = recordedS;
    if (beforeS === undefined) {
      if (this.#lastS !== Number.NEGATIVE_INFINITY) this.#shiftS = this.#lastS + SEAM_GAP_S - recordedS;
      return;
    }
    const stepS = recordedS - beforeS;
    if (stepS <= MAX_STEP_AHEAD_S && stepS >= -MAX_STEP_BACK_S) return;
    // From the time of the line before, which may be of a bus that is not wanted.
    this.#shiftS = Math.max(this.#lastS, beforeS + this.#shiftS) + SEAM_GAP_S - recordedS;
    if (this.#clockJumps++ === 0) this.#log.warn({ path: this.#path, line, stepS }, "the recording's clock jumps; it is played on without a pause (told once)");
  }

  #end(): void {
    void this.#reader?.close();
    if (this.#stopped) return;
    const reason = this.#passes === 1 && this.#framesInPass === 0 ? "the recording has no frame" : "the recording has ended";
    this.#setState(this.#failure === undefined ? { kind: "down", reason } : { kind: "down", reason: this.#failure.message, cause: this.#failure });
  }

  #setState(state: BusState): void {
    this.#state = state;
    this.#listener?.onState?.(state);
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
