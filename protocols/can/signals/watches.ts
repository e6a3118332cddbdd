// Watches turn values into events, at a declared top rate: a value is not an event (vehicle.md V3).
//
// W1. A change counts from `deadband` on (0: any), measured from the value reported last. Becoming available, not available or stale counts as a change.
// W2. With `above` or `below` only crossings count; the way back needs `deadband` more (hysteresis).
// W3. Between two events of a watch lie at least `atMostMs`. What changed in between is reported when they are over, with the value of then, if it still differs.
// W4. A watch holds at most one event that was not collected: nothing here grows.

import { DroverError } from "../../../runtime/ports/index.ts";
import type { SignalTable } from "./signal-table.ts";

export const DEFAULT_AT_MOST_MS = 5_000;

export interface WatchDefinition {
  readonly signal: string;
  /** In the signal's unit, >= 0. Default 0. */
  readonly deadband?: number;
  /** Default 5000. */
  readonly atMostMs?: number;
  readonly above?: number | undefined;
  readonly below?: number | undefined;
}

export type Zone = "above" | "within" | "below" | "unknown";

export type WatchEvent =
  /** `value` is undefined when it is unknown, not available or stale. */
  | {
      readonly kind: "changed";
      readonly watch: number;
      readonly signal: string;
      readonly value: number | undefined;
      readonly previous: number | undefined;
      readonly timeMs: number;
    }
  | {
      readonly kind: "crossed";
      readonly watch: number;
      readonly signal: string;
      readonly zone: Zone;
      readonly previous: Zone;
      readonly value: number | undefined;
      readonly timeMs: number;
    };

export interface Watches {
  /** Takes the events that are due. At most one a watch; in order of time. Call after each batch, and at `nextDueMs`. */
  collect(nowMs: number): readonly WatchEvent[];
  /** When time alone makes an event due; undefined: not before the next sample. */
  nextDueMs(): number | undefined;
  /** Events made since the start, by kind. */
  readonly counters: { readonly changed: number; readonly crossed: number; readonly heldBack: number };
  stop(): void;
}

interface Watch {
  readonly index: number;
  readonly signal: string;
  readonly staleAfterMs: number;
  readonly deadband: number;
  readonly atMostMs: number;
  readonly above: number;
  readonly below: number;
  readonly isThreshold: boolean;
  value: number | undefined;
  sampledMs: number;
  zone: Zone;
  reportedValue: number | undefined;
  reportedZone: Zone;
  reportedMs: number;
  ready: WatchEvent | undefined;
}

/** @throws DROVER_CAN_USE for an unknown signal or a number out of range (the vehicle's file is checked before) */
export function createWatches(table: SignalTable, definitions: readonly WatchDefinition[]): Watches {
  const counters = { changed: 0, crossed: 0, heldBack: 0 };
  const watches = definitions.map((definition, index) => makeWatch(table, definition, index));
  const stops = watches.map((watch) =>
    table.onSamples([watch.signal], (_, value, timeMs, nowMs) => {
      watch.value = value;
      watch.sampledMs = timeMs;
      watch.zone = zoneOf(watch, value);
      if (isNews(watch)) {
        if (nowMs >= watch.reportedMs + watch.atMostMs) report(watch, nowMs);
        else counters.heldBack++;
      }
    }),
  );

  function report(watch: Watch, nowMs: number): void {
    const { signal, index, value, zone } = watch;
    const earlier = watch.ready;
    if (watch.isThreshold) {
      const previous = earlier?.kind === "crossed" ? earlier.previous : watch.reportedZone;
      watch.ready = { kind: "crossed", watch: index, signal, zone, previous, value, timeMs: nowMs };
      counters.crossed++;
    } else {
      const previous = earlier?.kind === "changed" ? earlier.previous : watch.reportedValue;
      watch.ready = { kind: "changed", watch: index, signal, value, previous, timeMs: nowMs };
      counters.changed++;
    }
    watch.reportedValue = value;
    watch.reportedZone = zone;
    watch.reportedMs = nowMs;
  }

  /** A value that is too old counts as none. */
  function age(watch: Watch, nowMs: number): void {
    if (watch.value === undefined || nowMs - watch.sampledMs < watch.staleAfterMs) return;
    watch.value = undefined;
    watch.zone = "unknown";
  }

  return {
    counters,
    collect: (nowMs) => {
      const events: WatchEvent[] = [];
      for (const watch of watches) {
        age(watch, nowMs);
        if (isNews(watch) && nowMs >= watch.reportedMs + watch.atMostMs) report(watch, nowMs);
        if (watch.ready !== undefined) events.push(watch.ready);
        watch.ready = undefined;
      }
      return events.sort((a, b) => a.timeMs - b.timeMs);
    },
    nextDueMs: () => {
      let next: number | undefined;
      for (const watch of watches) {
        const due =
          watch.ready !== undefined
            ? watch.ready.timeMs
            : isNews(watch)
              ? watch.reportedMs + watch.atMostMs
              : watch.value === undefined
                ? undefined
                : watch.sampledMs + watch.staleAfterMs;
        if (due !== undefined && (next === undefined || due < next)) next = due;
      }
      return next;
    },
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

function makeWatch(table: SignalTable, definition: WatchDefinition, index: number): Watch {
  const { signal, deadband = 0, atMostMs = DEFAULT_AT_MOST_MS, above, below } = definition;
  const described = table.signals[table.indexOf(signal) ?? -1];
  if (described === undefined) throw new DroverError("DROVER_CAN_USE", `there is no signal "${signal}" to watch`);
  if (!(deadband >= 0) || !(atMostMs >= 0))
    throw new DroverError("DROVER_CAN_USE", `watch on "${signal}": deadband ${String(deadband)} and atMostMs ${String(atMostMs)} are to be 0 or more`);
  return {
    index,
    signal,
    staleAfterMs: described.staleAfterMs,
    deadband,
    atMostMs,
    above: above ?? Number.POSITIVE_INFINITY,
    below: below ?? Number.NEGATIVE_INFINITY,
    isThreshold: above !== undefined || below !== undefined,
    value: undefined,
    sampledMs: Number.NEGATIVE_INFINITY,
    zone: "unknown",
    reportedValue: undefined,
    reportedZone: "unknown",
    reportedMs: Number.NEGATIVE_INFINITY,
    ready: undefined,
  };
}

function zoneOf(watch: Watch, value: number | undefined): Zone {
  if (value === undefined) return "unknown";
  if (value > watch.above || (watch.zone === "above" && value > watch.above - watch.deadband)) return "above";
  if (value < watch.below || (watch.zone === "below" && value < watch.below + watch.deadband)) return "below";
  return "within";
}

function isNews(watch: Watch): boolean {
  if (watch.isThreshold) {
    // The first value that lies within is where every vehicle starts: no news.
    return watch.zone !== watch.reportedZone && !(watch.reportedZone === "unknown" && watch.zone === "within" && watch.reportedMs === Number.NEGATIVE_INFINITY);
  }
  const { value, reportedValue } = watch;
  if (value === undefined || reportedValue === undefined) return value !== reportedValue;
  return watch.deadband === 0 ? value !== reportedValue : Math.abs(value - reportedValue) >= watch.deadband;
}
