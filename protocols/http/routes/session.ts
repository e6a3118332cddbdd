// Signing in at a browser: a token once, an HttpOnly cookie from then on. And tokens themselves, which an admin makes and removes.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyReply } from "fastify";
import { Type as T } from "typebox";
import { bearerOf, crossSiteProblem, failedAttempt } from "../authentication.ts";
import { sendProblem } from "../problem.ts";
import { answers } from "../schemas.ts";
import { SESSION_MS } from "../sessions.ts";
import { OPTIONAL_BODY } from "../validation.ts";
import type { Routes } from "./parts.ts";

const signIn = T.Unsafe<{ readonly token: string } | undefined>(
  T.Object({ token: T.String({ minLength: 1, maxLength: 256 }) }, { additionalProperties: false, [OPTIONAL_BODY]: true }),
);
/** A token and its JSON; nobody has been asked who he is yet, so that no more is read. */
const MAX_SIGN_IN_BYTES = 4_096;
const whoAmI = T.Object({ name: T.String(), role: T.String(), expiresAt: T.Optional(T.Number({ description: "of the session, ms since 1970" })) });

export const sessionRoutes: Routes = (plain, { tokens, sessions, failures, ownCookie }) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();
  const cookie = { httpOnly: true, sameSite: "strict", path: "/" } as const;

  app.post(
    "/v1/session",
    {
      bodyLimit: MAX_SIGN_IN_BYTES,
      config: { role: "open" },
      schema: { summary: "Sign in: the token in the body or as Bearer; answered with a cookie", tags: ["session"], body: signIn, response: answers({ 200: whoAmI }) },
    },
    (request, reply) => {
      const given = request.body?.token ?? bearerOf(request.headers.authorization);
      if (given === undefined) return unauthenticated(reply, "No token was sent.");
      const token = tokens.check(given);
      if (token === undefined) {
        const problem = failedAttempt(request, failures);
        return problem.name === "unauthenticated" ? unauthenticated(reply, problem.detail) : sendProblem(reply, problem);
      }
      const old = ownCookie.heldBy(request);
      if (old !== undefined) sessions.end(old);
      const begun = sessions.begin(token);
      reply.setCookie(ownCookie.nameFor(request), begun.cookie, { ...cookie, maxAge: SESSION_MS / 1000, secure: request.protocol === "https" });
      return reply.send({ name: token.name, role: token.role, expiresAt: begun.session.expiresAt });
    },
  );

  app.get("/v1/session", { config: { role: "viewer" }, schema: { summary: "Who is asking", tags: ["session"], response: answers({ 200: whoAmI }) } }, (request, reply) => {
    const held = ownCookie.heldBy(request);
    const session = request.principal?.by === "session" && held !== undefined ? sessions.find(held) : undefined;
    return reply.send({ name: request.principal?.name, role: request.principal?.role, ...(session === undefined ? {} : { expiresAt: session.expiresAt }) });
  });

  app.delete(
    "/v1/session",
    {
      config: { role: "open" },
      schema: { summary: "Sign out", tags: ["session"], response: answers({ 204: { type: "null", description: "signed out, also when there was no session" } }) },
    },
    (request, reply) => {
      const held = ownCookie.heldBy(request);
      const crossSite = held === undefined ? undefined : crossSiteProblem(request);
      if (crossSite !== undefined) return sendProblem(reply, crossSite);
      if (held !== undefined) sessions.end(held);
      reply.clearCookie(ownCookie.nameFor(request), cookie);
      return reply.code(204).send();
    },
  );
};

function unauthenticated(reply: FastifyReply, detail: string): FastifyReply {
  return sendProblem(reply, { name: "unauthenticated", detail, headers: { "www-authenticate": 'Bearer realm="drover"' } });
}
