// How many bytes an entity's tables and actors may hold, so that its state always fits into a store and no actor fills its node's memory (design section 5, promise S5; rules M2).
//
// L1. Each table has a bound beside its count; all of them together have one that leaves the actors what they hold, and the root its largest context, within what a store takes
//     (MAX_RECORD_BYTES). The actors together have one that leaves the tables theirs (context-limit.ts).
// L2. What cannot enter meets the policy of its table: a new message is told `full`, a step that sends too much has failed. Nothing that is held goes before its time.
// L3. A table that is over its bound already (an earlier version knew none) takes nothing new until it has drained.

import { MAX_RECORD_BYTES } from "../ports/index.ts";
import type { Inside } from "./inside.ts";
import type { TableName } from "./rest-tables.ts";
import { bytesOfData } from "./row-weight.ts";

const MIB = 1_048_576;

/** Of one message or reply, as of what crosses a wire between nodes. */
export const MAX_MESSAGE_BYTES = MIB;

/** Of any input: its record must hold it beside what it does, and so must the one that sets it aside. */
export const MAX_INPUT_BYTES = 16 * MIB;

/** Kept outcomes and replies: 10,000 of the usual size, or eight of the largest replies. */
const MAX_TAKEN_BYTES = 8 * MIB;
/** Of these for what may be replied to, with its replies: the others always have room of their own. */
const MAX_REPLIED_BYTES = 7 * MIB;
/** Messages that wait for their receivers: as much again. */
const MAX_OUTBOX_BYTES = 8 * MIB;
/** Parameters of declared effects that wait for confirmation. */
const MAX_PENDING_BYTES = 4 * MIB;
/** Events of armed timers: 10,000 of the usual size. */
const MAX_TIMER_BYTES = 5 * MIB;
/** Messages that wait for another state of their actor. */
const MAX_STASH_BYTES = 4 * MIB;
/** Inputs of the children of a configuration. */
export const MAX_CHILDREN_BYTES = 4 * MIB;
/** Of inputs that were set aside the oldest go for the newest. */
export const MAX_PARKED_BYTES = 2 * MIB;
/** Refusals that one sender would hear again. */
export const MAX_REFUSALS_BYTES = 8_192;

/** How all of it is written: names of tables, labels, what made it. */
const WRITTEN_BYTES = MIB;
/** What actors may always hold beside the largest context of the root. */
const CHILDREN_BYTES = MIB;
/** What the tables may always hold, however much the actors do: so that messages are taken that make them shrink. */
const LEAST_BYTES = 10 * MIB;
const STATE_BYTES = MAX_RECORD_BYTES - WRITTEN_BYTES;
/** Of one row beside its data. */
const ROW_BYTES = 4_096;

/** All tables of an entity together: 26 MiB where the root keeps the default limit of its context, and less where its actors hold more than that. */
function tablesLimit({ type, cells }: Inside): number {
  return Math.max(LEAST_BYTES, STATE_BYTES - Math.max(cells.bytes, type.root.contextLimits.maxBytes + CHILDREN_BYTES));
}

/** All actors of an entity together: 21 MiB, and less where its tables hold more than what is always theirs. */
export function cellsLimit({ rest }: Inside): number {
  return STATE_BYTES - Math.max(rest.bytes, LEAST_BYTES);
}

/** How much the kept outcomes may hold before a new message; one that may be replied to needs room for the largest reply too. */
export function takenLimit(interior: Inside, isRepliedTo: boolean): number {
  const own = Math.min(isRepliedTo ? MAX_REPLIED_BYTES : MAX_TAKEN_BYTES, roomBeside(interior, "taken"));
  return own - ROW_BYTES - (isRepliedTo ? MAX_MESSAGE_BYTES : 0);
}

const BOUNDED = { outbox: MAX_OUTBOX_BYTES, pending: MAX_PENDING_BYTES, timers: MAX_TIMER_BYTES, stash: MAX_STASH_BYTES } as const;

/** Whether one more row may enter, of whatever size. */
export function hasRowRoom(interior: Inside, table: keyof typeof BOUNDED): boolean {
  return interior.rest.bytesIn(table) + MAX_MESSAGE_BYTES + ROW_BYTES <= Math.min(BOUNDED[table], roomBeside(interior, table));
}

/** Whether all tables together may hold so much more. */
export function hasRoomFor(interior: Inside, bytes: number): boolean {
  return interior.rest.bytes + bytes <= tablesLimit(interior);
}

/** What one table may hold beside all others. */
function roomBeside(interior: Inside, table: TableName): number {
  return tablesLimit(interior) - (interior.rest.bytes - interior.rest.bytesIn(table));
}

/** Of a reply that comes late there may be no room left for it. */
export function hasReplyRoom(interior: Inside, answer: unknown): boolean {
  const room = Math.min(MAX_REPLIED_BYTES, roomBeside(interior, "taken")) - interior.rest.bytesIn("taken");
  return room >= MAX_MESSAGE_BYTES || room >= bytesOfData(answer);
}
