// What happened to one actor, turn by turn, from its entity's journal.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { Type as T } from "typebox";
import { type Address, entityOf, type HistoryPage, type HistoryQuery, type System } from "../../../runtime/index.ts";
import { addressIn } from "../address-in-path.ts";
import { sendProblem } from "../problem.ts";
import { answers, listOf } from "../schemas.ts";
import { addressParams } from "./actors.ts";
import type { Routes } from "./parts.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;

const query = T.Object(
  {
    after: T.Optional(T.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "only revisions greater than this" })),
    before: T.Optional(T.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "only revisions smaller than this" })),
    limit: T.Optional(T.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `default ${String(DEFAULT_LIMIT)}` })),
    order: T.Optional(T.Enum(["newest-first", "oldest-first"], { description: "default newest-first" })),
  },
  { additionalProperties: false },
);

const missing = {
  type: "array",
  description: "turns of its entity that are not kept or cannot be read, ascending; whether they concerned this actor is not known",
  items: T.Object({
    after: T.Integer({ description: "from the revision that follows this one" }),
    upTo: T.Integer({ description: "up to and including this one" }),
    forked: T.Optional(
      T.Object(
        {
          incarnation: T.String({ description: "the history that was left" }),
          revision: T.Integer({ description: "the last one of it that the copy had" }),
          known: T.Integer({ description: "the last one of it that was known elsewhere" }),
          at: T.Number({ description: "ms since 1970" }),
        },
        { description: "the entity came back from an older copy of its store, and goes on under another name: these turns are of the history that it has left" },
      ),
    ),
  }),
};

export const historyRoutes: Routes = (plain, { system }) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();

  app.get(
    "/v1/actors/:address/history",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Turns of one actor",
        description:
          "`next` is the revision to go on from: `before` it when newest first, `after` it when oldest first. A page may hold fewer turns than `limit`, and none, while there is a `next`: one answer looks through a bounded number of the turns of all its entity's actors.",
        tags: ["actors"],
        params: addressParams,
        querystring: query,
        response: answers({ 200: listOf("HistoryEntry", "number", { missing }) }),
      },
    },
    async (request, reply) => {
      const address = addressIn(request.params.address);
      if (typeof address !== "string") return sendProblem(reply, address);
      const { after, before, limit = DEFAULT_LIMIT, order = "newest-first" } = request.query;
      const page = await read(system, address, { limit, order, ...(after === undefined ? {} : { after }), ...(before === undefined ? {} : { before }) });
      if (page === undefined) return sendProblem(reply, { name: "no-such-actor", detail: `Nobody has the address ${address}.` });
      const { next, ...rest } = page;
      return reply.send({ ...rest, ...(next === undefined ? {} : { next }) });
    },
  );
};

/** undefined: there is and was no such actor. One that has ended is known by its entity's journal. */
async function read(system: System, address: Address, asked: HistoryQuery): Promise<HistoryPage | undefined> {
  const lives = (await system.look(address)) !== undefined;
  if (!lives && (await system.look(entityOf(address))) === undefined) return undefined;
  const page = await system.history(address, asked);
  return lives || page.items.length > 0 || page.next !== undefined ? page : undefined;
}
