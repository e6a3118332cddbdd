// The cloud's newest values of each vehicle's signals. Volatile: a value is never restored from a store, only told again (vehicle V1, V3).
//
// Quality is what the vehicle told, which knows how often its bus speaks; and stale is whatever was not told anew for the bound that the vehicle gives: three times as long as
// it takes to tell all of them. Whether the vehicle can be heard is another fact, and stands beside it as its presence: a value is as old behind a lost link as it would be
// behind one on which nothing was said yet. A value's time is the bus's own, as of when it was told: of one that does not change the cloud hears each time all are told.

import type { Clock } from "../../runtime/ports/index.ts";
import type { SampleRecord, SampleValue, SignalInfo, SignalSource, SignalState } from "./signal-state.ts";

/** Signals kept per vehicle; more are left out and counted. */
const MAX_SIGNALS = 5_000;
/** A stamp further ahead of this node's clock was made by a clock that was wrong: it keeps no later value out. */
const AHEAD_MS = 60_000;

interface Held {
  readonly value: number | null;
  /** Wall time at the vehicle of the value, ms. */
  readonly at: number;
  /** And of when the vehicle told it. */
  readonly toldAt: number;
  readonly isStale: boolean;
}

interface Vehicle {
  readonly values: Map<string, Held>;
  info: ReadonlyMap<string, SignalInfo>;
  simulated: boolean;
  staleAfterMs: number;
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
    held.info = new Map(info.slice(0, MAX_SIGNALS).map((signal) => [signal.name, signal]));
    held.simulated = more.simulated;
    held.staleAfterMs = more.staleAfterMs;
  }

  /** Older samples than what is held change nothing: backfill may arrive after live values. */
  take(vehicle: string, sample: SampleRecord): void {
    const held = this.#of(vehicle);
    const changed: string[] = [];
    for (const [name, told] of Object.entries(sample.values)) {
      const known = held.values.get(name);
      if (known !== undefined && known.toldAt > sample.at && known.toldAt <= this.#clock.now() + AHEAD_MS) continue;
      if (known === undefined && held.values.size >= MAX_SIGNALS) {
        this.leftOut++;
        continue;
      }
      held.values.set(name, heldOf(told, sample.at));
      changed.push(name);
    }
    if (changed.length === 0 || held.listeners.size === 0) return;
    const states = changed.map((name) => this.#state(held, name));
    for (const listener of held.listeners) listener(states);
  }

  signals(vehicle: string): readonly SignalState[] | undefined {
    const held = this.#vehicles.get(vehicle);
    if (held === undefined || (held.values.size === 0 && held.info.size === 0)) return this.#isKnown(vehicle) ? [] : undefined;
    const names = new Set([...held.info.keys(), ...held.values.keys()]);
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

  #of(vehicle: string): Vehicle {
    const known = this.#vehicles.get(vehicle);
    if (known !== undefined) return known;
    const made: Vehicle = { values: new Map(), info: new Map(), simulated: false, staleAfterMs: 60_000, listeners: new Set() };
    this.#vehicles.set(vehicle, made);
    return made;
  }

  #state(vehicle: Vehicle, name: string): SignalState {
    const held = vehicle.values.get(name);
    const info = vehicle.info.get(name);
    const value = held?.value ?? undefined;
    const isStale = held !== undefined && (held.isStale || this.#clock.now() - held.toldAt > vehicle.staleAfterMs);
    const quality = value === undefined ? "unknown" : isStale ? "stale" : "good";
    return {
      name,
      value,
      label: info?.labels.find(([number]) => number === value)?.[1],
      unit: info?.unit ?? undefined,
      at: held?.at,
      quality,
      simulated: vehicle.simulated,
    };
  }
}

function heldOf(told: SampleValue, toldAt: number): Held {
  if (told === null || typeof told === "number") return { value: told, at: toldAt, toldAt, isStale: false };
  const [value, ageMs, quality] = told;
  return { value, at: toldAt - ageMs, toldAt, isStale: quality === "stale" };
}
