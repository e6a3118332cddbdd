// The reference of what a rollout writes: the same rows, bytes and groups by bare SQLite.

import { mustMatch, type Prepared } from "../_helpers.ts";
import { scratchFolder } from "../durable/fleet.ts";
import { startWriter } from "../durable/reference.ts";

interface RowsOptions {
  /** Of one sample. */
  readonly work: number;
  /** What a latency is of. */
  readonly timed: "each group" | "all groups";
}

export async function prepareRows(groups: Parameters<typeof startWriter>[1], { work, timed }: RowsOptions): Promise<Prepared> {
  const folder = scratchFolder();
  const writer = await startWriter(folder.path, groups);
  let rows = 0;
  return {
    sample: () => {
      const latenciesMs: number[] = [];
      const start = performance.now();
      let since = start;
      for (const _ of groups) {
        rows += writer.writeGroup();
        const now = performance.now();
        if (timed === "each group") latenciesMs.push(now - since);
        since = now;
      }
      const elapsedMs = since - start;
      return { work, elapsedMs, latenciesMs: timed === "each group" ? latenciesMs : [elapsedMs] };
    },
    finish: () => {
      mustMatch("rows in the reference's journal", writer.stored(), rows);
      writer.close();
      folder.remove();
    },
  };
}
