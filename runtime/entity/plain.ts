// A copy of a message as plain JSON data, so that nobody outside can change what an actor keeps, and nothing leaves that another node could not read.

import { isA } from "../is-a.ts";
import { COPY_NAMED, isWellFormed, NAMED, nameOnList, textBytes } from "../xstate/index.ts";
import { MAX_INPUT_BYTES } from "./table-limits.ts";

export class NotPlain extends Error {
  readonly path: string;

  constructor(path: string, what: string) {
    super(`${path === "" ? "the value" : path} is ${what}`);
    this.name = "NotPlain";
    this.path = path;
  }
}

/** Levels of a message. */
export const MAX_DEPTH = 64;
const MAX_OBJECTS = 100_000;
/** Of whatever is no text: at most, and of what stands before a text. */
const FLAT_BYTES = 9;

let objects = 0;
let bytes = 0;

/**
 * Fields that are `undefined` are left out, as in JSON.
 * @throws NotPlain for what JSON or UTF-8 does not carry, for keys named `__proto__`, for data nested deeper than 64 levels or of more than 100,000 objects or 16 MiB
 */
export function plainCopy(value: unknown, path = "", depth = 0): unknown {
  if (depth === 0) bytes = 0;
  count(FLAT_BYTES, path);
  switch (typeof value) {
    case "string":
      if (count(textBytes(value), path) !== value.length && !isWellFormed(value))
        throw new NotPlain(path, "a text with half a character (a lone surrogate), which UTF-8 does not carry");
      return value;
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw new NotPlain(path, `the number ${String(value)}, which JSON does not carry`);
      return value === 0 ? 0 : value;
    case "object":
      return value === null ? null : copyObject(value, path, depth);
    case "undefined":
      return null;
    default:
      throw new NotPlain(path, `a ${typeof value}, which JSON does not carry`);
  }
}

function count(more: number, path: string): number {
  bytes += more;
  if (bytes > MAX_INPUT_BYTES) throw new NotPlain(path, `beyond the ${String(MAX_INPUT_BYTES)} bytes that a message may have`);
  return more;
}

function copyObject(value: object, path: string, depth: number): unknown {
  try {
    return copyReadable(value, path, depth);
  } catch (error) {
    throw isA(error, NotPlain) ? error : new NotPlain(path, "something that throws when it is read");
  }
}

function copyReadable(value: object, path: string, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new NotPlain(path, `nested deeper than ${String(MAX_DEPTH)} levels`);
  if (depth === 0) objects = 0;
  if (++objects > MAX_OBJECTS) throw new NotPlain(path, `one of more than ${String(MAX_OBJECTS)} objects`);
  if (Array.isArray(value)) return copyList(value, path, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new NotPlain(path, `an instance of ${(value.constructor as { readonly name?: string } | undefined)?.name ?? "a class"}; send plain data, and actors by their address`);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (count(textBytes(key), path) !== key.length && !isWellFormed(key))
      throw new NotPlain(`${path}/${JSON.stringify(key)}`, "a key with half a character, which UTF-8 does not carry");
    if (key === "__proto__") throw new NotPlain(`${path}/__proto__`, "a key that data must not have");
    const item = (value as Readonly<Record<string, unknown>>)[key];
    if (item !== undefined) copy[key] = plainCopy(item, `${path}/${key}`, depth + 1);
  }
  return copy;
}

function copyList(list: readonly unknown[], path: string, depth: number): unknown[] {
  const name = nameOnList(list);
  if (name !== undefined) throw new NotPlain(`${path}/${name}`, `${NAMED}, which JSON does not carry: ${COPY_NAMED}`);
  const copy: unknown[] = [];
  for (let at = 0; at < list.length; at++) {
    const item = list[at];
    if (item === undefined && !(at in list)) throw new NotPlain(`${path}/${String(at)}`, "a hole in a list, which JSON does not carry");
    copy.push(plainCopy(item, `${path}/${String(at)}`, depth + 1));
  }
  return copy;
}
