// Which command for an actor of a vehicle came last to this node: one that was lost on its way is not brought again over a newer one (rules O2).
//
// O1. Bounded: the oldest go first. What went before that is not known any more, so a command that is as old counts as overtaken: it is only asked for, never brought again.
//
// Beside SentMemory (sent-commands.ts), not within it: that one forgets what was not taken, and a newer wish that waits, unsent, overtakes all the same.

import { type Address, entityOf } from "../runtime/index.ts";

/** Of places of ids; a repetition of an older one counts as a new command. */
const MOST_KEPT = 10_000;

export interface CommandOrder {
  /** Says that a command comes. One whose id has come before keeps its place: asked again it is no newer. @returns whether a newer one has come since, asked at any later time */
  enter(to: Address, id: string): () => boolean;
  /** Entries that it holds. */
  readonly size: number;
}

/** In memory: a command on its way does not outlive the process either. @param mostKept default 10,000 */
export function commandOrder(mostKept = MOST_KEPT): CommandOrder {
  /** Of each actor, the place of the newest command; every one of them is in `places`. */
  const newest = new Map<Address, number>();
  /** By id, oldest first. */
  const places = new Map<string, { readonly place: number; readonly to: Address }>();
  let entered = 0;
  let forgotten = 0;

  function placeOf(to: Address, id: string): number {
    const known = places.get(id);
    if (known !== undefined) return known.place;
    const place = ++entered;
    newest.set(to, place);
    places.set(id, { place, to });
    if (places.size > mostKept) forgetOldest();
    return place;
  }

  function forgetOldest(): void {
    const [oldest] = places;
    if (oldest === undefined) return;
    const [id, { place, to }] = oldest;
    places.delete(id);
    if (newest.get(to) === place) newest.delete(to);
    forgotten = place;
  }

  return {
    enter: (to, id) => {
      const place = placeOf(to, id);
      // A command to the vehicle itself may have reached any of its actors.
      return () => place <= forgotten || [to, entityOf(to)].some((each) => (newest.get(each) ?? 0) > place);
    },
    get size() {
      return newest.size + places.size;
    },
  };
}
