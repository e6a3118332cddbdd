// From frames to values: each bus feeds one signal table; presence, conditions and watches hang on it (design section 8). No frame becomes a message.
//
// P1. What a bus said is unknown again when it goes down (vehicle V1).
// P2. Times are ms on the node's monotonic clock; sources count on the same one.

import { conditionsOver, type ConditionsOverTable, type VehicleModel } from "../actors/vehicle-file/index.ts";
import {
  type BusState,
  createListening,
  createPresenceTracker,
  createSignalTable,
  createWatches,
  type FrameBatch,
  type FrameSink,
  type FrameSource,
  type Listening,
  type PresenceTracker,
  type SignalTable,
  type Watches,
} from "../protocols/can/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { createHearing, type Hearing } from "./hearing.ts";

/** `sinceMs`: when it came up or went down, on the node's monotonic clock; `since` is the wall's. */
export type BusCondition = { readonly kind: "awake"; readonly sinceMs: number } | BusDown;

export interface BusDown {
  readonly kind: "down";
  /** What is known last of why. */
  readonly reason: string;
  readonly isExpected: boolean;
  readonly sinceMs: number;
  readonly since: number;
}

/** Since when, and why, for a reader. */
export function downText({ since, reason }: Pick<BusDown, "since" | "reason">): string {
  return `down since ${new Date(since).toISOString()}: ${reason}`;
}

/** One frame as it lies in its batch. */
export type FrameTap = (batch: FrameBatch, slot: number) => void;

export interface Pipeline {
  readonly model: VehicleModel;
  readonly table: SignalTable;
  readonly presence: PresenceTracker;
  readonly conditions: ConditionsOverTable;
  readonly watches: Watches;
  /** Whatever is concluded from the passing of time asks it first. */
  readonly hearing: Hearing;
  readonly listening: Pick<Listening, "listenedMs">;
  /** Simulated hardware stands behind a bus of it. */
  readonly simulated: boolean;
  /** Frames taken since the start, per bus. */
  readonly frames: ReadonlyMap<string, number>;
  /** A source was started for the bus. */
  opened(bus: string, source: FrameSource | (FrameSource & FrameSink)): void;
  /** @param source undefined: none could be made */
  closed(bus: string, source: FrameSource | undefined, reason: string): void;
  stateChanged(bus: string, source: FrameSource, state: BusState): void;
  take(bus: string, source: FrameSource, batch: FrameBatch): void;
  condition(bus: string): BusCondition;
  /** undefined: the bus is down, or its source cannot send. */
  sink(bus: string): FrameSink | undefined;
  /** Every frame with this id (the kernel's can_id), our own among them. */
  tap(bus: string, canId: number, tap: FrameTap): void;
}

interface Bus {
  source: FrameSource | (FrameSource & FrameSink) | undefined;
  condition: BusCondition;
  readonly taps: Map<number, FrameTap[]>;
}

export function createPipeline(model: VehicleModel, clock: Clock): Pipeline {
  const listening = createListening();
  const hearing = createHearing(listening);
  const presence = createPresenceTracker(
    model.modules.map(({ name, bus, presence: { messages, silentAfterMs }, sourceAddress }) => ({ name, bus, messages, sourceAddress, silentAfterMs })),
    listening,
  );
  const table = createSignalTable({ buses: model.buses.map(({ name, database, match }) => ({ name, database, match })), signals: model.signals, presence });
  const startMs = clock.monotonic();
  const conditions = conditionsOver(model, table, presence, startMs, listening);
  const watches = createWatches(table, model.watches);
  const notStarted: BusCondition = { kind: "down", reason: "not started", isExpected: false, sinceMs: startMs, since: clock.now() };
  const buses = new Map(model.buses.map(({ name }): [string, Bus] => [name, { source: undefined, condition: notStarted, taps: new Map() }]));
  const frames = new Map(model.buses.map(({ name }) => [name, 0]));
  let simulated = false;

  function busOf(name: string): Bus {
    const bus = buses.get(name);
    if (bus === undefined) throw new Error(`the vehicle has no bus ${name}`);
    return bus;
  }

  function enter(name: string, bus: Bus, state: BusState): void {
    if (state.kind === "up") {
      if (bus.condition.kind === "down") bus.condition = { kind: "awake", sinceMs: clock.monotonic() };
      simulated ||= bus.source?.simulated === true;
      return;
    }
    const before = bus.condition;
    const { sinceMs, since } = before.kind === "down" ? before : { sinceMs: clock.monotonic(), since: clock.now() };
    bus.condition = { kind: "down", reason: state.reason, isExpected: state.isExpected === true, sinceMs, since };
    if (before.kind === "awake") table.forget(clock.monotonic(), name);
  }

  function touch(bus: Bus, batch: FrameBatch): void {
    if (bus.taps.size === 0) return;
    for (let slot = 0; slot < batch.count; slot++) {
      const taps = bus.taps.get(batch.ids[slot] ?? 0);
      if (taps !== undefined) for (const tap of taps) tap(batch, slot);
    }
  }

  return {
    model,
    table,
    presence,
    conditions,
    watches,
    hearing,
    listening,
    get simulated() {
      return simulated;
    },
    frames,
    opened: (name, source) => {
      const bus = busOf(name);
      bus.source = source;
      // One that was not started yet says nothing of why the bus is down.
      if (source.state.kind === "up") enter(name, bus, source.state);
    },
    closed: (name, source, reason) => {
      const bus = busOf(name);
      if (bus.source !== source) return;
      bus.source = undefined;
      enter(name, bus, { kind: "down", reason });
    },
    stateChanged: (name, source, state) => {
      const bus = busOf(name);
      if (bus.source === source) enter(name, bus, state);
    },
    take: (name, source, batch) => {
      const bus = busOf(name);
      if (bus.source !== source) return;
      hearing.attend(clock.monotonic());
      frames.set(name, (frames.get(name) ?? 0) + batch.count);
      // A source of one bus means this one, whatever it calls it.
      table.feed(batch, source.buses.length === 1 ? [name] : source.buses.map((other) => (other === name ? name : "")));
      touch(bus, batch);
      conditions.listen(clock.monotonic());
    },
    condition: (name) => busOf(name).condition,
    sink: (name) => {
      const { source, condition } = busOf(name);
      return condition.kind === "awake" && source !== undefined && "send" in source ? source : undefined;
    },
    tap: (name, canId, tap) => {
      const { taps } = busOf(name);
      taps.set(canId, [...(taps.get(canId) ?? []), tap]);
    },
  };
}
