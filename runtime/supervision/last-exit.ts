// How the last run of a child ended, as the tree shows it.

import { endCauseOf, errorOf, type Exit } from "../workers/index.ts";
import type { LastExit } from "./tree-node.ts";

export function lastExitOf(exit: Exit, at: number): LastExit {
  const error = errorOf(exit);
  if (error === undefined) return { reason: exit.kind, at };
  const messages: string[] = [];
  let innermost = error;
  for (let one: unknown = error; one instanceof Error && messages.length < 6; one = one.cause) {
    messages.push(one.message);
    innermost = one;
  }
  const cause = endCauseOf(error);
  return { reason: exit.kind, error: messages.join(": "), ...(cause === undefined ? {} : { cause }), ...(innermost.stack === undefined ? {} : { stack: innermost.stack }), at };
}

/** Whoever is shown it may write into it. */
export function copyOf(exit: LastExit): LastExit {
  return { ...exit, ...(exit.cause === undefined ? {} : { cause: { ...exit.cause } }) };
}
