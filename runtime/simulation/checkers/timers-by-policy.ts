// K1. What becomes of a time that passed unwatched is what its timer's policy says: `skip` does not fire for it, and for no other reason; `each: n` fires for at most n of them in a row.
// Both have their next time within a period from when they are armed, also where the wall clock was set back before.

import { type ArmedTimer, timersOf } from "./armed-timers.ts";
import type { Checker, CommittedTurn } from "./evidence.ts";
import { OwnerPresence, type Run } from "./owner-presence.ts";

/** A firing so much after its time was missed, whatever kept it, ms. */
const MISSED_AFTER_MS = 60_000;
/** By less a clock is not set back, but corrected in small steps. */
const STEPS_MS = 2_000;
/** Times are compared in whole ms. */
const ROUNDING_MS = 1;

export const timersByPolicy: Checker = {
  name: "a missed timer goes by its policy",
  promise: "K1",
  check: ({ history, turns }) => {
    const found: { atMs: number; what: string }[] = [];
    const owners = new OwnerPresence(history);
    const inARow = new Map<string, number>();
    for (const timer of timersOf(turns)) {
      const { row, entity, store, key, end } = timer;
      if (row.rhythm === undefined) continue;
      const say = (atMs: number, what: string): void => void found.push({ atMs, what: `the timer ${row.name} of ${entity}, due at ${new Date(row.due).toISOString()}, ${what}` });
      // Whoever corrects the clock of a machine makes times pass that were never there.
      const runOf = ({ node, run }: CommittedTurn): Run | undefined => owners.runsOn(store).find((each) => each.node === node && each.run === run && each.jumps.length === 0);
      if (runOf(timer.armed) !== undefined && row.due - timer.armed.record.stamp.now > row.rhythm.every + ROUNDING_MS) say(timer.armed.atMs, "was armed more than a period before");
      const run = end?.firing === undefined ? undefined : runOf(end.turn);
      if (end?.firing === undefined || run === undefined) continue;
      const { atMs, record } = end.turn;
      const isMissed = row.due < run.began.wallMs;
      if (row.rhythm.atMost === 0) {
        if (isMissed && end.firing.missed !== true) say(atMs, "fired for a time that had passed unwatched");
        if (end.firing.missed === true && wasWatched(timer, run) && row.due - record.stamp.now <= row.rhythm.every + STEPS_MS - ROUNDING_MS)
          say(atMs, "was skipped, and its time was watched");
        continue;
      }
      // Armed for a time ahead it begins a row of its own.
      const before = row.due > timer.armed.record.stamp.now ? 0 : (inARow.get(`${store} ${entity} ${key}`) ?? 0);
      const times = isMissed ? before + 1 : 0;
      inARow.set(`${store} ${entity} ${key}`, times);
      if (times > row.rhythm.atMost) say(atMs, `fired for ${String(times)} missed times in a row; allowed are ${String(row.rhythm.atMost)}`);
    }
    return found;
  },
};

function wasWatched({ row, end }: ArmedTimer, { started }: Run): boolean {
  return started !== undefined && row.due >= started.wallMs && (end?.turn.record.stamp.now ?? 0) - row.due <= MISSED_AFTER_MS;
}
