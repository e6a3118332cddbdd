// S3. An acknowledged command is never lost: the store at the end stands on the turn that took it, whatever its type keeps of its history.

import type { Checker } from "./evidence.ts";
import { standingTurns } from "./standing-turns.ts";

export const acknowledgedKept: Checker = {
  name: "no acknowledged command is lost",
  promise: "S3",
  check: (evidence) => {
    const taken = new Set<string>();
    for (const { entity, record } of standingTurns(evidence))
      record.inputs.forEach((input, index) => {
        if (input.kind === "message" && input.sender.kind === "outside" && record.results[index]?.kind === "accepted") taken.add(`${entity} ${input.sender.id}`);
      });
    const durable = new Set(evidence.history.flatMap((fact) => (fact.kind === "asked" && fact.epoch > 0 ? [fact.entity] : [])));
    const found: { atMs: number; what: string }[] = [];
    for (const fact of evidence.history) {
      if (fact.kind !== "told" || (fact.outcome.kind !== "accepted" && fact.outcome.kind !== "replied")) continue;
      if (fact.outcome.kind === "accepted" && (fact.outcome.durable === "memory" || "waiting" in fact.outcome)) continue;
      const entity = fact.to.split("/").slice(0, 3).join("/");
      // What is no durable entity keeps nothing, and promises nothing.
      if (fact.outcome.kind === "replied" && !durable.has(entity)) continue;
      if (!taken.has(`${entity} ${fact.id}`))
        found.push({ atMs: fact.atMs, what: `${fact.id} to ${fact.to} was acknowledged, and no turn that its store stands on at the end has taken it` });
    }
    return found;
  },
};
