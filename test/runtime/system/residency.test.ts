// What known entities cost: a few in memory, many in the store (design section 12).
// The long form: DROVER_KNOWN_ENTITIES=100000 before the command that runs this file.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "tap";
import { sqliteStore } from "../../../protocols/sqlite/index.ts";
import { type Address, createSystem, entityType, parseAddress, systemClock, systemRandom } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { counterEntity } from "./hosting.ts";

const KNOWN = Number(process.env["DROVER_KNOWN_ENTITIES"] ?? 1_500);
const RESIDENT = Math.floor(KNOWN / 20);
const MiB = 1_048_576;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test("C5. of many known entities those beyond the node's number are in the store alone, and each answers with its state", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "drover-residency-"));
  const store = sqliteStore({ path: join(folder, "journal.db"), log: silentLog, clock: systemClock });
  await store.open();
  const types = [entityType({ root: counterEntity.root, durability: "snapshot", placement: "cloud", passivateAfterMs: Number.POSITIVE_INFINITY })];
  const system = createSystem({ node: "n1", types, store, clock: systemClock, random: systemRandom, log: silentLog, residentEntities: RESIDENT });
  await system.start();
  const addressOf = (at: number): Address => parseAddress(`acme/counter/known-${String(at)}`);
  const before = heapUsed();
  const began = performance.now();
  // Far more at once than a store's queue holds: they wait (promise S5).
  const BATCH = 2_000;
  let accepted = 0;
  for (let from = 0; from < KNOWN; from += BATCH) {
    const told = await Promise.all(
      Array.from({ length: Math.min(BATCH, KNOWN - from) }, (_, at) =>
        system.tell(addressOf(from + at), { type: "count.add", by: from + at }, { withinMs: 60_000, keepMs: 60_000, create: { input: undefined } }),
      ),
    );
    accepted += told.filter(({ kind }) => kind === "accepted").length;
  }
  const made = performance.now();
  const resident = system.describeEntities().length;
  const after = heapUsed();
  t.equal(accepted, KNOWN);
  t.ok(resident <= RESIDENT + 256, `${String(resident)} are in memory`);
  t.comment(
    `${String(KNOWN)} known, ${String(resident)} in memory: heap ${(before / MiB).toFixed(1)} -> ${(after / MiB).toFixed(1)} MiB (${((after - before) / resident / 1_024).toFixed(2)} KiB for each in memory), made in ${((made - began) / 1_000).toFixed(1)} s`,
  );
  t.ok(after < 200 * MiB);

  const asked = Array.from({ length: 50 }, (_, at) => Math.floor((at * KNOWN) / 50));
  const answers = await Promise.all(asked.map((at) => system.ask(addressOf(at), { type: "count.add", by: 0 }, { withinMs: 30_000 })));
  t.same(
    answers.map((answer) => (answer.kind === "replied" ? (answer.value as { readonly total: number }).total : answer.kind)),
    asked,
  );

  const known: string[] = [];
  const listing = performance.now();
  let longestMs = 0;
  for (let after: string | undefined, isLast = false; !isLast; ) {
    const asked = performance.now();
    const page = await system.list({ limit: 500, ...(after === undefined ? {} : { after }) });
    longestMs = Math.max(longestMs, performance.now() - asked);
    known.push(...page.items.map(({ address }) => address));
    after = page.next;
    isLast = after === undefined;
  }
  t.same([known.length, new Set(known).size], [KNOWN, KNOWN], "and the list holds each of them once");
  t.comment(`listed in ${((performance.now() - listing) / 1_000).toFixed(2)} s, a page of 500 in ${longestMs.toFixed(1)} ms at most`);
  await system.stop();
  await store.close();
  await rm(folder, { recursive: true });
});
