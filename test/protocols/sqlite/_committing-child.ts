// Commits without end and says on standard output what was acknowledged: `entity revision` a line, written at once.

import { writeSync } from "node:fs";
import { sqliteStore } from "../../../protocols/sqlite/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";

const store = sqliteStore({ path: process.argv[2] ?? "", log: silentLog, clock: systemClock });
await store.open();
const entities = Array.from({ length: 8 }, (_, index) => `acme/vehicle/v${String(index)}`);
const revisions = new Map<string, number>();
for (const entity of entities) revisions.set(entity, (await store.revisionOf(entity))?.revision ?? 0);
writeSync(1, "ready 0\n");
for (;;) {
  const batch = entities.map((entity) => {
    const revision = (revisions.get(entity) ?? 0) + 1;
    const text = new TextEncoder().encode(`${entity} ${String(revision)} ${"x".repeat(revision % 3000)}`);
    return { entity, type: "vehicle", incarnation: "i1", revision, epoch: 1, at: revision, record: text, ...(revision % 20 === 0 ? { snapshot: text } : {}) };
  });
  const outcomes = await store.commit(batch);
  let acknowledged = "";
  batch.forEach(({ entity, revision }, index) => {
    if (outcomes[index]?.kind !== "committed") throw new Error(JSON.stringify(outcomes[index]));
    revisions.set(entity, revision);
    acknowledged += `${entity} ${String(revision)}\n`;
  });
  writeSync(1, acknowledged);
  if ((batch[0]?.revision ?? 0) % 50 === 0) for (const entity of entities) await store.trim(entity, batch[0]?.revision ?? 0);
}
