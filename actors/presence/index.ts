// The cloud's view of a vehicle's link (vehicle.md, States): never the vehicle's own state. Hints come from the bus; a short loss is forgiven before it shows.

import { assign, setup } from "xstate";
import { actorType, entityType, type EventOf, messages, now, T } from "../../runtime/index.ts";

const presenceMessages = messages({
  "link.up": { body: { node: T.String(), session: T.String() }, internal: true },
  "link.down": { body: {}, internal: true },
  /** The cloud node itself has just started: what it knew of links is old. */
  "watch.began": { body: {}, internal: true },
  "sleep.announced": { body: { until: T.Number() }, internal: true },
});

interface PresenceContext {
  readonly node: string | undefined;
  readonly session: string | undefined;
  /** Wall ms of the last change of link. */
  readonly since: number;
  readonly asleepUntil: number | undefined;
}

const presenceMachine = setup({
  types: { context: {} as PresenceContext, events: {} as EventOf<typeof presenceMessages> },
  actions: {
    noteUp: assign(({ context, event, self }) => (event.type === "link.up" ? { node: event.node, session: event.session, since: now(self), asleepUntil: undefined } : context)),
    noteDown: assign({ since: ({ self }) => now(self) }),
    noteSleep: assign({ asleepUntil: ({ event, context }) => (event.type === "sleep.announced" ? event.until : context.asleepUntil) }),
  },
  /** A link that comes back within `LATE` was never gone; after `LOST` nobody waits for it. */
  delays: { LATE: 3_000, LOST: 60_000 },
}).createMachine({
  id: "presence",
  context: { node: undefined, session: undefined, since: 0, asleepUntil: undefined },
  initial: "unknown",
  on: { "link.up": { target: ".online", actions: "noteUp" } },
  states: {
    unknown: { on: { "link.down": { target: "late", actions: "noteDown" } }, after: { LOST: "lost" } },
    online: {
      initial: "linked",
      states: { linked: { on: { "link.down": { target: "wavering", actions: "noteDown" } } }, wavering: { after: { LATE: "#presence.late" } } },
      // What was so before this run is no view of now: a vehicle that is there says so at once.
      on: { "sleep.announced": { target: "asleep", actions: "noteSleep" }, "watch.began": "unknown" },
    },
    asleep: {},
    late: { after: { LOST: "lost" } },
    lost: {},
  },
});

export const presenceEntity = entityType({
  root: actorType({ name: "presence", version: 1, messages: presenceMessages, behaviour: presenceMachine }),
  durability: "events",
  placement: "cloud",
});

export type PresenceState = "unknown" | "online" | "asleep" | "late" | "lost";

/** The state's word, whatever it holds inside. */
export function presenceOf(value: unknown): PresenceState {
  const word = typeof value === "string" ? value : typeof value === "object" && value !== null ? Object.keys(value)[0] : undefined;
  return word === "online" || word === "asleep" || word === "late" || word === "lost" ? word : "unknown";
}
