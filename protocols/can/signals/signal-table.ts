// The latest value of every vehicle signal, in columns, kept by feeding it frames. Values live here and nowhere else: they are volatile and never enter a machine (vehicle.md V1, V3).
//
//   frames ─► match ─► row of raw values (one block a message and sender) ─► vehicle signals ─► listeners: watches, conditions
//
// T1. Only messages that a vehicle signal reads are decoded; the others only prove that bus and sender speak.
// T2. A short or multiplexed frame updates the cells that it holds; the others keep value and time, and grow stale.
// T3. Frames of our own prove nothing about others and are not values.
// T4. Nothing is kept across a start, and `forget` empties it after a gap or a bus that was down.

import { DroverError } from "../../../runtime/ports/index.ts";
import { type Database, findMessage, findSignal } from "../model/index.ts";
import { createDecoder, type Decoder, type MatchRule, scale } from "../codec/index.ts";
import { ERROR_FRAME, EXTENDED_FRAME, type FrameBatch, FrameFlag, SLOT_BYTES } from "../frames/index.ts";
import { notAvailableFrom, type NotAvailableRule } from "../j1939/index.ts";
import type { PresenceTracker } from "./presence.ts";
import { formatSource, type SignalReading, type SignalSource, type VehicleSignal } from "./vehicle-signal.ts";

export interface TableBus {
  readonly name: string;
  /** With its overlay laid over it. */
  readonly database: Database;
  readonly match: MatchRule;
  /** Default: `j1939` where frames are matched by that rule, else `none`. */
  readonly notAvailable?: NotAvailableRule;
}

/** Called for each new sample of a vehicle signal, in order. `value` is undefined when it is not available. */
export type SampleListener = (signal: number, value: number | undefined, timeMs: number, nowMs: number) => void;

export interface SignalTable {
  readonly signals: readonly VehicleSignal[];
  /** Columns by index of the signal. `timesMs` is NaN until it is known; `available` is 0 while it is not available or unknown. */
  readonly columns: { readonly values: Float64Array; readonly timesMs: Float64Array; readonly available: Uint8Array };
  /** Frames taken since the start. */
  readonly counters: { readonly frames: number; readonly matched: number; readonly samples: number };
  /** Takes a batch; `buses` are the names behind its bus indices (`FrameSource.buses`). Buses that the table does not know are passed over. */
  feed(batch: FrameBatch, buses: readonly string[]): void;
  indexOf(name: string): number | undefined;
  /** @param nowMs on the clock of the frames */
  read(name: string, nowMs: number): SignalReading | undefined;
  readAll(nowMs: number): readonly SignalReading[];
  /** When a frame last came from a bus (ms), whatever it held. */
  lastFrameMs(bus: string): number | undefined;
  /** Every sample of these signals. Returns how to stop. */
  onSamples(names: readonly string[], listener: SampleListener): () => void;
  /** After a gap, a takeover or a bus that was down: what came from that bus (or all) is unknown again. Listeners hear of it as not available. */
  forget(nowMs: number, bus?: string): void;
}

/** Raw cells of one message of one sender. */
interface Block {
  readonly messageIndex: number;
  readonly sourceAddress: number | undefined;
  readonly base: number;
  readonly width: number;
  /** Vehicle signals that read it. */
  readonly dependents: number[];
}

interface Bus {
  readonly config: TableBus;
  readonly decoder: Decoder;
  /** By index of the message. */
  readonly blocks: readonly (readonly Block[])[];
  readonly talkersByMessage: readonly (readonly number[])[];
  readonly talkersBySender: ReadonlyMap<number, readonly number[]>;
  lastFrameMs: number | undefined;
}

/** One source of a vehicle signal, ready to be read. */
interface Reader {
  readonly cell: number;
  readonly notAvailableFrom: number;
  readonly size: number;
  readonly physical: (raw: number) => number;
}

interface Formula {
  readonly terms: readonly { readonly reader: Reader; readonly weight: number }[];
  readonly negateIf: Reader | undefined;
  readonly validIf: Reader | undefined;
  readonly labels: ReadonlyMap<number, string>;
  readonly busNames: ReadonlySet<string>;
}

/** @throws DROVER_CAN_USE when a signal names a bus, message or signal that does not exist (the vehicle's file is checked before) */
export function createSignalTable(options: { readonly buses: readonly TableBus[]; readonly signals: readonly VehicleSignal[]; readonly presence?: PresenceTracker }): SignalTable {
  const { signals, presence } = options;
  let cells = 0;
  const blocksOf = options.buses.map((bus) => bus.database.messages.map((): Block[] => []));

  function readerOf(source: SignalSource, dependent: number): Reader {
    const busIndex = options.buses.findIndex((bus) => bus.name === source.bus);
    const config = options.buses[busIndex];
    const message = config === undefined ? undefined : findMessage(config.database, source.message);
    const signal = message === undefined ? undefined : findSignal(message, source.signal);
    const blocks = message === undefined ? undefined : blocksOf[busIndex]?.[message.index];
    if (config === undefined || message === undefined || signal === undefined || blocks === undefined)
      throw new DroverError("DROVER_CAN_USE", `there is no signal ${formatSource(source)}`);
    let block = blocks.find((each) => each.sourceAddress === source.sourceAddress);
    if (block === undefined) {
      block = { messageIndex: message.index, sourceAddress: source.sourceAddress, base: cells, width: message.signals.length, dependents: [] };
      blocks.push(block);
      cells += block.width;
    }
    if (!block.dependents.includes(dependent)) block.dependents.push(dependent);
    const rule = config.notAvailable ?? (config.match === "j1939" ? "j1939" : "none");
    return { cell: block.base + signal.index, notAvailableFrom: notAvailableFrom(signal, rule), size: signal.size, physical: (raw) => scale(signal, raw) };
  }

  const formulas = signals.map((signal, index): Formula => {
    const sources = [...signal.terms.map((term) => term.source), signal.negateIf, signal.validIf].filter((source) => source !== undefined);
    return {
      terms: signal.terms.map(({ source, weight }) => ({ reader: readerOf(source, index), weight })),
      negateIf: signal.negateIf === undefined ? undefined : readerOf(signal.negateIf, index),
      validIf: signal.validIf === undefined ? undefined : readerOf(signal.validIf, index),
      labels: new Map(signal.labels ?? []),
      busNames: new Set(sources.map((source) => source.bus)),
    };
  });
  const raws = new Float64Array(cells);
  const cellTimesMs = new Float64Array(cells).fill(Number.NaN);
  const present = new Uint8Array(cells);
  const columns = {
    values: new Float64Array(signals.length).fill(Number.NaN),
    timesMs: new Float64Array(signals.length).fill(Number.NaN),
    available: new Uint8Array(signals.length),
  };
  const counters = { frames: 0, matched: 0, samples: 0 };
  const indexByName = new Map(signals.map((signal, index) => [signal.name, index] as const));
  const listeners: Set<SampleListener>[] = signals.map(() => new Set());
  const buses = options.buses.map((config, index) => makeBus(config, blocksOf[index] ?? [], presence));
  const busByName = new Map(buses.map((bus) => [bus.config.name, bus] as const));

  function feed(batch: FrameBatch, names: readonly string[]): void {
    const { ids, timesS, lengths, flags, data, count } = batch;
    const busOf = names.map((name) => busByName.get(name));
    for (let slot = 0; slot < count; slot++) {
      const bus = busOf[batch.buses[slot] ?? 0];
      const canId = ids[slot] ?? 0;
      if (bus === undefined || (canId & ERROR_FRAME) !== 0 || ((flags[slot] ?? 0) & FrameFlag.sentByUs) !== 0) continue;
      counters.frames++;
      const nowMs = (timesS[slot] ?? 0) * 1_000;
      bus.lastFrameMs = nowMs;
      const messageIndex = bus.decoder.match(canId);
      if (presence !== undefined) hear(bus, presence, canId, messageIndex, nowMs);
      if (messageIndex < 0) continue;
      counters.matched++;
      for (const block of bus.blocks[messageIndex] ?? []) {
        if (block.sourceAddress === undefined || (canId & 0xff) === block.sourceAddress) update(bus, block, data, slot * SLOT_BYTES, lengths[slot] ?? 0, nowMs);
      }
    }
  }

  function update(bus: Bus, block: Block, data: Uint8Array, start: number, length: number, nowMs: number): void {
    const row = bus.decoder.rowOf(block.messageIndex);
    if (length >= bus.decoder.wholeFrom(block.messageIndex)) {
      row.whole(data, start, raws, block.base);
      cellTimesMs.fill(nowMs, block.base, block.base + block.width);
      for (const dependent of block.dependents) sample(dependent, nowMs);
      return;
    }
    row.checked(data, start, length, raws, block.base, present);
    for (let cell = block.base; cell < block.base + block.width; cell++) if (present[cell] === 1) cellTimesMs[cell] = nowMs;
    for (const dependent of block.dependents) if (isTouched(formulas[dependent], block)) sample(dependent, nowMs);
  }

  function isTouched(formula: Formula | undefined, block: Block): boolean {
    const touched = (reader: Reader | undefined): boolean =>
      reader !== undefined && reader.cell >= block.base && reader.cell < block.base + block.width && present[reader.cell] === 1;
    return formula !== undefined && (formula.terms.some((term) => touched(term.reader)) || touched(formula.negateIf) || touched(formula.validIf));
  }

  /** Computes a signal anew. It becomes known once all of its parts were seen; its time is that of the oldest. */
  function sample(index: number, nowMs: number): void {
    const formula = formulas[index];
    const signal = signals[index];
    if (formula === undefined || signal === undefined) return;
    let timeMs = Number.POSITIVE_INFINITY;
    let available = true;
    const take = (reader: Reader): number => {
      const raw = raws[reader.cell] ?? 0;
      // NaN (never seen) stays NaN from here on.
      timeMs = Math.min(timeMs, cellTimesMs[reader.cell] ?? Number.NaN);
      if (!(raw < reader.notAvailableFrom)) available = false;
      return raw;
    };
    let value = 0;
    for (const { reader, weight } of formula.terms) {
      const raw = take(reader);
      value += weight * (signal.bit === undefined ? reader.physical(raw) : bitOf(raw, signal.bit, reader.size));
    }
    if (signal.factor !== 1 || signal.offset !== 0) value = value * signal.factor + signal.offset;
    if (formula.negateIf !== undefined && take(formula.negateIf) !== 0) value = -value;
    if (formula.validIf !== undefined && take(formula.validIf) === 0) available = false;
    if (Number.isNaN(timeMs)) return;
    // A float can hold what is no number, and a scaled one can leave the range of numbers: nothing of it could be compared, sent or shown as a value.
    if (!available || !Number.isFinite(value)) value = Number.NaN;
    // + 0 turns -0 into 0: nobody downstream should have to tell them apart.
    columns.values[index] = value + 0;
    columns.timesMs[index] = timeMs;
    columns.available[index] = Number.isNaN(value) ? 0 : 1;
    counters.samples++;
    tell(index, timeMs, nowMs);
  }

  function tell(index: number, timeMs: number, nowMs: number): void {
    const value = columns.available[index] === 1 ? columns.values[index] : undefined;
    for (const listener of listeners[index] ?? []) listener(index, value, timeMs, nowMs);
  }

  function readSignal(signal: VehicleSignal, index: number, nowMs: number): SignalReading {
    const timeMs = columns.timesMs[index] ?? Number.NaN;
    const value = columns.available[index] === 1 ? columns.values[index] : undefined;
    const known = !Number.isNaN(timeMs);
    const quality = !known ? "unknown" : nowMs - timeMs >= signal.staleAfterMs ? "stale" : value === undefined ? "not-available" : "good";
    return {
      name: signal.name,
      value,
      quality,
      timeMs: known ? timeMs : undefined,
      unit: signal.unit,
      label: value === undefined ? undefined : formulas[index]?.labels.get(value),
      source: signal.terms[0] === undefined ? "" : formatSource(signal.terms[0].source),
    };
  }

  return {
    signals,
    columns,
    counters,
    feed,
    indexOf: (name) => indexByName.get(name),
    read: (name, nowMs) => {
      const index = indexByName.get(name) ?? -1;
      const signal = signals[index];
      return signal === undefined ? undefined : readSignal(signal, index, nowMs);
    },
    readAll: (nowMs) => signals.map((signal, index) => readSignal(signal, index, nowMs)),
    lastFrameMs: (bus) => busByName.get(bus)?.lastFrameMs,
    onSamples: (names, listener) => {
      const sets = names.map((name) => listeners[indexByName.get(name) ?? -1]).filter((set) => set !== undefined);
      for (const set of sets) set.add(listener);
      return () => {
        for (const set of sets) set.delete(listener);
      };
    },
    forget: (nowMs, busName) => {
      for (const bus of buses) {
        if (busName !== undefined && bus.config.name !== busName) continue;
        bus.lastFrameMs = undefined;
        for (const block of bus.blocks.flat()) cellTimesMs.fill(Number.NaN, block.base, block.base + block.width);
      }
      formulas.forEach((formula, index) => {
        if ((busName !== undefined && !formula.busNames.has(busName)) || Number.isNaN(columns.timesMs[index])) return;
        columns.values[index] = Number.NaN;
        columns.timesMs[index] = Number.NaN;
        columns.available[index] = 0;
        tell(index, nowMs, nowMs);
      });
      presence?.forget(busName);
    },
  };
}

function makeBus(config: TableBus, blocks: readonly (readonly Block[])[], presence: PresenceTracker | undefined): Bus {
  const byMessage = config.database.messages.map((): number[] => []);
  const bySender = new Map<number, number[]>();
  for (const [index, talker] of (presence?.talkers ?? []).entries()) {
    if (talker.bus !== config.name) continue;
    for (const name of talker.messages) {
      for (const message of config.database.messages) if (message.name === name) byMessage[message.index]?.push(index);
    }
    if (talker.messages.length === 0 && talker.sourceAddress !== undefined) bySender.set(talker.sourceAddress, [...(bySender.get(talker.sourceAddress) ?? []), index]);
  }
  return {
    config,
    decoder: createDecoder(config.database, { match: config.match, output: "raw" }),
    blocks,
    talkersByMessage: byMessage,
    talkersBySender: bySender,
    lastFrameMs: undefined,
  };
}

function hear(bus: Bus, presence: PresenceTracker, canId: number, messageIndex: number, nowMs: number): void {
  const sender = canId & 0xff;
  if (messageIndex >= 0) {
    for (const talker of bus.talkersByMessage[messageIndex] ?? []) {
      const wanted = presence.talkers[talker]?.sourceAddress;
      if (wanted === undefined || wanted === sender) presence.heard(talker, messageIndex, nowMs);
    }
  }
  if (canId >= EXTENDED_FRAME && bus.talkersBySender.size > 0) for (const talker of bus.talkersBySender.get(sender) ?? []) presence.heard(talker, canId, nowMs);
}

/** One bit of a raw value of `size` bits; a negative one is read in two's complement. */
function bitOf(raw: number, bit: number, size: number): number {
  const unsigned = raw < 0 ? raw + 2 ** size : raw;
  return Math.floor(unsigned / 2 ** bit) % 2;
}
