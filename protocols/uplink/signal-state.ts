// Signals as an API shows them, in a vehicle from its own table and in the cloud from what it sent: one shape for both (design section 8).

/** What does not change while a vehicle runs. */
export interface SignalInfo {
  readonly name: string;
  readonly unit: string | null;
  /** Raw value to word, where the signal is an enumeration. */
  readonly labels: readonly (readonly [number, string])[];
}

export interface SignalState {
  readonly name: string;
  /** undefined: never seen, or not available. */
  readonly value: number | undefined;
  readonly label: string | undefined;
  readonly unit: string | undefined;
  /** Wall time of the value at the vehicle, ms. */
  readonly at: number | undefined;
  readonly quality: "good" | "stale" | "unknown";
  /** True when simulated hardware made it. */
  readonly simulated: boolean;
}

export interface SignalSource {
  /** undefined: no such vehicle here. */
  signals(vehicle: string): readonly SignalState[] | undefined;
  /** Calls back with the signals that changed; bounded by its source's rate. */
  watch(vehicle: string, listener: (changed: readonly SignalState[]) => void): () => void;
}

/** A telemetry sample: the latest values of what changed (class B), as it stands in the log and on the wire. */
export interface SampleRecord {
  /** Wall time at the vehicle, ms. */
  readonly at: number;
  /** By name; null: not available any more. */
  readonly values: Readonly<Record<string, number | null>>;
}

const MAX_NAME_CHARACTERS = 256;

export function sampleProblem(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "an object is expected";
  const { at, values } = value as { readonly at?: unknown; readonly values?: unknown };
  if (typeof at !== "number" || !Number.isFinite(at)) return "at: a time in ms is expected";
  if (typeof values !== "object" || values === null) return "values: an object is expected";
  if (Object.keys(values).some((name) => name.length > MAX_NAME_CHARACTERS)) return `values: names have at most ${String(MAX_NAME_CHARACTERS)} characters`;
  return Object.values(values).every((item: unknown) => item === null || (typeof item === "number" && Number.isFinite(item))) ? undefined : "values: numbers or null are expected";
}
