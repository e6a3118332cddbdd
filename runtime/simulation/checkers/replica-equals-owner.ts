// C4, T3. In the end a replica shows what its owner shows.

import { isDeepStrictEqual } from "node:util";
import type { Checker } from "./evidence.ts";

export const replicaEqualsOwner: Checker = {
  name: "a replica equals its owner",
  promise: "T3",
  check: ({ history }) => {
    const views = history.filter((fact) => fact.kind === "view");
    const owners = new Map(views.filter(({ isReplica }) => !isReplica).map((view) => [view.address, view]));
    return views
      .filter(({ isReplica }) => isReplica)
      .flatMap((replica) => {
        const owner = owners.get(replica.address);
        if (owner === undefined) return [];
        const { atMs, node, address, revision } = replica;
        if (owner.incarnation !== replica.incarnation || owner.revision !== revision)
          return [{ atMs, what: `${address} at ${node} is r${String(revision)} of ${replica.incarnation}, its owner's r${String(owner.revision)} of ${owner.incarnation}` }];
        return isDeepStrictEqual([owner.state, owner.context], [replica.state, replica.context])
          ? []
          : [{ atMs, what: `${address} r${String(revision)} differs at ${node} from its owner` }];
      });
  },
};
