// Who speaks on the buses, and who has fallen silent. A talker is a set of messages, or everything from one J1939 source address.
//
// P1. Silent after what the vehicle's file says, else max(3 periods, 1 s) of the fastest message whose period was learnt; before either is known it is not called silent.
// P2. Never heard is not silent: that is `unseen`.
// P3. Only time in which one listened is silence.

import { createListening, type Listening } from "./listening.ts";
import { PeriodLearner, silentAfterMs } from "./periods.ts";

export interface Talker {
  readonly name: string;
  readonly bus: string;
  /** A frame of any of these proves it; empty: any frame of `sourceAddress`. */
  readonly messages: readonly string[];
  /** J1939: only frames of this sender. */
  readonly sourceAddress?: number | undefined;
  readonly silentAfterMs?: number | undefined;
}

export interface TalkerState {
  readonly name: string;
  readonly state: "unseen" | "present" | "silent";
  readonly lastHeardMs: number | undefined;
  /** Of its fastest message; undefined until learnt. */
  readonly learntPeriodMs: number | undefined;
  readonly silentAfterMs: number | undefined;
}

export interface PresenceTracker {
  readonly talkers: readonly Talker[];
  /** @param talker index in `talkers` @param message anything that tells its messages apart */
  heard(talker: number, message: number, timeMs: number): void;
  stateOf(name: string, nowMs: number): TalkerState | undefined;
  /** Talkers whose state is another than at the last call. */
  changes(nowMs: number): readonly TalkerState[];
  /** When the passing of time alone may change a state; undefined: not before the next frame. */
  nextChangeMs(): number | undefined;
  /** After a gap, or a bus that was down: everyone (on that bus) is unseen. Learnt periods are kept. */
  forget(bus?: string): void;
}

const MAX_LEARNERS_PER_TALKER = 64;

interface Entry {
  readonly talker: Talker;
  readonly learners: Map<number, PeriodLearner>;
  lastMs: number | undefined;
  reported: TalkerState["state"];
}

/** @param listening default: one listens always */
export function createPresenceTracker(talkers: readonly Talker[], listening: Listening = createListening()): PresenceTracker {
  const entries = talkers.map((talker): Entry => ({ talker, learners: new Map(), lastMs: undefined, reported: "unseen" }));
  const byName = new Map(entries.map((entry) => [entry.talker.name, entry] as const));

  function learntPeriod(entry: Entry): number | undefined {
    let fastest: number | undefined;
    for (const { periodMs } of entry.learners.values()) if (periodMs !== undefined && (fastest === undefined || periodMs < fastest)) fastest = periodMs;
    return fastest;
  }

  function limit(entry: Entry): number | undefined {
    if (entry.talker.silentAfterMs !== undefined) return entry.talker.silentAfterMs;
    const period = learntPeriod(entry);
    return period === undefined ? undefined : silentAfterMs(period);
  }

  function stateAt(entry: Entry, nowMs: number): TalkerState["state"] {
    if (entry.lastMs === undefined) return "unseen";
    const after = limit(entry);
    return after !== undefined && listening.listenedMs(entry.lastMs, nowMs) >= after ? "silent" : "present";
  }

  function view(entry: Entry, nowMs: number): TalkerState {
    return { name: entry.talker.name, state: stateAt(entry, nowMs), lastHeardMs: entry.lastMs, learntPeriodMs: learntPeriod(entry), silentAfterMs: limit(entry) };
  }

  return {
    talkers,
    heard: (talker, message, timeMs) => {
      const entry = entries[talker];
      if (entry === undefined) return;
      if (entry.lastMs === undefined || timeMs > entry.lastMs) entry.lastMs = timeMs;
      if (entry.talker.silentAfterMs !== undefined) return;
      let learner = entry.learners.get(message);
      if (learner === undefined) {
        if (entry.learners.size >= MAX_LEARNERS_PER_TALKER) return;
        learner = new PeriodLearner();
        entry.learners.set(message, learner);
      }
      learner.heard(timeMs);
    },
    stateOf: (name, nowMs) => {
      const entry = byName.get(name);
      return entry === undefined ? undefined : view(entry, nowMs);
    },
    changes: (nowMs) => {
      const changed: TalkerState[] = [];
      for (const entry of entries) {
        const state = stateAt(entry, nowMs);
        if (state === entry.reported) continue;
        entry.reported = state;
        changed.push(view(entry, nowMs));
      }
      return changed;
    },
    nextChangeMs: () => {
      let next: number | undefined;
      for (const entry of entries) {
        const after = limit(entry);
        if (entry.lastMs === undefined || after === undefined || entry.reported === "silent") continue;
        next = Math.min(next ?? Number.POSITIVE_INFINITY, listening.reachedMs(entry.lastMs, after));
      }
      return next;
    },
    forget: (bus) => {
      for (const entry of entries) {
        if (bus !== undefined && entry.talker.bus !== bus) continue;
        entry.lastMs = undefined;
        for (const learner of entry.learners.values()) learner.interrupt();
      }
    },
  };
}
