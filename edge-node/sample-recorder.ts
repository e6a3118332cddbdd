// Samples of the signals that the file's telemetry names, into the store-and-forward log: what changed, at most once in `at_most` (class B).

import type { ModelTelemetry } from "../actors/vehicle-file/index.ts";
import { encodeSample, type SampleRecord } from "../protocols/uplink/index.ts";
import type { AppendLog, Clock, Log } from "../runtime/ports/index.ts";
import type { Pipeline } from "./pipeline.ts";

export interface SampleRecorder {
  beat(nowMs: number): void;
  /** All values that are fresh, for somebody who has none. */
  everything(nowMs: number): SampleRecord;
  /** Settles when what was begun is written. */
  idle(): Promise<void>;
  readonly counters: { readonly samples: number; readonly failed: number };
}

export interface SampleRecorderOptions {
  readonly pipeline: Pipeline;
  readonly state: NonNullable<ModelTelemetry["state"]>;
  readonly telemetry: AppendLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly appended: (seq: number, sample: SampleRecord) => void;
}

export function sampleRecorder(options: SampleRecorderOptions): SampleRecorder {
  const { pipeline, state, telemetry, clock, log } = options;
  const { table } = pipeline;
  const counters = { samples: 0, failed: 0 };
  const recorded = new Map<string, number | null>();
  const dirty = new Set<string>();
  let nextMs = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> | undefined;
  table.onSamples(state.signals, (index) => {
    const name = table.signals[index]?.name;
    if (name !== undefined) dirty.add(name);
  });

  function valueNow(name: string, nowMs: number): number | null {
    const reading = table.read(name, nowMs);
    return reading?.quality === "good" ? (reading.value ?? null) : null;
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
      if (nowMs < nextMs || dirty.size === 0 || writing !== undefined) return;
      const values: Record<string, number | null> = {};
      for (const name of dirty) {
        const value = valueNow(name, nowMs);
        if (recorded.get(name) === value) continue;
        recorded.set(name, value);
        values[name] = value;
      }
      dirty.clear();
      if (Object.keys(values).length === 0) return;
      nextMs = nowMs + state.atMostMs;
      writing = write({ at: clock.now(), values }).finally(() => {
        writing = undefined;
      });
    },
    everything: (nowMs) => {
      const values: Record<string, number | null> = {};
      for (const name of state.signals) {
        const value = valueNow(name, nowMs);
        if (value !== null) values[name] = value;
      }
      return { at: clock.now(), values };
    },
    idle: async () => {
      await writing;
    },
  };
}
