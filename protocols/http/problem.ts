// A problem on its way out (RFC 9457): one of the table's kinds, what was wrong this time, and the trace under which the node's log tells more. Never a stack.

import type { FastifyReply } from "fastify";
import { type ProblemName, problemKinds, problemType } from "./problem-kinds.ts";

export interface Problem {
  readonly name: ProblemName;
  /** What was wrong with this request, for a reader. */
  readonly detail: string;
  /** Further members of the problem, for programs. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly retryAfterMs?: number;
  /** Sent beside Content-Type. */
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the kind's; only where a broken contract has a status of its own. */
  readonly status?: number;
}

export const PROBLEM_JSON = "application/problem+json";

export function problemBody(problem: Problem, traceId: string | undefined): string {
  const { title, advice } = problemKinds[problem.name];
  return JSON.stringify({
    type: problemType(problem.name),
    title,
    status: problemStatus(problem),
    detail: problem.detail,
    advice,
    ...problem.members,
    ...(traceId === undefined ? {} : { traceId }),
  });
}

export function problemStatus({ name, status }: Problem): number {
  return status ?? problemKinds[name].status;
}

/** Ends the request with `problem`. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const body = problemBody(problem, reply.request.trace.traceId);
  if (problem.headers !== undefined) reply.headers({ ...problem.headers });
  if (problem.retryAfterMs !== undefined) reply.header("retry-after", retryAfterSeconds(problem.retryAfterMs));
  return reply.code(problemStatus(problem)).type(PROBLEM_JSON).send(body);
}

/** Whole seconds, at least 1: a zero would be tried again at once. */
function retryAfterSeconds(delayMs: number): string {
  return String(Math.max(1, Math.ceil(delayMs / 1000)));
}
