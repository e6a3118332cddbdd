// A committed turn as those who watch are told of it: what it carries of the entity is copied when the first of them looks at it, once for all of them (rules C4).

import type { JournalRecord } from "../entity/contract.ts";
import { asItIsNow } from "../xstate/index.ts";
import type { Change } from "./views.ts";

export function toldChange(change: Change): Change {
  const { record, cells } = change;
  const told: Change = copiedWhenSeen(change, {
    record: () => (record === undefined ? undefined : copiedWhenSeen<JournalRecord>(record, {})),
    cells: () => (cells === record?.outcome.cells ? (told.record as JournalRecord).outcome.cells : asItIsNow(cells)),
  });
  return told;
}

/** @param how parts that are not simply copied are made */
function copiedWhenSeen<O extends object>(given: O, how: { readonly [K in keyof O]?: () => O[K] }): O {
  const told = {} as O;
  for (const key of Object.keys(given) as (keyof O)[]) {
    const part = given[key];
    if (typeof part !== "object" || part === null) told[key] = part;
    else {
      Object.defineProperty(told, key, {
        enumerable: true,
        configurable: true,
        get: () => {
          const value = how[key]?.() ?? asItIsNow(part);
          Object.defineProperty(told, key, { enumerable: true, configurable: true, writable: true, value });
          return value;
        },
      });
    }
  }
  return told;
}
