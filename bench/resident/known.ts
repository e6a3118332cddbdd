// Many entities that the store knows and nobody uses: each has taken a command and has left memory. In every round some are called back, answer, and leave again.

import { join } from "node:path";

import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { type Address, createSystem, entityType, type System, systemClock, systemRandom } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { type Budget, mustMatch, type Prepared } from "../_helpers.ts";
import { dimmerEntity, scratchFolder } from "../durable/fleet.ts";
import { heldHeapBytes } from "../held-heap.ts";

export const KNOWN = 100_000;
const QUICK_KNOWN = 200;
/** Commands under way at once. */
const WINDOW = 500;
const IDLE_MS = 50;
/** All have left memory within this time after the last command, ms. */
const GONE_WITHIN_MS = 60_000;
/** The ways in are not what is asked here. */
const ADMITTED = { perSecond: 1_000_000, burst: WINDOW, concurrent: WINDOW };
/** Long beside a command, and short enough that no entity is kept for an id's sake. */
const ID_KEPT_MS = 10_000;

const knownOf = (budget: Budget): number => (budget.isQuick ? QUICK_KNOWN : KNOWN);
const addressOf = (at: number): Address => `bench/dimmer/known-${String(at)}` as Address;

export async function prepareKnown(budget: Budget): Promise<Prepared> {
  const known = knownOf(budget);
  const folder = scratchFolder();
  const store = sqliteStore({ path: join(folder.path, "journal.db"), log: silentLog, clock: systemClock });
  await store.open();
  const types = [entityType({ root: dimmerEntity.root, durability: "snapshot", placement: "cloud", passivateAfterMs: IDLE_MS })];
  const system = createSystem({ node: "bench", types, store, clock: systemClock, random: systemRandom, log: silentLog, activation: ADMITTED });
  await system.start();
  const toldTo = new Uint8Array(known + WINDOW);
  let ids = 0;
  const command = async (at: number): Promise<void> => {
    const options = { id: `m${String(++ids)}`, withinMs: ID_KEPT_MS, keepMs: ID_KEPT_MS, create: { input: undefined } };
    const told = await system.tell(addressOf(at), { type: "level.set", percent: at % 101 }, options);
    if (told.kind !== "accepted") throw new Error(`a command was not accepted: ${JSON.stringify(told)}`);
    toldTo[at] = (toldTo[at] ?? 0) + 1;
  };
  // The first ones come and go before the heap is looked at: what they leave is code and buffers, of which more entities need no more.
  await inWindows(known, known + WINDOW, command);
  await allGone(system);
  const before = heldHeapBytes();
  await inWindows(0, known, command);
  await allGone(system);
  let next = 0;
  return {
    sample: async () => {
      const start = performance.now();
      await Promise.all(Array.from({ length: Math.min(WINDOW, known) }, () => command(next++ % known)));
      await allGone(system);
      return { work: known, elapsedMs: performance.now() - start, heapBytes: heldHeapBytes() - before };
    },
    finish: async () => {
      let counted = 0;
      await inWindows(0, toldTo.length, async (at) => {
        const view = await system.look(addressOf(at));
        counted += (view?.context as { readonly commands: number } | undefined)?.commands ?? 0;
      });
      mustMatch(
        "commands in the stored states",
        counted,
        toldTo.reduce((sum, count) => sum + count, 0),
      );
      await system.stop();
      await store.close();
      folder.remove();
    },
  };
}

/** The least that a node could know of them. */
export function prepareNames(budget: Budget): Prepared {
  const known = knownOf(budget);
  let found = 0;
  let rounds = 0;
  return {
    sample: () => {
      const start = performance.now();
      const before = heldHeapBytes();
      const names = new Set(Array.from({ length: known }, (_, at) => addressOf(at)));
      const heapBytes = heldHeapBytes() - before;
      rounds++;
      for (let at = 0; at < known; at++) if (names.has(addressOf(at))) found++;
      return { work: names.size, elapsedMs: performance.now() - start, heapBytes };
    },
    finish: () => {
      mustMatch("names in the set", found, rounds * known);
    },
  };
}

async function inWindows(start: number, end: number, run: (at: number) => Promise<void>): Promise<void> {
  for (let from = start; from < end; from += WINDOW) await Promise.all(Array.from({ length: Math.min(WINDOW, end - from) }, (_, at) => run(from + at)));
}

async function allGone(system: System): Promise<void> {
  const giveUpAt = performance.now() + GONE_WITHIN_MS;
  while (system.describeEntities().length > 0) {
    if (performance.now() > giveUpAt) throw new Error(`${String(system.describeEntities().length)} idle entities stay in memory`);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  }
}
