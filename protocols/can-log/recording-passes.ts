// The wanted frames of a recording, once or pass after pass, with times that go on.
//
// R3. A loop goes on without a pause; its times never go back, also where the recording's do.
// R4. A recording whose clock jumps (over an hour ahead, over 2 s back, from one line to the next, on whatever bus) goes on right away: no frame is lost, all later times move by the jump.
//     Jumps are counted, and the first is logged. A true silence of more than an hour is passed over likewise: the file cannot tell the two apart.
// R5. Frames of buses that are not wanted are passed over, and do not count as dropped.

import { copySlot, type FrameBatch } from "../can/index.ts";
import type { Log } from "../../runtime/ports/index.ts";
import { type LogReader, type LogSummary, openLog } from "./log-reader.ts";
import { interfaceToPlay, KnownInterfaces, type PlayedBus, stampOf } from "./played-bus.ts";

/** Between the last frame of a pass and the first of the next, and across a jump of the recording's clock; in the recording's time. */
const SEAM_GAP_S = 0.01;
/** Steps of the recording's clock that are no passing of time (R4). Lines of several buses may be a little out of order. */
const MAX_STEP_AHEAD_S = 3_600;
const MAX_STEP_BACK_S = 2;

export interface RecordingPassesOptions {
  readonly path: string;
  /** Start again at the end. Default false. */
  readonly loop?: boolean;
  /** The one that is played; others are passed over. Default: all, under their own names. */
  readonly bus?: PlayedBus;
  /** What earlier replays of the same recording found in it, for the next. */
  readonly known?: KnownInterfaces;
}

export class RecordingPasses {
  /** By the index in the batches; grows where all buses are played. */
  readonly buses: string[];
  readonly #path: string;
  readonly #loop: boolean;
  readonly #bus: PlayedBus | undefined;
  readonly #known: KnownInterfaces;
  readonly #log: Log;
  #reader: LogReader | undefined;
  /** Of the file, before this pass. */
  #stamp: string | undefined;
  /** The interface that is played; undefined: whatever there is. */
  #interface: string | undefined;
  /** Added to the recorded times of this pass, s. */
  #shiftS = 0;
  #lastS = Number.NEGATIVE_INFINITY;
  /** As recorded, of the frame before on any bus; undefined at the start of a pass. */
  #recordedS: number | undefined;
  #framesInPass = 0;
  #count = 0;
  #clockJumps = 0;
  #stopped = false;

  constructor({ path, loop, bus, known }: RecordingPassesOptions, log: Log) {
    this.#path = path;
    this.#loop = loop ?? false;
    this.#bus = bus;
    this.#known = known ?? new KnownInterfaces();
    this.buses = bus === undefined ? [] : [bus.name];
    this.#log = log;
  }

  /** Passes begun. */
  get count(): number {
    return this.#count;
  }

  get clockJumps(): number {
    return this.#clockJumps;
  }

  /** Of the present pass. */
  get summary(): LogSummary | undefined {
    return this.#reader?.summary;
  }

  /** It came to its end without a frame. */
  get isEmpty(): boolean {
    return this.#count === 1 && this.#framesInPass === 0;
  }

  /** Fills the empty batch with wanted frames; begins the next pass at the end of one. False when there is nothing more. @throws DROVER_CAN_BUS_NOT_RECORDED, what opening throws */
  async fill(batch: FrameBatch): Promise<boolean> {
    while (batch.count === 0 && !this.#stopped) {
      this.#reader ??= await this.#openPass();
      const reader = this.#reader;
      if ((await reader.fill(batch)) > 0) {
        this.#arrange(batch, reader.buses);
        this.#framesInPass += batch.count;
        continue;
      }
      if (this.#isStopped()) break;
      const { summary } = reader;
      if (summary.unreadable > 0 || summary.cutShort !== undefined)
        this.#log.warn({ path: this.#path, unreadable: summary.unreadable, problems: summary.problems, cutShort: summary.cutShort }, "the recording has lines that cannot be read");
      if (this.#framesInPass === 0 && this.#bus !== undefined) {
        this.#known.keep(this.#stamp, reader.buses);
        // Throws where there is nothing else to play.
        this.#choose(this.#bus, reader.buses);
      } else if (!this.#loop || this.#framesInPass === 0) return false;
      await reader.close();
      this.#reader = undefined;
    }
    return batch.count > 0;
  }

  /** What is being read ends soon, and nothing is read after it. */
  stop(): void {
    this.#stopped = true;
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  async close(): Promise<void> {
    await this.#reader?.close();
  }

  async #openPass(): Promise<LogReader> {
    this.#stamp = await stampOf(this.#path);
    if (this.#count === 0) this.#interface = this.#bus?.recorded ?? this.#bus?.name;
    const known = await this.#known.recall(this.#path);
    if (this.#bus !== undefined && known !== undefined) this.#choose(this.#bus, known);
    const reader = await openLog(this.#path);
    if (!reader.namesBuses) this.#interface = undefined;
    this.#count++;
    this.#recordedS = undefined;
    this.#framesInPass = 0;
    return reader;
  }

  #choose(bus: PlayedBus, interfaces: readonly string[]): void {
    const chosen = interfaceToPlay(bus, interfaces, this.#path);
    if (chosen !== this.#interface && chosen !== (bus.recorded ?? bus.name))
      this.#log.info({ path: this.#path, bus: bus.name, interface: chosen }, "the recording has no frame of this bus; its only interface is played for it");
    this.#interface = chosen;
  }

  /** Drops what is not wanted, renames buses, and makes times go on from pass to pass. */
  #arrange(batch: FrameBatch, recorded: readonly string[]): void {
    const indices = recorded.map((name) => {
      if (this.#interface !== undefined && name !== this.#interface) return -1;
      const wanted = this.#bus?.name ?? name;
      const known = this.buses.indexOf(wanted);
      return known >= 0 ? known : this.buses.push(wanted) - 1;
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
}
