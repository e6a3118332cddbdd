// C2, S3. A store keeps its word: `committed` is written when it is said, `refused` is not and never will be, and what a recovery is given is what was committed, all of it.

import type { History, Loaded, Written } from "../history.ts";
import type { Checker } from "./evidence.ts";

interface Found {
  readonly atMs: number;
  readonly what: string;
}

export const storeKeepsItsWord: Checker = {
  name: "a store keeps its word",
  promise: "C2",
  check: ({ history }) => [...brokenAnswers(history), ...wrongRecoveries(history)],
};

/** What a run last asked for under a revision. */
interface Open {
  isWritten: boolean;
  isRefused: boolean;
}

function brokenAnswers(history: History): readonly Found[] {
  const found: Found[] = [];
  const open = new Map<string, Open>();
  for (const fact of history) {
    if (fact.kind !== "asked" && fact.kind !== "written" && fact.kind !== "answered") continue;
    const { atMs, node, run, entity, incarnation, revision } = fact;
    const key = `${node} ${String(run)} ${entity} ${incarnation} ${String(revision)}`;
    if (fact.kind === "asked") open.set(key, { isWritten: false, isRefused: false });
    const turn = open.get(key);
    if (turn === undefined || fact.kind === "asked") continue;
    if (fact.kind === "written") turn.isWritten = true;
    else if (fact.outcome.kind === "refused") turn.isRefused = true;
    else if (fact.outcome.kind === "committed" && !turn.isWritten) found.push({ atMs, what: `${entity} r${String(revision)} was said to be committed and was not written` });
    if (turn.isWritten && turn.isRefused) {
      found.push({ atMs, what: `${entity} r${String(revision)} was refused and is written` });
      open.delete(key);
    }
  }
  return found;
}

function wrongRecoveries(history: History): readonly Found[] {
  const found: Found[] = [];
  const asked = new Map<string, { readonly record: string; readonly snapshot?: string }>();
  const sums = new Map<string, string>();
  const writes = new Map<string, Written[]>();
  for (const fact of history) {
    if (fact.kind === "asked") asked.set(`${fact.node} ${String(fact.run)} ${fact.entity} ${fact.incarnation} ${String(fact.revision)}`, fact.sums);
    else if (fact.kind === "written") {
      const { node, run, store, entity, incarnation, revision } = fact;
      const bytes = asked.get(`${node} ${String(run)} ${entity} ${incarnation} ${String(revision)}`);
      if (bytes === undefined) continue;
      const key = `${store} ${entity} ${incarnation} ${String(revision)}`;
      sums.set(`${key} record`, bytes.record);
      if (bytes.snapshot === undefined) sums.delete(`${key} snapshot`);
      else sums.set(`${key} snapshot`, bytes.snapshot);
      const before = writes.get(`${store} ${entity}`);
      if (before === undefined) writes.set(`${store} ${entity}`, [fact]);
      else before.push(fact);
    } else if (fact.kind === "loaded") {
      const what = lostIn(fact, writes.get(`${fact.store} ${fact.entity}`) ?? []) ?? changedIn(fact, sums);
      if (what !== undefined) found.push({ atMs: fact.atMs, what });
    }
  }
  return found;
}

/** What is written while the store reads may be in it or not. */
function lostIn({ entity, head, sinceMs }: Loaded, writes: readonly Written[]): string | undefined {
  const last = writes.findLast(({ atMs }) => atMs < sinceMs);
  if (last === undefined) return undefined;
  const was = `${entity} was recovered as ${head === undefined ? "nothing" : `r${String(head.revision)} of ${head.incarnation}`}`;
  const is = `r${String(last.revision)} of ${last.incarnation} had been written`;
  if (head === undefined) return `${was}; ${is}`;
  if (head.incarnation === last.incarnation) return head.revision < last.revision ? `${was}; ${is}` : undefined;
  return writes.some(({ incarnation, atMs }) => incarnation === head.incarnation && atMs >= sinceMs) ? undefined : `${was}; ${is}`;
}

function changedIn({ store, entity, head, snapshot, records }: Loaded, sums: ReadonlyMap<string, string>): string | undefined {
  if (head === undefined) return undefined;
  const isChanged = (revision: number, part: string, sum: string): boolean => (sums.get(`${store} ${entity} ${head.incarnation} ${String(revision)} ${part}`) ?? sum) !== sum;
  if (snapshot !== undefined && isChanged(snapshot[0], "snapshot", snapshot[1])) return `${entity} was recovered from another state at r${String(snapshot[0])} than was committed`;
  const record = records.find(([revision, sum]) => isChanged(revision, "record", sum));
  if (record !== undefined) return `${entity} was recovered with another record r${String(record[0])} than was committed`;
  const from = snapshot?.[0] ?? 0;
  return from + records.length === head.revision && records.every(([revision], at) => revision === from + at + 1)
    ? undefined
    : `${entity} was recovered with a hole between r${String(from)} and r${String(head.revision)}`;
}
