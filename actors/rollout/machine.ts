// A rollout: from draft to completed or aborted, group after group (vehicle.md, States).
//
// M1. One rule decides, looked at after every event (tally.ts); nothing polls.
// M2. Paused and aborted are settled when every open part has said that nothing of it begins any more.
// M3. Whoever resumes goes on from the present counts, and forgives what ended without being committed in a group that cannot reach its share (tally.ts R5). One of which nobody is left to be committed is accepted as it is.
// M4. After its end nothing of it begins: who was given up by a timer and is heard of again is called off by its group.

import { assign, enqueueActions, sendTo, setup } from "xstate";
import { author, type EventOf, now, reply } from "../../runtime/index.ts";
import { groupMessages } from "./group-messages.ts";
import type { rolloutMessages } from "./messages.ts";
import {
  allEnded,
  allHold,
  begun,
  granted,
  isLastOpen,
  newestHasSucceeded,
  noted,
  opened,
  openParts,
  reported,
  resumed,
  type RolloutContext,
  type RolloutInput,
  ruling,
  THE_RULE,
} from "./state.ts";

type RolloutEvent = EventOf<typeof rolloutMessages>;

const VERBS = { "rollout.approve": "approve", "rollout.pause": "pause", "rollout.resume": "resume", "rollout.abort": "abort" } as const;

export const rolloutMachine = setup({
  types: { context: {} as RolloutContext, events: {} as RolloutEvent, input: {} as RolloutInput },
  actions: {
    note: assign(({ context, event, self }) => {
      if (!(event.type in VERBS)) return context;
      const verb = VERBS[event.type as keyof typeof VERBS];
      return noted(context, { at: now(self), verb, who: author(self) ?? "unknown", reason: ("reason" in event ? event.reason : undefined) ?? null });
    }),
    because: assign({
      why: ({ context, event, self }) => {
        const at = now(self);
        if (event.type === "rollout.pause" || event.type === "rollout.abort") return { reason: event.reason, who: author(self) ?? "unknown", at };
        const said = ruling(context);
        return said.kind === "go-on" ? context.why : { reason: said.why, who: THE_RULE, at };
      },
    }),
    answer: sendTo(
      ({ event }) => (event as Extract<RolloutEvent, { type: "rollout.pause" }>).replyTo,
      (_, { state }: { state: string }) => reply({ state }),
    ),
    take: assign(({ context, event }) => (event.type === "group.progressed" ? (reported(context, event) ?? context) : context)),
    openNext: assign(({ context, self }) => opened(context, now(self))),
    resume: assign(({ context }) => resumed(context)),
    /** M1: only while it runs, and its rule says go on. */
    grant: enqueueActions(({ context, enqueue }) => {
      const { context: next, grants } = granted(context);
      enqueue.assign(next);
      for (const { group, slots, cleared } of grants) enqueue.sendTo(() => groupMessages.at(group), { type: "group.granted", slots, cleared });
    }),
    hold: enqueueActions(({ context, enqueue }) => {
      const round = context.round + 1;
      enqueue.assign({ round });
      for (const id of openParts(context)) enqueue.sendTo(() => groupMessages.at(id), { type: "group.hold", round });
    }),
    letGo: enqueueActions(({ context, enqueue }) => {
      for (const id of openParts(context)) enqueue.sendTo(() => groupMessages.at(id), { type: "group.go-on" });
    }),
    cancel: enqueueActions(({ context, enqueue }, { reason }: { readonly reason: string }) => {
      const round = context.round + 1;
      enqueue.assign({ round });
      for (const id of Object.keys(context.parts)) enqueue.sendTo(() => groupMessages.at(id), { type: "group.cancel", round, reason });
    }),
  },
  guards: {
    isMine: ({ context, event }) => event.type === "group.progressed" && reported(context, event) !== undefined,
    mustAbort: ({ context }) => ruling(context).kind === "abort",
    mustPause: ({ context }) => ruling(context).kind === "pause",
    hasSucceeded: ({ context }) => newestHasSucceeded(context),
    hasNot: ({ context }) => !newestHasSucceeded(context),
    isLast: ({ context }) => isLastOpen(context),
    allEnded: ({ context }) => allEnded(context),
    openOnesHold: ({ context }) => allHold(context, openParts(context)),
    allHold: ({ context }) => allHold(context, Object.keys(context.parts)),
  },
  delays: { SOAK: ({ context }) => context.soakMs },
}).createMachine({
  id: "rollout",
  context: ({ input }) => begun(input),
  initial: "draft",
  states: {
    draft: {
      on: {
        "rollout.approve": { target: "approved", actions: ["note", { type: "answer", params: { state: "approved" } }] },
        "rollout.abort": { target: "aborted", actions: ["note", "because", { type: "answer", params: { state: "aborted" } }] },
      },
    },
    approved: { always: { target: "running", actions: ["openNext", "grant"] } },
    running: {
      initial: "offering",
      on: {
        "group.progressed": { guard: "isMine", actions: ["take", "grant"] },
        "rollout.pause": { target: "paused", actions: ["note", "because", { type: "answer", params: { state: "paused" } }] },
        "rollout.abort": { target: "aborted", actions: ["note", "because", { type: "answer", params: { state: "aborted" } }] },
      },
      always: [
        { guard: "mustAbort", target: "aborted", actions: "because" },
        { guard: "mustPause", target: "paused", actions: "because" },
      ],
      states: {
        offering: { always: { guard: "hasSucceeded", target: "soaking" } },
        soaking: {
          always: { guard: "hasNot", target: "offering" },
          after: {
            SOAK: [
              { guard: "isLast", target: "ending" },
              { target: "offering", actions: ["openNext", "grant"] },
            ],
          },
        },
        /** The last group has succeeded; those that are late may still come. */
        ending: { always: { guard: "allEnded", target: "#rollout.completed" } },
        before: { type: "history", history: "deep" },
      },
    },
    paused: {
      entry: "hold",
      // M1: what was under way may still end badly.
      always: { guard: "mustAbort", target: "aborted", actions: "because" },
      initial: "settling",
      on: {
        "group.progressed": { guard: "isMine", actions: "take" },
        "rollout.resume": { target: "running.before", actions: ["note", "resume", "letGo", "grant", { type: "answer", params: { state: "running" } }] },
        "rollout.abort": { target: "aborted", actions: ["note", "because", { type: "answer", params: { state: "aborted" } }] },
      },
      states: { settling: { always: { guard: "openOnesHold", target: "settled" } }, settled: {} },
    },
    /** M4. */
    completed: { entry: { type: "cancel", params: { reason: "its rollout is completed" } }, on: { "group.progressed": { guard: "isMine", actions: "take" } } },
    aborted: {
      entry: { type: "cancel", params: ({ context }) => ({ reason: `its rollout was aborted: ${context.why?.reason ?? ""}` }) },
      initial: "settling",
      on: { "group.progressed": { guard: "isMine", actions: "take" } },
      states: { settling: { always: { guard: "allHold", target: "settled" } }, settled: {} },
    },
  },
});
