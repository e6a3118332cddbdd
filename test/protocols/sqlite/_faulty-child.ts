// Commits one after the other on a disk that may fail, and says what became of each: a line of JSON on standard output, and in the file `said` beside the store, which lies on that disk
// and is recorded with it.
//
// Usage: _faulty-child.js PATH COMMITS BYTES [close]     the record of revision n has about BYTES bytes; every 7th brings a snapshot, and after every 20th the journal is trimmed

import { openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { sqliteStore } from "../../../protocols/sqlite/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { recordBytes } from "./_stored.ts";

const [path = "", commits = "0", bytes = "0", close] = process.argv.slice(2);
const said = openSync(join(dirname(path), "said"), "a");
function say(line: object): void {
  writeSync(said, `${JSON.stringify(line)}\n`);
  writeSync(1, `${JSON.stringify(line)}\n`);
}

const store = sqliteStore({
  path,
  log: silentLog,
  clock: systemClock,
  onFlushFailed: () => {
    say({ kind: "flush-failed" });
  },
});
await store.open();
let revision = (await store.revisionOf("acme/vehicle/a"))?.revision ?? 0;
for (let count = 0; count < Number(commits); count++) {
  const record = recordBytes(revision + 1, Number(bytes));
  const commit = { entity: "acme/vehicle/a", type: "vehicle", incarnation: "i1", revision: revision + 1, epoch: 1, at: count, record };
  const [outcome] = await store.commit([(revision + 1) % 7 === 0 ? { ...commit, snapshot: record } : commit]);
  say({ kind: outcome?.kind, revision: revision + 1, reason: "reason" in (outcome ?? {}) ? (outcome as { reason: string }).reason : undefined });
  if (outcome?.kind === "committed") revision++;
  else if (outcome?.kind === "unknown") revision = await headOf(revision);
  if (revision % 20 === 0) await store.trim("acme/vehicle/a", revision).catch(() => undefined);
}
if (close === "close") await store.close();
// As a crash: nothing is closed or folded.
else process.kill(process.pid, "SIGKILL");

/** Asked until it answers, for a while. */
async function headOf(before: number): Promise<number> {
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      return (await store.revisionOf("acme/vehicle/a"))?.revision ?? 0;
    } catch (error) {
      const { code } = error as { readonly code?: string };
      if (code === "DROVER_STORE_FLUSH_FAILED") {
        say({ kind: "no-answer", reason: code });
        return before;
      }
      await new Promise<void>((resolve) => void setTimeout(resolve, 100));
    }
  }
  return before;
}
