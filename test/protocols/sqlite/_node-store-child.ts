// A file of a real node, or of a node made as runtime/README.md tells, on a disk that fails: writes until the process ends by itself.
// Usage: _node-store-child.js cloud|edge|own|own-log FOLDER     `own`: no handler is given for a flush that failed

import { writeSync } from "node:fs";
import { join } from "node:path";
import { realPorts as cloudPorts } from "../../../cloud-node/ports.ts";
import { realPorts as edgePorts } from "../../../edge-node/ports.ts";
import { sqliteLog, sqliteStore } from "../../../protocols/sqlite/index.ts";
import { silentLog, systemClock, systemRandom } from "../../../runtime/index.ts";
import { anEntry } from "../../contracts/append-log.ts";
import { aCommit } from "../../contracts/store.ts";

const [kind, folder = ""] = process.argv.slice(2);
const ports = { clock: systemClock, random: systemRandom, log: silentLog };
if (kind === "own-log") {
  const log = sqliteLog({ path: join(folder, "telemetry.db"), maxBytes: 1_048_576, ...ports });
  await log.open();
  // Class A is flushed at every append.
  for (let count = 1; count < 20; count++) {
    const word = await log.append([anEntry("A", 100)]).then(
      () => "committed",
      () => "failed",
    );
    writeSync(1, `${word}\n`);
  }
} else {
  const store =
    kind === "own" ? sqliteStore({ path: join(folder, "journal.db"), ...ports }) : kind === "edge" ? edgePorts.store(folder, edgePorts) : cloudPorts.store(folder, cloudPorts);
  await store.open();
  for (let revision = 1; revision < 20; revision++) writeSync(1, `${(await store.commit([aCommit("a", revision)]))[0]?.kind ?? ""}\n`);
}
writeSync(1, "still alive\n");
process.exit(0);
