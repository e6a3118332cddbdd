// Journal records as one actor sees them.
//
// An entity's journal holds the turns of all its actors: a history reads on until enough of them concern the one that is asked for, and a bounded number of
// them for one answer. What it did not come to is named by `next`, and what is not there to be read by `missing`: an empty answer alone never says that nothing is kept.

import { type Address, entityOf } from "../address.ts";
import { authorOf } from "../entity/index.ts";
import type { Input, JournalRecord } from "../entity/contract.ts";
import type { Store, StoredRecord } from "../ports/index.ts";
import type { HistoryEntry, HistoryPage, HistoryQuery, MissingTurns } from "./views.ts";

/** Journal records of one read. */
const PAGE = 500;
/** ...and of the first, which is enough where most turns concern the actor. */
const FIRST_PAGE = 64;
/** Journal records read for one answer at most. */
const MAX_RECORDS = 10_000;

/**
 * One page of an actor's history.
 * @param read undefined: this record cannot be shown, and is missing like one that is not there
 */
export async function readHistory(store: Store, address: Address, query: HistoryQuery, read: (stored: StoredRecord) => JournalRecord | undefined): Promise<HistoryPage> {
  const { limit, order } = query;
  const entity = entityOf(address);
  const items: HistoryEntry[] = [];
  const shown: number[] = [];
  /** Of all that was read, shown or not. */
  let newest = 0;
  let { after, before } = query;
  for (let [left, wanted] = [MAX_RECORDS, Math.min(PAGE, Math.max(FIRST_PAGE, limit))]; ; wanted = Math.min(PAGE, left)) {
    const page = await store.journal({ entity, limit: wanted, order, ...(after === undefined ? {} : { after }), ...(before === undefined ? {} : { before }) });
    const isLastPage = page.length < wanted;
    left -= page.length;
    for (const [index, stored] of page.entries()) {
      const { revision } = stored;
      newest = Math.max(newest, revision);
      const isLast = index === page.length - 1;
      const record = read(stored);
      const entry = record === undefined ? undefined : historyEntry(record, address);
      if (record !== undefined) shown.push(revision);
      if (entry !== undefined) items.push(entry);
      const isEnough = items.length >= limit || (isLast && left === 0);
      if (isEnough && !(isLast && isLastPage)) return { items, next: revision, missing: missingIn(shown, newest, query, revision) };
    }
    const last = page.at(-1)?.revision;
    if (last === undefined || isLastPage) return { items, next: undefined, missing: missingIn(shown, newest, query, undefined) };
    if (order === "oldest-first") after = last;
    else before = last;
  }
}

/** Of what was asked for, up to and including `next`: the turns that are not `shown`, ascending. */
function missingIn(shown: readonly number[], newest: number, { after = 0, before, order }: HistoryQuery, next: number | undefined): readonly MissingTurns[] {
  const revisions = order === "oldest-first" ? shown : shown.toReversed();
  const first = order === "newest-first" && next !== undefined ? next - 1 : after;
  const last = order === "oldest-first" && next !== undefined ? next : before === undefined ? Math.max(first, newest) : before - 1;
  const missing: MissingTurns[] = [];
  let seen = first;
  for (const revision of [...revisions, last + 1]) {
    if (revision > seen + 1) missing.push({ after: seen, upTo: revision - 1 });
    seen = revision;
  }
  return missing;
}

/** undefined when the turn neither addressed nor changed the actor, nor any timer of it. */
export function historyEntry(record: JournalRecord, address: Address): HistoryEntry | undefined {
  const cell = record.outcome.cells.find((candidate) => candidate.address === address);
  const isOwn = ownTimers(record, address);
  const inputs = record.inputs.flatMap((input, index) => {
    const seen = describeInput(input, address, isOwn);
    return seen === undefined ? [] : [{ ...seen, result: record.results[index]?.kind ?? "accepted" }];
  });
  const fired = new Set(record.inputs.map((input) => (input.kind === "timer" ? input.timer : undefined)));
  const timers = timerRows(record).flatMap(([id, row]): HistoryEntry["timers"] => {
    if (!isOwn(id)) return [];
    if (row !== undefined) return [{ id, change: "armed" }];
    return fired.has(id) ? [] : [{ id, change: "cancelled" }];
  });
  const emitted = record.outcome.emitted.filter((item) => item.cell === address).map((item) => item.event);
  if (cell === undefined && inputs.length === 0 && timers.length === 0 && emitted.length === 0) return undefined;
  return { revision: record.revision, at: record.stamp.now, inputs, state: cell?.value, timers, emitted };
}

/** Timers that a turn has armed or, without a row, done away with. */
function timerRows({ outcome }: JournalRecord): readonly (readonly [key: string, row?: { readonly owner: Address; readonly incarnation: number }])[] {
  return (outcome.rest as { readonly timers?: ReturnType<typeof timerRows> } | undefined)?.timers ?? [];
}

/** Which of a turn's timers are the actor's: their keys begin with an incarnation, and whose that is, is told by the cells that changed, by rows, and by `owners` for the others. */
function ownTimers(record: JournalRecord, address: Address): (timer: string) => boolean {
  const own = new Set<number>();
  for (const cell of record.outcome.cells) if (cell.address === address) own.add(cell.incarnation);
  for (const [, row] of timerRows(record)) if (row?.owner === address) own.add(row.incarnation);
  for (const [incarnation, owner] of record.owners ?? []) if (owner === address) own.add(incarnation);
  return (timer) => own.has(Number.parseInt(timer, 10));
}

function describeInput(
  input: Input,
  address: Address,
  isOwnTimer: (timer: string) => boolean,
): { type: string; author: string | undefined; id: string | undefined; trace?: string } | undefined {
  const entity = address.split("/").length === 3;
  switch (input.kind) {
    case "message": {
      if (input.to !== address) return undefined;
      const { sender } = input;
      return {
        type: input.event.type,
        author: authorOf(sender),
        id: sender.kind === "outside" ? sender.id : undefined,
        ...(input.trace === undefined ? {} : { trace: input.trace }),
      };
    }
    case "source":
    case "fault":
      return input.cell === address ? { type: `(${input.kind})`, author: undefined, id: undefined } : undefined;
    case "timer":
      return isOwnTimer(input.timer) ? { type: "(timer)", author: undefined, id: input.timer } : undefined;
    case "ring":
      return isOwnTimer(input.timer) ? { type: "(timer again)", author: input.author, id: input.timer } : undefined;
    case "performed":
      return input.key.startsWith(`${address}#`) ? { type: `(effect ${input.outcome.kind})`, author: undefined, id: input.key } : undefined;
    case "forked":
      return entity ? { type: "(history forked)", author: undefined, id: input.left } : undefined;
    default:
      return entity ? { type: `(${input.kind})`, author: undefined, id: undefined } : undefined;
  }
}
