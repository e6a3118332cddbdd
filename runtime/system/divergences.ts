// What a recovery says of turns that did not come out as they were committed (rules R1, T4).
//
// D1. The first few in full: one changed machine may differ in all turns of a long journal.
// D2. What no registered version can run is no difference: nothing was run, and nothing is known to be wrong.

import type { Address } from "../address.ts";
import type { Divergence } from "../entity/index.ts";
import type { Log } from "../ports/index.ts";

/** D1. */
const TOLD = 5;

/** @param diverged called for each turn that was run again and differed */
export function tellDivergences(entity: Address, divergences: readonly Divergence[], log: Log, diverged: () => void): void {
  const notRun = divergences.filter(({ isNotRun }) => isNotRun === true);
  const differing = divergences.filter(({ isNotRun }) => isNotRun !== true);
  const [first] = notRun;
  if (first !== undefined)
    log.warn(
      { entity, turns: notRun.length, firstRevision: first.revision, reason: first.reason },
      "turns that versions made which are not registered were not run again; what was committed stands (`earlier` of the actor type registers them)",
    );
  for (const [at, divergence] of differing.entries()) {
    diverged();
    if (at >= TOLD) continue;
    const what =
      divergence.isUnlinked === true
        ? "a record of the journal does not follow the one before it; what was committed stands"
        : divergence.hashes === undefined
          ? "a replayed turn differed from what was committed; the committed outcome stands"
          : "the hash of a recovered state is not the one that was committed";
    log.error({ entity, ...divergence }, what);
  }
  if (differing.length > TOLD) log.error({ entity, turns: differing.length }, "more replayed turns differed from what was committed");
}
