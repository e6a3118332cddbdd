// Appends to a telemetry log on a disk that may fail, one entry after the other, and says what became of each on standard output.
//
// Usage: _faulty-log-child.js PATH ENTRIES BYTES

import { writeSync } from "node:fs";
import { sqliteLog } from "../../../protocols/sqlite/index.ts";
import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";

const [path = "", entries = "0", bytes = "0"] = process.argv.slice(2);
const say = (kind: string, reason?: string): void => void writeSync(1, `${JSON.stringify({ kind, reason })}\n`);

const log = sqliteLog({ path, maxBytes: 100_000_000, log: silentLog, clock: systemClock, random: systemRandom, onFlushFailed: (reason) => say("flush-failed", reason) });
await log.open();
for (let count = 0; count < Number(entries); count++) {
  const entry = { at: count, class: count % 10 === 0 ? ("A" as const) : ("B" as const), bytes: new Uint8Array(Number(bytes)).fill(count) };
  await log.append([entry]).then(
    () => say("committed"),
    (error: unknown) => say("refused", (error as Error).message),
  );
}
process.kill(process.pid, "SIGKILL");
