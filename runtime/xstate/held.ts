// About how many bytes a value holds, with all that can be reached from it: what the context of a volatile actor counts, which may be anything (hosting H13; promise S5).
//
// W1. Plain data, refs and snapshots count as the codec counts them. Beyond that: entries of a Map and of a Set, bytes of buffers and of what views on them show and hide, a bigint by
//     its size, own enumerable properties and symbol keys of whatever has some, the text of a RegExp or symbol, all that an error holds but its stack.
// W2. What is met twice counts once, a circle once; how deep it lies is of no account. `asTree` counts each as often as it is met: no exchange of parts makes a value hold more
//     than that (context-gain.ts). It is infinite where that cannot be told in about the time that it took to count each once.
// W3. Nothing that is read throws out of here: what throws is left out, the rest counts.
// W4. Not looked into, since nobody can, or since it is not the actor's: what a function closes over, private fields, WeakMaps and promises, what is inherited or not enumerable, names on
//     a list, machines, and handles of Node (timers, sockets, workers), which lead to all of the process.

import { types } from "node:util";
import { serialize } from "node:v8";

import { encodeConfiguration, type MachineSnapshot } from "./codec.ts";
import { DOUBLE, ERROR, HEADER, REF, SNAPSHOT, TAG, textBytes } from "./data-weight.ts";
import { isMachine, isMachineOfAnotherCopy } from "./logic.ts";
import { CellRef, ForeignRef } from "./ref.ts";

/** Objects of one value that are counted, as many as the codec carries; one of more counts as infinite. */
export const MAX_HELD = 1_000_000;
/** Of a value that shares parts: so many more may be looked at than it has. */
const MORE_PARTS = 64;
const WORD = 8;

export interface Held {
  readonly bytes: number;
  /** W2. */
  readonly asTree: number;
  /** Values in it: what counting them costs. */
  readonly parts: number;
  /** Among its parts are some that are changed in place as a rule (a Map, a Set, an instance of a class, a buffer that can be resized), or symbols for keys. */
  readonly isOpen: boolean;
}

export function heldBy(value: unknown): Held {
  return new Count().of(value);
}

class Count {
  bytes = 0;
  parts = 0;
  objects = 0;
  isOpen = false;
  /** What was met and not looked into yet. */
  readonly #ahead: object[] = [];
  /** Undefined while each thing counts as often as it is met; most values have one object, which needs no set. */
  #first: object | undefined = undefined;
  #seen: Set<object> | undefined = undefined;
  #met: object[] | undefined = undefined;
  #isTree = false;

  of(value: unknown): Held {
    this.add(value);
    this.#drain(Number.POSITIVE_INFINITY);
    const { bytes, parts, isOpen } = this;
    return { bytes, asTree: this.#met === undefined ? bytes : this.#asTree(this.#met), parts, isOpen };
  }

  #asTree(met: readonly object[]): number {
    const limit = 2 * this.parts + MORE_PARTS;
    this.#isTree = true;
    for (const value of met) this.#ahead.push(value);
    this.#drain(limit);
    return this.parts > limit ? Number.POSITIVE_INFINITY : this.bytes;
  }

  #drain(limit: number): void {
    for (let next = this.#ahead.pop(); next !== undefined && this.parts <= limit; next = this.#ahead.pop()) {
      if (++this.objects > MAX_HELD) {
        this.bytes = Number.POSITIVE_INFINITY;
        return;
      }
      try {
        lookInto(next, this);
      } catch {
        // W3.
      }
    }
  }

  add(value: unknown): void {
    this.parts++;
    this.bytes += HEADER;
    switch (typeof value) {
      case "string":
        this.bytes += textBytes(value);
        return;
      case "number":
        if ((value | 0) !== value) this.bytes += Number.isFinite(value) ? DOUBLE : TAG;
        else if (Object.is(value, -0)) this.bytes += TAG;
        return;
      case "boolean":
        return;
      case "undefined":
        this.bytes += TAG;
        return;
      case "bigint":
        this.bytes += bytesOfBigint(value);
        return;
      case "symbol":
        this.bytes += textBytes(value.description ?? "");
        return;
      case "object":
      case "function":
        if (value !== null) this.#meet(value);
    }
  }

  #meet(value: object): void {
    if (this.#isTree || this.#isNew(value)) this.#ahead.push(value);
    else (this.#met ??= []).push(value);
  }

  #isNew(value: object): boolean {
    if (this.#first === undefined) {
      this.#first = value;
      return true;
    }
    if (this.#first === value) return false;
    const seen = (this.#seen ??= new Set());
    const before = seen.size;
    return seen.add(value).size > before;
  }

  key(key: string): void {
    this.bytes += HEADER + textBytes(key);
  }
}

function bytesOfBigint(value: bigint): number {
  return BigInt.asIntN(64, value) === value ? WORD : serialize(value).length;
}

function lookInto(value: object, count: Count): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype === Array.prototype) addItems(value, count);
    else addInstance(value, count);
  } else if (typeof value === "function") addFields(value, count);
  else if ((prototype !== Object.prototype && prototype !== null) || "_nodes" in value) addSpecial(value, count);
  else addFields(value, count);
}

function addItems(list: readonly unknown[], count: Count): void {
  const { length } = list;
  let at = 0;
  try {
    for (; at < length; at++) {
      const item = list[at];
      // One with holes, and a proxy, may say that it is of any length.
      if (item === undefined && (length > MAX_HELD || !(at in list))) break;
      count.add(item);
    }
  } catch {
    // W3.
  }
  if (at < length) addFields(list, count, at);
}

/** @param from of a list: the first of its items that counts here; its names do not */
function addFields(value: object, count: Count, from?: number): void {
  for (const key of Object.keys(value)) {
    if (from === undefined) count.key(key);
    else if (!(Number(key) >= from)) continue;
    addField(value, key, count);
  }
  if (from !== undefined) return;
  const symbols = Object.getOwnPropertySymbols(value);
  if (symbols.length > 0) count.isOpen = true;
  for (const key of symbols) {
    count.add(key);
    addField(value, key, count);
  }
}

function addField(value: object, key: string | symbol, count: Count): void {
  let field: unknown;
  try {
    field = (value as Readonly<Record<string | symbol, unknown>>)[key];
  } catch {
    // W3.
    return;
  }
  count.add(field);
}

function addInstance(value: object, count: Count): void {
  count.isOpen = true;
  addFields(value, count);
}

/** What is no plain object and no plain list. */
function addSpecial(value: object, count: Count): void {
  if (CellRef.is(value)) count.bytes += REF + CellRef.cellOf(value).address.length;
  else if (value instanceof ForeignRef) {
    count.bytes += TAG;
    count.add(value.destination);
  } else if (isSnapshot(value)) addSnapshot(value as unknown as MachineSnapshot, count);
  else if (types.isMap(value)) {
    Map.prototype.forEach.call(value, (item: unknown, key: unknown) => {
      count.add(key);
      count.add(item);
    });
    addInstance(value, count);
  } else if (types.isSet(value)) {
    Set.prototype.forEach.call(value, (item: unknown) => {
      count.add(item);
    });
    addInstance(value, count);
  } else if (ArrayBuffer.isView(value)) {
    // Its names are its items.
    count.add(value.buffer);
  } else if (types.isAnyArrayBuffer(value)) {
    const { resizable, growable } = value as { readonly resizable?: boolean; readonly growable?: boolean };
    if (resizable === true || growable === true) count.isOpen = true;
    count.bytes += value.byteLength;
    addFields(value, count);
  } else if (types.isBoxedPrimitive(value)) count.add(value.valueOf());
  else if (types.isNativeError(value) || value instanceof Error) addError(value, count);
  else if (types.isDate(value)) {
    count.bytes += WORD;
    addFields(value, count);
  } else if (types.isRegExp(value)) {
    count.bytes += textBytes(value.source);
    addFields(value, count);
  } else if (!isNotItsOwn(value)) addInstance(value, count);
}

export function isSnapshot(value: object): boolean {
  return "_nodes" in value && "machine" in value && isAnyMachine(value.machine);
}

function addSnapshot(snapshot: MachineSnapshot, count: Count): void {
  const { machine, value, context, output, error, children } = snapshot;
  count.bytes += SNAPSHOT + machine.id.length + 2 * TAG;
  for (const part of [value, encodeConfiguration(snapshot), context, output, error]) count.add(part);
  for (const [id, child] of Object.entries(children)) {
    count.key(id);
    count.add(child);
  }
}

/** Its cause, and what an AggregateError holds, are not enumerable. */
function addError(error: Error, count: Count): void {
  count.bytes += ERROR;
  count.add(error.name);
  for (const key of ["message", "cause", "errors"]) if (Object.hasOwn(error, key) && !Object.prototype.propertyIsEnumerable.call(error, key)) addField(error, key, count);
  addFields(error, count);
}

/** W4. */
function isNotItsOwn(value: object): boolean {
  return ("ref" in value && "unref" in value) || isAnyMachine(value);
}

function isAnyMachine(value: unknown): boolean {
  return isMachine(value) || (typeof value === "object" && value !== null && "idMap" in value && isMachineOfAnotherCopy(value));
}
