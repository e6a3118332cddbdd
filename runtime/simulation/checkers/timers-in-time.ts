// S7, K1. A timer fires when it is due, whatever its clock and policy: never before, and soon after, as long as its owner is there. Nobody's stays armed beyond its time.
//
// T1. When it was due is told by its own clock. Hosted time is known from the turns of a run. Across an end it is behind the newest turn before it by 250 ms at most, and behind what
//     passed since by half of the time for which the run lasted, and 15 s at most (runtime/system/hosted-clock.ts); of a run that was disturbed the time before that counts.
// T2. A firing is of a timer that a turn before it had armed. The one of a turn that came to nothing was armed for nobody, whatever is armed under its name and generation later.
// T3. An owner whose wall clock was corrected owes nothing for a minute: it looks again as often as that. When a time came before the correction is not known after it.
// T4. A timer that keeps a rhythm is due at each of its times where the wall clock was set back behind the one before its next: from the first on that lies ahead then. It is put right with a turn of its own,
//     a firing that its turn takes for missed; its new time is judged.
// T5. What a store takes by the scenario's own word (`latencyMs`) is nobody's lateness: the time within which it fires is longer by that.

import type { Input } from "../../entity/contract.ts";
import type { TimerRow } from "../../entity/index.ts";
import { type ArmedTimer, timersOf } from "./armed-timers.ts";
import type { Checker, CommittedTurn } from "./evidence.ts";
import { OwnerPresence, type Run } from "./owner-presence.ts";

/** Due, with its owner there and undisturbed, it fires within this time. */
const WITHIN_MS = 5_000;
/** T5. Ways to the store and back before its turn is written: a commit that was under way, its own, and what is read where its entity was out of memory. */
const STORE_WAYS = 8;
/** T1. */
const STEP_MS = 250;
const SAVED_EVERY_MS = 15_000;
/** T3. */
const AFTER_JUMP_MS = 60_000;
/** T4. By less a clock is not set back, but corrected in small steps. */
const STEPS_MS = 2_000;
/** Times are compared in whole ms. */
const ROUNDING_MS = 1;

export const timersInTime: Checker = {
  name: "a timer fires in time",
  promise: "S7",
  check: ({ history, turns, storeMs }) => {
    const found: { atMs: number; what: string }[] = [];
    const withinMs = WITHIN_MS + STORE_WAYS * storeMs;
    const owners = new OwnerPresence(history);
    const hosted = new HostedTimes(turns, owners);
    const timers = timersOf(turns);
    found.push(...neverArmed(timers, turns));
    for (const timer of timers) {
      const { row, entity, end } = timer;
      for (const run of owners.runsOn(timer.store)) {
        const span = spanIn(timer, run);
        if (span === undefined) continue;
        const jumps = row.clock === "wall" ? run.jumps.filter((atMs) => atMs <= span.untilMs) : [];
        const sinceMs = Math.max(timer.armed.atMs, run.started?.atMs ?? 0, ...jumps);
        const dueMs = row.clock === "elapsed" ? row.due - hosted.offsetMs(run) : sinceMs + dueWithinMs(row, span.wallMs - (span.untilMs - sinceMs));
        const waitedMs = owners.undisturbedMs(run, Math.max(dueMs, timer.armed.atMs, ...jumps.map((atMs) => atMs + AFTER_JUMP_MS)), span.untilMs);
        if (waitedMs > withinMs)
          found.push({ atMs: span.untilMs, what: `the timer ${row.name} of ${entity} was due for ${String(Math.round(waitedMs))} ms while its owner was there${fate(timer)}` });
      }
      if (end?.firing === undefined) continue;
      const earlyMs = row.due - (row.clock === "wall" ? end.turn.record.stamp.now : end.turn.record.stamp.elapsed);
      const isCorrected = row.clock === "wall" && owners.runsOn(timer.store).some((run) => isOf(end.turn, run) && run.jumps.length > 0);
      const isPutRight = row.rhythm !== undefined && end.firing.missed === true && earlyMs > row.rhythm.every + STEPS_MS - ROUNDING_MS;
      if (earlyMs > ROUNDING_MS && !isCorrected && !isPutRight)
        found.push({ atMs: end.turn.atMs, what: `the timer ${row.name} of ${entity} fired ${String(Math.round(earlyMs))} ms before it was due` });
    }
    return found;
  },
};

/** T4. @param wallMs what its clock shows at the beginning of a time without corrections */
function dueWithinMs({ due, rhythm }: TimerRow, wallMs: number): number {
  const aheadMs = due - wallMs;
  if (rhythm === undefined || aheadMs <= rhythm.every + STEPS_MS + ROUNDING_MS) return aheadMs;
  return rhythm.every === 0 ? 0 : aheadMs - (Math.ceil(aheadMs / rhythm.every) - 1) * rhythm.every;
}

/** T2. */
function neverArmed(timers: readonly ArmedTimer[], turns: readonly CommittedTurn[]): readonly { readonly atMs: number; readonly what: string }[] {
  const armed = new Set<Input | undefined>(timers.map(({ end }) => end?.firing));
  return turns.flatMap(({ atMs, entity, record }) =>
    record.inputs
      .filter((input, index) => input.kind === "timer" && record.results[index]?.kind === "accepted" && !armed.has(input))
      .map((input) => ({ atMs, what: `the timer ${nameOf(input)} of ${entity} fired, and no turn before had armed it` })),
  );
}

function nameOf(input: Input): string {
  return input.kind === "timer" ? `${input.timer}#${String(input.generation)}` : input.kind;
}

/** Until when it was armed in this run, and what its wall clock showed then; undefined: not at all. What a run that was taken over still wrote ends it in its successor too. */
function spanIn({ armed, end }: ArmedTimer, run: Run): { readonly untilMs: number; readonly wallMs: number } | undefined {
  const isHere = end !== undefined && isOf(end.turn, run);
  if (!isHere && (run.ended === undefined || run.ended.atMs < armed.atMs || (end !== undefined && run.began.atMs > end.turn.atMs))) return undefined;
  if (end !== undefined && (isHere || end.turn.atMs <= (run.ended?.atMs ?? 0))) return { untilMs: end.turn.atMs, wallMs: end.turn.record.stamp.now };
  return run.ended === undefined ? undefined : { untilMs: run.ended.atMs, wallMs: run.ended.wallMs };
}

function isOf(turn: CommittedTurn, run: Run): boolean {
  return turn.node === run.node && turn.run === run.run;
}

function fate({ end }: ArmedTimer): string {
  if (end === undefined) return " and has not fired";
  return end.firing === undefined ? ", until it was taken back" : ", until it fired";
}

/** T1. What hosted time is ahead of the simulation's at least, in each run, ms. */
class HostedTimes {
  readonly #offsets = new Map<Run, number>();

  constructor(turns: readonly CommittedTurn[], owners: OwnerPresence) {
    const most = new Map<string, number>();
    const least = new Map<string, number>();
    for (const { store, node, run, atMs, record } of turns) {
      const { elapsed } = record.stamp;
      const key = `${node} ${String(run)}`;
      least.set(key, Math.min(elapsed - atMs, least.get(key) ?? Number.POSITIVE_INFINITY));
      most.set(`${store} ${key}`, Math.max(elapsed, most.get(`${store} ${key}`) ?? 0));
    }
    for (const store of new Set(turns.map((turn) => turn.store))) {
      let kept = 0;
      for (const run of owners.runsOn(store)) {
        const key = `${run.node} ${String(run.run)}`;
        const offsetMs = Math.max(least.get(key) ?? Number.NEGATIVE_INFINITY, kept - (run.started?.atMs ?? 0));
        this.#offsets.set(run, offsetMs);
        const untilMs = owners.undisturbedUntilMs(run);
        const passed = untilMs === undefined ? 0 : offsetMs + untilMs - Math.min(SAVED_EVERY_MS, (untilMs - run.began.atMs) / 2);
        kept = Math.max(kept, (most.get(`${store} ${key}`) ?? 0) - STEP_MS, passed - STEP_MS);
      }
    }
  }

  offsetMs(run: Run): number {
    return this.#offsets.get(run) ?? Number.NEGATIVE_INFINITY;
  }
}
