// The cloud's newest values of each vehicle's signals. Volatile: a value is never restored from a store, only told again (vehicle V1, V3).
//
// Q1. Quality is what the vehicle told, which knows how often its bus speaks; and stale is whatever was not told anew for the bound that the vehicle gives: three times as long as
//     it takes to tell all of them. Whether the vehicle can be heard is another fact, and stands beside it as its presence: a value is as old behind a lost link as it would be
//     behind one on which nothing was said yet.
// Q2. No wall clock decides what is newer or how old: clocks are corrected, here and there. A run of the vehicle's node counts its own passing time, and this node the time since it heard.
// Q3. A value's time is shown by this node's clock. Of a value that does not change the cloud hears whenever all are told.
// Q4. Whoever watches hears of a vehicle's values once it has described its signals: never with a unit or a label missing that they have.
// Q5. What a vehicle describes is all that it has: a signal that its file no longer lists is gone with the next description, and whoever watches hears that nothing is known of it.

import type { Clock } from "../../runtime/ports/index.ts";
import type { SampleRecord, SampleValue, SignalInfo, SignalSource, SignalState, ToldAt } from "./signal-state.ts";

/** Signals kept per vehicle; more are left out and counted. */
const MAX_SIGNALS = 5_000;
/** A stamp further ahead of this node's clock was made by a clock that was wrong: it keeps no later value out. */
const AHEAD_MS = 60_000;

interface Held {
  readonly value: number | null;
  /** How old it was when the vehicle told it, ms. */
  readonly ageMs: number;
  readonly isStale: boolean;
  /** When it was told: by the vehicle's wall clock, and without it where that is known. */
  readonly at: number;
  readonly told: ToldAt | undefined;
  /** When it was heard here, and how long it had been on its way by then, ms of passing time. */
  readonly heardMs: number;
  readonly wayMs: number;
}

interface Vehicle {
  readonly values: Map<string, Held>;
  info: ReadonlyMap<string, SignalInfo>;
  isDescribed: boolean;
  simulated: boolean;
  staleAfterMs: number;
  /** The run of its node that was heard last. */
  session: string | undefined;
  readonly listeners: Set<(changed: readonly SignalState[]) => void>;
}

export class SignalMirror implements SignalSource {
  readonly #clock: Clock;
  readonly #isKnown: (vehicle: string) => boolean;
  readonly #vehicles = new Map<string, Vehicle>();
  leftOut = 0;

  /** @param isKnown whether there is such a vehicle, which may not have told its signals yet */
  constructor(clock: Clock, isKnown: (vehicle: string) => boolean = () => false) {
    this.#clock = clock;
    this.#isKnown = isKnown;
  }

  describe(vehicle: string, info: readonly SignalInfo[], more: { readonly simulated: boolean; readonly staleAfterMs: number }): void {
    const held = this.#of(vehicle);
    const before = held.info;
    held.info = new Map(info.slice(0, MAX_SIGNALS).map((signal) => [signal.name, signal]));
    held.simulated = more.simulated;
    held.staleAfterMs = more.staleAfterMs;
    held.isDescribed = true;
    for (const name of held.values.keys()) if (!held.info.has(name)) held.values.delete(name);
    const shown = [...held.values.keys()].filter((name) => !before.has(name));
    const gone = [...before.keys()].filter((name) => !held.info.has(name));
    this.#changed(held, [...shown, ...gone]);
  }

  /** Older samples than what is held change nothing: backfill may arrive after live values. @param shipped when the vehicle sent it, where it says so */
  take(vehicle: string, sample: SampleRecord, shipped?: ToldAt): void {
    const held = this.#of(vehicle);
    if (shipped !== undefined) held.session = shipped.session;
    const { at, told } = sample;
    const heardMs = this.#clock.monotonic();
    const wayMs = shipped !== undefined && shipped.session === told?.session ? Math.max(0, shipped.ms - told.ms) : Math.max(0, this.#clock.now() - at);
    const changed: string[] = [];
    for (const [name, value] of Object.entries(sample.values)) {
      const known = held.values.get(name);
      if (known !== undefined && this.#isNewer(known, sample, held.session)) continue;
      if (known === undefined && held.values.size >= MAX_SIGNALS) {
        this.leftOut++;
        continue;
      }
      held.values.set(name, { ...toldValue(value), at, told, heardMs, wayMs });
      changed.push(name);
    }
    if (held.isDescribed)
      this.#changed(
        held,
        changed.filter((name) => held.info.has(name)),
      );
  }

  signals(vehicle: string): readonly SignalState[] | undefined {
    const held = this.#vehicles.get(vehicle);
    if (held === undefined || (held.values.size === 0 && held.info.size === 0)) return this.#isKnown(vehicle) ? [] : undefined;
    const names = held.isDescribed ? held.info.keys() : held.values.keys();
    return [...names].map((name) => this.#state(held, name));
  }

  watch(vehicle: string, listener: (changed: readonly SignalState[]) => void): () => void {
    const held = this.#of(vehicle);
    held.listeners.add(listener);
    return () => {
      held.listeners.delete(listener);
      // Asked for and never heard of: nothing of it stays.
      if (held.listeners.size === 0 && held.values.size === 0 && held.info.size === 0 && this.#vehicles.get(vehicle) === held) this.#vehicles.delete(vehicle);
    };
  }

  #changed(held: Vehicle, names: readonly string[]): void {
    if (names.length === 0 || held.listeners.size === 0) return;
    const states = names.map((name) => this.#state(held, name));
    for (const listener of held.listeners) listener(states);
  }

  /** Q2. Whether what is held was told after the sample. */
  #isNewer(known: Held, { at, told }: SampleRecord, session: string | undefined): boolean {
    if (known.told === undefined || told === undefined) return known.at > at && known.at <= this.#clock.now() + AHEAD_MS;
    if (known.told.session === told.session) return known.told.ms > told.ms;
    return known.told.session === session;
  }

  #of(vehicle: string): Vehicle {
    const known = this.#vehicles.get(vehicle);
    if (known !== undefined) return known;
    const made: Vehicle = { values: new Map(), info: new Map(), isDescribed: false, simulated: false, staleAfterMs: 60_000, session: undefined, listeners: new Set() };
    this.#vehicles.set(vehicle, made);
    return made;
  }

  #state(vehicle: Vehicle, name: string): SignalState {
    const held = vehicle.values.get(name);
    const info = vehicle.info.get(name);
    const value = held?.value ?? undefined;
    const toldMs = held === undefined ? 0 : this.#clock.monotonic() - held.heardMs + held.wayMs;
    const isStale = held !== undefined && (held.isStale || toldMs > vehicle.staleAfterMs);
    const quality = value === undefined ? "unknown" : isStale ? "stale" : "good";
    return {
      name,
      value,
      label: info?.labels.find(([number]) => number === value)?.[1],
      unit: info?.unit ?? undefined,
      at: held === undefined ? undefined : Math.round(this.#clock.now() - toldMs - held.ageMs),
      quality,
      simulated: vehicle.simulated,
    };
  }
}

function toldValue(told: SampleValue): Pick<Held, "value" | "ageMs" | "isStale"> {
  if (told === null || typeof told === "number") return { value: told, ageMs: 0, isStale: false };
  const [value, ageMs, quality] = told;
  return { value, ageMs, isStale: quality === "stale" };
}
