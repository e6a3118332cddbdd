// Samples of the signals that the file's telemetry names, into the store-and-forward log (class B), each with how old it was by then (vehicle V1).
//
// R1. What changed is told at most once in `at_most`.
// R2. That a value which was told as good is so no longer is told within a second: whoever reads it elsewhere is not left with what the vehicle knows to be old.
//     It is good again by R1, so a signal that comes and goes costs no more than one that changes. After a pause of this process what was said meanwhile is read first.
// R3. What the log could not keep goes to the cloud past it, and stands in the log, with its newest value, as soon as there is room: a value that does not change any more too.

import type { ModelTelemetry } from "../actors/vehicle-file/index.ts";
import { encodeSample, type SampleRecord, type SampleValue } from "../protocols/uplink/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import type { SignalReading } from "../protocols/can/index.ts";
import type { KeptTelemetry } from "./kept-telemetry.ts";
import type { Pipeline } from "./pipeline.ts";

const LOOK_EVERY_MS = 1_000;

export interface SampleRecorder {
  beat(nowMs: number): void;
  /** All values that are known, for somebody who has none. */
  everything(nowMs: number): SampleRecord;
  /** Settles when what was begun is written. */
  idle(): Promise<void>;
}

export interface SampleRecorderOptions {
  readonly pipeline: Pipeline;
  /** Of this run of the node. */
  readonly session: string;
  readonly state: NonNullable<ModelTelemetry["state"]>;
  readonly telemetry: Pick<KeptTelemetry, "keep" | "trouble">;
  readonly clock: Clock;
  /** Told to the cloud at once, where there is a link, and not kept (R3). */
  readonly live: (sample: SampleRecord) => void;
}

export function sampleRecorder(options: SampleRecorderOptions): SampleRecorder {
  const { pipeline, session, state, telemetry, clock } = options;
  const { table } = pipeline;
  /** What was said of each signal last, by the log or past it. */
  const said = new Map<string, { readonly value: number | undefined; readonly isGood: boolean }>();
  /** Signals of which the log does not hold what was said last (R3). */
  const unkept = new Set<string>();
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
    for (const [name, { isGood }] of said) if (isGood && table.read(name, nowMs)?.quality !== "good") yield name;
  }

  /** @param news what nobody was told yet, of the sample's values */
  async function write(sample: SampleRecord, news: SampleRecord["values"]): Promise<void> {
    const isKept = await telemetry.keep({ at: sample.at, class: "B", bytes: encodeSample(sample) }, sample);
    for (const name of Object.keys(sample.values)) {
      if (isKept) unkept.delete(name);
      else unkept.add(name);
    }
    if (!isKept) options.live({ ...sample, values: news });
  }

  return {
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
      const news: Record<string, SampleValue> = {};
      for (const name of names) {
        const reading = table.read(name, nowMs);
        const { value, quality } = reading ?? {};
        const isGood = quality === "good";
        const known = said.get(name);
        if (known?.value === value && known?.isGood === isGood) continue;
        said.set(name, { value, isGood });
        news[name] = toldOf(reading, nowMs);
      }
      // While there is no room, only news is worth an entry that will be lost.
      if (Object.keys(news).length === 0 && (unkept.size === 0 || telemetry.trouble !== undefined)) return;
      const values = { ...Object.fromEntries([...unkept].map((name) => [name, toldOf(table.read(name, nowMs), nowMs)])), ...news };
      if (nowMs >= nextMs) nextMs = nowMs + state.atMostMs;
      writing = write({ at: clock.now(), told: { session, ms: nowMs }, values }, news).finally(() => {
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
