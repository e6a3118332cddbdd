// Frames → objects, for scripts and tests: `{ Engine_Speed: 812.5, … }`. Signals that a frame does not hold are left out; so are those that share their name with another.
// One small function a message fills the object in one order, so that all objects of a message have one shape.

import { type Database, widestMessage } from "../model/index.ts";
import { createDecoder, type DecoderOptions } from "./decoder.ts";
import { type FrameBatch, SLOT_BYTES } from "../frames/index.ts";

export type DecodedObject = Record<string, number>;

export interface ObjectDecoder {
  /** The frame in a slot as an object with own properties only; undefined when no message matches. */
  readonly decode: (batch: FrameBatch, slot: number) => DecodedObject | undefined;
  /** Index into `Database.messages`, or -1. */
  readonly match: (canId: number) => number;
}

/** Wider objects are dictionaries to the engine anyway. */
const MAX_COMPILED_SIGNALS = 128;

type Builder = (cells: Float64Array) => DecodedObject;

export function createObjectDecoder(database: Database, options: DecoderOptions = {}): ObjectDecoder {
  const decoder = createDecoder(database, options);
  const widest = Math.max(1, widestMessage(database));
  const cells = new Float64Array(widest);
  const present = new Uint8Array(widest);
  const builders: (Builder | undefined)[] = database.messages.map(() => undefined);
  const named = database.messages.map((message) => message.signals.filter((signal) => !signal.sharesName));

  function decode(batch: FrameBatch, slot: number): DecodedObject | undefined {
    const index = decoder.match(batch.ids[slot] ?? 0);
    if (index < 0) return undefined;
    const length = batch.lengths[slot] ?? 0;
    const row = decoder.rowOf(index);
    if (length >= decoder.wholeFrom(index)) {
      row.whole(batch.data, slot * SLOT_BYTES, cells, 0);
      const builder = (builders[index] ??= makeBuilder(named[index] ?? []));
      return builder(cells);
    }
    row.checked(batch.data, slot * SLOT_BYTES, length, cells, 0, present);
    return Object.fromEntries((named[index] ?? []).filter((signal) => present[signal.index] === 1).map((signal) => [signal.name, cells[signal.index] ?? 0]));
  }

  return { decode, match: decoder.match };
}

/** Names come in as values, never as code (compiler.ts, C1); filled in by a constructor, since that lets the engine learn how large the objects become. */
function makeBuilder(signals: readonly { readonly name: string; readonly index: number }[]): Builder {
  const general: Builder = (cells) => Object.fromEntries(signals.map((signal) => [signal.name, cells[signal.index] ?? 0]));
  // Assigning to `__proto__` would not make a property.
  if (signals.length > MAX_COMPILED_SIGNALS || signals.some((signal) => signal.name === "__proto__")) return general;
  const names = signals.map((signal) => signal.name);
  const parameters = signals.map((_, at) => `n${String(at)}`);
  const stores = signals.map((signal, at) => `this[n${String(at)}] = c[${String(signal.index)}];`);
  const source = `"use strict"; function M(c) { ${stores.join(" ")} } M.prototype = Object.prototype; return (c) => new M(c);`;
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- numbers and indices only
    const maker = new Function(...parameters, source) as (...names: readonly string[]) => Builder;
    return maker(...names);
  } catch (error) {
    if (error instanceof EvalError) return general;
    throw error;
  }
}
