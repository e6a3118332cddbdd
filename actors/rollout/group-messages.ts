// The protocol of a group entity: what its rollout tells it. Its targets are its children, and speak to it within its own turn.

import { messages, T } from "../../runtime/index.ts";

const count = T.Integer({ minimum: 0 });

export const groupMessages = messages({
  /** So many more of its targets may begin; of its bad results the first `cleared` have been taken note of. */
  "group.granted": { body: { slots: count, cleared: count }, from: "actors" },
  /** Nothing begins until it may go on. `round` numbers the pauses, so that the answer to an earlier one is not taken for this one's. */
  "group.hold": { body: { round: T.Integer({ minimum: 1 }) }, from: "actors" },
  "group.go-on": { body: {}, from: "actors" },
  /** Nothing begins any more; what has begun is asked to end where it still can. */
  "group.cancel": { body: { round: T.Integer({ minimum: 1 }), reason: T.String({ maxLength: 600 }) }, from: "actors" },
});
