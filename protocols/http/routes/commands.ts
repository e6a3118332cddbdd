// Messages to actors: told and accepted, or asked and answered. The sender always learns what became of it (hosting A4; rules M2, M3).

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type TSchema, Type as T } from "typebox";
import type { Address, Answer, EventData, TellOptions, Told } from "../../../runtime/index.ts";
import { addressIn } from "../address-in-path.ts";
import { entityTag, isMatch } from "../entity-tag.ts";
import { eventIn } from "../event-in.ts";
import { KEY_HEADER, keyIn } from "../idempotency-key.ts";
import { problemOf } from "../outcome-problem.ts";
import { type Problem, sendProblem } from "../problem.ts";
import { answers, ref } from "../schemas.ts";
import { CHECKED_ELSEWHERE } from "../validation.ts";
import { addressParams } from "./actors.ts";
import type { RouteParts, Routes } from "./parts.ts";

const DEFAULT_ASK_MS = 5_000;
const MAX_ASK_MS = 60_000;

const askQuery = T.Object(
  { timeoutMs: T.Optional(T.Integer({ minimum: 1, maximum: MAX_ASK_MS, description: `how long the reply is awaited, default ${String(DEFAULT_ASK_MS)}` })) },
  { additionalProperties: false },
);

const noQuery = T.Object({}, { additionalProperties: false });

const headers = {
  type: "object",
  properties: {
    "idempotency-key": KEY_HEADER,
    "if-match": { type: "string", description: "take the message only while the actor has this ETag; looked at when the request arrives" },
    traceparent: { type: "string", description: "W3C trace context" },
  },
};

/** Checked at the actor's door by its protocol; here for the reader of OpenAPI, which lists the messages of every actor type. */
const body: TSchema = {
  type: "object",
  required: ["type"],
  properties: { type: { type: "string", description: "the event's type; its other fields stand beside it" } },
  additionalProperties: true,
  [CHECKED_ELSEWHERE]: true,
};

/** What a request to an actor says, once it is found to be in order. */
interface Command {
  readonly address: Address;
  readonly event: EventData;
  readonly id: string;
  readonly options: TellOptions;
}

export const commandRoutes: Routes = (plain, parts) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();
  const { system } = parts;

  app.post(
    "/v1/actors/:address/events",
    {
      config: { role: "operator" },
      schema: {
        summary: "Tell an actor",
        description: "202 once it is committed (volatile actors: once it is in the mailbox); 409 with the accepted events when the actor refuses.",
        tags: ["actors"],
        params: addressParams,
        querystring: noQuery,
        headers,
        body,
        response: answers({ 202: ref("Accepted") }),
      },
    },
    async (request, reply) => {
      const command = await commandOf(request, request.params.address, parts);
      if ("name" in command) return sendProblem(reply, command);
      return answer(reply, command, await system.tell(command.address, command.event, command.options), parts);
    },
  );

  app.post(
    "/v1/actors/:address/ask",
    {
      config: { role: "operator" },
      schema: {
        summary: "Ask an actor and await its reply",
        description:
          "200 with the reply; 202 when it waits as a request for its owner; 504 outcome-unknown when there is no reply in time: ask again with the same Idempotency-Key.",
        tags: ["actors"],
        params: addressParams,
        querystring: askQuery,
        headers,
        body,
        response: answers({
          200: {
            type: "object",
            required: ["outcome", "id"],
            properties: { outcome: { const: "replied" }, id: { type: "string" }, reply: { description: "as the message's protocol states" } },
          },
          202: ref("Accepted"),
        }),
      },
    },
    async (request, reply) => {
      const command = await commandOf(request, request.params.address, parts);
      if ("name" in command) return sendProblem(reply, command);
      const withinMs = request.query.timeoutMs ?? DEFAULT_ASK_MS;
      return answer(reply, command, await system.ask(command.address, command.event, { ...command.options, withinMs }), parts);
    },
  );
};

async function commandOf(request: FastifyRequest, segment: string, { system, random }: RouteParts): Promise<Command | Problem> {
  const address = addressIn(segment);
  if (typeof address !== "string") return address;
  const id = keyIn(request, random);
  if (typeof id !== "string") return id;
  const read = eventIn(request, { id, accepts: system.read(address)?.accepts ?? [] });
  if ("problem" in read) return read.problem;
  const { event } = read;
  const moved = request.headers["if-match"] === undefined ? undefined : preconditionProblem(request.headers["if-match"], (await system.look(address))?.revision);
  if (moved !== undefined) return moved;
  return { address, event, id, options: { id, author: request.principal?.name ?? "unknown", trace: request.trace.traceparent, ...sizeOf(request) } };
}

/** A body sent in chunks says no length. */
function sizeOf(request: FastifyRequest): Pick<TellOptions, "bytes"> {
  const bytes = Number(request.headers["content-length"]);
  return Number.isSafeInteger(bytes) && bytes > 0 ? { bytes } : {};
}

function preconditionProblem(header: string, revision: number | undefined): Problem | undefined {
  const tag = revision === undefined ? undefined : entityTag(revision);
  const matches = isMatch(header, tag ?? "");
  if (matches === undefined) return { name: "header-invalid", detail: 'If-Match: quoted ETags or * are expected, e.g. "42".' };
  if (matches && tag !== undefined) return undefined;
  return {
    name: "precondition-failed",
    detail: tag === undefined ? "There is no such actor." : `Its ETag is ${tag}.`,
    members: { etag: tag ?? null },
    ...(tag === undefined ? {} : { headers: { etag: tag } }),
  };
}

function answer(reply: FastifyReply, { address, event, id }: Command, outcome: Told | Answer, { system, clock }: RouteParts): FastifyReply {
  if (outcome.kind === "replied") return reply.code(200).send({ outcome: "replied", id, reply: outcome.value });
  if (outcome.kind === "accepted") {
    const { kind, ...more } = outcome;
    return reply.code(202).send({ outcome: kind, id, ...more });
  }
  return sendProblem(reply, problemOf(outcome, event.type.slice(0, 128), id, { asOf: system.read(address)?.asOf, nowMs: clock.now() }));
}
