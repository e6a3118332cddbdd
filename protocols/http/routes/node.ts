// What this node knows of itself and its like: supervision trees, nodes, messages that reached nobody.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { Type as T } from "typebox";
import { problemOf } from "../outcome-problem.ts";
import { sendProblem } from "../problem.ts";
import { answers } from "../schemas.ts";
import type { Routes } from "./parts.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

const letters = T.Object(
  {
    after: T.Optional(T.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "only letters with a greater number" })),
    limit: T.Optional(T.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `default ${String(DEFAULT_LIMIT)}` })),
    to: T.Optional(T.String({ maxLength: 512, description: "this actor, or one below it" })),
    type: T.Optional(T.String({ maxLength: 128, description: "the event's type" })),
    from: T.Optional(T.String({ maxLength: 512, description: "its sender" })),
    reason: T.Optional(T.String({ maxLength: 256, description: "why it reached nobody, e.g. no-such-actor" })),
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
          at: { type: "number", description: "wall ms of its arrival; a node announces its tree when it has changed" },
          state: { type: "string", description: "the node's in /v1/nodes, where it is listed: `up`, `down`" },
          tree: { $ref: "TreeNode#" },
          entities: { type: "array", items: { $ref: "TreeNode#" } },
        },
      },
    },
  },
};
const letterList = T.Object({
  items: T.Array(
    T.Object({
      number: T.Integer(),
      at: T.Number(),
      to: T.String(),
      type: T.String(),
      from: T.String(),
      reason: T.String(),
      cause: T.Optional(T.String({ description: "what made its actor fail, where it was set aside for that" })),
      isKept: T.Boolean({ description: "what it said is kept too: it can be sent again" }),
      sentAgainAt: T.Optional(T.Number({ description: "wall ms at which it was taken after all" })),
    }),
  ),
  next: T.Optional(T.Integer({ description: "pass as `after`; absent at the end" })),
});
const nodeList = T.Object({ items: T.Array(T.Object({ node: T.String(), kind: T.String(), state: T.String(), since: T.Optional(T.Number()) }, { additionalProperties: true })) });

export const nodeRoutes: Routes = (plain, { system, trees, nodes, clock }) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();

  app.get(
    "/v1/tree",
    { config: { role: "viewer" }, schema: { summary: "Supervision trees of all nodes that announce theirs", tags: ["nodes"], response: answers({ 200: treeList }) } },
    (_request, reply) => {
      const states = new Map(nodes().map(({ node, state }) => [node, state]));
      return reply.send({ items: trees().map((announced) => ({ ...announced, state: states.get(announced.node) })) });
    },
  );

  app.get("/v1/nodes", { config: { role: "viewer" }, schema: { summary: "Nodes", tags: ["nodes"], response: answers({ 200: nodeList }) } }, (_request, reply) =>
    reply.send({ items: nodes() }),
  );

  app.get(
    "/v1/dead-letters",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Messages that reached nobody, and timers that were set aside, oldest first; the last 1,000 are kept",
        tags: ["nodes"],
        querystring: letters,
        response: answers({ 200: letterList }),
      },
    },
    (request, reply) => {
      const { limit = DEFAULT_LIMIT } = request.query;
      const items = system.deadLetters({ ...request.query, limit });
      const last = items.at(-1)?.number;
      return reply.send({ items, ...(items.length < limit || last === undefined ? {} : { next: last }) });
    },
  );

  app.post(
    "/v1/dead-letters/:number/redeliver",
    {
      config: { role: "operator" },
      schema: {
        summary: "Send a message that reached nobody again",
        description:
          "202 when its receiver takes it now; then never again. It acts once however often this is tried. A timer that was set aside is armed again and rings at once; where its actor fails at it three times more it is set aside anew, with a letter of its own.",
        tags: ["nodes"],
        params: T.Object({ number: T.String({ pattern: "^[1-9][0-9]{0,14}$", description: "as the list names it" }) }),
        response: answers({ 202: T.Object({ outcome: T.Literal("accepted"), to: T.String(), type: T.String() }) }),
      },
    },
    async (request, reply) => {
      const number = Number(request.params.number);
      const [letter] = system.deadLetters({ after: number - 1, limit: 1 });
      const redelivery = await system.redeliver(number, { author: request.principal?.name ?? "unknown" });
      if (letter?.number !== number || redelivery.kind === "no-such-letter") return sendProblem(reply, { name: "no-such-letter", detail: `There is no letter ${String(number)}.` });
      if (redelivery.kind === "not-kept") return sendProblem(reply, { name: "letter-spent", detail: "What it said was not kept." });
      if (redelivery.kind === "sent-before") return sendProblem(reply, { name: "letter-spent", detail: `It was taken at ${new Date(redelivery.at).toISOString()}.` });
      const { outcome } = redelivery;
      if (outcome.kind === "accepted" || outcome.kind === "replied") return reply.code(202).send({ outcome: "accepted", to: letter.to, type: letter.type });
      return sendProblem(reply, problemOf(outcome, letter.type, String(number), { asOf: undefined, nowMs: clock.now() }));
    },
  );
};
