// R2. What an entity holds is what its store would give back: found at its commits, not only by those seeds that happen to kill it in time.

import type { Checker } from "./evidence.ts";

export const recoveryExact: Checker = {
  name: "a recovery brings what was held",
  promise: "R2",
  check: ({ history }) => history.filter((fact) => fact.kind === "unlike").map(({ atMs, entity, revision, what }) => ({ atMs, what: `${entity} r${String(revision)}: ${what}` })),
};
