// What may be asked of what is known here: queries are checked as every option is, before anything is read for them.

import { aText, aWholeNumberFrom, demandShape, keysOf, oneOf, recordOf } from "../shape/index.ts";
import type { ActorQuery, DeadLetterQuery, HistoryQuery } from "./views.ts";

const LIMIT = aWholeNumberFrom(1);
const FROM_ZERO = aWholeNumberFrom(0);

const ACTORS = keysOf<ActorQuery>(
  { kind: aText, state: aText, node: aText, labels: recordOf(aText), text: aText, after: aText, limit: { type: "integer", minimum: 1, maximum: 1_000 } },
  ["limit"],
);
const HISTORY = keysOf<HistoryQuery>({ after: FROM_ZERO, before: FROM_ZERO, limit: LIMIT, order: oneOf("oldest-first", "newest-first") }, ["limit", "order"]);
const LETTERS = keysOf<DeadLetterQuery>({ after: FROM_ZERO, limit: LIMIT, to: aText, type: aText, from: aText, reason: aText }, ["limit"]);

/** @throws DROVER_CONFIG_INVALID */
export function demandActorQuery(query: ActorQuery): void {
  demandShape(query, ACTORS, "list", "DROVER_CONFIG_INVALID", true);
}

/** @throws DROVER_CONFIG_INVALID */
export function demandHistoryQuery(query: HistoryQuery): void {
  demandShape(query, HISTORY, "history", "DROVER_CONFIG_INVALID", true);
}

/** @throws DROVER_CONFIG_INVALID */
export function demandLetterQuery(query: DeadLetterQuery): void {
  demandShape(query, LETTERS, "deadLetters", "DROVER_CONFIG_INVALID", true);
}

/** @throws DROVER_CONFIG_INVALID */
export function demandRevision(revision: number, about: string): void {
  demandShape({ revision }, keysOf<{ revision: number }>({ revision: FROM_ZERO }, ["revision"]), about, "DROVER_CONFIG_INVALID", true);
}
