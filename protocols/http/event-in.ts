// The message in a request's body: an object with a type, or the problem that says what it is instead. Its fields are checked at the actor's door.

import type { FastifyRequest } from "fastify";
import type { EventData } from "../../runtime/index.ts";
import { bodyOf } from "./json-body.ts";
import type { Problem } from "./problem.ts";

/** @param members of the problem: the message's id, and what its actor would take */
export function eventIn(
  request: FastifyRequest,
  members: { readonly id?: string; readonly accepts: readonly string[] },
): { readonly event: EventData } | { readonly problem: Problem } {
  const event = bodyOf(request);
  if (event === undefined) return { problem: { name: "body-not-json", detail: "There is no body." } };
  if (isEvent(event)) return { event };
  const problems = isObject(event) ? [{ path: "/type", message: "the type is missing or no text" }] : [{ path: "", message: "a message is an object with a type" }];
  return { problem: { name: "invalid", detail: `${problems[0]?.message ?? ""}.`, members: { ...members, problems } } };
}

function isEvent(value: unknown): value is EventData {
  return isObject(value) && typeof value["type"] === "string";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
