// A vehicle's own signals: what actors, the API and the cloud see instead of the signals of a bus (vehicle.md D3).
//
//   value = (Σ weight × physical value of a source, or one bit of its raw value) × factor + offset, negated while the sign flag is not 0
//
// The value is unknown while one of its parts was never seen, and not available while one of them is, or while the validity flag is 0.

/** One signal of a bus: which message, from whom. */
export interface SignalSource {
  readonly bus: string;
  readonly message: string;
  readonly signal: string;
  /** J1939: only from this sender. Default: from anyone. */
  readonly sourceAddress?: number;
}

export interface VehicleSignal {
  readonly name: string;
  readonly terms: readonly { readonly source: SignalSource; readonly weight: number }[];
  readonly factor: number;
  readonly offset: number;
  readonly negateIf?: SignalSource | undefined;
  readonly validIf?: SignalSource | undefined;
  /** One bit of the first term's raw value, 0 has weight 1. */
  readonly bit?: number | undefined;
  readonly unit?: string | undefined;
  /** Number to word. */
  readonly labels?: readonly (readonly [number, string])[];
  /** Older than this it is stale. */
  readonly staleAfterMs: number;
}

/** `unknown`: a part was never seen since the start, a takeover, or a gap (V1). `not-available`: its sender says that it has none, or what it says is not a number or infinite. `stale`: last seen too long ago. */
export type SignalQuality = "good" | "stale" | "not-available" | "unknown";

export interface SignalReading {
  readonly name: string;
  /** The last value, also when it is stale; undefined when unknown or not available. */
  readonly value: number | undefined;
  readonly quality: SignalQuality;
  /** When the oldest of its parts was on the bus, ms on the source's clock; undefined when unknown. */
  readonly timeMs: number | undefined;
  readonly unit: string | undefined;
  readonly label: string | undefined;
  /** Where it comes from, e.g. `can0.TrailerStatus.Connected`; of a sum the first term. */
  readonly source: string;
}

export function formatSource(source: SignalSource): string {
  return `${source.bus}.${source.message}.${source.signal}`;
}
