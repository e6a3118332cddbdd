// Whether decoded data is what JSON shows as it is, within bounds: what another node says is shown to people, and one bad value must not break a list of good ones.

export interface DataLimits {
  /** Levels of lists and objects; 0: a plain value only. */
  readonly depth: number;
  /** Values in all, keys not counted. */
  readonly items: number;
  /** Of each text and key. */
  readonly characters: number;
}

/** Latest time that JavaScript's Date can show, ms since 1970. */
const LAST_MS = 8.64e15;

/** Why `value` is not plain data within `limits`, or undefined. A field that is undefined counts as absent. */
export function plainDataProblem(value: unknown, limits: DataLimits): string | undefined {
  let left = limits.items;
  return walk(value, 0);

  function walk(item: unknown, depth: number): string | undefined {
    if (--left < 0) return `more than ${String(limits.items)} values`;
    switch (typeof item) {
      case "string":
        return item.length > limits.characters ? `a text of more than ${String(limits.characters)} characters` : undefined;
      case "number":
        return Number.isFinite(item) ? undefined : `the number ${String(item)}`;
      case "boolean":
      case "undefined":
        return undefined;
      case "object":
        return item === null ? undefined : inside(item, depth + 1);
      default:
        return `a ${typeof item}`;
    }
  }

  function inside(item: object, depth: number): string | undefined {
    if (depth > limits.depth) return `nested deeper than ${String(limits.depth)}`;
    if (Array.isArray(item)) return firstOf(item, depth);
    if (!isRecord(item)) return "an object of a class";
    const long = Object.keys(item).find((key) => key.length > limits.characters || key === "__proto__");
    return long === undefined ? firstOf(Object.values(item), depth) : `the key ${long.slice(0, 64)}`;
  }

  function firstOf(items: readonly unknown[], depth: number): string | undefined {
    for (const each of items) {
      const problem = walk(each, depth);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
}

/** A plain object; no list, no bytes, no instance of a class. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A text of at most so many characters. */
export function isText(value: unknown, characters: number): value is string {
  return typeof value === "string" && value.length <= characters;
}

/** A wall time that can be shown, ms since 1970. */
export function isWallTime(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= LAST_MS;
}
