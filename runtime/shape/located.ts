// What a shape is laid over: a tree in which every key and value knows its place, whether it was read from a text or is an object in code.

export type Located = LocatedMap | LocatedList | LocatedScalar | LocatedOther;

export interface LocatedMap {
  readonly kind: "map";
  readonly at: number;
  readonly entries: ReadonlyMap<string, LocatedEntry>;
  /** The value in code. */
  readonly raw?: unknown;
}

export interface LocatedEntry {
  readonly keyAt: number;
  readonly value: Located;
}

export interface LocatedList {
  readonly kind: "list";
  readonly at: number;
  readonly items: readonly Located[];
  readonly raw?: unknown;
}

export interface LocatedScalar {
  readonly kind: "scalar";
  readonly at: number;
  readonly value: string | number | boolean | null;
  /** Offset in the text of the value's first character, where the value stands there letter by letter; else undefined. */
  readonly textAt: number | undefined;
}

/** What only code can write: a function, an instance of a class. */
export interface LocatedOther {
  readonly kind: "other";
  readonly at: number;
  readonly raw: unknown;
  /** For a reader: `a function`. */
  readonly words: string;
}
