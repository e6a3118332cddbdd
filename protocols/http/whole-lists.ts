// A list is answered with what of it can be shown. One item that cannot be written (a number where the schema wants a text is the least of it) must not take the others
// with it: what came from one vehicle would hide the fleet (promise S10).
//
// W1. Doors check what comes in; this is the second line. An item that is left out here is a defect of a door: it is counted and logged.

import type { FastifyInstance, FastifyReply } from "fastify";
import { LimitedLog } from "../../runtime/index.ts";
import type { Clock, Log } from "../../runtime/ports/index.ts";

export interface LeftOut {
  /** Items that could not be written since the start. */
  readonly count: number;
}

/** Call before any route is added. */
export function answerWholeLists(app: FastifyInstance, log: Log, clock: Clock): LeftOut {
  const leftOut = { count: 0 };
  const limitedLog = new LimitedLog(log, clock);
  app.addHook("preSerialization", async (request, reply, payload) => {
    if (reply.statusCode !== 200 || !isList(payload)) return payload;
    const write = writerOf(reply);
    const text = tried(() => write(payload));
    if (typeof text === "string") {
      // Written once.
      reply.serializer(() => text);
      return payload;
    }
    const items = payload.items.filter((item) => typeof tried(() => write({ ...payload, items: [item] })) === "string");
    const missing = payload.items.length - items.length;
    leftOut.count += missing;
    limitedLog.warn({ err: text.thrown, route: request.routeOptions.url, leftOut: missing }, "items of a list could not be written and were left out");
    return missing === 0 ? payload : { ...payload, items };
  });
  return leftOut;
}

interface List {
  readonly items: readonly unknown[];
}

function isList(payload: unknown): payload is List {
  return typeof payload === "object" && payload !== null && Array.isArray((payload as Partial<List>).items);
}

function writerOf(reply: FastifyReply): (payload: object) => string {
  return (reply.getSerializationFunction(String(reply.statusCode)) as ((payload: object) => string) | undefined) ?? ((payload) => JSON.stringify(payload));
}

function tried(write: () => string): string | { readonly thrown: unknown } {
  try {
    return write();
  } catch (thrown) {
    return { thrown };
  }
}
