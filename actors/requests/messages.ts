// What the requests of a vehicle are told, by their own node alone.

import { messages, T } from "../../runtime/index.ts";

const request = T.String({ minLength: 1, maxLength: 128, description: "message id of the command" });
const fingerprint = T.String({ maxLength: 64, description: "of receiver, author and event" });
/** More of the same, after it: the list is written once for all. */
const MAX_OTHERS = 511;

export const requestsMessages = messages({
  "request.keep": {
    body: {
      request,
      to: T.String({ maxLength: 512 }),
      event: T.Object({ type: T.String() }, { additionalProperties: true }),
      author: T.String({ maxLength: 256 }),
      expiresAt: T.Number(),
      keptAt: T.Number(),
      /** Time to live from then on, ms, where it is known. */
      ttlMs: T.Optional(T.Number({ minimum: 0 })),
      /** Changes of hand that its sender had seen (rules O2). */
      against: T.Optional(T.Integer({ minimum: 0 })),
      /** It was on its way and no word of it came. */
      sent: T.Optional(T.Literal(true)),
      /** A newer one for the same actor went ahead. */
      overtaken: T.Optional(T.Literal(true)),
    },
    internal: true,
  },
  /** The one at the head is about to leave. */
  "request.sent": { body: { request }, internal: true },
  /** The final word on one. */
  "request.settled": { body: { request, outcome: T.String() }, internal: true },
  /** Nothing of the one at the head was taken, and the vehicle cannot say yet: others need not wait for it. */
  "request.postponed": { body: { request }, internal: true },
  /** A command of any kind is about to leave for the vehicle. */
  "request.left": {
    body: {
      request,
      fingerprint,
      expiresAt: T.Number(),
      /** Those on which the vehicle gave its word since the last one left. */
      answered: T.Array(request, { maxItems: 1_000 }),
      others: T.Optional(T.Array(T.Object({ request, fingerprint, expiresAt: T.Number() }), { maxItems: MAX_OTHERS })),
    },
    internal: true,
  },
  /** Nothing came of any attempt of one that left: it never acted. */
  "request.untaken": { body: { request, fingerprint, others: T.Optional(T.Array(T.Object({ request, fingerprint }), { maxItems: MAX_OTHERS })) }, internal: true },
  /** The time to live of one is over. */
  "requests.ended": { body: {}, internal: true },
});
