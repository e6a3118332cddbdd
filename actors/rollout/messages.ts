// The protocol of a rollout: an operator's verbs, and what its groups report.

import { messages, T } from "../../runtime/index.ts";

/** An operator's. */
export const reasonSchema = T.String({ minLength: 1, maxLength: 500, pattern: "\\S", description: "why, for those who read it later" });
const shown = T.Object({ state: T.String(), why: T.Optional(T.String()) });
const number = T.Integer({ minimum: 0 });

const tallySchema = T.Object({ committed: number, failed: number, rolledBack: number, timedOut: number, dark: number, excused: number, absent: number, critical: number });

/** A bad result by its name: which module of which vehicle, and why. */
export const badTarget = T.Object({
  vehicle: T.String({ maxLength: 512 }),
  module: T.Optional(T.String({ maxLength: 64 })),
  ending: T.String({ maxLength: 32 }),
  reason: T.String({ maxLength: 300 }),
  at: T.Number(),
});

export const rolloutMessages = messages({
  "rollout.approve": { body: { reason: T.Optional(reasonSchema) }, reply: shown },
  "rollout.pause": { body: { reason: reasonSchema }, reply: shown, lane: "control" },
  "rollout.resume": { body: { reason: reasonSchema }, reply: shown },
  "rollout.abort": { body: { reason: reasonSchema }, reply: shown, lane: "control" },

  /** Of one part of a group. Numbers are of the whole part, so that the last report says all. */
  "group.progressed": {
    body: {
      part: T.String({ maxLength: 128 }),
      tally: tallySchema,
      /** Targets that have begun and not ended. */
      underWay: number,
      /** Slots that it gives back with this report. */
      returned: number,
      /** Targets that would begin if it had more slots. */
      wanting: number,
      /** Why its targets wait, and how many for each. */
      waits: T.Record(T.String({ maxLength: 64 }), number),
      /** Bad results since its last report. */
      bad: T.Array(badTarget, { maxItems: 64 }),
      /** Bad results it ever noted, also those that were corrected since. */
      noted: number,
      /** Of these, how often one turned out not to be bad. */
      corrected: number,
      /** The round of the hold in which nothing of it begins; 0: it does not hold. */
      holds: number,
    },
    from: "actors",
  },
});
