// S1. One owner commits: on one store no run writes once a later epoch has written, and each revision of a history is written once and follows the one before.

import type { Checker } from "./evidence.ts";

export const oneOwner: Checker = {
  name: "one owner commits",
  promise: "S1",
  check: ({ history, turns }) => {
    const found: { atMs: number; what: string }[] = [];
    const epochs = new Map<string, number>();
    for (const fact of history) if (fact.kind === "node") epochs.set(`${fact.node} ${String(fact.run)}`, fact.epoch);
    const newest = new Map<string, number>();
    const heads = new Map<string, number>();
    for (const { atMs, store, node, run, entity, incarnation, revision } of turns) {
      const epoch = epochs.get(`${node} ${String(run)}`) ?? 0;
      const highest = newest.get(store) ?? 0;
      if (epoch < highest)
        found.push({
          atMs,
          what: `${entity} r${String(revision)} was committed by ${node}#${String(run)} under epoch ${String(epoch)} after epoch ${String(highest)} had committed`,
        });
      newest.set(store, Math.max(epoch, highest));
      const history = `${store} ${entity} ${incarnation}`;
      const head = heads.get(history) ?? 0;
      if (revision !== head + 1) found.push({ atMs, what: `${entity} r${String(revision)} was committed by ${node}#${String(run)} where r${String(head + 1)} was due` });
      heads.set(history, Math.max(head, revision));
    }
    return found;
  },
};
