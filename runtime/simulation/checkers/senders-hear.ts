// S5. Every wait has a deadline: a node that goes on says by then what became of a message from outside, be it that nobody knows.

import type { Checker } from "./evidence.ts";

export const sendersHear: Checker = {
  name: "a sender hears by its deadline",
  promise: "S5",
  check: ({ history }) => {
    const found: { atMs: number; what: string }[] = [];
    /** Since when nothing has kept it from answering, ms. */
    const undisturbed = new Map<string, number>();
    const paused = new Set<string>();
    /** The first time; a repetition has the same id. */
    const sent = new Map<string, number>();
    for (const fact of history) {
      if (fact.kind === "node") {
        if (fact.what === "paused") paused.add(fact.node);
        if (fact.what === "resumed") paused.delete(fact.node);
        undisturbed.set(fact.node, fact.atMs);
        continue;
      }
      if (fact.kind !== "sent" && fact.kind !== "told") continue;
      const message = `${fact.to} ${fact.id}`;
      if (fact.kind === "sent") {
        if (!sent.has(message)) sent.set(message, fact.atMs);
      } else if (fact.isUnheard === true && !paused.has(fact.node) && (undisturbed.get(fact.node) ?? 0) <= (sent.get(message) ?? 0))
        found.push({ atMs: fact.atMs, what: `${fact.node} said nothing of ${fact.id} to ${fact.to} by its deadline` });
    }
    return found;
  },
};
