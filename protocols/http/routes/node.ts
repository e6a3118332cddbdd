// What this node knows of itself and its like: supervision trees, nodes, messages that reached nobody.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { Type as T } from "typebox";
import { answers } from "../schemas.ts";
import type { Routes } from "./parts.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

const letters = T.Object(
  {
    after: T.Optional(T.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "only letters with a greater number" })),
    limit: T.Optional(T.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `default ${String(DEFAULT_LIMIT)}` })),
  },
  { additionalProperties: false },
);

const treeList = {
  type: "object",
  required: ["items"],
  properties: {
    items: {
      type: "array",
      items: {
        type: "object",
        properties: {
          node: { type: "string" },
          at: { type: "number", description: "wall ms of its arrival" },
          tree: { $ref: "TreeNode#" },
          entities: { type: "array", items: { $ref: "TreeNode#" } },
        },
      },
    },
  },
};
const letterList = T.Object({
  items: T.Array(T.Object({ number: T.Integer(), at: T.Number(), to: T.String(), type: T.String(), from: T.String(), reason: T.String() })),
  next: T.Optional(T.Integer({ description: "pass as `after`; absent at the end" })),
});
const nodeList = T.Object({ items: T.Array(T.Object({ node: T.String(), kind: T.String(), state: T.String(), since: T.Optional(T.Number()) }, { additionalProperties: true })) });

export const nodeRoutes: Routes = (plain, { system, trees, nodes }) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();

  app.get(
    "/v1/tree",
    { config: { role: "viewer" }, schema: { summary: "Supervision trees of all nodes that announce theirs", tags: ["nodes"], response: answers({ 200: treeList }) } },
    (_request, reply) => reply.send({ items: trees() }),
  );

  app.get("/v1/nodes", { config: { role: "viewer" }, schema: { summary: "Nodes", tags: ["nodes"], response: answers({ 200: nodeList }) } }, (_request, reply) =>
    reply.send({ items: nodes() }),
  );

  app.get(
    "/v1/dead-letters",
    {
      config: { role: "viewer" },
      schema: { summary: "Messages that reached nobody, oldest first; the last 1,000 are kept", tags: ["nodes"], querystring: letters, response: answers({ 200: letterList }) },
    },
    (request, reply) => {
      const { after, limit = DEFAULT_LIMIT } = request.query;
      const items = system.deadLetters({ limit, ...(after === undefined ? {} : { after }) });
      const last = items.at(-1)?.number;
      return reply.send({ items, ...(items.length < limit || last === undefined ? {} : { next: last }) });
    },
  );
};
