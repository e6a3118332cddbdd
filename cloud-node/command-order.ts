// Which command for an actor of a vehicle came last to this node: one that was lost on its way is not brought again over a newer one (rules O2).

import { type Address, entityOf } from "../runtime/index.ts";

export interface CommandOrder {
  /** Says that a command comes now. @returns whether a newer one has come since, asked at any later time */
  enter(to: Address): () => boolean;
}

/** In memory: a command on its way does not outlive the process either. As many entries as there are actors that were commanded. */
export function commandOrder(): CommandOrder {
  const newest = new Map<Address, number>();
  let entered = 0;

  return {
    enter: (to) => {
      const place = ++entered;
      newest.set(to, place);
      // A command to the vehicle itself may have reached any of its actors.
      return () => [to, entityOf(to)].some((each) => (newest.get(each) ?? 0) > place);
    },
  };
}
