// How much of an entity's journal stays (promise S5): where nobody takes its records there is nobody else who would forget them.

import { DroverError } from "../errors.ts";
import { aWholeNumberFrom, formatComplaint, keysOf, nearestName } from "../shape/index.ts";

/** Whole numbers from 1. */
export interface JournalLimit {
  /** Records that stay, beside those that a recovery needs. */
  readonly records: number;
  /** What they weigh about, bytes: where turns are heavy fewer stay. */
  readonly bytes: number;
}

/** As options of code have it. */
export const journalLimit = keysOf<JournalLimit>({ records: aWholeNumberFrom(1), bytes: aWholeNumberFrom(1) }, ["records", "bytes"]);

/** Of an entity whose type has none of its own: enough for its history. */
const DEFAULT_JOURNAL_LIMIT: JournalLimit = { records: 5_000, bytes: 8_388_608 };
/** Trimmed when this many more have gathered: one delete instead of many (rules L4). */
const TRIM_EVERY = 500;

/**
 * The limit of each entity type of a node.
 * @throws DROVER_CONFIG_INVALID for a type that it does not host
 */
export function journalLimitsOf(given: Readonly<Record<string, JournalLimit>>, hosted: ReadonlyMap<string, unknown>): (type: string) => JournalLimit {
  const limits = new Map(Object.entries(given).map(([type, { records, bytes }]) => [type, { records, bytes }]));
  for (const type of limits.keys()) {
    if (hosted.has(type)) continue;
    const problem = { message: "no such entity type is hosted here", expected: `one of ${[...hosted.keys()].join(", ")}`, suggestion: nearestName(type, hosted.keys()) };
    throw new DroverError("DROVER_CONFIG_INVALID", `createSystem: ${formatComplaint(`journalLimits.${type}`, problem)}`);
  }
  return (type) => limits.get(type) ?? DEFAULT_JOURNAL_LIMIT;
}

/**
 * Up to and including which revision records are to be forgotten now; undefined: not yet.
 * @param turnBytes what a turn weighed lately
 * @param trimmed up to where they were before
 */
export function trimDue({ records, bytes }: JournalLimit, revision: number, turnBytes: number, trimmed: number): number | undefined {
  const keep = Math.min(records, Math.ceil(bytes / turnBytes));
  const upTo = revision - keep;
  return upTo - trimmed < Math.min(TRIM_EVERY, keep / 8) ? undefined : upTo;
}
