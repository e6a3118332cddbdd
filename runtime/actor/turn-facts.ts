// Time and chance as a step may know them: from the turn's record, so that a replay sees the same (rules R1; hosting H11).

import { DroverError } from "../errors.ts";
import { turnFactsOf } from "../xstate/index.ts";

/** Wall time of the turn, ms since 1970. */
export function now(self: { readonly sessionId: string }): number {
  return facts(self, "now").now;
}

/** Uniform in [0, 1), drawn from the turn's seed. */
export function random(self: { readonly sessionId: string }): number {
  return facts(self, "random").random();
}

function facts(self: object, name: string): { readonly now: number; random(): number } {
  const found = turnFactsOf(self);
  if (found === undefined) throw new DroverError("DROVER_IMPURE_STEP", `${name}(self): this is not the self of a hosted actor`);
  return found;
}
