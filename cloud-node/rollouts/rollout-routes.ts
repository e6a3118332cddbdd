// Rollouts over HTTP: planned, shown, told what to do, watched.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type TSchema, Type as T } from "typebox";
import { PHASE_NAMES, planSchema, reasonSchema } from "../../actors/index.ts";
import { answers, CHECKED_ELSEWHERE, decodeCursor, encodeCursor, type EventStream, keyIn, type RouteTools, sendProblem } from "../../protocols/http/index.ts";
import type { Address } from "../../runtime/index.ts";
import type { Clock, Random } from "../../runtime/ports/index.ts";
import { progressStreams } from "./progress-stream.ts";
import { rolloutDocument, rolloutItem } from "./rollout-document.ts";
import type { KnownRollout } from "./rollout-book.ts";
import type { Rollouts, Verb } from "./rollouts.ts";
import { targetPage } from "./target-list.ts";

export interface RolloutRoutesOptions {
  readonly rollouts: Rollouts;
  readonly clock: Clock;
  readonly random: Random;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;
const MAX_PLACE = 1_000_000;

const params = T.Object({ id: T.String({ description: "its address as one percent-encoded segment, e.g. acme%2Frollout%2Ftorrent-2.4, or its name where one tenant has it" }) });
const said = T.Object({ reason: reasonSchema }, { additionalProperties: false });
const saidIfAny = T.Object({ reason: T.Optional(reasonSchema) }, { additionalProperties: false });
const headers = { type: "object", properties: { "idempotency-key": { type: "string", maxLength: 128, description: "the same key has the same outcome and acts once" } } };
const ROLLOUT_STATES = ["draft", "approved", "running", "paused", "completed", "aborted"] as const;
const listQuery = T.Object(
  {
    state: T.Optional(T.Enum(ROLLOUT_STATES)),
    limit: T.Optional(T.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `default ${String(DEFAULT_LIMIT)}` })),
    cursor: T.Optional(T.String({ maxLength: 2_000, description: "`next` of the page before" })),
  },
  { additionalProperties: false },
);
const targetQuery = T.Object(
  {
    group: T.Optional(T.String({ maxLength: 64 })),
    state: T.Optional(T.Enum([...PHASE_NAMES])),
    limit: T.Optional(T.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `default ${String(DEFAULT_LIMIT)}` })),
    cursor: T.Optional(T.String({ maxLength: 2_000, description: "`next` of the page before" })),
  },
  { additionalProperties: false },
);
const planQuery = T.Object(
  { tenant: T.Optional(T.String({ pattern: "^[A-Za-z0-9_.~-]{1,128}$", description: "may be left out where vehicles of one alone are known" })) },
  { additionalProperties: false },
);
const open = (properties: Readonly<Record<string, TSchema>>): TSchema => T.Object({ ...properties }, { additionalProperties: true });
const item = {
  id: T.String(),
  address: T.String(),
  tenant: T.String(),
  state: T.String({ description: `${ROLLOUT_STATES.slice(0, -1).join(", ")} or ${String(ROLLOUT_STATES.at(-1))}` }),
  phase: T.Union([T.String(), T.Null()], { description: "running: offering, soaking or ending; paused and aborted: settling, until nothing begins any more, then settled" }),
  group: T.Union([T.String(), T.Null()], { description: "the newest that is open" }),
  targets: T.Integer(),
  counts: T.Record(T.String(), T.Integer(), { description: "of all targets, as the rule knows them" }),
  why: T.Union([open({ reason: T.String(), who: T.String(), at: T.Number() }), T.Null()], { description: "it is paused or aborted; who: a person, or the rule" }),
  created: T.Union([open({ at: T.Number(), by: T.String() }), T.Null()]),
};
const listed = open({ ...item, groups: T.Integer() });
const shown = open({
  ...item,
  groups: T.Array(
    open({
      name: T.String(),
      size: T.Integer(),
      state: T.String({ description: "waiting, open, soaking or succeeded" }),
      counts: T.Record(T.String(), T.Integer()),
      waits: T.Array(open({ why: T.String(), targets: T.Integer(), of: T.Integer(), text: T.String({ description: 'e.g. "3 of 20 not online since 2026-11-23T08:00:00.000Z"' }) })),
      causes: T.Array(open({ ending: T.String(), reason: T.String(), targets: T.Integer() })),
    }),
  ),
  newcomers: T.Optional(open({ count: T.Integer(), first: T.Array(T.String()) })),
});
const target = open({ vehicle: T.String(), address: T.String(), group: T.String(), state: T.String() });
const tried = T.Object({
  address: T.String(),
  images: T.Array(T.Object({ sha256: T.String(), kept: T.Boolean() }), { description: "in the order of the plan" }),
  targets: T.Integer(),
  upToDate: T.Integer({ description: "vehicles whose modules all have their version" }),
  groups: T.Array(
    open({
      name: T.String(),
      size: T.Integer(),
      abortCount: T.Union([T.Integer(), T.Null()]),
      pauseCount: T.Union([T.Integer(), T.Null()]),
      first: T.Array(T.Object({ vehicle: T.String(), modules: T.Array(T.String()) })),
    }),
  ),
  refused: T.Array(open({ type: T.String({ description: "of the problem that POST /v1/rollouts would answer with" }), path: T.String(), message: T.String() }), {
    description: "empty: it would be made",
  }),
  more: T.Integer({ description: "reasons that are not shown" }),
});
const VERBS: Readonly<Record<Verb, string>> = {
  approve: "Let a draft begin",
  pause: "Let nothing more of it begin; what has begun goes on",
  resume: "Let a paused rollout go on from its present counts",
  abort: "End it: nothing more begins, and what has begun is asked to end where it still can",
};

export function rolloutRoutes(plain: FastifyInstance, { streams, changes }: RouteTools, { rollouts, clock, random }: RolloutRoutesOptions): void {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();
  const { book } = rollouts;
  const documentOf = (rollout: KnownRollout): Readonly<Record<string, unknown>> => rolloutDocument(rollout, rollouts);
  /** Its commits, those of its groups among them within a quarter of a second, and the links of its vehicles. */
  const listen = (rollout: Address, changed: () => void): (() => void) => {
    const ends = [changes.subscribe(rollout, changed), rollouts.onLink(rollout, changed)];
    return () => {
      for (const end of ends) end();
    };
  };
  const watchers = progressStreams(listen, clock, (address) => {
    const rollout = book.get(address);
    return rollout === undefined ? undefined : { id: `${rollout.incarnation}:${String(rollout.revision)}`, data: documentOf(rollout) };
  });

  app.get(
    "/v1/rollouts",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List rollouts",
        tags: ["rollouts"],
        querystring: listQuery,
        response: answers({ 200: T.Object({ items: T.Array(listed), next: T.Optional(T.String({ description: "absent at the end" })) }) }),
      },
    },
    (request, reply) => {
      const { state, limit = DEFAULT_LIMIT, cursor } = request.query;
      const filters = { of: "rollouts", state: state ?? null };
      const from = cursor === undefined ? { after: "" } : decodeCursor(cursor, filters);
      if ("problem" in from) return sendProblem(reply, { name: "cursor-invalid", detail: from.problem });
      const all = book.all().filter((each) => each.address > from.after && (state === undefined || each.state === state));
      const page = all.slice(0, limit);
      const last = page.at(-1)?.address;
      return reply.send({ items: page.map(rolloutItem), ...(all.length > limit && last !== undefined ? { next: encodeCursor(last, filters) } : {}) });
    },
  );

  app.post(
    "/v1/rollouts",
    {
      config: { role: "operator" },
      schema: {
        summary: "Plan a rollout: a draft, which begins when it is approved",
        description:
          "201 when all of it is committed; 200 with the same rollout for the same Idempotency-Key and plan. The whole plan is judged against the images that are kept and the vehicles that are known: what is wrong has a problem type of its own, and nothing is made.",
        tags: ["rollouts"],
        querystring: planQuery,
        headers,
        body: { ...planSchema, [CHECKED_ELSEWHERE]: true },
        response: answers({ 200: shown, 201: shown }),
      },
    },
    async (request, reply) => {
      const key = keyIn(request, random);
      if (typeof key !== "string") return sendProblem(reply, key);
      const made = await rollouts.create(request.body, request.query.tenant, { who: nameOf(request), key });
      if (made.kind === "problem") return sendProblem(reply, made.problem);
      reply.header("location", `/v1/rollouts/${encodeURIComponent(made.rollout.address)}`);
      return send(reply.code(made.kind === "made" ? 201 : 200), made.rollout);
    },
  );

  app.post(
    "/v1/rollouts/trial",
    {
      config: { role: "operator" },
      schema: {
        summary: "What a plan would come to now; nothing is made",
        description:
          "Its groups with the first vehicles of each, which of its images are kept, and all reasons why it would be refused. What is wrong with the document itself is a problem, as of a plan.",
        tags: ["rollouts"],
        querystring: planQuery,
        body: { ...planSchema, [CHECKED_ELSEWHERE]: true },
        response: answers({ 200: tried }),
      },
    },
    (request, reply) => {
      const outcome = rollouts.tryOut(request.body, request.query.tenant);
      if (outcome.kind === "problem") return sendProblem(reply, outcome.problem);
      const { kind: _kind, ...told } = outcome;
      return reply.send(told);
    },
  );

  app.get(
    "/v1/rollouts/:id",
    {
      config: { role: "viewer" },
      schema: {
        summary: "One rollout: groups with counts and causes, and why a group waits",
        description: "`newcomers`: vehicles that its plan would select now and that joined the fleet later; they are in none of its groups.",
        tags: ["rollouts"],
        params,
        response: answers({ 200: shown }),
      },
    },
    (request, reply) => {
      const rollout = rollouts.find(request.params.id);
      if ("name" in rollout) return sendProblem(reply, rollout);
      return send(reply, rollout);
    },
  );

  app.get(
    "/v1/rollouts/:id/targets",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Targets of a rollout, in the order in which they are offered",
        tags: ["rollouts"],
        params,
        querystring: targetQuery,
        response: answers({ 200: T.Object({ items: T.Array(target), next: T.Optional(T.String({ description: "absent at the end" })) }) }),
      },
    },
    (request, reply) => {
      const rollout = rollouts.find(request.params.id);
      if ("name" in rollout) return sendProblem(reply, rollout);
      const { group, state, limit = DEFAULT_LIMIT, cursor } = request.query;
      const names = rollout.context.groups.map(({ name }) => name);
      if (group !== undefined && !names.includes(group))
        return sendProblem(reply, { name: "query-invalid", detail: `${rollout.address} has no group ${group}: it has ${names.join(", ")}.` });
      const filters = { of: rollout.address, group: group ?? null, state: state ?? null };
      const from = cursor === undefined ? { after: "0" } : decodeCursor(cursor, filters);
      if ("problem" in from) return sendProblem(reply, { name: "cursor-invalid", detail: from.problem });
      const after = Number(from.after);
      if (!Number.isSafeInteger(after) || after < 0 || after > MAX_PLACE) return sendProblem(reply, { name: "cursor-invalid", detail: "It cannot be read." });
      const { items, next } = targetPage(rollout, book, { group, state, after, limit });
      return reply.send({ items: items as never, ...(next === undefined ? {} : { next: encodeCursor(String(next), filters) }) });
    },
  );

  for (const [verb, summary] of Object.entries(VERBS) as [Verb, string][])
    app.post(
      `/v1/rollouts/:id/${verb}`,
      {
        config: { role: "operator" },
        schema: {
          summary,
          description: "Audited: who, when and why stand in `noted`.",
          tags: ["rollouts"],
          params,
          headers,
          body: verb === "approve" ? saidIfAny : said,
          response: answers({ 200: shown }),
        },
      },
      async (request, reply) => {
        const key = keyIn(request, random);
        if (typeof key !== "string") return sendProblem(reply, key);
        const rollout = rollouts.find((request.params as { readonly id: string }).id);
        if ("name" in rollout) return sendProblem(reply, rollout);
        const { reason: why } = request.body as { readonly reason?: string };
        const problem = await rollouts.say(rollout, verb, why, { who: nameOf(request), key }, request.trace.traceparent);
        if (problem !== undefined) return sendProblem(reply, problem);
        return send(reply, book.get(rollout.address) ?? rollout);
      },
    );

  app.post(
    "/v1/rollouts/:id/targets/:vehicle/leave-out",
    {
      config: { role: "operator" },
      schema: {
        summary: "Leave a vehicle out that is no longer of the fleet: its target ends as excused",
        tags: ["rollouts"],
        params: T.Object({ ...params.properties, vehicle: T.String({ description: "the vehicle's address as one percent-encoded segment" }) }),
        body: said,
        response: answers({ 204: { type: "null", description: "it is left out" } }),
      },
    },
    async (request, reply) => {
      const rollout = rollouts.find(request.params.id);
      if ("name" in rollout) return sendProblem(reply, rollout);
      const problem = await rollouts.leaveOut(rollout, request.params.vehicle, request.body.reason, nameOf(request));
      return problem === undefined ? reply.code(204).send() : sendProblem(reply, problem);
    },
  );

  app.get(
    "/v1/rollouts/:id/events",
    {
      config: { role: "viewer" },
      exposeHeadRoute: false, // it would hold a stream open that has no body
      schema: {
        summary: "Progress of a rollout, live (server-sent events)",
        description: "`snapshot`: the rollout. `progress`: how it stands when that has changed, at most twice a second. Whoever comes again begins with a snapshot.",
        tags: ["rollouts"],
        params,
        response: answers({ 200: { description: "the stream", content: { "text/event-stream": { schema: { type: "string" } } } } }),
      },
    },
    (request, reply) => {
      const rollout = rollouts.find(request.params.id);
      if ("name" in rollout) return sendProblem(reply, rollout);
      const refusal = streams.refusal(request);
      if (refusal !== undefined) return sendProblem(reply, refusal);
      const watching: { stream?: EventStream } = {};
      const stream = streams.open(request, reply, () => {
        if (watching.stream !== undefined) watchers.remove(rollout.address, watching.stream);
      });
      watching.stream = stream;
      if (!stream.ended) watchers.add(rollout.address, stream);
      return reply;
    },
  );

  function send(reply: FastifyReply, rollout: KnownRollout): FastifyReply {
    return reply.send({ ...documentOf(rollout), newcomers: rollouts.newcomers(rollout) });
  }
}

function nameOf(request: FastifyRequest): string {
  return request.principal?.name ?? "unknown";
}
