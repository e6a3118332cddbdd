// T1, S9. One history is one chain: each record that a store keeps names the one before it, and whoever keeps a history under the same name keeps the same records.

import type { Kept } from "../history.ts";
import type { Checker } from "./evidence.ts";

export const oneChain: Checker = {
  name: "one history is one chain",
  promise: "T1",
  check: ({ history }) => {
    const all = history.filter((fact) => fact.kind === "kept");
    return all.flatMap((kept) => [...brokenLinks(kept), ...all.flatMap((other) => otherTurns(kept, other))]);
  },
};

interface Found {
  readonly atMs: number;
  readonly what: string;
}

function brokenLinks({ atMs, store, entity, records, links }: Kept): readonly Found[] {
  return records.flatMap(({ prev, revision }, at) => {
    const before = records[at - 1]?.revision === revision - 1 ? links[at - 1] : undefined;
    return prev === undefined || before === undefined || prev === before ? [] : [{ atMs, what: `${store}: ${entity} r${String(revision)} does not follow the record before it` }];
  });
}

/** Of two stores, each pair once. A replica's history may be continued under another name where records were lost. */
function otherTurns(kept: Kept, other: Kept): readonly Found[] {
  if (kept.store >= other.store || kept.entity !== other.entity) return [];
  const links = new Map(other.records.map(({ incarnation, revision }, at) => [`${incarnation} ${String(revision)}`, other.links[at]]));
  for (const [at, { incarnation, revision }] of kept.records.entries()) {
    const there = links.get(`${incarnation} ${String(revision)}`);
    if (there !== undefined && there !== kept.links[at])
      return [{ atMs: kept.atMs, what: `${kept.entity} r${String(revision)} of ${incarnation} is one turn in ${kept.store} and another one in ${other.store}` }];
  }
  return [];
}
