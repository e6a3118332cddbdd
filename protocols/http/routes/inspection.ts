// Looking into one actor on the node that hosts it: what it has under way, past states, a turn run again, a message tried out. Nothing here changes anything.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyReply } from "fastify";
import { Type as T } from "typebox";
import { type Address, entityOf, type NotKept } from "../../../runtime/index.ts";
import { addressIn } from "../address-in-path.ts";
import { eventIn } from "../event-in.ts";
import { problemOf } from "../outcome-problem.ts";
import { sendProblem } from "../problem.ts";
import { answers } from "../schemas.ts";
import { CHECKED_ELSEWHERE } from "../validation.ts";
import { addressParams } from "./actors.ts";
import type { RouteParts, Routes } from "./parts.ts";

const noQuery = T.Object({}, { additionalProperties: false });
const revisionParams = T.Object({
  ...addressParams.properties,
  revision: T.String({ pattern: "^[1-9][0-9]{0,14}$", description: "of the actor's entity, from 1" }),
});
const open = { type: "object", additionalProperties: true } as const;
const body = {
  type: "object",
  required: ["type"],
  properties: { type: { type: "string", description: "the event's type; its other fields stand beside it" } },
  additionalProperties: true,
  [CHECKED_ELSEWHERE]: true,
};

export const inspectionRoutes: Routes = (plain, parts) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();
  const { inspection } = parts.system;

  app.get(
    "/v1/actors/:address/inspection",
    {
      config: { role: "viewer" },
      schema: {
        summary: "What an actor has under way",
        description:
          "Mailbox, timers, unconfirmed effects, outbox, restarts, what reached nobody inside its entity (`unheard`), and the turn in which its present state was entered, with what caused it: `lastTransition` and `inStateMs`, which are absent where an earlier version did not note them. Only on the node that hosts it.",
        tags: ["inspection"],
        params: addressParams,
        querystring: noQuery,
        response: answers({ 200: open }),
      },
    },
    async (request, reply) => withAddress(request, reply, parts, (address) => inspection.inspect(address)),
  );

  app.get(
    "/v1/actors/:address/history/:revision/state",
    {
      config: { role: "viewer" },
      schema: {
        summary: "A past state of an actor",
        description: "Its state and context after the turn of this revision, from the journal.",
        tags: ["inspection"],
        params: revisionParams,
        querystring: noQuery,
        response: answers({ 200: open }),
      },
    },
    async (request, reply) =>
      withAddress(request, reply, parts, async (address) => {
        const revision = Number(request.params.revision);
        const past = await inspection.stateAt(address, revision);
        return past === "absent" ? notThen(reply, address, revision) : past;
      }),
  );

  app.get(
    "/v1/actors/:address/history/:revision/replay",
    {
      config: { role: "viewer" },
      schema: {
        summary: "A turn run again, step by step",
        description:
          "The turn of the actor's whole entity, run on a copy: inputs, guards and their answers, transitions with state and context, results, and the effects that would leave. `differs` is set where it does not come to what was committed.",
        tags: ["inspection"],
        params: revisionParams,
        querystring: noQuery,
        response: answers({ 200: open }),
      },
    },
    async (request, reply) =>
      withAddress(request, reply, parts, async (address) => {
        const turn = await inspection.replay(address, Number(request.params.revision));
        return turn?.kind === "replayed" ? { ...turn, differs: turn.differs ?? null } : turn;
      }),
  );

  app.post(
    "/v1/actors/:address/trial",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Try a message out",
        description: "Which guards it would meet and where it would lead, on a copy of the actor's entity. Nothing is committed and nothing leaves.",
        tags: ["inspection"],
        params: addressParams,
        querystring: noQuery,
        body,
        response: answers({ 200: open }),
      },
    },
    async (request, reply) =>
      withAddress(request, reply, parts, async (address) => {
        const read = eventIn(request, { accepts: parts.system.read(address)?.accepts ?? [] });
        if ("problem" in read) return sendProblem(reply, read.problem);
        const { event } = read;
        const trial = await inspection.tryOut(address, event, { author: request.principal?.name ?? "unknown" });
        if (trial?.kind !== "turned-away") return trial;
        return sendProblem(reply, problemOf(trial.refusal, event.type.slice(0, 128), "(trial)", { asOf: undefined, nowMs: parts.clock.now() }));
      }),
  );
};

/** Answers with what `look` finds, or says why there is nothing to see here. */
async function withAddress(
  request: { readonly params: { readonly address: string } },
  reply: FastifyReply,
  { system }: RouteParts,
  look: (address: Address) => Promise<object | undefined>,
): Promise<FastifyReply> {
  const address = addressIn(request.params.address);
  if (typeof address !== "string") return sendProblem(reply, address);
  const seen = await look(address);
  if (reply.sent) return reply;
  if (seen === undefined) {
    const owner = (system.read(address) ?? system.read(entityOf(address)))?.owner.node;
    if (owner === undefined || owner === system.node) return sendProblem(reply, { name: "no-such-actor", detail: `Nobody has the address ${address}.` });
    return sendProblem(reply, { name: "hosted-elsewhere", detail: `${address} is hosted on the node ${owner}.`, members: { owner } });
  }
  if ("kind" in seen && seen.kind === "not-kept") {
    const { first, last } = seen as NotKept;
    return sendProblem(reply, { name: "revision-not-kept", detail: `Revisions ${String(first)} to ${String(last)} of ${entityOf(address)} are kept.`, members: { first, last } });
  }
  return reply.send(seen);
}

function notThen(reply: FastifyReply, address: Address, revision: number): FastifyReply {
  return sendProblem(reply, { name: "no-such-actor", detail: `${address} was not there after revision ${String(revision)}.` });
}
