// K1. What becomes of a time that passed unwatched is what its timer's policy says: `skip` does not fire for it, and for no other reason; `each: n` fires for at most n of them in a row.

import { type ArmedTimer, timersOf } from "./armed-timers.ts";
import type { Checker } from "./evidence.ts";
import { OwnerPresence, type Run } from "./owner-presence.ts";

/** A firing so much after its time was missed, whatever kept it, ms. */
const MISSED_AFTER_MS = 60_000;

export const timersByPolicy: Checker = {
  name: "a missed timer goes by its policy",
  promise: "K1",
  check: ({ history, turns }) => {
    const found: { atMs: number; what: string }[] = [];
    const owners = new OwnerPresence(history);
    const inARow = new Map<string, number>();
    for (const timer of timersOf(turns)) {
      const { row, entity, store, key, end } = timer;
      if (row.rhythm === undefined || end?.firing === undefined) continue;
      const { turn } = end;
      const run = owners.runsOn(store).find((each) => each.node === turn.node && each.run === turn.run);
      // Whoever corrects the clock of a machine makes times pass that were never there.
      if (run === undefined || run.jumps.length > 0) continue;
      const say = (what: string): void => void found.push({ atMs: turn.atMs, what: `the timer ${row.name} of ${entity}, due at ${new Date(row.due).toISOString()}, ${what}` });
      const isMissed = row.due < run.began.wallMs;
      if (row.rhythm.atMost === 0) {
        if (isMissed && end.firing.missed !== true) say("fired for a time that had passed unwatched");
        if (end.firing.missed === true && wasWatched(timer, run)) say("was skipped, and its time was watched");
        continue;
      }
      // Armed for a time ahead it begins a row of its own.
      const before = row.due > timer.armed.record.stamp.now ? 0 : (inARow.get(`${store} ${entity} ${key}`) ?? 0);
      const times = isMissed ? before + 1 : 0;
      inARow.set(`${store} ${entity} ${key}`, times);
      if (times > row.rhythm.atMost) say(`fired for ${String(times)} missed times in a row; allowed are ${String(row.rhythm.atMost)}`);
    }
    return found;
  },
};

function wasWatched({ row, end }: ArmedTimer, { started }: Run): boolean {
  return started !== undefined && row.due >= started.wallMs && (end?.turn.record.stamp.now ?? 0) - row.due <= MISSED_AFTER_MS;
}
