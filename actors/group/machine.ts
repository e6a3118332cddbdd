// The root of a group entity: gives its share of slots to its targets, and reports to its rollout.
//
// M1. Reports are of the whole part: one in REPORT_MS at most, but at once where a bad result is new or it begins or ends to hold.
// M2. Who is ready while nobody may begin is reported too: its rollout gives a slot for it when it goes on.
// M3. After its end it stays ended: all but those who have said how they ended are called off, and so is one that had its verdict by a timer and is heard of again, not begun.

import { assign, enqueueActions, setup } from "xstate";
import { type EventOf, now } from "../../runtime/index.ts";
import { type groupMessages, rolloutMessages } from "../rollout/index.ts";
import { type groupOwnMessages, targetMessages } from "./messages.ts";
import { isEnding, mayBeAtWork, phasesIn } from "./phases.ts";
import { begins, begunPart, changed, type PartContext, type PartInput, report, type TargetChange, wanted } from "./part.ts";

const REPORT = "report";
const REPORT_MS = 250;

type GroupEvent = EventOf<typeof groupMessages> | EventOf<typeof groupOwnMessages>;

/** Id of a target among the children of its group. */
export function targetId(index: number): string {
  return String(index);
}

/** M1. */
const soon = { type: "report", params: { isDue: false } } as const;
const atOnce = { type: "report", params: { isDue: true } } as const;

export const groupMachine = setup({
  types: { context: {} as PartContext, events: {} as GroupEvent, input: {} as PartInput },
  actions: {
    take: assign(({ context, event, self }) =>
      event.type === "target.changed" ? changed(context, event as TargetChange, now(self)) : event.type === "target.wants" ? wanted(context, event.index) : context,
    ),
    grant: assign(({ context, event }) =>
      event.type === "group.granted" ? { ...context, slots: context.slots + event.slots, cleared: Math.max(context.cleared, event.cleared) } : context,
    ),
    obey: assign({ round: ({ context, event }) => (event.type === "group.hold" || event.type === "group.cancel" ? event.round : context.round) }),
    goOn: assign({ round: 0 }),
    handOut: enqueueActions(({ context, enqueue }) => {
      const { places, context: next } = begins(context);
      enqueue.assign(next);
      for (const index of places) enqueue.sendTo(() => targetMessages.at(`${context.self}/target/${targetId(index)}`), { type: "target.slot" });
    }),
    deafen: assign({ isDeaf: true }),
    /** part.ts P5. */
    judgeSilence: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "target.silent") return;
      const { index } = event;
      if (context.isDeaf) enqueue.assign({ silent: [...context.silent.filter((each) => each !== index), index] });
      else enqueue.sendTo(() => targetMessages.at(`${context.self}/target/${targetId(index)}`), { type: "target.given-up" });
    }),
    listen: enqueueActions(({ context, enqueue }) => {
      enqueue.assign({ isDeaf: false, silent: [] });
      for (const index of context.silent) enqueue.sendTo(() => targetMessages.at(`${context.self}/target/${targetId(index)}`), { type: "target.listen" });
    }),
    cancelAgain: enqueueActions(({ context, event, enqueue }) => {
      if (event.type === "target.changed")
        enqueue.sendTo(() => targetMessages.at(`${context.self}/target/${targetId(event.index)}`), { type: "target.cancel", reason: "its rollout has ended" });
    }),
    cancelAll: enqueueActions(({ context, event, enqueue }) => {
      const reason = event.type === "group.cancel" ? event.reason : "";
      // M3.
      for (const [index, phase] of phasesIn(context.phases).entries())
        if (mayBeAtWork(phase)) enqueue.sendTo(() => targetMessages.at(`${context.self}/target/${targetId(index)}`), { type: "target.cancel", reason });
    }),
    report: enqueueActions(({ context, enqueue }, { isDue }: { readonly isDue: boolean }) => {
      if (isDue || context.newBad.length > 0) {
        const { report: body, context: next } = report(context);
        enqueue.cancel(REPORT);
        enqueue.assign(next);
        enqueue.sendTo(() => rolloutMessages.at(context.rollout), { type: "group.progressed", ...body });
      } else if (!context.reportDue) {
        enqueue.assign({ reportDue: true });
        enqueue.raise({ type: "group.report" }, { id: REPORT, delay: REPORT_MS });
      }
    }),
  },
  guards: {
    goesOnAgain: ({ event }) => event.type === "target.changed" && !isEnding(event.phase),
  },
}).createMachine({
  id: "group",
  context: ({ input }) => begunPart(input),
  initial: "open",
  on: {
    "group.hold": { target: ".holding", actions: "obey", reenter: true },
    "group.go-on": ".open",
    "group.cancel": { target: ".cancelled", actions: "obey" },
    "group.granted": { actions: "grant" },
    "target.changed": { actions: ["take", soon] },
    // M2.
    "target.wants": { actions: ["take", soon] },
    "group.report": { actions: atOnce },
    "group.deaf": { actions: "deafen" },
    "group.hears": { actions: "listen" },
    "target.silent": { actions: "judgeSilence" },
  },
  states: {
    open: {
      entry: ["goOn", "handOut", soon],
      on: {
        "group.granted": { actions: ["grant", "handOut", soon] },
        "target.changed": { actions: ["take", "handOut", soon] },
        "target.wants": { actions: ["take", "handOut", soon] },
      },
    },
    holding: { entry: atOnce },
    cancelled: {
      entry: ["cancelAll", atOnce],
      on: {
        "group.hold": {},
        "group.go-on": {},
        "group.cancel": {},
        // M3.
        "target.changed": [{ guard: "goesOnAgain", actions: ["take", "cancelAgain", soon] }, { actions: ["take", soon] }],
      },
    },
  },
});
