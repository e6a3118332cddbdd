// Stores for tests: opened on the real clock, closed with their test; and copies of a store as a crash would leave it.

import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { Test } from "tap";
import { loadDriver } from "../../../protocols/sqlite/driver.ts";
import { type SqliteStore, sqliteStore, type SqliteStoreOptions } from "../../../protocols/sqlite/index.ts";
import { JOURNAL_APPLICATION_ID, JOURNAL_MIGRATIONS } from "../../../protocols/sqlite/journal-file.ts";
import type { FileSpec } from "../../../protocols/sqlite/open-file.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";

export function makeStore(t: Test, path: string, more: Partial<SqliteStoreOptions> = {}): SqliteStore {
  const store = sqliteStore({ path, log: silentLog, clock: systemClock, ...more });
  t.teardown(() => store.close());
  return store;
}

export async function openStore(t: Test, path: string, more: Partial<SqliteStoreOptions> = {}): Promise<SqliteStore> {
  const store = makeStore(t, path, more);
  await store.open();
  return store;
}

/** A journal's file as its thread opens it. @param checkBytes up to which size it is read through, default none */
export function journalSpec(path: string, checkBytes = 0): FileSpec {
  return {
    path,
    noun: "journal",
    applicationId: JOURNAL_APPLICATION_ID,
    migrations: JOURNAL_MIGRATIONS,
    synchronous: "FULL",
    checkBytes,
    busyTimeoutMs: 0,
    mayMoveAside: true,
    at: 0,
  };
}

/** The files of an open store as they stand now, in a folder of their own: what is left when its process is killed. @returns the store's path there */
export function crashCopy(path: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const copy = join(folder, basename(path));
  for (const part of ["", "-wal", ".mark"]) if (existsSync(path + part)) copyFileSync(path + part, copy + part);
  return copy;
}

/** Changes bytes of a row of a closed store without SQLite noticing: what a torn page leaves inside of a large value. */
export async function damageRow(path: string, entity: string, part: { readonly snapshot: number } | { readonly record: number }): Promise<void> {
  const database = (await loadDriver()).open(path, { busyTimeoutMs: 1_000 });
  const history = `(SELECT number FROM histories WHERE entity = '${entity}')`;
  if ("snapshot" in part) database.exec(`UPDATE snapshots SET state = CAST(state || x'00' AS BLOB) WHERE slot / 2 = ${history} AND revision = ${String(part.snapshot)}`);
  else database.exec(`UPDATE journal SET record = CAST(record || x'00' AS BLOB) WHERE history = ${history} AND revision = ${String(part.record)}`);
  database.close();
}

/** Bytes that say which revision they belong to, and would be noticed when parts of them were those of another. */
export function recordBytes(revision: number, size: number): Uint8Array {
  return Uint8Array.from({ length: Math.max(8, size) }, (_, index) => (revision * 31 + index * 7 + ((index * revision) >> 5)) & 0xff);
}
