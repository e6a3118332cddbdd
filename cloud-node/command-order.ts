// Which command for an actor of a vehicle came last to this node: one that was lost on its way is not brought again over a newer one (rules O2).

import { type Address, entityOf } from "../runtime/index.ts";

/** Of places of ids; a repetition of an older one counts as a new command. */
const MOST_KEPT = 10_000;

export interface CommandOrder {
  /** Says that a command comes. One whose id has come before keeps its place: asked again it is no newer. @returns whether a newer one has come since, asked at any later time */
  enter(to: Address, id: string): () => boolean;
}

/** In memory: a command on its way does not outlive the process either. As many entries as there are actors that were commanded. */
export function commandOrder(): CommandOrder {
  const newest = new Map<Address, number>();
  const places = new Map<string, number>();
  let entered = 0;

  function placeOf(to: Address, id: string): number {
    const known = places.get(id);
    if (known !== undefined) return known;
    const place = ++entered;
    newest.set(to, place);
    places.set(id, place);
    const [oldest] = places.keys();
    if (places.size > MOST_KEPT && oldest !== undefined) places.delete(oldest);
    return place;
  }

  return {
    enter: (to, id) => {
      const place = placeOf(to, id);
      // A command to the vehicle itself may have reached any of its actors.
      return () => [to, entityOf(to)].some((each) => (newest.get(each) ?? 0) > place);
    },
  };
}
