// One process holds a store (design section 12, research/ecosystem.md section 4.1: two SQLite builds on one file have corrupted it in the field).
// The lock is SQLite's own on an empty file beside the store: the operating system gives it back when its holder dies, and it stands while the store itself is
// closed, moved aside or created anew. It is a file of its own because closing any handle of a file ends this process's locks on it.

import { truncateSync } from "node:fs";
import { DroverError } from "../../runtime/ports/index.ts";
import { type Database, type Driver, isDamage, resultCodeOf, SQLITE_BUSY } from "./driver.ts";

export interface FileLock {
  release(): void;
}

/** @param waitMs how long another holder is waited for @throws DROVER_STORE_LOCKED */
export function lockFile(driver: Driver, path: string, waitMs: number): FileLock {
  const lockPath = `${path}.lock`;
  try {
    return hold(driver, lockPath, waitMs);
  } catch (error) {
    if (resultCodeOf(error) === SQLITE_BUSY) throw new DroverError("DROVER_STORE_LOCKED", `${path} is held by another process`, { cause: error, retryable: true });
    if (!isDamage(error)) throw error;
    // Something wrote into the lock file. It never holds anything, and nobody can hold it in this state.
    truncateSync(lockPath, 0);
    return hold(driver, lockPath, waitMs);
  }
}

function hold(driver: Driver, lockPath: string, busyTimeoutMs: number): FileLock {
  const database: Database = driver.open(lockPath, { busyTimeoutMs });
  try {
    database.exec("PRAGMA journal_mode = MEMORY");
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    release: () => {
      database.close();
    },
  };
}
