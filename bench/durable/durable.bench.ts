// Durable commands: told from outside, taken by an XState machine, committed to SQLite with a flush, acknowledged.
//
// `saturated` asks how many a second, `one hot entity` how many where all are for one; `1k-per-second` asks how long one takes when the system is not full. Beside each stands
// what the disk and the driver alone can do with the same rows and bytes in the same groups.

import type { TellOptions } from "../../runtime/index.ts";
import type { EntityCommit } from "../../runtime/ports/index.ts";
import { type BenchDefinition, type Budget, mustMatch, type Prepared } from "../_helpers.ts";
import { type Fleet, scratchFolder, startFleet, tellFor } from "./fleet.ts";
import { steadyCommands } from "./steady.ts";
import { closedLoopTimes, copyOf, groupTimes, startWriter, type WrittenGroup } from "./reference.ts";

interface Load {
  readonly entities: number;
  /** Commands under way at all times, each handed in when another was acknowledged; 0: they leave by the clock. */
  readonly window: number;
  /** How long an outcome is awaited and kept, ms; longer than a run where it is missing. */
  readonly keptMs?: number;
}

/** As many vehicles as one cloud node of the first cut may meet. */
const ENTITIES = 1_000;
const QUICK_ENTITIES = 20;
/** Commands under way at once: two full groups, one being written and one being gathered. */
const WINDOW = 512;
/** Four full turns, so that each takes as many as it may. */
const HOT_WINDOW = 256;
/** An entity keeps the outcomes of at most 10,000 messages; it takes as many as this in that time, ms, which is 33,000 a second. */
const HOT_KEPT_MS = 300;
const QUICK_HOT_WINDOW = 64;
/** The first commands of a process are slow ones: a few of these are given time, before so little of it is left. */
const COLD = { window: 64, forMs: 200, keptMs: 5_000 };
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
      timed: acknowledged(WINDOW),
      reference: "same rows and groups",
      contenders: [
        { name: "drover tell, awaited", prepare: (budget) => prepareWindow(budget, saturated(budget)) },
        { name: "same rows and groups", prepare: (budget) => prepareReference(budget, saturated(budget)) },
      ],
    },
    {
      name: "one hot entity",
      unit: "commands",
      measures: "rate",
      timed: acknowledged(HOT_WINDOW),
      reference: "same rows and groups",
      contenders: [
        { name: "drover tell, awaited", prepare: (budget) => prepareWindow(budget, hot(budget)) },
        { name: "same rows and groups", prepare: (budget) => prepareReference(budget, hot(budget)) },
      ],
    },
    {
      name: "1k-per-second",
      unit: "commands",
      measures: "latency",
      timed: "a command, from when it should have been handed in until it was acknowledged; `one flush` the writing of a group",
      reference: "one flush",
      contenders: [
        { name: "drover tell, awaited", prepare: (budget) => prepareSteady(budget, steady(budget)) },
        { name: "one flush", prepare: (budget) => prepareReference(budget, steady(budget)) },
      ],
    },
  ],
};

const steady = ({ isQuick }: Budget): Load => ({ entities: isQuick ? QUICK_ENTITIES : ENTITIES, window: 0 });
/** A quick run has few actors. */
const saturated = (budget: Budget): Load => ({ ...steady(budget), window: budget.isQuick ? QUICK_ENTITIES / 2 : WINDOW });
const hot = ({ isQuick }: Budget): Load => ({ entities: 1, window: isQuick ? QUICK_HOT_WINDOW : HOT_WINDOW, keptMs: isQuick ? COLD.keptMs : HOT_KEPT_MS });
const sampleMsOf = (budget: Budget): number => Math.min(SAMPLE_MS, budget.roundMs);

/** Reference R2. */
function acknowledged(window: number): string {
  return `a command, from when it was handed in until it was acknowledged, ${String(window)} under way`;
}

const keptFor = (keptMs?: number): TellOptions => (keptMs === undefined ? {} : { withinMs: keptMs, keepMs: keptMs });

async function startLoaded(folder: string, { entities, keptMs }: Load, onBatch?: (batch: readonly EntityCommit[]) => void): Promise<Fleet> {
  const fleet = await startFleet(folder, entities, onBatch);
  if (keptMs !== undefined) await tellFor(fleet, COLD.window, COLD.forMs, keptFor(COLD.keptMs));
  return fleet;
}

async function prepareWindow(budget: Budget, load: Load): Promise<Prepared> {
  const folder = scratchFolder();
  const fleet = await startLoaded(folder.path, load);
  let accepted = fleet.counted();
  return {
    sample: async () => {
      const told = await tellFor(fleet, load.window, budget.isQuick ? budget.roundMs : SATURATED_MS, keptFor(load.keptMs));
      accepted += told.accepted;
      return told.steady;
    },
    finish: () => finish(fleet, accepted, folder),
  };
}

async function prepareSteady(budget: Budget, { entities }: Load): Promise<Prepared> {
  const folder = scratchFolder();
  const fleet = await startFleet(folder.path, entities);
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

/** Listens to the system under the same load, then writes what it wrote. */
async function prepareReference(budget: Budget, load: Load): Promise<Prepared> {
  const { window } = load;
  const folder = scratchFolder();
  const groups: (readonly EntityCommit[])[] = [];
  const fleet = await startLoaded(folder.path, load, (batch) => groups.push(batch.map(copyOf)));
  const before = { groups: groups.length, commands: fleet.counted() }; // which began the histories
  const recordedMs = budget.isQuick ? budget.roundMs : RECORDED_MS;
  await (window === 0 ? steadyCommands(fleet, RATE_PER_S, recordedMs) : tellFor(fleet, window, recordedMs, keptFor(load.keptMs)));
  const recorded = groups.slice(before.groups);
  const commandsPerRow = commandsPerRowOf(fleet.counted() - before.commands, recorded);
  await fleet.stop();
  const writer = await startWriter(folder.path, recorded);
  let rows = 0;
  return {
    sample: () => {
      const written: WrittenGroup[] = [];
      const start = performance.now();
      let work = 0;
      for (let now = start; now - start < sampleMsOf(budget) || work < 2 * window; ) {
        const groupRows = writer.writeGroup();
        now = performance.now();
        rows += groupRows;
        work += groupRows * commandsPerRow;
        written.push({ rows: groupRows, endMs: now - start });
      }
      const elapsedMs = performance.now() - start;
      return { work, elapsedMs, latenciesMs: window === 0 ? groupTimes(written) : closedLoopTimes(written, Math.round(window / commandsPerRow)) };
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
