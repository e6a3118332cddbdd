// S7, K1. A timer fires once: never twice under one generation.

import type { Checker } from "./evidence.ts";

export const timersOnce: Checker = {
  name: "a timer fires once",
  promise: "S7",
  check: ({ turns }) => {
    const found: { atMs: number; what: string }[] = [];
    const fired = new Set<string>();
    for (const { atMs, store, entity, incarnation, record } of turns)
      record.inputs.forEach((input, index) => {
        const result = record.results[index]?.kind;
        // One that fails is still armed, and fires again; one that had fired is not.
        if (input.kind !== "timer" || (result !== "accepted" && result !== "faulted")) return;
        const key = `${store} ${entity} ${incarnation} ${input.timer}#${String(input.generation)}`;
        if (fired.has(key)) found.push({ atMs, what: `the timer ${input.timer} of ${entity} fired twice` });
        if (result === "accepted") fired.add(key);
      });
    return found;
  },
};
