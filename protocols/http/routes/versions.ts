// Which versions of actor types this node knows, which of them its actors run and write, and the raise of a newer one (rules T4).

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { Type as T } from "typebox";
import { DroverError } from "../../../runtime/index.ts";
import { sendProblem } from "../problem.ts";
import { answers } from "../schemas.ts";
import type { Routes } from "./parts.ts";

const wanted = T.Object(
  {
    versions: T.Record(T.String({ pattern: "^[a-z][A-Za-z0-9_.-]{0,63}$" }), T.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
      minProperties: 1,
      maxProperties: 256,
      additionalProperties: false,
      description: "by actor type, e.g. { pot: 2 }; raised together",
    }),
  },
  { additionalProperties: false },
);
const versions = T.Array(
  T.Object({
    type: T.String({ description: "actor type" }),
    known: T.Array(T.Integer(), { description: "registered on this node, ascending" }),
    active: T.Integer({ description: "the one that its actors run and write" }),
  }),
);
const left = T.Array(T.Object({ entity: T.String(), reason: T.String() }), {
  description: "entities that were in memory and could not go on in the newer version: they are away, and are tried again; at most 100",
});

export const versionRoutes: Routes = (plain, { system, log }) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();

  app.get(
    "/v1/versions",
    {
      config: { role: "viewer" },
      schema: { summary: "Known and active versions of the actor types of this node", tags: ["nodes"], response: answers({ 200: T.Object({ items: versions }) }) },
    },
    (_request, reply) => reply.send({ items: system.versions() }),
  );

  app.post(
    "/v1/versions",
    {
      config: { role: "operator" },
      schema: {
        summary: "Make known versions of actor types the active ones",
        description:
          "200 when no entity in memory writes an older one any more. It is never taken back: from here on a release that does not know these versions is refused the entities. What is active already counts as raised.",
        tags: ["nodes"],
        body: wanted,
        response: answers({ 200: T.Object({ items: versions, left }) }),
      },
    },
    async (request, reply) => {
      const by = request.principal?.name ?? "unknown";
      try {
        const raised = await system.raiseVersions(request.body.versions);
        log.info({ versions: request.body.versions, by }, "versions of actor types were raised");
        return await reply.send({ items: raised.versions, left: raised.left });
      } catch (cause) {
        if (cause instanceof DroverError && cause.code === "DROVER_TYPE_INVALID") return sendProblem(reply, { name: "no-such-version", detail: `${cause.message}.` });
        if (cause instanceof DroverError && cause.code === "DROVER_STATE_NEWER") return sendProblem(reply, { name: "version-lowered", detail: `${cause.message}.` });
        throw cause;
      }
    },
  );
};
