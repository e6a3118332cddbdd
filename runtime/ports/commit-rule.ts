// Which commits a store takes: one rule for every store, so that memory, SQLite and PostgreSQL refuse the same turns (rules C2, C3, T1).
//
// R1. Within an incarnation the next revision is the last one plus one; anything else is refused.
// R2. A history opens with revision 1 or with a snapshot: from anything else it could not be recovered without a hole.
// R3. A new incarnation takes the place of an old one only by naming it. The name is random, so whoever names it has read it; a former activation cannot.
// R4. A commit's epoch is not below that of the entity's newest record: who was owner before is refused, whatever it believes (rules E1, promise S1).
// R5. Named values are written together up to a number and a size: commits wait behind them.

import type { EntityCommit, ValueChange } from "./store.ts";

/** Rules C3. */
export const MAX_BATCH_COMMITS = 256;
/** Of one record, one snapshot, or the named values that are written together. */
export const MAX_RECORD_BYTES = 32 * 1024 * 1024;
/** R5. */
export const MAX_VALUE_CHANGES = 256;
const MAX_NAME_CHARACTERS = 512;

/** Where an entity's history stands. */
export interface HistoryHead {
  readonly type: string;
  readonly incarnation: string;
  readonly revision: number;
  /** Of its newest record; 0 where that is not kept. */
  readonly epoch: number;
}

/** Why `commit` cannot follow `head` (undefined: nothing is stored for the entity), or undefined when it can. */
export function commitProblem(head: HistoryHead | undefined, commit: EntityCommit): string | undefined {
  const malformed = commitShapeProblem(commit);
  if (malformed !== undefined) return malformed;
  if (head !== undefined && commit.epoch < head.epoch) return `its epoch ${String(commit.epoch)} is over: an owner of epoch ${String(head.epoch)} has written it`;
  if (head?.incarnation === commit.incarnation) {
    if (commit.replaces !== undefined) return `incarnation ${commit.incarnation} is the present one and cannot be opened again`;
    if (head.type !== commit.type) return `its type is ${head.type}, this commit says ${commit.type}`;
    if (commit.revision !== head.revision + 1) return `revision ${String(commit.revision)} does not follow ${String(head.revision)}`;
    return undefined;
  }
  if (commit.replaces !== head?.incarnation) {
    return head === undefined
      ? `nothing is stored for it, so there is no incarnation ${String(commit.replaces)} to replace`
      : `its incarnation is ${head.incarnation}, this commit is of ${commit.incarnation} and replaces ${commit.replaces ?? "none"}`;
  }
  if (commit.revision !== 1 && commit.snapshot === undefined) return `a history opens with revision 1 or a snapshot, not with revision ${String(commit.revision)} alone`;
  return undefined;
}

/** Why `commit` is not well formed, whatever is stored; part of `commitProblem`. */
export function commitShapeProblem(commit: EntityCommit): string | undefined {
  for (const name of ["entity", "type", "incarnation"] as const) {
    if (!isName(commit[name])) return `its ${name} is not a well-formed text of 1 to ${String(MAX_NAME_CHARACTERS)} characters`;
  }
  if (!Number.isSafeInteger(commit.revision) || commit.revision < 1) return `revision ${String(commit.revision)} is not a whole number from 1`;
  if (!Number.isSafeInteger(commit.epoch) || commit.epoch < 0) return `epoch ${String(commit.epoch)} is not a whole number from 0`;
  if (!Number.isFinite(commit.at)) return `its time ${String(commit.at)} is not a number of milliseconds`;
  if (commit.value !== undefined && !isName(commit.value.key)) return `the key of its value is not a well-formed text of 1 to ${String(MAX_NAME_CHARACTERS)} characters`;
  for (const [name, bytes] of [["record", commit.record] as const, ["snapshot", commit.snapshot] as const, ["value", commit.value?.value] as const]) {
    const problem = bytes === undefined && name !== "record" ? undefined : bytesProblem(name, bytes);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** R5. Why these are not written together, or undefined when they are. */
export function valuesProblem(changes: readonly ValueChange[]): string | undefined {
  if (changes.length > MAX_VALUE_CHANGES) return `at most ${String(MAX_VALUE_CHANGES)} values are written together, these are ${String(changes.length)}`;
  const unsound = changes.find(({ value }) => value !== undefined && !(value instanceof Uint8Array));
  if (unsound !== undefined) return `value ${unsound.key} is not a Uint8Array`;
  const bytes = changes.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0);
  return bytes > MAX_RECORD_BYTES ? `values that are written together have ${String(bytes)} bytes, more than ${String(MAX_RECORD_BYTES)}` : undefined;
}

function isName(text: unknown): boolean {
  return typeof text === "string" && text.length > 0 && text.length <= MAX_NAME_CHARACTERS && !/[\0\p{Surrogate}]/u.test(text);
}

function bytesProblem(name: string, bytes: unknown): string | undefined {
  if (!(bytes instanceof Uint8Array)) return `its ${name} is not a Uint8Array`;
  return bytes.byteLength > MAX_RECORD_BYTES ? `its ${name} has ${String(bytes.byteLength)} bytes, more than ${String(MAX_RECORD_BYTES)}` : undefined;
}
