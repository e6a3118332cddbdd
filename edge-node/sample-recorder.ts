// Samples of the signals that the file's telemetry names, into the store-and-forward log (class B), each with how old it was by then (vehicle V1).
//
// R1. What changed is told at most once in `at_most`.
// R2. That a value which was told as good is so no longer is told within a second: whoever reads it elsewhere is not left with what the vehicle knows to be old.
//     It is good again by R1, so a signal that comes and goes costs no more than one that changes. After a pause of this process what was said meanwhile is read first.

import type { ModelTelemetry } from "../actors/vehicle-file/index.ts";
import { encodeSample, type SampleRecord, type SampleValue } from "../protocols/uplink/index.ts";
import type { AppendLog, Clock, Log } from "../runtime/ports/index.ts";
import type { SignalReading } from "../protocols/can/index.ts";
import type { Pipeline } from "./pipeline.ts";

const LOOK_EVERY_MS = 1_000;

export interface SampleRecorder {
  beat(nowMs: number): void;
  /** All values that are known, for somebody who has none. */
  everything(nowMs: number): SampleRecord;
  /** Settles when what was begun is written. */
  idle(): Promise<void>;
  readonly counters: { readonly samples: number; readonly failed: number };
}

export interface SampleRecorderOptions {
  readonly pipeline: Pipeline;
  /** Of this run of the node. */
  readonly session: string;
  readonly state: NonNullable<ModelTelemetry["state"]>;
  readonly telemetry: AppendLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly appended: (seq: number, sample: SampleRecord) => void;
}

export function sampleRecorder(options: SampleRecorderOptions): SampleRecorder {
  const { pipeline, session, state, telemetry, clock, log } = options;
  const { table } = pipeline;
  const counters = { samples: 0, failed: 0 };
  const recorded = new Map<string, { readonly value: number | undefined; readonly isGood: boolean }>();
  const dirty = new Set<string>();
  let nextMs = Number.NEGATIVE_INFINITY;
  let beatMs = Number.NEGATIVE_INFINITY;
  let lookMs = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> | undefined;
  table.onSamples(state.signals, (index) => {
    const name = table.signals[index]?.name;
    if (name !== undefined) dirty.add(name);
  });

  function toldOf(reading: SignalReading | undefined, nowMs: number): SampleValue {
    if (reading?.value === undefined || reading.timeMs === undefined) return null;
    const ageMs = Math.max(0, Math.round(nowMs - reading.timeMs));
    if (reading.quality === "stale") return [reading.value, ageMs, "stale"];
    return ageMs === 0 ? reading.value : [reading.value, ageMs];
  }

  /** R2. */
  function* noLongerGood(nowMs: number): Iterable<string> {
    if (nowMs < lookMs) return;
    lookMs = nowMs + LOOK_EVERY_MS;
    for (const [name, { isGood }] of recorded) if (isGood && table.read(name, nowMs)?.quality !== "good") yield name;
  }

  async function write(sample: SampleRecord): Promise<void> {
    try {
      const [seq] = await telemetry.append([{ at: sample.at, class: "B", bytes: encodeSample(sample) }]);
      counters.samples++;
      if (seq !== undefined) options.appended(seq, sample);
    } catch (error) {
      counters.failed++;
      if (counters.failed === 1 || counters.failed % 100 === 0) log.error({ err: error, failed: counters.failed }, "a sample could not be kept");
    }
  }

  return {
    counters,
    beat: (nowMs) => {
      // One append at a time: a slow card makes samples rarer, never a queue.
      if (nowMs - beatMs >= LOOK_EVERY_MS) lookMs = nowMs + LOOK_EVERY_MS;
      beatMs = nowMs;
      if (writing !== undefined) return;
      const names = new Set(noLongerGood(nowMs));
      if (nowMs >= nextMs) {
        for (const name of dirty) names.add(name);
        dirty.clear();
      }
      const values: Record<string, SampleValue> = {};
      for (const name of names) {
        const reading = table.read(name, nowMs);
        const { value, quality } = reading ?? {};
        const isGood = quality === "good";
        const known = recorded.get(name);
        if (known?.value === value && known?.isGood === isGood) continue;
        recorded.set(name, { value, isGood });
        values[name] = toldOf(reading, nowMs);
      }
      if (Object.keys(values).length === 0) return;
      if (nowMs >= nextMs) nextMs = nowMs + state.atMostMs;
      writing = write({ at: clock.now(), told: { session, ms: nowMs }, values }).finally(() => {
        writing = undefined;
      });
    },
    everything: (nowMs) => {
      const values: Record<string, SampleValue> = {};
      for (const name of state.signals) {
        const told = toldOf(table.read(name, nowMs), nowMs);
        if (told !== null) values[name] = told;
      }
      return { at: clock.now(), told: { session, ms: nowMs }, values };
    },
    idle: async () => {
      await writing;
    },
  };
}
