// The lists and plain objects that data is made of: copied where it crosses a border, and frozen all through (hosting H11).

import { nameOnList } from "./list-items.ts";

/** Those that are frozen all through. */
const frozen = new WeakSet<object>();

/** Has parts: a list or a plain object. Everything else has a way of its own to be what it is. */
export function isParted(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || prototype === Array.prototype;
}

/** Getters stay what they are. */
export function copyOfParts(value: unknown, copies = new Map<object, unknown>()): unknown {
  if (!isParted(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  const copy = (Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value) as object | null)) as Record<string, unknown>;
  copies.set(value, copy);
  if (Array.isArray(value)) copy["length"] = value.length;
  for (const key of Object.keys(value)) {
    const own = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
    if ("value" in own && key !== "__proto__") copy[key] = copyOfParts(own.value, copies);
    else Object.defineProperty(copy, key, own);
  }
  return copy;
}

/**
 * The same data in lists and objects of its own: what crosses a border between an actor and other code, as it is now. What is worked out when it is read is worked out; whatever has
 * no parts (functions, instances of classes, refs) stays what it is, and so does what cannot be read through: whoever judges it finds that out.
 */
export function asItIsNow<V>(value: V): V {
  if (typeof value !== "object") return value;
  try {
    return isParted(value) ? (copiedNow(value, undefined) as V) : value;
  } catch {
    return value;
  }
}

type Copies = Map<object, object>;

/** Most data is flat, and costs one shallow copy. @param copies of what has been met; undefined: nothing was */
function copiedNow(value: Readonly<Record<string, unknown>>, copies: Copies | undefined): object {
  if (Array.isArray(value)) return copiedList(value, copies ?? new Map<object, object>());
  const copy: Record<string, unknown> = { ...value };
  copies?.set(value, copy);
  let known = copies;
  for (const key in copy) {
    const part = copy[key];
    if (typeof part === "object" && part !== null) copy[key] = partNow(part, (known ??= new Map<object, object>([[value, copy]])));
  }
  return Object.getPrototypeOf(value) === null ? (Object.setPrototypeOf(copy, null) as object) : copy;
}

/** What else a list has beside its items stays: it is refused by name. What is not there costs nothing. */
function copiedList(list: readonly unknown[], copies: Copies): object {
  const copy: unknown[] = [];
  copies.set(list, copy);
  const isOdd = nameOnList(list) !== undefined;
  for (let at = 0; at < list.length; at++) {
    const item = list[at];
    if (isOdd || (item === undefined && !(at in list))) return copiedOdd(list, copy, copies);
    copy.push(partNow(item, copies));
  }
  return copy;
}

function copiedOdd(list: readonly unknown[], copy: unknown[], copies: Copies): object {
  copy.length = list.length;
  const named = Object.assign(copy, list) as unknown as Record<string, unknown>;
  for (const key of Object.keys(named)) named[key] = partNow(named[key], copies);
  return copy;
}

function partNow(part: unknown, copies: Copies): unknown {
  return isParted(part) ? (copies.get(part) ?? copiedNow(part, copies)) : part;
}

export function freezeParts(value: unknown): void {
  if (!isParted(value) || frozen.has(value)) return;
  frozen.add(value);
  for (const key of Object.keys(value)) freezeParts(partAt(value, key));
  Object.freeze(value);
}

/** What is worked out when it is read is no part of the state. */
export function partAt(holder: Readonly<Record<string, unknown>>, key: string): unknown {
  return Array.isArray(holder) ? (holder as Readonly<Record<string, unknown>>)[key] : Object.getOwnPropertyDescriptor(holder, key)?.value;
}

/** The same data, in which every part that stands as it does in `given` is that very part. */
export function withPartsOf(given: unknown, value: unknown): unknown {
  if (!isParted(given) || !isParted(value) || Array.isArray(given) !== Array.isArray(value)) return value;
  const known = Object.keys(given);
  const keys = Object.keys(value);
  let isSame = keys.length === known.length;
  let copy: Record<string, unknown> | undefined;
  for (const [at, key] of keys.entries()) {
    const before = partAt(value, key);
    const own = Object.hasOwn(given, key) ? partAt(given, key) : undefined;
    const part = withPartsOf(own, before);
    isSame &&= key === known[at] && Object.is(part, own);
    if (part === before) continue;
    copy ??= (Array.isArray(value) ? value.slice() : { ...value }) as Record<string, unknown>;
    copy[key] = part;
  }
  return isSame ? given : (copy ?? value);
}
