// S3. An acknowledged command is never lost: what a sender was told to be accepted for good stands in the store at the end.

import type { Checker } from "./evidence.ts";

export const acknowledgedKept: Checker = {
  name: "no acknowledged command is lost",
  promise: "S3",
  check: ({ history }) => {
    const taken = new Set<string>();
    const known = new Set<string>();
    for (const fact of history) {
      if (fact.kind !== "kept") continue;
      known.add(fact.entity);
      for (const { inputs } of fact.records)
        for (const input of inputs) if (input.kind === "message" && input.sender.kind === "outside") taken.add(`${fact.entity} ${input.sender.id}`);
    }
    const found: { atMs: number; what: string }[] = [];
    for (const fact of history) {
      if (fact.kind !== "told" || (fact.outcome.kind !== "accepted" && fact.outcome.kind !== "replied")) continue;
      if (fact.outcome.kind === "accepted" && (fact.outcome.durable === "memory" || "waiting" in fact.outcome)) continue;
      const entity = fact.to.split("/").slice(0, 3).join("/");
      // What is no durable entity keeps nothing, and promises nothing.
      if (fact.outcome.kind === "replied" && !known.has(entity)) continue;
      if (!taken.has(`${entity} ${fact.id}`)) found.push({ atMs: fact.atMs, what: `${fact.id} to ${fact.to} was acknowledged and stands in no journal at the end` });
    }
    return found;
  },
};
