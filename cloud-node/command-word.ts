// What a vehicle's word on a command says of the command.

import { type Answer, isSentAgain, type Told } from "../runtime/index.ts";

/** Nothing came of this attempt, whatever came of an earlier one. */
export function wasNotTaken({ kind }: Told | Answer): boolean {
  return kind === "owner-away" || kind === "full" || kind === "deadline" || kind === "not-stored";
}

/** Whether the vehicle keeps the message's id, or may (rules M2): what is malformed, unaddressed or too late may be mended and sent anew under it, and a dead letter that is sent again too. */
export function mayBeRemembered({ kind }: Told | Answer, id: string): boolean {
  return kind === "accepted" || kind === "replied" || kind === "unknown" || (kind === "refused" && !isSentAgain(id));
}

/** The outcome of a request that waited. */
export function outcomeOf(word: Told | Answer): string {
  if (word.kind === "too-old") return "expired";
  if (word.kind !== "replied") return word.kind;
  const outcome = (word.value as { readonly outcome?: unknown } | null | undefined)?.outcome;
  return typeof outcome === "string" ? outcome : "replied";
}
