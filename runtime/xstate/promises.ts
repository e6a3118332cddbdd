// Promises where a step needs a value at once (design section 5, "bad input"). Nobody waits for them, so that a rejection would end the process.
//
// P1. A promise that a step was given is quieted, wherever in its data it stands: the fault is its actor's, and never the node's end.
// P2. What is, or has for a part, a promise is a fault. Deeper down the codec refuses it where data is kept, and what only a volatile actor holds may hold anything.

import { DroverError } from "../errors.ts";
import { whenRejected } from "../when-rejected.ts";
import { isParted } from "./context-parts.ts";

/** Parts that are looked at in what one function returned. What is kept is looked through as a whole when it is encoded. */
const MAX_PARTS = 256;
/** Of a changed part of a context, which each assign pays for: from the last on in a list, since what is new is appended as a rule, and no further down. */
const MAX_CHANGED = 4;
const MAX_DEPTH = 200;

let left = 0;
/** Where all of it is looked through. */
let seen: Set<object> | undefined;

/** Whatever has `then`; a promise is quiet from then on. */
export function isPromise(value: unknown): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null || typeof (value as { readonly then?: unknown }).then !== "function") return false;
  whenRejected(value, () => undefined);
  return true;
}

/** The name of a part that is a promise; what is deeper is only quieted. */
export function promiseAmong(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  left = MAX_PARTS;
  try {
    return searched(value, 0);
  } catch {
    // Who reads what throws when it is read says so.
    return undefined;
  }
}

/**
 * As `promiseAmong`, of what a context is made of.
 * @param before the context that it changes
 */
export function promiseAmongChanged(update: object, before: unknown): string | undefined {
  if (!isParted(update) || Array.isArray(update)) {
    quietChanged(update, before);
    return undefined;
  }
  const known = (before ?? {}) as Readonly<Record<string, unknown>>;
  let found: string | undefined;
  for (const key in update) {
    const part = update[key];
    if (typeof part !== "object" || part === null || part === known[key]) continue;
    if (isPromise(part)) found = key;
    else quietChanged(part, known[key]);
  }
  return found;
}

export function quietChanged(part: object, before: unknown): void {
  const known = (before ?? {}) as Readonly<Record<string, unknown>>;
  try {
    if (Array.isArray(part)) {
      const first = Math.max(part.length - MAX_CHANGED, 0);
      for (let at = part.length - 1; at >= first; at--) if (part[at] !== known[at]) isPromise(part[at]);
    } else if (isParted(part)) {
      let count = 0;
      for (const key in part) {
        const inner = part[key];
        if (typeof inner === "object" && inner !== known[key]) isPromise(inner);
        if (++count === MAX_CHANGED) break;
      }
    }
  } catch {
    // As above.
  }
}

/** Quiets all promises in data that is refused. */
export function quietPromises(value: object): void {
  seen = new Set();
  left = Number.POSITIVE_INFINITY;
  try {
    searched(value, 0);
  } catch {
    // It is refused for that.
  }
  seen = undefined;
}

/** From the last part on: what is new is appended as a rule. */
function searched(value: object, depth: number): string | undefined {
  if (!isParted(value)) {
    if (depth > 0) isPromise(value);
    return undefined;
  }
  if (depth > MAX_DEPTH || seen?.has(value) === true) return undefined;
  seen?.add(value);
  // All that is there, and no place of a list that is empty.
  const keys = seen === undefined ? (Array.isArray(value) ? undefined : Object.keys(value)) : (Reflect.ownKeys(value) as string[]);
  let found: string | undefined;
  for (let at = (keys ?? (value as unknown as readonly unknown[])).length - 1; at >= 0 && left > 0; at--) {
    left--;
    const key = keys === undefined ? String(at) : (keys[at] as string);
    const part = value[key];
    if (typeof part !== "object" || part === null) continue;
    if (depth === 0 && isPromise(part)) found = key;
    else searched(part, depth + 1);
  }
  return found;
}

export function promised(where: string, what: "returned" | "threw" | "was given" = "returned"): DroverError {
  return new DroverError("DROVER_STEP_PROMISE", `${where} ${what} a promise while an actor was stepped; it must have its value at once: move the work into a task or a source`);
}

/** @throws DROVER_STEP_PROMISE */
export function refusePromises(value: unknown, where: string): void {
  if (isPromise(value)) throw promised(where, "was given");
  const part = promiseAmong(value);
  if (part !== undefined) throw promised(`${where} of "${part}"`, "was given");
}
