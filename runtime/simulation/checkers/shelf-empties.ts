// S5. What was accepted beyond a mailbox's room is acted on once load ends: no shelf of an entity that is hosted at the end holds anything.

import { decodeState } from "../../entity/index.ts";
import type { Checker } from "./evidence.ts";

export const shelfEmpties: Checker = {
  name: "a shelf empties",
  promise: "S5",
  check: ({ history }) =>
    history.flatMap((fact) => {
      if (fact.kind !== "live") return [];
      const rows = (decodeState(fact.state).rest as Readonly<Record<string, readonly unknown[]>> | null)?.["shelf"]?.length ?? 0;
      return rows === 0 ? [] : [{ atMs: fact.atMs, what: `${String(rows)} messages still lie on the shelf of ${fact.entity}` }];
    }),
};
