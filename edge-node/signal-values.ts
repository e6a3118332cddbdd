// The vehicle's signals for its own API, from the table: values with their age, and what changed, at most four times a second.

import type { Pipeline } from "./pipeline.ts";
import type { SignalSource, SignalState } from "../protocols/uplink/index.ts";
import type { SignalReading } from "../protocols/can/index.ts";
import type { Clock } from "../runtime/ports/index.ts";

const CHANGES_EVERY_MS = 250;

export interface SignalValues extends SignalSource {
  beat(nowMs: number): void;
}

export function signalValues(vehicle: string, pipeline: Pipeline, clock: Clock): SignalValues {
  const { table } = pipeline;
  const listeners = new Set<(changed: readonly SignalState[]) => void>();
  const changed = new Set<number>();
  const qualities: (string | undefined)[] = [];
  let toldMs = Number.NEGATIVE_INFINITY;
  table.onSamples(
    table.signals.map(({ name }) => name),
    (index) => {
      if (listeners.size > 0) changed.add(index);
    },
  );

  function stateOf(reading: SignalReading, offsetMs: number): SignalState {
    const { name, value, label, unit, timeMs, quality } = reading;
    return {
      name,
      value,
      label,
      unit,
      at: timeMs === undefined ? undefined : Math.round(timeMs + offsetMs),
      quality,
      simulated: pipeline.simulated,
    };
  }

  return {
    signals: (asked) => {
      if (asked !== vehicle) return undefined;
      const nowMs = clock.monotonic();
      const offsetMs = clock.now() - nowMs;
      return table.readAll(nowMs).map((reading) => stateOf(reading, offsetMs));
    },
    watch: (asked, listener) => {
      if (asked === vehicle) listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    beat: (nowMs) => {
      if (listeners.size === 0 || nowMs - toldMs < CHANGES_EVERY_MS) return;
      toldMs = nowMs;
      const offsetMs = clock.now() - nowMs;
      const states: SignalState[] = [];
      for (const [index, { name }] of table.signals.entries()) {
        const reading = table.read(name, nowMs);
        if (reading === undefined || (!changed.has(index) && reading.quality === qualities[index])) continue;
        qualities[index] = reading.quality;
        states.push(stateOf(reading, offsetMs));
      }
      changed.clear();
      if (states.length > 0) for (const listener of [...listeners]) listener(states);
    },
  };
}
