// Messages that only actors may say (`from: "actors"`), and refs by protocol, between entities and within one.

import { assign, enqueueActions, setup } from "xstate";
import { test } from "tap";

import { actorType, entityType, type EventOf, messages, parseAddress, T } from "../../../runtime/index.ts";
import { hosting } from "./hosting.ts";

const YARD = parseAddress("acme/yard/north");
const CREW = parseAddress("acme/crew/blue");
const HAND = `${CREW}/hand/1`;

// Two protocols that name each other's actors: by protocol, so that neither type needs the other one.
const yardMessages = messages({ "yard.order": { body: { hours: T.Integer() } }, "yard.done": { body: { by: T.String(), hours: T.Integer() }, from: "actors" } });
const crewMessages = messages({ "crew.work": { body: { hours: T.Integer() }, from: "actors" }, "crew.rest": { body: {} } });
const handMessages = messages({ "hand.dig": { body: { hours: T.Integer() }, internal: true } });

const yard = setup({ types: { context: {} as { readonly done: readonly string[] }, events: {} as EventOf<typeof yardMessages> } }).createMachine({
  context: { done: [] },
  on: {
    "yard.order": { actions: enqueueActions(({ enqueue, event }) => enqueue.sendTo(() => crewMessages.at(CREW), { type: "crew.work", hours: event.hours })) },
    "yard.done": { actions: assign({ done: ({ context, event }) => [...context.done, `${event.by} ${String(event.hours)} ${event.sender}`] }) },
  },
});

const crew = setup({ types: { context: {} as { readonly worked: number; readonly for: string }, events: {} as EventOf<typeof crewMessages> } }).createMachine({
  context: { worked: 0, for: "" },
  on: {
    "crew.work": {
      actions: [
        assign({ worked: ({ context, event }) => context.worked + event.hours, for: ({ event }) => event.sender }),
        enqueueActions(({ enqueue, event }) => enqueue.sendTo(() => handMessages.at(HAND), { type: "hand.dig", hours: event.hours })),
      ],
    },
    "crew.rest": { actions: assign({ worked: 0 }) },
  },
});

const hand = setup({ types: { context: {}, events: {} as EventOf<typeof handMessages> } }).createMachine({
  context: {},
  on: { "hand.dig": { actions: enqueueActions(({ enqueue, event }) => enqueue.sendTo(() => yardMessages.at(YARD), { type: "yard.done", by: "hand 1", hours: event.hours })) } },
});

const handType = actorType({ name: "hand", version: 1, messages: handMessages, behaviour: hand });
const types = [
  entityType({ root: actorType({ name: "yard", version: 1, messages: yardMessages, behaviour: yard }), durability: "events", placement: "cloud" }),
  entityType({
    root: actorType({ name: "crew", version: 1, messages: crewMessages, behaviour: crew }),
    children: { hand: { types: [handType], strategy: "one-for-one" } },
    durability: "events",
    placement: "cloud",
  }),
];

test("M1, S10. what actors say to actors goes over entities and within one; the same from outside is not in the protocol, and is not shown", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(YARD, { input: undefined });
  await system.activate(CREW, { input: undefined, children: [{ kind: "hand", id: "1", type: "hand", input: undefined }] });
  const outside = { kind: "invalid", problems: [{ path: "/type", message: /not in the actor's protocol/ }], accepts: ["crew.rest"] };
  t.match(await system.tell(CREW, { type: "crew.work", hours: 7 }), outside);
  t.match(await system.tell(CREW, { type: "crew.work", hours: 7 }, { id: "m1" }), outside);
  t.match(await system.inspection.tryOut(CREW, { type: "crew.work", hours: 7 }, { author: "me" }), { kind: "turned-away", refusal: outside });
  t.match(await system.tell(HAND, { type: "hand.dig", hours: 7 }), { kind: "invalid" });
  t.match(await system.tell(YARD, { type: "yard.order", hours: 3 }), { kind: "accepted" });
  await clock.advance(1_000);
  t.match(system.read(CREW)?.context, { worked: 3, for: YARD });
  t.same((system.read(YARD)?.context as { done: unknown }).done, ["hand 1 3 acme/crew/blue"]);
  t.same(system.read(CREW)?.accepts, ["crew.rest"]);
  await system.stop();
});
