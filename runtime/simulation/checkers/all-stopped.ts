// Every started thing is stopped: a node that has ended in order holds nothing any more, and the last run of every node has ended in order.

import type { Checker } from "./evidence.ts";

export const allStopped: Checker = {
  name: "every started thing is stopped",
  promise: "S4",
  check: ({ history }) => {
    const found = history.filter((fact) => fact.kind === "left").map(({ atMs, node, run, what }) => ({ atMs, what: `${node}#${String(run)} has stopped and still holds ${what}` }));
    const last = new Map<string, { readonly what: string; readonly atMs: number }>();
    for (const fact of history) if (fact.kind === "node") last.set(fact.node, fact);
    for (const [node, { what, atMs }] of last) if (what !== "gone") found.push({ atMs, what: `${node} did not come to its end: ${what}` });
    return found;
  },
};
