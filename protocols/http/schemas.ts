// The schemas of what the API answers: documentation and serialisation from one source. `additionalProperties` stays open, so that nothing a node adds is dropped.

import type { FastifyInstance } from "fastify";
import { Type as T } from "typebox";

const wallMs = (what: string): ReturnType<typeof T.Number> => T.Number({ description: `${what}, ms since 1970` });
const anything = (description: string): ReturnType<typeof T.Unknown> => T.Unknown({ description });

const problem = T.Object(
  {
    type: T.String({ description: "urn:drover:problem:<name>; stable" }),
    title: T.String(),
    status: T.Integer(),
    detail: T.String(),
    advice: T.String({ description: "what the sender should do" }),
    traceId: T.Optional(T.String({ description: "look for it in the node's log" })),
  },
  { $id: "Problem", additionalProperties: true },
);

const actorItem = {
  address: T.String(),
  entity: T.String(),
  kind: T.String({ description: "type in the address, e.g. vehicle" }),
  type: T.String({ description: "actor type" }),
  version: T.Integer({ description: "of the actor type" }),
  status: T.String({
    description: "active, done, error, stopped or parked; in a list also passivated (not in memory, comes back when it is called) and away (not in memory, called in vain)",
  }),
  state: T.Optional(anything("state value; absent for a plain reducer")),
  durability: T.String({ description: "volatile, snapshot or events" }),
  revision: T.Integer({ description: "of the entity; the ETag" }),
  incarnation: T.String({ description: "name of the entity's history" }),
  owner: T.Object({ node: T.String(), epoch: T.Number() }),
  node: T.String({ description: "the node that answered" }),
  asOf: wallMs("time of this state at its owner"),
  staleMs: T.Optional(T.Number({ description: "of a replica: how long ago its owner was last heard, ms" })),
  labels: T.Record(T.String(), T.String()),
  presence: T.Optional(T.String({ description: "of a vehicle: unknown, online, asleep, late or lost" })),
};
/** An entity that is not in memory has no more than its store's index tells. */
const listedActor = { ...actorItem, version: T.Optional(actorItem.version), asOf: T.Optional(actorItem.asOf), labels: T.Optional(actorItem.labels) };
const actor = {
  ...actorItem,
  absent: T.Optional(T.String({ description: "passivated or away: its entity is not in memory, and this was read from the store" })),
  context: T.Optional(anything("the actor's own data")),
  accepts: T.Optional(T.Array(T.String(), { description: "events that the present state would take; absent when that is not known here" })),
};

const taken = T.Object(
  {
    outcome: T.Literal("accepted"),
    id: T.String({ description: "the message's id: the Idempotency-Key, or one made for it" }),
    durable: T.String({ description: "memory: in the mailbox of a volatile actor; local, replicated: after the commit that contains it" }),
    revision: T.Optional(T.Integer({ description: "the revision that contains it" })),
    waiting: T.Optional(T.Boolean({ description: "kept as a request until its owner is back" })),
  },
  { $id: "Accepted" },
);

const historyEntry = T.Object(
  {
    revision: T.Integer(),
    at: wallMs("time of the turn"),
    inputs: T.Array(T.Object({ type: T.String(), author: T.Optional(T.String()), id: T.Optional(T.String()), result: T.String() }, { additionalProperties: true })),
    state: T.Optional(anything("state value after the turn; absent when this actor did not change")),
    timers: T.Array(T.Object({ id: T.String(), change: T.Enum(["armed", "cancelled"]) }, { additionalProperties: true }), {
      description: "of this actor, that the turn armed (anew) or did away with; one that fired is an input",
    }),
    emitted: T.Array(anything("an event that the actor emitted")),
  },
  { $id: "HistoryEntry", additionalProperties: true },
);

const treeNode = {
  $id: "TreeNode",
  type: "object",
  required: ["id", "kind", "state", "restarts", "since", "children"],
  properties: {
    id: { type: "string" },
    kind: { type: "string" },
    strategy: { type: "string" },
    state: { type: "string" },
    restarts: { type: "integer" },
    since: { type: "number", description: "wall ms" },
    lastExit: {
      type: "object",
      additionalProperties: true,
      properties: {
        reason: { type: "string" },
        error: { type: "string" },
        at: { type: "number" },
        cause: {
          type: "object",
          additionalProperties: true,
          description: "why, as data, where that is known: exit-code, signal, out-of-memory, probe-failed, deadline, cannot-run",
        },
      },
    },
    note: { type: "string", description: "what is to be known of it although it runs, such as that its bus is down, since when and why" },
    pid: { type: "integer" },
    isolation: { type: "string" },
    children: { type: "array", items: { $ref: "TreeNode#" } },
  },
  additionalProperties: true,
};

const signal = T.Object(
  {
    name: T.String(),
    value: T.Unsafe<number | null>({ type: ["number", "null"], description: "null: never seen, or not available" }),
    unit: T.Unsafe<string | null>({ type: ["string", "null"], description: "null: it has none; in a list also while the vehicle has not described its signals to this node yet" }),
    label: T.Unsafe<string | null>({ type: ["string", "null"], description: "the value's word, where the signal is an enumeration" }),
    time: T.Unsafe<number | null>({
      type: ["number", "null"],
      description: "when the value was last seen on the vehicle's bus, by this node's clock, ms since 1970; in the cloud as far as the vehicle has told: see ageMs",
    }),
    ageMs: T.Unsafe<number | null>({
      type: ["number", "null"],
      description:
        "since `time`, when this was answered. At the vehicle: since the bus said it last. In the cloud: since then as of when the vehicle told it, and the time that has passed since; a vehicle tells a value when it changes (at most once in `at_most` of its file) or goes stale (within 1 s), and all of them every 30 s, so that a value which comes on the bus every 100 ms and stays the same may show up to about 30 s here and is good",
    }),
    quality: T.Enum(["good", "stale", "unknown", "not-available"], {
      description:
        "good, stale: whether the bus says it as often as it should; in the cloud as the vehicle told it, and stale too once nothing was told of it for 90 s. Whether the vehicle can be heard now is its `presence`",
    }),
    simulated: T.Boolean({ description: "simulated hardware made it" }),
  },
  { $id: "Signal" },
);

const token = T.Object(
  { name: T.String(), role: T.String(), id: T.String({ description: "public part of the token" }), createdAt: wallMs("made"), createdBy: T.String() },
  { $id: "Token" },
);

export function addSchemas(app: FastifyInstance): void {
  for (const schema of [
    problem,
    T.Object(listedActor, { $id: "ActorItem", additionalProperties: true }),
    T.Object(actor, { $id: "Actor", additionalProperties: true }),
    taken,
    historyEntry,
    treeNode,
    signal,
    token,
  ])
    app.addSchema(schema);
}

/** A list of what `schema` names. @param next how the next page is named, where there are pages @param more what else is said of the list */
export function listOf(schema: string, next?: "cursor" | "number", more: Readonly<Record<string, object>> = {}): object {
  const items = { type: "array", items: { $ref: `${schema}#` } };
  const nextOf = next === undefined ? {} : { next: { type: next === "cursor" ? "string" : "integer", description: "absent at the end" } };
  return { type: "object", required: ["items"], properties: { items, ...nextOf, ...more } };
}

export function ref(schema: string): object {
  return { $ref: `${schema}#` };
}

/** The answers of a route: what it gives when all is well, and a problem for everything else. Loosely typed, since problems are sent as text. */
export function answers(good: Readonly<Record<string, object>>): Readonly<Record<string, unknown>> {
  return { ...good, default: { description: "a problem (RFC 9457)", content: { "application/problem+json": { schema: { $ref: "Problem#" } } } } };
}
