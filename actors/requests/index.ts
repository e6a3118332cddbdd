// Commands that wait for their vehicle (rules O2): `T/requests/V`. Each keeps its id, author and end; they are forwarded one after the other when the vehicle is there,
// and the outcome of each is the vehicle's word, found under the same id (rules M2).

import { enqueueActions, setup } from "xstate";
import { actorType, effect, entityType, type EventOf, now } from "../../runtime/index.ts";
import { requestsMessages } from "./messages.ts";
import { firstEndOf, fromVersion1, fromVersion2, lineAfter, type RequestsContext } from "./request-line.ts";

export { type LeftRequest, leftRequestIn } from "./left-requests.ts";
export { requestIn, type RequestsContext, type SettledRequest, waitedMsOf, type WaitingRequest } from "./request-line.ts";

export interface Forwarding {
  readonly request: string;
  readonly to: string;
}

const END = "first end";
/** An attempt goes on until its request has left the line, which is a day at most (rules M2). */
const FORWARD_WITHIN_MS = 48 * 3_600_000;

const requestsMachine = setup({
  types: { context: {} as RequestsContext, events: {} as EventOf<typeof requestsMessages> },
  actions: {
    /** Of the head alone. Repeated until the vehicle has answered: the id makes the repetitions one (rules F1, M2). */
    forward: effect<Forwarding>({ class: "idempotent", withinMs: FORWARD_WITHIN_MS }),
    move: enqueueActions(({ context, event, enqueue, self }) => {
      const next = lineAfter(context, event, now(self));
      if (next === undefined) return;
      enqueue.assign(next);
      const [head] = next.waiting;
      if (head !== undefined && head.request !== context.waiting[0]?.request) enqueue({ type: "forward", params: { request: head.request, to: head.to } });
      enqueue.cancel(END);
      if (firstEndOf(next) !== undefined) enqueue.raise({ type: "requests.ended" }, { id: END, delay: "untilFirstEnd" });
    }),
  },
  // Whether an event is taken does not depend on the time of the turn.
  guards: { moves: ({ context, event }) => lineAfter(context, event, 0) !== undefined },
  delays: { untilFirstEnd: ({ context, self }) => Math.max(0, (firstEndOf(context) ?? 0) - now(self)) },
}).createMachine({
  id: "requests",
  context: { waiting: [], settled: [] },
  initial: "open",
  states: {
    open: {
      on: {
        "request.keep": { guard: "moves", actions: "move" },
        "request.sent": { guard: "moves", actions: "move" },
        "request.settled": { guard: "moves", actions: "move" },
        "request.postponed": { guard: "moves", actions: "move" },
        "request.left": { guard: "moves", actions: "move" },
        "request.untaken": { guard: "moves", actions: "move" },
        "requests.ended": { guard: "moves", actions: "move" },
      },
    },
  },
});

export const requestsType = actorType({
  name: "requests",
  version: 3,
  messages: requestsMessages,
  behaviour: requestsMachine,
  migrate: { 1: fromVersion1, 2: fromVersion2 },
  // A command's time runs while the node is stopped too.
  timers: { untilFirstEnd: "absolute" },
});

export const requestsEntity = entityType({ root: requestsType, durability: "events", placement: "cloud" });
