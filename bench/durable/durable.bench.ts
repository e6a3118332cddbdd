// Durable commands: told from outside, taken by an XState machine, committed to SQLite with a flush, acknowledged.
//
// `saturated` asks how many a second; `1k-per-second` asks how long one takes when the system is not full. Beside both stands what the disk and the driver alone
// can do with the same rows and bytes in the same groups.

import type { EntityCommit } from "../../runtime/ports/index.ts";
import { type BenchDefinition, type Budget, mustMatch, type Prepared } from "../_helpers.ts";
import { scratchFolder, startFleet, tellFor } from "./fleet.ts";
import { steadyCommands } from "./steady.ts";
import { startWriter } from "./reference.ts";

/** As many vehicles as one cloud node of the first cut may meet. */
const ENTITIES = 1_000;
const QUICK_ENTITIES = 20;
/** Commands under way at once: two full groups, one being written and one being gathered. */
const WINDOW = 512;
const RATE_PER_S = 1_000;
/** How long the system is listened to for the reference's groups, ms. */
const RECORDED_MS = 1_000;
/** Some 30 groups, of which the first and the last are left out. */
const SATURATED_MS = 500;
/** A part of the reference's round; long beside one flush. */
const SAMPLE_MS = 100;

export const durable: BenchDefinition = {
  name: "durable",
  question: "How many commands a second are accepted durably, and how long does one take?",
  groups: [
    {
      name: "saturated",
      unit: "commands",
      measures: "rate",
      reference: "same rows and groups",
      contenders: [
        { name: "drover tell, awaited", prepare: prepareSaturated },
        { name: "same rows and groups", prepare: (budget) => prepareReference(budget, tellSaturated) },
      ],
    },
    {
      name: "1k-per-second",
      unit: "commands",
      measures: "latency",
      reference: "one flush",
      contenders: [
        { name: "drover tell, awaited", prepare: prepareSteady },
        { name: "one flush", prepare: (budget) => prepareReference(budget, tellSteadily) },
      ],
    },
  ],
};

type Fleet = Awaited<ReturnType<typeof startFleet>>;

const entitiesOf = (budget: Budget): number => (budget.isQuick ? QUICK_ENTITIES : ENTITIES);
/** A quick run has few actors. */
const windowOf = (fleet: Fleet): number => Math.min(WINDOW, Math.ceil(fleet.addresses.length / 2));
const sampleMsOf = (budget: Budget): number => Math.min(SAMPLE_MS, budget.roundMs);

async function tellSaturated(fleet: Fleet, timeMs: number): Promise<number> {
  return (await tellFor(fleet, windowOf(fleet), timeMs)).accepted;
}

async function tellSteadily(fleet: Fleet, timeMs: number): Promise<number> {
  return (await steadyCommands(fleet, RATE_PER_S, timeMs)).length;
}

async function prepareSaturated(budget: Budget): Promise<Prepared> {
  const folder = scratchFolder();
  const fleet = await startFleet(folder.path, entitiesOf(budget));
  let accepted = 0;
  return {
    sample: async () => {
      const told = await tellFor(fleet, windowOf(fleet), budget.isQuick ? budget.roundMs : SATURATED_MS);
      accepted += told.accepted;
      return told.steady;
    },
    finish: () => finish(fleet, accepted, folder),
  };
}

async function prepareSteady(budget: Budget): Promise<Prepared> {
  const folder = scratchFolder();
  const fleet = await startFleet(folder.path, entitiesOf(budget));
  let accepted = 0;
  return {
    sample: async () => {
      const start = performance.now();
      const latenciesMs = await steadyCommands(fleet, RATE_PER_S, budget.roundMs);
      accepted += latenciesMs.length;
      return { work: latenciesMs.length, elapsedMs: performance.now() - start, latenciesMs };
    },
    finish: () => finish(fleet, accepted, folder),
  };
}

async function finish(fleet: Fleet, accepted: number, folder: ReturnType<typeof scratchFolder>): Promise<void> {
  mustMatch("commands in committed states", fleet.counted(), accepted);
  await fleet.stop();
  folder.remove();
}

/** Listens to the system under the same load, then writes what it wrote. Its latencies are those of whole groups. */
async function prepareReference(budget: Budget, load: (fleet: Fleet, timeMs: number) => Promise<number>): Promise<Prepared> {
  const folder = scratchFolder();
  const groups: (readonly EntityCommit[])[] = [];
  const fleet = await startFleet(folder.path, entitiesOf(budget), (batch) => groups.push(batch.map(copyOf)));
  const commandsAfter = groups.length; // what came before began the histories
  await load(fleet, budget.isQuick ? budget.roundMs : RECORDED_MS);
  const recorded = groups.slice(commandsAfter);
  const commandsPerRow = commandsPerRowOf(fleet.counted(), recorded);
  await fleet.stop();
  const writer = await startWriter(folder.path, recorded);
  let rows = 0;
  return {
    sample: () => {
      const latenciesMs: number[] = [];
      const start = performance.now();
      let written = 0;
      for (let now = start; now - start < sampleMsOf(budget); ) {
        written += writer.writeGroup();
        const then = performance.now();
        latenciesMs.push(then - now);
        now = then;
      }
      rows += written;
      return { work: written * commandsPerRow, elapsedMs: performance.now() - start, latenciesMs };
    },
    finish: () => {
      mustMatch("rows in the reference's journal", writer.stored(), rows);
      writer.close();
      folder.remove();
    },
  };
}

/** A row is a turn, and a turn may have taken several commands. */
function commandsPerRowOf(commands: number, groups: readonly (readonly EntityCommit[])[]): number {
  return commands / groups.reduce((sum, group) => sum + group.length, 0);
}

function copyOf(commit: EntityCommit): EntityCommit {
  return { ...commit, record: commit.record.slice(), ...(commit.snapshot === undefined ? {} : { snapshot: commit.snapshot.slice() }) };
}
