// A system over SQLite that takes commands for a while, watched by the clock of its own event loop. Usage: _busy-node-child.js PATH MS

import { writeSync } from "node:fs";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { sqliteStore } from "../../../protocols/sqlite/index.ts";
import { createSystem, systemClock, systemRandom } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ledgerEntity } from "../../runtime/system/ledger.ts";

const [path = "", forMs = "0"] = process.argv.slice(2);
const ENTITIES = 20;
const store = sqliteStore({ path, log: silentLog, clock: systemClock });
await store.open();
const system = createSystem({ node: "n1", types: [ledgerEntity], store, clock: systemClock, random: systemRandom, log: silentLog });
await system.start();
const ledgers = Array.from({ length: ENTITIES }, (_, index) => `acme/ledger/l${String(index)}`);
for (const ledger of ledgers) await system.activate(ledger as never, { input: undefined });

const lag = monitorEventLoopDelay({ resolution: 5 });
lag.enable();
const until = performance.now() + Number(forMs);
let acknowledged = 0;
let worstAckMs = 0;
await Promise.all(
  ledgers.map(async (ledger) => {
    while (performance.now() < until) {
      const from = performance.now();
      const told = await system.tell(ledger, { type: "ledger.enter", n: acknowledged });
      if (told.kind !== "accepted") throw new Error(JSON.stringify(told));
      acknowledged++;
      worstAckMs = Math.max(worstAckMs, performance.now() - from);
      await pause(20);
    }
  }),
);
lag.disable();
let counted = 0;
for (const ledger of ledgers) counted += (system.read(ledger as never)?.context as { readonly entries: readonly number[] }).entries.length;
await system.stop();
await store.close();
const ms = (nanoseconds: number): number => Math.round(nanoseconds / 10_000) / 100;
writeSync(1, `${JSON.stringify({ lagP99Ms: ms(lag.percentile(99)), lagWorstMs: ms(lag.max), acknowledged, worstAckMs: Math.round(worstAckMs), counted })}\n`);
