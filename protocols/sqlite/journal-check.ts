// Looks, when a journal is opened, at everything that recovery will read and at nothing else: SQLite's own check sees a damaged table, not a damaged value in it.
//
// C1. All named values. Of each history: its own row, its newest whole snapshot, every record after it. Damage there makes an entity unrecoverable or its history untrue: the file is moved
//     aside as a whole (rules L2). A damaged newest snapshot is no damage of that kind where the older one and all records since it are whole.
// C2. What recovery does not need, old records and an older snapshot, is not looked at: reading them passes over what is damaged.
// C3. A row that belongs to no history lost its place, and with it the newest record of some history may be gone.
// C4. Nothing here is prepared, so that the connection can be closed and the file moved.

import type { Database, SqlValue } from "./driver.ts";
import { isWholeRecord, isWholeSnapshot, isWholeValue, type SealedHistory, sealOfHistory, SUM } from "./seal.ts";

/** Named value that holds the store's era. */
export const ERA_KEY = "store/era";
/** Named value of a store that was told that a mark stands beside it. */
export const MARKED_KEY = "store/marked";

/** What is wrong with it, naming entity and revision, or undefined. Time is that of reading what recovery reads. @throws SQLite's errors, RangeError for numbers that were never written */
export function journalProblem(database: Database): string | undefined {
  const histories: SealedHistory[] = [];
  const problems: string[] = [];
  database.each(["number", "entity", "type", "incarnation", "unsealed", SUM], "histories NOT INDEXED", ([number, entity, type, incarnation, unsealed, sum]) => {
    const history = { number: Number(number), entity: String(entity), type: String(type), incarnation: String(incarnation), unsealed: Number(unsealed) };
    if (sum !== sealOfHistory(history)) problems.push(`history ${String(number)}, of the entity ${JSON.stringify(history.entity)}, does not match its checksum`);
    histories.push(history);
  });
  database.each(["key", "value", SUM], "named_values", ([key = null, value = null, sum = null]) => {
    if (!isWholeValue({ key, value, sum })) problems.push(`the value ${JSON.stringify(key)} does not match its checksum`);
  });
  problems.push(...strays(database));
  if (problems.length > 0) return summary(problems);
  for (const history of histories) {
    const problem = historyProblem(database, history);
    if (problem !== undefined) problems.push(problem);
  }
  return problems.length === 0 ? undefined : summary(problems);
}

/** The newest era (store-mark.ts) whose first commit it holds. */
export function journalEra(database: Database): number {
  const [value] = database.ask("value", `named_values WHERE key = '${ERA_KEY}'`);
  return value instanceof Uint8Array ? Number(new TextDecoder().decode(value)) : 0;
}

/** Whether it was told that a mark stands beside it (store-mark.ts). */
export function journalIsMarked(database: Database): boolean {
  return database.ask("count(*)", `named_values WHERE key = '${MARKED_KEY}'`)[0] === 1;
}

/** C3, and entities that cannot be found by their name. */
function strays(database: Database): readonly string[] {
  const byName = "histories AS h NOT INDEXED WHERE (SELECT f.number FROM histories AS f WHERE f.entity = h.entity) IS NOT h.number";
  const writers = `(WITH RECURSIVE numbers(n) AS (SELECT min(history) FROM journal UNION ALL SELECT (SELECT min(history) FROM journal WHERE history > n) FROM numbers WHERE n IS NOT NULL)
    SELECT n FROM numbers WHERE n IS NOT NULL AND n NOT IN (SELECT number FROM histories))`;
  return [
    ...database.ask("h.entity", byName).map((entity) => `the entity ${JSON.stringify(entity)} is not found by its name`),
    ...database.ask("n", writers).map((number) => `records belong to no entity (history ${String(number)})`),
    ...database.ask("slot", "snapshots WHERE slot / 2 NOT IN (SELECT number FROM histories)").map((slot) => `a snapshot belongs to no entity (slot ${String(slot)})`),
  ];
}

/** C1. */
function historyProblem(database: Database, history: SealedHistory): string | undefined {
  const { number, entity } = history;
  const passedOver: number[] = [];
  let from = 0;
  for (const slot of database.ask("slot", `snapshots WHERE slot BETWEEN ${String(number * 2)} AND ${String(number * 2 + 1)} ORDER BY revision DESC`)) {
    const revision = wholeSnapshot(database, history, slot);
    if (revision.isWhole) {
      from = revision.revision;
      break;
    }
    passedOver.push(revision.revision);
  }
  let newest = from;
  let problem: string | undefined;
  database.each(["revision", "epoch", "at", "record", SUM], `journal WHERE history = ${String(number)} AND revision > ${String(from)} ORDER BY revision`, (values) => {
    if (problem !== undefined) return;
    const [revision = null, epoch = null, at = null, record = null, sum = null] = values;
    newest++;
    if (revision !== newest) problem = `the history of ${entity} has no revision ${String(newest)}`;
    else if (!isWholeRecord(history, { revision, epoch, at, record, sum })) problem = `revision ${String(revision)} of ${entity} does not match its checksum`;
  });
  // Seen from the other end: rows may be hidden behind one whose key is out of order.
  const [last = newest] = database.ask("revision", `journal WHERE history = ${String(number)} ORDER BY revision DESC LIMIT 1`);
  const isAtEnd = last === newest || (newest === from && typeof last === "number" && last < from);
  if (problem === undefined && !isAtEnd) problem = `the history of ${entity} has no revision ${String(newest + 1)}`;
  if (problem === undefined && newest === 0) problem = `nothing is left of the history of ${entity}`;
  if (problem === undefined || passedOver.length === 0) return problem;
  return `${problem}; its snapshots of revision ${passedOver.join(" and ")} do not match theirs`;
}

function wholeSnapshot(database: Database, history: SealedHistory, slot: SqlValue): { readonly revision: number; readonly isWhole: boolean } {
  let found = { revision: 0, isWhole: false };
  database.each(["revision", "state", SUM], `snapshots WHERE slot = ${String(slot)}`, ([revision = null, state = null, sum = null]) => {
    found = { revision: Number(revision), isWhole: isWholeSnapshot(history, { revision, state, sum }) };
  });
  return found;
}

function summary(problems: readonly string[]): string {
  const [first = "", ...others] = problems;
  return others.length === 0 ? first : `${first} (and ${String(others.length)} more)`;
}
