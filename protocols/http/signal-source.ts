// What this façade asks of whoever knows a vehicle's signals: its own table on an edge node, what the vehicle sent in the cloud.

export interface SignalReading {
  readonly name: string;
  /** undefined: never seen, or not available. */
  readonly value: number | undefined;
  readonly label: string | undefined;
  readonly unit: string | undefined;
  /** Wall time of the value, by this node's clock, ms; undefined: never seen. */
  readonly at: number | undefined;
  readonly quality: "good" | "stale" | "unknown" | "not-available";
  /** True when simulated hardware made it. */
  readonly simulated: boolean;
}

export interface SignalSource {
  /** undefined: no such vehicle here. */
  signals(vehicle: string): readonly SignalReading[] | undefined;
  /** Calls back with the signals that changed; synchronously, so a listener must only take note. */
  watch(vehicle: string, listener: (changed: readonly SignalReading[]) => void): () => void;
}

/** A signal as it is shown. */
export interface ShownSignal {
  readonly name: string;
  readonly value: number | null;
  readonly unit: string | null;
  readonly label: string | null;
  readonly time: number | null;
  readonly ageMs: number | null;
  readonly quality: "good" | "stale" | "unknown" | "not-available";
  readonly simulated: boolean;
}

export function shownSignal({ name, value: given, unit, label, at, quality, simulated }: SignalReading, nowMs: number): ShownSignal {
  // JSON has no infinite numbers: none is shown as a value.
  const value = Number.isFinite(given) ? given : undefined;
  return {
    name,
    value: value ?? null,
    unit: unit ?? null,
    label: label ?? null,
    time: at ?? null,
    // This node's clock may have been set back since.
    ageMs: at === undefined ? null : Math.max(0, nowMs - at),
    // It was said by the bus, and what was said is that there is no value.
    quality: value === undefined && at !== undefined && quality !== "unknown" ? "not-available" : quality,
    simulated,
  };
}
