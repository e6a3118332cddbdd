// Commands that wait for their vehicle (rules O2): `T/requests/V`. Each keeps its id, author and end; it is forwarded when the vehicle is there, and its one
// outcome is the vehicle's word, found under the same id (rules M2).

import { assign, enqueueActions, setup } from "xstate";
import { actorType, effect, entityType, type EventOf, messages, now, T } from "../../runtime/index.ts";

/** Requests that wait for one vehicle; a further one is not taken. */
export const MAX_WAITING = 100;

const requestsMessages = messages({
  "request.keep": {
    body: {
      request: T.String({ minLength: 1, maxLength: 128, description: "message id of the command" }),
      to: T.String({ maxLength: 512 }),
      event: T.Object({ type: T.String() }, { additionalProperties: true }),
      author: T.String({ maxLength: 256 }),
      expiresAt: T.Number(),
      /** Changes of hand that its sender had seen (rules O2). */
      against: T.Optional(T.Integer({ minimum: 0 })),
    },
    internal: true,
  },
  /** The vehicle's final word on a forwarded one. */
  "request.settled": { body: { request: T.String(), outcome: T.String() }, internal: true },
  "vehicle.reachable": { body: {}, internal: true },
});

export interface WaitingRequest {
  readonly to: string;
  readonly event: { readonly type: string; readonly [key: string]: unknown };
  readonly author: string;
  readonly expiresAt: number;
  readonly keptAt: number;
  readonly against?: number;
}

interface RequestsContext {
  readonly waiting: Readonly<Record<string, WaitingRequest>>;
  /** The last outcomes, newest last. */
  readonly settled: readonly { readonly request: string; readonly outcome: string; readonly at: number }[];
}

export interface Forwarding extends WaitingRequest {
  readonly request: string;
}

const KEPT_OUTCOMES = 50;

const requestsMachine = setup({
  types: { context: {} as RequestsContext, events: {} as EventOf<typeof requestsMessages> },
  actions: {
    /** Repeated until the vehicle has answered: the id makes the repetitions one (rules F1, M2). */
    forward: effect<Forwarding>({ class: "idempotent" }),
    keep: enqueueActions(({ context, event, enqueue, self }) => {
      if (event.type !== "request.keep") return;
      const { request, to, author, expiresAt } = event;
      const kept: WaitingRequest = {
        to,
        event: event.event,
        author,
        expiresAt,
        keptAt: now(self),
        ...(event.against === undefined ? {} : { against: event.against }),
      };
      enqueue.assign({ waiting: { ...context.waiting, [request]: kept } });
      enqueue({ type: "forward", params: { request, ...kept } });
    }),
    settle: assign(({ context, event, self }) => {
      if (event.type !== "request.settled") return context;
      return {
        waiting: Object.fromEntries(Object.entries(context.waiting).filter(([request]) => request !== event.request)),
        settled: [...context.settled, { request: event.request, outcome: event.outcome, at: now(self) }].slice(-KEPT_OUTCOMES),
      };
    }),
  },
  guards: {
    isNew: ({ context, event }) => event.type === "request.keep" && !Object.hasOwn(context.waiting, event.request) && Object.keys(context.waiting).length < MAX_WAITING,
    isWaiting: ({ context, event }) => event.type === "request.settled" && Object.hasOwn(context.waiting, event.request),
  },
}).createMachine({
  id: "requests",
  context: { waiting: {}, settled: [] },
  initial: "open",
  states: { open: { on: { "request.keep": { guard: "isNew", actions: "keep" }, "request.settled": { guard: "isWaiting", actions: "settle" } } } },
});

export const requestsType = actorType({ name: "requests", version: 1, messages: requestsMessages, behaviour: requestsMachine });

export const requestsEntity = entityType({ root: requestsType, durability: "events", placement: "cloud" });
