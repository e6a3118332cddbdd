// What may travel in an envelope, and where each field stands in it. test/golden/wire.txt is this file as text; a test compares the two, so that a break of the wire is a line in a review.
//
// W1. A kind's code and a field's position are never used again for something else. New ones are added at the end with a higher minor version; an older decoder ignores fields it does not know.
// W2. Another major version is another language: it is refused as such, never guessed at.

/** First two bytes of every envelope: "DR". */
export const WIRE_MAGIC = [0x44, 0x52] as const;
export const WIRE_MAJOR = 1;
export const WIRE_MINOR = 2;

export const wireKinds = {
  /** A message for an actor; the sender wants to know that it was taken. Body: the event. */
  tell: 1,
  /** A message for an actor whose reply is wanted. Body: the event. */
  ask: 2,
  /** What became of a tell or an ask. Body: Told or Answer. */
  answer: 3,
  /** Opens a session between two nodes. */
  hello: 4,
  /** Presence of a node, kept as the last value of its `live` key. */
  live: 5,
  /** Records of an entity's stream. */
  stream: 6,
  /** How far a stream was taken. */
  "stream-ack": 7,
  /** Present values of signals. */
  signals: 8,
  /** Samples from the telemetry log. */
  telemetry: 9,
  /** A node's supervision tree. */
  tree: 10,
  /** A read that one node asks of another. */
  query: 11,
  /** The answer to a query. */
  result: 12,
} as const;

export type WireKind = keyof typeof wireKinds;

/** Fields after the fixed bytes, in their order: one MessagePack array, nil where a field is absent. */
export const wireFields = [
  ["id", "string of 1 to 128", "message id"],
  ["node", "string of 1 to 128", "sending node"],
  ["session", "string of 1 to 128", "run of the sending node and its link session; `sentAt` counts within it"],
  ["sentAt", "number", "sender's monotonic clock, ms"],
  ["entity", "address", "sending entity"],
  ["incarnation", "string of 1 to 128", "of the sending entity's history"],
  ["seq", "integer >= 0", "counts per (sender entity, receiver entity) or per stream"],
  ["epoch", "integer >= 0", "of the sending entity's owner (rules E1)"],
  ["to", "address", "actor that is meant"],
  ["remainingMs", "number >= 0", "time left to be taken or answered"],
  ["expiresInMs", "number >= 0", "time left for which the id is kept (rules M2)"],
  ["correlation", "string of 1 to 128", "joins an answer to its question"],
  ["replyKey", "string of 1 to 512", "the sending entity's pending ask"],
  ["answers", "string of 1 to 512", "the receiving entity's ask that this answers"],
  ["trace", "W3C traceparent", "trace context"],
  ["author", "string of 1 to 256", "who is answerable"],
  ["body", "any", "by kind"],
  ["against", "integer >= 0", "changes of hand that the sender had seen of what the message is about (rules O2)"],
  ["oldest", "integer >= 0", "where the sender's line to this receiver begins: lower numbers had their last word (rules M1)"],
  ["waitedMs", "number >= 0", "time that it had waited before it was sent: its time to live has lost that much (rules O2)"],
  ["repeatedMs", "number >= 0", "time left in which the message may come again, where nobody but the sending node knows its id: it is known no longer (rules M2)"],
] as const;

/** The contract as text. */
export function describeWire(): string {
  const kinds = Object.entries(wireKinds).map(([name, code]) => `kind ${String(code).padStart(3)} ${name}`);
  const fields = wireFields.map(([name, form, meaning], position) => `field ${String(position).padStart(2)} ${name}: ${form}; ${meaning}`);
  return [
    `envelope major ${String(WIRE_MAJOR)} minor ${String(WIRE_MINOR)}`,
    `bytes 0-1 ${WIRE_MAGIC.map((byte) => byte.toString(16)).join(" ")}, byte 2 major, byte 3 minor, byte 4 kind, then one MessagePack array`,
    ...kinds,
    ...fields,
    "",
  ].join("\n");
}
