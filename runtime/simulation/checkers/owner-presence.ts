// When the owner of a store was there and undisturbed: what it owes by a certain time it owes only then.
//
// O1. There: the newest run on the store, from `started` on, and not paused. A former one, which another took over from, owes nothing any more.
// O2. Undisturbed: no fault names its node, its store has just refused nothing and left nothing open, and is not at something that it began while it was slow.

import type { Fault, History, NodeFact } from "../history.ts";

/** A system that was refused a commit, or does not know of one, has to ask, or to load its entity again. */
const REFUSED_FOR_MS = 2_000;

type Stretch = readonly [fromMs: number, toMs: number];

/** The simulation's time, and what the machine's wall clock showed then, ms. */
interface Moment {
  readonly atMs: number;
  readonly wallMs: number;
}

/** A run of a node while it is the newest on its store. */
export interface Run {
  readonly node: string;
  readonly run: number;
  readonly began: Moment;
  /** undefined: it never started, or has not ended. */
  started: Moment | undefined;
  ended: Moment | undefined;
  /** When its machine's wall clock was corrected, ms. */
  readonly jumps: number[];
}

export class OwnerPresence {
  readonly #runs = new Map<string, Run[]>();
  readonly #disturbed = new Map<string, Stretch[]>();

  constructor(history: History) {
    /** Nodes that are not there, and since when. */
    const away = new Map<string, number>();
    for (const fact of history) {
      if (fact.kind === "node") this.#noteRun(fact, away);
      else if (fact.kind === "fault") this.#noteFault(fact);
      else if (fact.kind === "slow") this.#note(fact.node, [fact.atMs, fact.atMs + fact.forMs]);
      else if (fact.kind === "answered" && fact.outcome.kind !== "committed") this.#note(fact.node, [fact.atMs, fact.atMs + REFUSED_FOR_MS]);
    }
    for (const [node, sinceMs] of away) this.#note(node, [sinceMs, Number.POSITIVE_INFINITY]);
    for (const stretches of this.#disturbed.values()) stretches.sort(([one], [other]) => one - other);
  }

  /** In their order. */
  runsOn(store: string): readonly Run[] {
    return this.#runs.get(store) ?? [];
  }

  /** The longest time within a stretch in which it was there and undisturbed, ms. */
  undisturbedMs(run: Run, fromMs: number, toMs: number): number {
    if (run.started === undefined) return 0;
    let freeSince = Math.max(fromMs, run.started.atMs);
    let longest = 0;
    for (const [from, to] of this.#disturbed.get(run.node) ?? []) {
      if (from >= toMs) break;
      longest = Math.max(longest, from - freeSince);
      freeSince = Math.max(freeSince, to);
    }
    return Math.max(longest, toMs - freeSince);
  }

  /** Until when it was undisturbed from its start on; undefined: it never started, or has not ended. */
  undisturbedUntilMs({ node, started, ended }: Run): number | undefined {
    if (started === undefined || ended === undefined) return undefined;
    const [from] = (this.#disturbed.get(node) ?? []).find(([, toMs]) => toMs > started.atMs) ?? [Number.POSITIVE_INFINITY];
    return Math.max(started.atMs, Math.min(from, ended.atMs));
  }

  /** O1. */
  #noteRun({ node, run, store, what, atMs, wallMs }: NodeFact, away: Map<string, number>): void {
    const runs = this.#runs.get(store) ?? [];
    this.#runs.set(store, runs);
    if (what === "starting") runs.push({ node, run, began: { atMs, wallMs }, started: undefined, ended: undefined, jumps: [] });
    const newest = runs.at(-1);
    if (newest?.run !== run) return;
    if (what === "started") newest.started = { atMs, wallMs };
    if (what === "started" || what === "resumed") {
      const sinceMs = away.get(node);
      if (sinceMs !== undefined) this.#note(node, [sinceMs, atMs]);
      away.delete(node);
      return;
    }
    if (!away.has(node)) away.set(node, atMs);
    if (what !== "starting" && what !== "paused") newest.ended ??= { atMs, wallMs };
  }

  /** O2. */
  #noteFault({ what, where, atMs, forMs = 0 }: Fault): void {
    for (const node of where.split(" ")) {
      if (what !== "clock-jump") this.#note(node, [atMs, atMs + forMs]);
      else for (const runs of this.#runs.values()) for (const run of runs) if (run.node === node && run.ended === undefined) run.jumps.push(atMs);
    }
  }

  #note(node: string, stretch: Stretch): void {
    const stretches = this.#disturbed.get(node);
    if (stretches === undefined) this.#disturbed.set(node, [stretch]);
    else stretches.push(stretch);
  }
}
