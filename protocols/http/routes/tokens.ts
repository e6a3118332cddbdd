// Tokens by name: made, listed and removed by an admin. A token's text is told once, when it is made.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { Type as T } from "typebox";
import { sendProblem } from "../problem.ts";
import { ROLES } from "../roles.ts";
import { answers, listOf } from "../schemas.ts";
import { TOKEN_NAME } from "../tokens.ts";
import type { Routes } from "./parts.ts";

const wanted = T.Object(
  { name: T.String({ pattern: TOKEN_NAME, description: "author of the commands that it sends" }), role: T.Enum([...ROLES]) },
  { additionalProperties: false },
);
const made = {
  type: "object",
  required: ["token", "name", "role"],
  properties: { token: { type: "string", description: "told this once" }, name: { type: "string" }, role: { type: "string" }, id: { type: "string" } },
};

export const tokenRoutes: Routes = (plain, { tokens, log }) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();

  app.get(
    "/v1/tokens",
    { config: { role: "admin" }, schema: { summary: "Tokens, without their text", tags: ["tokens"], response: answers({ 200: listOf("Token") }) } },
    (_request, reply) => reply.send({ items: tokens.list() }),
  );

  app.post(
    "/v1/tokens",
    { config: { role: "admin" }, schema: { summary: "Make a token", tags: ["tokens"], body: wanted, response: answers({ 201: made }) } },
    async (request, reply) => {
      const { name, role } = request.body;
      const by = request.principal?.name ?? "unknown";
      const added = await tokens.add(name, role, by);
      if (added.kind === "exists") return sendProblem(reply, { name: "token-exists", detail: `"${name}" is taken.` });
      if (added.kind === "limit") return sendProblem(reply, { name: "token-limit", detail: `There are ${String(tokens.list().length)}.` });
      log.info({ token: name, role, by }, "a token was made");
      return reply.code(201).send({ token: added.token, name, role, id: added.info.id });
    },
  );

  app.delete(
    "/v1/tokens/:name",
    {
      config: { role: "admin" },
      schema: {
        summary: "Remove a token; its sessions and streams end",
        tags: ["tokens"],
        params: T.Object({ name: T.String() }),
        response: answers({ 204: { type: "null", description: "removed" } }),
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const removed = await tokens.remove(name);
      if (removed !== "removed") return sendProblem(reply, { name: removed, detail: `"${name.slice(0, 64)}".` });
      log.info({ token: name, by: request.principal?.name }, "a token was removed");
      return reply.code(204).send();
    },
  );
};
