// The actors of the kill loop. A job takes numbered commands and does with each what it says: an effect of either class, a timer, a message to its sink. What it keeps is counted by
// number, so that one taken twice shows as well as one that was lost.

import { actorType, effect, effectOutcomes, entityType, messages, reducer, T } from "../../runtime/index.ts";

export const WHATS = ["paint", "fire", "arm", "pass"] as const;
export type What = (typeof WHATS)[number];

type Counts = Readonly<Record<string, number>>;

export interface JobState {
  readonly taken: Counts;
  /** Timers that fired. */
  readonly rung: Counts;
  /** `once` effects whose outcome cannot be known. */
  readonly unknown: Counts;
  readonly failed: Counts;
}

export interface SinkState {
  readonly got: Counts;
}

interface JobEvent {
  readonly type: string;
  readonly what: What;
  readonly n: number;
  readonly ms: number;
  readonly params: { readonly n: number };
}

const plus = (counts: Counts, n: number): Counts => ({ ...counts, [n]: (counts[n] ?? 0) + 1 });

const jobMessages = messages({
  "job.do": { body: { what: T.Union(WHATS.map((what) => T.Literal(what))), n: T.Integer(), ms: T.Integer() } },
  "job.ring": { body: { n: T.Integer() }, internal: true },
  ...effectOutcomes,
});

export const job = actorType({
  name: "job",
  version: 1,
  messages: jobMessages,
  behaviour: reducer<JobState, JobEvent>({
    initial: () => ({ taken: {}, rung: {}, unknown: {}, failed: {} }),
    step: (state, event, turn) => {
      switch (event.type) {
        case "job.ring":
          turn.perform("paint", { n: event.n });
          return { ...state, rung: plus(state.rung, event.n) };
        case "effect.unknown":
          return { ...state, unknown: plus(state.unknown, event.params.n) };
        case "effect.failed":
        case "effect.refused":
          return { ...state, failed: plus(state.failed, event.params.n) };
        default:
          if (event.what === "arm") turn.arm(`timer-${String(event.n)}`, event.ms, { type: "job.ring", n: event.n });
          else if (event.what === "pass") turn.send(turn.address.replace("/job/", "/sink/"), { type: "sink.put", n: event.n });
          else turn.perform(event.what, { n: event.n });
          return { ...state, taken: plus(state.taken, event.n) };
      }
    },
    effects: { paint: effect<{ n: number }>({ class: "idempotent" }), fire: effect<{ n: number }>({ class: "once" }) },
  }),
});

const sink = actorType({
  name: "sink",
  version: 1,
  messages: messages({ "sink.put": { body: { n: T.Integer() } } }),
  behaviour: reducer<SinkState, { readonly type: string; readonly n: number }>({ initial: () => ({ got: {} }), step: (state, event) => ({ got: plus(state.got, event.n) }) }),
});

export const jobEntity = entityType({ root: job, durability: "events", placement: "cloud" });
export const sinkEntity = entityType({ root: sink, durability: "snapshot", placement: "cloud" });
