// Code of an actor's author that runs on the node's thread outside of a turn (effects, sources, checks of messages): the watch over steps sees it too (rules M4).
//
// W1. What hung or ended its process twice is not run a third time: it fails instead, as if it had thrown. No attempt is committed before: the crash file counts what ended this node's
//     processes, and what a takeover brings to another node counts there anew.
// W2. What came to its end, even by a throw, did not hang: its lines leave the crash file, so that a hang years later is not taken for a third.

import type { Address } from "../address.ts";
import type { EventData, Sender } from "../entity/contract.ts";
import { DroverError } from "../errors.ts";
import type { StepWatch } from "../ports/index.ts";

/** Hangs before what hung is not run any more. */
const MAX_HUNG = 2;
const MAX_TYPE = 128;

export interface Work {
  readonly entity: Address;
  readonly cell: Address;
  /** In words, e.g. `effect "print"`. */
  readonly what: string;
  /** The same in every process that runs it; empty where nothing runs it again. */
  readonly key: string;
  /** Whoever gives it settles it (W2). */
  readonly isSettledLater?: boolean;
}

/** Without a watch it is run as it is. @throws DROVER_ACTOR_HUNG (W1), and what `run` throws */
export function watched<V>(watch: StepWatch | undefined, work: Work, run: () => V): V {
  if (watch === undefined) return run();
  const { entity, cell, what, key } = work;
  const hung = hungBefore(watch, entity, key);
  if (hung >= MAX_HUNG) {
    // Within a piece of work more may have been known of where it is.
    const last = watch.hung.findLast((each) => each.key === key && each.entity === entity);
    const did = last?.how === "ended" ? `ended the process at once, ${String(hung)} times` : `hung ${String(hung)} times and ended the process`;
    throw new DroverError("DROVER_ACTOR_HUNG", `${last?.what ?? what} of ${last?.cell ?? cell} ${did}`);
  }
  try {
    return watch.within(entity, cell, what, key, run);
  } finally {
    if (hung > 0 && work.isSettledLater !== true) watch.settled(entity, key);
  }
}

/** What a message is called, and who sent it: under another id its next attempt is not known. Of a type that no protocol can list, its beginning. */
export function nameOf({ type }: EventData, sender: Sender): string {
  const name = type.length > MAX_TYPE ? type.slice(0, MAX_TYPE) : type;
  return sender.kind === "local" ? name : `${name} from ${sender.kind === "outside" ? sender.author : sender.entity}`;
}

/** How often work of this key ended a process of this node. */
export function hungBefore({ hung }: StepWatch, entity: Address, key: string): number {
  if (hung.length === 0 || key === "") return 0;
  return hung.reduce((count, each) => (each.key === key && each.entity === entity ? count + 1 : count), 0);
}

/** Its work has ended well for now; what is not run any more stays known (W1). */
export function endedWell(watch: StepWatch, { entity, key }: Pick<Work, "entity" | "key">): void {
  if (hungBefore(watch, entity, key) < MAX_HUNG) watch.settled(entity, key);
}

export function isHung(cause: unknown): cause is DroverError {
  try {
    return cause instanceof DroverError && cause.code === "DROVER_ACTOR_HUNG";
  } catch {
    // Of what throws when it is asked: whoever threw it did not hang.
    return false;
  }
}
