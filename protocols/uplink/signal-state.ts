// Signals as an API shows them, in a vehicle from its own table and in the cloud from what it sent: one shape for both (design section 8).

import { isRecord, isText, isWallTime } from "../../runtime/wire/index.ts";

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
  /** Wall time of the value, by the clock of the node that shows it, ms. */
  readonly at: number | undefined;
  readonly quality: "good" | "stale" | "unknown" | "not-available";
  /** True when simulated hardware made it. */
  readonly simulated: boolean;
}

export interface SignalSource {
  /** undefined: no such vehicle here. */
  signals(vehicle: string): readonly SignalState[] | undefined;
  /** Calls back with the signals that changed; bounded by its source's rate. */
  watch(vehicle: string, listener: (changed: readonly SignalState[]) => void): () => void;
}

/**
 * What a vehicle tells of one signal: its value as of the sample's own time; or with how old it was by then, ms, and whether that was too old for its period;
 * null: not available, or nothing is known of it any more.
 */
export type SampleValue = number | null | readonly [value: number, ageMs: number] | readonly [value: number, ageMs: number, quality: "stale"];

/** A telemetry sample: the latest values of what changed (class B), as it stands in the log and on the wire. */
export interface SampleRecord {
  /** Wall time at the vehicle when it was told, ms. */
  readonly at: number;
  /** The same moment without a wall clock, which may be corrected: the run of the vehicle's node, and ms of passing time in it. */
  readonly told?: ToldAt;
  /** By name. */
  readonly values: Readonly<Record<string, SampleValue>>;
}

export interface ToldAt {
  readonly session: string;
  readonly ms: number;
}

/** What a vehicle tells of its signals once, before their values. */
export interface SignalDescription {
  readonly signals: readonly SignalInfo[];
  readonly simulated: boolean;
  readonly staleAfterMs: number;
}

const MAX_NAME_CHARACTERS = 256;
const MAX_UNIT_CHARACTERS = 64;
const MAX_LABELS = 4_096;
/** More than a vehicle has; of these the mirror keeps what it has room for. */
const MAX_LISTED = 100_000;
const DEFAULT_STALE_AFTER_MS = 60_000;

/** Why an unchecked value is no sample, or undefined. */
export function sampleProblem(value: unknown): string | undefined {
  const { at, told, values } = isRecord(value) ? value : {};
  if (!isWallTime(at)) return "at: a time in ms is expected";
  if (!isAbsent(told) && toldAtOf(told) === undefined) return "told: a session and ms are expected";
  if (!isRecord(values)) return "values: an object is expected";
  if (Object.keys(values).some((name) => !isName(name))) return `values: names have 1 to ${String(MAX_NAME_CHARACTERS)} characters`;
  return Object.values(values).every(isSampleValue) ? undefined : 'values: a number, null, or [number, age in ms] with "stale" or without is expected';
}

/** Checked; undefined: it is none. */
export function toldAtOf(value: unknown): ToldAt | undefined {
  const { session, ms } = isRecord(value) ? value : {};
  return typeof session === "string" && isName(session) && isFinite(ms) ? { session, ms } : undefined;
}

function isSampleValue(item: unknown): boolean {
  if (item === null || isFinite(item)) return true;
  if (!Array.isArray(item) || item.length < 2 || item.length > 3) return false;
  const [value, ageMs, quality] = item as readonly unknown[];
  return isFinite(value) && isFinite(ageMs) && ageMs >= 0 && (quality === undefined || quality === "stale");
}

function isFinite(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** The checked description in an unchecked value, or why there is none. */
export function descriptionOf(value: unknown): SignalDescription | { readonly problem: string } {
  const { signals, simulated, staleAfterMs } = isRecord(value) ? value : {};
  if (!Array.isArray(signals) || signals.length > MAX_LISTED) return { problem: `signals: a list of at most ${String(MAX_LISTED)} is expected` };
  if (!isAbsent(simulated) && typeof simulated !== "boolean") return { problem: "simulated: true or false is expected" };
  if (!isAbsent(staleAfterMs) && !(isFinite(staleAfterMs) && staleAfterMs >= 0)) return { problem: "staleAfterMs: ms are expected" };
  const bad = signals.findIndex((signal: unknown) => !isInfo(signal));
  if (bad !== -1) return { problem: `signals/${String(bad)}: name, unit or null, and labels of number and text are expected` };
  return { signals: signals as readonly SignalInfo[], simulated: simulated === true, staleAfterMs: staleAfterMs ?? DEFAULT_STALE_AFTER_MS };
}

function isInfo(value: unknown): value is SignalInfo {
  if (!isRecord(value)) return false;
  const { name, unit, labels } = value;
  return (
    typeof name === "string" &&
    isName(name) &&
    (isAbsent(unit) || isText(unit, MAX_UNIT_CHARACTERS)) &&
    Array.isArray(labels) &&
    labels.length <= MAX_LABELS &&
    labels.every(isLabel)
  );
}

function isLabel(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && isFinite(value[0]) && isText(value[1], MAX_NAME_CHARACTERS);
}

function isName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME_CHARACTERS;
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
