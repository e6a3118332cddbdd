// A store in memory whose disk has as much room as a test says.

import { type CommitOutcome, DroverError } from "../runtime/ports/index.ts";
import { type MemoryStore, type MemoryStoreOptions, memoryStore } from "../runtime/simulation/index.ts";

export interface Disk {
  /** Bytes that one call can write. */
  room: number;
}

export function storeOnDisk(disk: Disk, options?: MemoryStoreOptions): MemoryStore {
  const inner = memoryStore(options);
  const { values } = inner;
  return {
    ...inner,
    commit: async (batch) => {
      const bytes = batch.reduce((sum, { record }) => sum + record.byteLength, 0);
      return bytes > disk.room ? batch.map((): CommitOutcome => ({ kind: "refused", reason: "the disk is full", passing: true })) : inner.commit(batch);
    },
    values: {
      ...values,
      set: async (key, value) => {
        if (value.byteLength > disk.room) throw new DroverError("DROVER_STORE_FAILED", "the disk is full");
        await values.set(key, value);
      },
    },
  };
}
