// A value in code as a tree that a shape can be laid over. Nothing is looked at before the shape asks for it: what a caller hands over may be large, or contain itself.

import type { Located, LocatedEntry } from "./located.ts";

/** A key whose value is `undefined` is taken for one that is not there. */
export function locatedValue(value: unknown): Located {
  if (value === undefined || value === null) return scalar(null);
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return scalar(value);
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return {
      kind: "list",
      at: 0,
      raw: value,
      get items() {
        return list.map(locatedValue);
      },
    };
  }
  if (typeof value === "object" && isPlain(value)) return { kind: "map", at: 0, raw: value, entries: entriesOf(value) };
  return { kind: "other", at: 0, raw: value, words: wordsFor(value) };
}

function scalar(value: string | number | boolean | null): Located {
  return { kind: "scalar", at: 0, value, textAt: undefined };
}

function entriesOf(value: object): ReadonlyMap<string, LocatedEntry> {
  const entries = new Map<string, LocatedEntry>();
  for (const [key, inner] of Object.entries(value) as readonly (readonly [string, unknown])[]) if (inner !== undefined) entries.set(key, new Entry(inner));
  return entries;
}

/** A class, since an accessor in each object costs several times what the entry does. */
class Entry implements LocatedEntry {
  readonly keyAt = 0;
  readonly #inner: unknown;

  constructor(inner: unknown) {
    this.#inner = inner;
  }

  get value(): Located {
    return locatedValue(this.#inner);
  }
}

/** An object as it is written between braces, of this realm or another. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function wordsFor(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === "function" && constructor.name !== "" ? `an object of the class ${constructor.name.slice(0, 60)}` : "an object of a class";
}
