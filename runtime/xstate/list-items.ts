// Lists as JSON has them: an item at each place, and nothing else. What else a list may be costs what is there, whatever length it says it has.

import { isDeepStrictEqual, types } from "node:util";

/** Up to so many items the keys of a list are counted. Each is a text, so that more of them would cost more than the walk over the items. */
const FEW = 24;

export const NAMED = "a named property of a list";
export const COPY_NAMED = "copy what is wanted of it, e.g. [...match] or { ...match.groups }";

const nothing = Symbol("equal to no item");
let isReached = false;
const probe: unknown[] = [];
Object.defineProperty(probe, 0, {
  enumerable: true,
  get: () => {
    isReached = true;
    return nothing;
  },
});

/** A name that a list has beside its items, e.g. `index` of the match of a regular expression. */
export function nameOnList(list: readonly unknown[]): string | undefined {
  return isBare(list) ? undefined : keysOf(list).find((key) => !isPlace(key));
}

/** Whether it surely has no names. */
function isBare(list: readonly unknown[]): boolean {
  if (list.length <= FEW || types.isProxy(list)) return Object.keys(list).length === list.length && Object.getOwnPropertySymbols(list).length === 0;
  // Two lists with other names are found unequal before their items are read.
  isReached = false;
  probe.length = list.length;
  isDeepStrictEqual(list, probe);
  return isReached;
}

function keysOf(list: readonly unknown[]): readonly string[] {
  return [...Object.keys(list), ...Object.getOwnPropertySymbols(list).map(String)];
}

function isPlace(key: string): boolean {
  const at = Number(key);
  return Number.isInteger(at) && at >= 0 && String(at) === key;
}

/** Calls for each item; holes cost nothing. */
export function eachItem(list: readonly unknown[], visit: (item: unknown, at: number) => void): void {
  const { length } = list;
  for (let at = 0; at < length; at++) {
    const item = list[at];
    if (item === undefined && !(at in list)) {
      for (const key of Object.keys(list)) if (isPlace(key) && Number(key) > at) visit(list[Number(key)], Number(key));
      return;
    }
    visit(item, at);
  }
}
