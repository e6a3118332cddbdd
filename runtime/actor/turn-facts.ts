// Time, chance and who is answerable, as a step may know them: from the turn's record, so that a replay sees the same (rules R1; hosting H11).

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

/**
 * Who is answerable for the message that is being taken, as the door that it came through knows it: the name of a token, `node:<id>`, `entity:<address>`, `local:<node>`;
 * undefined when it is no message (a timer, the outcome of an effect, the start). No sender can say it of itself.
 */
export function author(self: { readonly sessionId: string }): string | undefined {
  return facts(self, "author").author;
}

function facts(self: object, name: string): NonNullable<ReturnType<typeof turnFactsOf>> {
  const found = turnFactsOf(self);
  if (found === undefined) throw new DroverError("DROVER_IMPURE_STEP", `${name}(self): this is not the self of a hosted actor`);
  return found;
}
