// Reading actors: the list with its filters and pages, and one actor with its revision as ETag.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { Type as T } from "typebox";
import { actorDocument, actorItem } from "../actor-document.ts";
import { addressIn } from "../address-in-path.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import { entityTag, isHeld } from "../entity-tag.ts";
import { sendProblem } from "../problem.ts";
import { answers, listOf, ref } from "../schemas.ts";
import type { Routes } from "./parts.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;

const listQuery = T.Object(
  {
    kind: T.Optional(T.String({ maxLength: 128, description: "type in the address, e.g. vehicle" })),
    state: T.Optional(T.String({ maxLength: 256, description: "a state that the state value contains, e.g. moving or motion.moving; leaves out what is not in memory (unread)" })),
    node: T.Optional(T.String({ maxLength: 128, description: "owner" })),
    label: T.Optional(T.Array(T.String({ maxLength: 512 }), { maxItems: 16, description: "key=value; repeated, all must hold; leaves out what is not in memory (unread)" })),
    q: T.Optional(T.String({ maxLength: 512, description: "part of the address; of what is not in memory, of its entity's" })),
    limit: T.Optional(T.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `default ${String(DEFAULT_LIMIT)}` })),
    cursor: T.Optional(T.String({ maxLength: 2_000, description: "`next` of the page before" })),
  },
  { additionalProperties: false },
);

const unread = {
  type: "integer",
  description:
    "entities of this page's range that are not in memory and were left out: only their state tells whether they, or actors of theirs, match; absent when there are none",
};

export const addressParams = T.Object({ address: T.String({ description: "an actor's address as one percent-encoded segment, e.g. acme%2Fvehicle%2Frav4-01" }) });

export const actorRoutes: Routes = (plain, { system, decorate }) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();

  app.get(
    "/v1/actors",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List actors",
        description:
          "All that is known, ascending by address. An entity that is not in memory is one item without state, labels and `asOf`, whatever actors it has; asked for by its address, it is read from the store. A page may hold fewer items than asked for, and none: only without `next` it is the last.",
        tags: ["actors"],
        querystring: listQuery,
        response: answers({ 200: listOf("ActorItem", "cursor", { unread }) }),
      },
    },
    async (request, reply) => {
      const { kind, state, node, label = [], q, limit = DEFAULT_LIMIT, cursor } = request.query;
      const unreadable = label.find((item) => item.indexOf("=") < 1);
      if (unreadable !== undefined)
        return sendProblem(reply, {
          name: "query-invalid",
          detail: `/label: key=value is expected, not "${unreadable.slice(0, 64)}".`,
          members: { problems: [{ path: "/label", message: "key=value is expected" }] },
        });
      const filters = {
        ...(kind === undefined ? {} : { kind }),
        ...(state === undefined ? {} : { state }),
        ...(node === undefined ? {} : { node }),
        ...(q === undefined ? {} : { text: q }),
        labels: Object.fromEntries([...label].sort().map((item) => [item.slice(0, item.indexOf("=")), item.slice(item.indexOf("=") + 1)])),
      };
      const from = cursor === undefined ? { after: undefined } : decodeCursor(cursor, filters);
      if ("problem" in from) return sendProblem(reply, { name: "cursor-invalid", detail: from.problem });
      const listing = await system.list({ ...filters, limit, ...(from.after === undefined ? {} : { after: from.after }) });
      return reply.send({
        items: listing.items.map((view) => actorItem(view, decorate)),
        ...(listing.next === undefined ? {} : { next: encodeCursor(listing.next, filters) }),
        ...(listing.unread === 0 ? {} : { unread: listing.unread }),
      });
    },
  );

  app.get(
    "/v1/actors/:address",
    {
      config: { role: "viewer" },
      schema: {
        summary: "One actor: its committed state, and what it would take",
        description: "The ETag is the entity's revision. It stands for the committed state; the age and presence of a replica change without it.",
        tags: ["actors"],
        params: addressParams,
        response: answers({ 200: ref("Actor"), 304: { type: "null", description: "If-None-Match names the present revision" } }),
      },
    },
    async (request, reply) => {
      const address = addressIn(request.params.address);
      if (typeof address !== "string") return sendProblem(reply, address);
      const view = await system.look(address);
      if (view === undefined) return sendProblem(reply, { name: "no-such-actor", detail: `Nobody has the address ${address}.` });
      const tag = entityTag(view.revision);
      reply.header("etag", tag);
      if (isHeld(request.headers["if-none-match"], tag)) return reply.code(304).send();
      return reply.send(actorDocument(view, decorate));
    },
  );
};
