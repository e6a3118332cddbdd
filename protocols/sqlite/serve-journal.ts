// The calls of the store's facade, carried out on its file.

import type { JournalQuery, ValueChange, ValuesPage } from "../../runtime/ports/index.ts";
import { type PackedBatch, unpackBatch } from "./batch-packing.ts";
import { journalEra, journalIsMarked, journalProblem } from "./journal-check.ts";
import { JournalFile } from "./journal-file.ts";
import type { Contents, OpenFile } from "./open-file.ts";
import { sealHistories } from "./seal.ts";
import type { Service } from "./service.ts";

/** Calls of the store's facade with their arguments and values. */
export interface JournalCalls {
  readonly revisionOf: string;
  readonly load: string;
  readonly entities: { readonly after: string | undefined; readonly limit: number };
  readonly journal: JournalQuery;
  readonly trimStep: { readonly entity: string; readonly revision: number };
  readonly "values.get": string;
  readonly "values.set": { readonly key: string; readonly value: Uint8Array };
  readonly "values.entries": { readonly prefix: string; readonly page: ValuesPage | undefined };
  readonly "values.delete": string;
  readonly "values.write": readonly ValueChange[];
  readonly commit: PackedBatch;
}

type Reading = "revisionOf" | "load" | "entities" | "journal" | "values.get" | "values.entries";

/** What a commit writes beside its bytes is told in pages: about one for each entity, and two above them. */
const PAGE_BYTES = 4096;

export const journalContents: Contents = {
  check: "integrity_check",
  table: "journal",
  newest: { table: "histories", column: "unsealed" },
  problem: journalProblem,
  era: journalEra,
  isMarked: journalIsMarked,
  migrated: sealHistories,
};

export function serveJournal(file: OpenFile): Service {
  const journal = new JournalFile(file.database);
  let era = journalEra(file.database) + 1;
  let isMarked = false;
  // Lasting before a mark stands again.
  if (file.isRestored) journal.goneBack();
  const reads: { readonly [Call in Reading]: (argument: JournalCalls[Call]) => unknown } = {
    revisionOf: (entity) => journal.revisionOf(entity),
    load: (entity) => journal.load(entity),
    entities: ({ after, limit }) => journal.entities(after, limit),
    journal: (query) => journal.journal(query),
    "values.get": (key) => journal.getValue(key),
    "values.entries": ({ prefix, page }) => journal.valueEntries(prefix, page),
  };
  /** How much they write is told roughly: `OpenFile.written` looks at the log as well. */
  const writes: { readonly [Call in Exclude<keyof JournalCalls, "commit" | Reading>]: (argument: JournalCalls[Call]) => unknown } = {
    trimStep: ({ entity, revision }) => journal.trimStep(entity, revision),
    "values.set": ({ key, value }) => {
      journal.setValue(key, value);
    },
    "values.delete": (key) => {
      journal.deleteValue(key);
    },
    "values.write": (changes) => {
      journal.writeValues(changes);
    },
  };
  /** Not before the answer. */
  const written = (bytes: number) => (): void => {
    if (!file.written(bytes)) return;
    era++;
    isMarked = false;
  };
  return {
    handle: (call, argument) => {
      if (call === "commit") {
        const batch = argument as PackedBatch;
        const { outcomes, failure } = journal.commit(unpackBatch(batch), isMarked ? undefined : { number: era, isMarked: file.placeMark() });
        // Before the answer: what the mark names is committed by now, and what was answered is named by it.
        if (!isMarked && outcomes.some(({ kind }) => kind === "committed")) isMarked = file.mark(era);
        if (failure !== undefined) return { value: outcomes, failure };
        const bytes = batch.bytes.byteLength + PAGE_BYTES * (2 + batch.entities.length);
        return { value: outcomes, afterwards: written(bytes) };
      }
      const write = (writes as Record<string, (argument: unknown) => unknown>)[call];
      if (write !== undefined) return { value: write(argument), afterwards: written(2 * PAGE_BYTES + valueBytesOf(argument)) };
      return { value: (reads as Record<string, (argument: unknown) => unknown>)[call]?.(argument) };
    },
  };
}

function valueBytesOf(argument: unknown): number {
  const values = Array.isArray(argument) ? (argument as readonly ValueChange[]) : [argument as Partial<ValueChange>];
  return values.reduce((bytes, { value }) => bytes + (value?.byteLength ?? 0), 0);
}
