// How a façade ends: streams with a word, requests under way with their answer, nothing new, and all of it within a time.

import type { FastifyInstance } from "fastify";
import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";
import { sendProblem } from "./problem.ts";

/** Requests under way are answered within this after the node began to stop; then their connections are cut. Less than a node's own deadline to stop. */
const GRACE_MS = 2_000;

export function endInOrder(app: FastifyInstance, clock: Clock, closeStreams: () => void): void {
  let isStopping = false;
  let cut: TimeoutHandle | undefined;
  app.addHook("preClose", async () => {
    isStopping = true;
    closeStreams();
    cut = clock.setTimeout(() => {
      app.server.closeAllConnections();
    }, GRACE_MS);
  });
  app.addHook("onClose", async () => {
    clock.clearTimeout(cut);
  });
  app.addHook("onRequest", async (_request, reply) => {
    if (!isStopping) return undefined;
    return sendProblem(reply, { name: "stopping", detail: "Nothing was taken.", retryAfterMs: GRACE_MS });
  });
  // Else a connection would stay open for its client's next request.
  app.addHook("onSend", async (_request, reply) => {
    if (isStopping) reply.header("connection", "close");
  });
}
