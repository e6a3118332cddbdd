export { fingerprintOf, MAX_TAKEN } from "./admission.ts";
export { decodeRecord, decodeState, encodeRecord, encodeState } from "./codec.ts";
export type * from "./contract.ts";
export { createEntity, type Entity, type NextTimer } from "./entity.ts";
export { difference, type Restored, restoreEntity } from "./restore.ts";
export { readBackProblem } from "./read-back.ts";
export { MAX_CHILDREN } from "./children.ts";
export type { PendingEffect, TimerRow } from "./rest.ts";
export type { CellView } from "./view.ts";
