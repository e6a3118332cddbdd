// S3. A message takes effect once: no entity takes one number of a line, or one id from outside, twice.

import type { Checker } from "./evidence.ts";

export const takenOnce: Checker = {
  name: "a message takes effect once",
  promise: "S3",
  check: ({ turns }) => {
    const found: { atMs: number; what: string }[] = [];
    const taken = new Set<string>();
    for (const { atMs, store, entity, incarnation, record } of turns) {
      record.inputs.forEach((input, index) => {
        if (input.kind !== "message" || input.sender.kind === "local" || record.results[index]?.kind !== "accepted") return;
        const { sender } = input;
        const name = sender.kind === "outside" ? `message ${sender.id}` : `message ${String(sender.seq)} of ${sender.entity} ${sender.incarnation}`;
        const key = `${store} ${entity} ${incarnation} ${name}`;
        if (taken.has(key)) found.push({ atMs, what: `${entity} took ${name} (${input.event.type}) twice` });
        taken.add(key);
      });
    }
    return found;
  },
};
