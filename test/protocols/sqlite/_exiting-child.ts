// Calls process.exit in the middle of a stream of commits.

import { sqliteStore } from "../../../protocols/sqlite/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";

const store = sqliteStore({ path: process.argv[2] ?? "", log: silentLog, clock: systemClock });
await store.open();
systemClock.setTimeout(() => process.exit(7), Number(process.argv[3]));
for (let revision = 1; ; revision++) {
  await store.commit(
    Array.from({ length: 200 }, (_, index) => ({
      entity: `acme/vehicle/v${String(index)}`,
      type: "vehicle",
      incarnation: "i1",
      revision,
      epoch: 1,
      at: 1,
      record: new Uint8Array(3000),
    })),
  );
}
