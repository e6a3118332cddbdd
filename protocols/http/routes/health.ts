// For whoever restarts or routes: live says that this process answers, ready that it should get work, startup that it has been ready once.

import { type Problem, sendProblem } from "../problem.ts";
import type { Routes } from "./parts.ts";

const ok = { type: "object", properties: { status: { type: "string" } } };
const problem = { description: "not yet, with `reasons`", content: { "application/problem+json": { schema: { $ref: "Problem#" } } } };

export const healthRoutes: Routes = (app, { ready, started, isUnderPressure }) => {
  let hasBeenReady = false;

  const unready = (): Problem | undefined => {
    const { ok: isReady, reasons } = ready();
    if (!isReady) return { name: "not-ready", detail: reasons.length === 0 ? "It says no reason." : `${reasons.join("; ")}.`, members: { reasons } };
    hasBeenReady = true;
    return undefined;
  };

  app.get("/health/live", { config: { role: "open" }, schema: { summary: "The process answers", tags: ["health"], response: { 200: ok } } }, (_request, reply) =>
    reply.send({ status: "ok" }),
  );

  app.get("/health/ready", { config: { role: "open" }, schema: { summary: "It should get work", tags: ["health"], response: { 200: ok, 503: problem } } }, (_request, reply) => {
    const found = unready();
    if (found !== undefined) return sendProblem(reply, found);
    if (isUnderPressure()) return sendProblem(reply, { name: "not-ready", detail: "The event loop is late.", members: { reasons: ["the event loop is late"] } });
    return reply.send({ status: "ok" });
  });

  app.get("/health/startup", { config: { role: "open" }, schema: { summary: "It has started", tags: ["health"], response: { 200: ok, 503: problem } } }, (_request, reply) => {
    const hasStarted = started?.() ?? (hasBeenReady || unready() === undefined);
    return hasStarted ? reply.send({ status: "ok" }) : sendProblem(reply, unready() ?? { name: "not-ready", detail: "It is still starting.", members: { reasons: ["starting"] } });
  });
};
