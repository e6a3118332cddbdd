// A campaign: what a rollout wants of this vehicle, with the updates of its modules as children (vehicle.md, States).
//
// M1. It obeys the one that offered it alone (promise S10).
// M2. Images are staged before it asks for a word to begin; a word begins it only where it is for the newest ask, and that is young (messages.ts C2), and where the next module is known to be safe.
// M3. Where the vehicle is not safe between two modules, or between two attempts, it asks again: whoever waits holds no slot.
// M4. After a bad end nothing more is begun. Some committed and some bad is `inconsistent`.
// M5. It has ended when all of its updates have; what a module tells later of itself may still correct that (update U6).
// M6. Who has proved itself is watched while another one is at work, and once more when all have, together; not while the vehicle waits, parked with its modules asleep, nor after the end. One that is silent,
//     or that nobody can hear, stops the clock of that, also one that fell silent before; its own silence counts from where it is watched again.

import { assign, enqueueActions, not, sendParent, setup } from "xstate";
import { now } from "../../runtime/index.ts";
import { type UpdateProgress, updateMachine } from "../update/index.ts";
import {
  begunCampaign,
  type CampaignChanged,
  type CampaignContext,
  type CampaignInput,
  type CampaignState,
  hasEnded,
  heardOf,
  isBad,
  isSafe,
  isStaged,
  isWatched,
  minds,
  nextOf,
  provedThatAre,
  shownOf,
  speaker,
  stateOf,
  verdictOn,
  whyOf,
  withPresence,
} from "./campaign-context.ts";
import { GO_WITHIN_MS, targetReports } from "./messages.ts";

export type CampaignEvent =
  | { readonly type: "campaign.go"; readonly rollout: string; readonly ask: number; readonly sender: string }
  | { readonly type: "campaign.cancel"; readonly rollout: string; readonly reason: string; readonly sender: string }
  /** Its target asks where it stands. */
  | { readonly type: "campaign.asked" }
  /** Of the node's wall clock, by so many ms. */
  | { readonly type: "clock.corrected"; readonly byMs: number }
  | { readonly type: "safety.observed"; readonly module: string; readonly open: boolean; readonly why?: string }
  | { readonly type: "upload.progressed"; readonly module: string; readonly attempt: number; readonly percent: number }
  | { readonly type: "module.reported"; readonly module: string; readonly part: string; readonly firmware: string; readonly at: number }
  | { readonly type: "module.changed"; readonly module: string; readonly presence?: string }
  | UpdateProgress;

const SOAK_MS = 60_000;

const report = (state: CampaignState) => ({ type: "report", params: { state } }) as const;
const heard = (state: CampaignState) => ({ "update.progressed": { actions: ["hear", report(state)] } }) as const;
/** It has ended: its target asks, or wants it undone, and hears how it ended. */
const ended = (state: CampaignState) =>
  ({
    entry: report(state),
    on: { "campaign.asked": { actions: report(state) }, "campaign.cancel": { guard: "isUnwanted", actions: report(state) }, "update.progressed": { actions: "hear" } },
  }) as const;
/** M5. */
const committed = { guard: "endsCommitted", target: "#campaign.committed" } as const;
const inconsistent = { guard: "endsInconsistent", target: "#campaign.inconsistent" } as const;
const cancelled = { guard: "endsCancelled", target: "#campaign.cancelled" } as const;

/** Its vehicle shows it, and its node compares with it what it has told. */
function showing() {
  return sendParent<CampaignContext, CampaignEvent, undefined, CampaignChanged, CampaignEvent>(({ context }) => ({ type: "campaign.changed", campaign: shownOf(context) }));
}

export const campaignMachine = setup({
  types: { context: {} as CampaignContext, events: {} as CampaignEvent, input: {} as CampaignInput },
  actors: { update: updateMachine },
  actions: {
    begin: enqueueActions(({ context, enqueue }) => {
      const { updates, attempts, darkMs } = context;
      for (const update of updates) enqueue.spawnChild("update", { id: update.module, input: { ...update, attempts, darkMs } });
    }),
    report: enqueueActions(({ context, enqueue }, { state }: { readonly state: CampaignState }) => {
      const why = whyOf(context, state);
      const update = speaker(context);
      enqueue.assign({ state });
      enqueue.sendTo(() => targetReports.at(context.target), {
        type: "campaign.reported",
        state,
        ask: context.ask,
        ...(why === null ? {} : { why }),
        ...(update === undefined ? {} : { module: update.module, update: update.state, progress: update.progress }),
        ...(update === undefined || update.attempt === 0 ? {} : { attempt: update.attempt }),
      });
      enqueue(showing());
    }),
    show: enqueueActions(({ enqueue }) => {
      enqueue(showing());
    }),
    hear: assign(({ context, event }) => (event.type === "update.progressed" ? heardOf(context, event) : context)),
    /** M2, M3: a new ask voids all older ones. */
    ask: assign({ ask: ({ context }) => context.ask + 1, askedAt: ({ self }) => now(self) }),
    /** C2 compares dates of one clock. */
    shiftDates: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "clock.corrected") return;
      enqueue.assign({ askedAt: context.askedAt + event.byMs, wordAt: context.wordAt + event.byMs });
      if (context.refused === null) for (const { module } of context.shown) enqueue.sendTo(module, event);
    }),
    noteWord: assign({ wordAt: ({ self }) => now(self) }),
    noteSafety: assign({
      safety: ({ context, event }) =>
        event.type === "safety.observed" && context.shown.some(({ module }) => module === event.module)
          ? { ...context.safety, [event.module]: { open: event.open, why: event.open ? null : (event.why ?? null) } }
          : context.safety,
    }),
    beginNext: enqueueActions(({ context, enqueue }) => {
      const next = nextOf(context);
      if (next === undefined) return;
      enqueue.assign({ current: next, hasBegun: false });
      enqueue.sendTo(next, { type: "update.begin" });
    }),
    noteUnwanted: assign({ unwanted: ({ context, event }) => (event.type === "campaign.cancel" ? event.reason : context.unwanted) }),
    /** All that has not ended; one that is under way says what becomes of it. */
    drop: enqueueActions(({ context, enqueue }) => {
      const reason = context.unwanted ?? "another module of its vehicle has ended badly";
      for (const each of context.shown) if (!hasEnded(each)) enqueue.sendTo(each.module, { type: "update.cancel", reason });
    }),
    tellVersion: enqueueActions(({ context, event, enqueue, self }) => {
      if (event.type !== "module.reported" || !context.shown.some(({ module }) => module === event.module)) return;
      enqueue.sendTo(event.module, { type: "version.reported", part: event.part, version: event.firmware, at: event.at, now: now(self) });
    }),
    notePresence: assign({ presences: ({ context, event }) => (event.type === "module.changed" ? withPresence(context, event) : context.presences) }),
    tellPresence: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "module.changed" || event.presence === undefined) return;
      const { module, presence } = event;
      if (minds(context, { module, presence })) enqueue.sendTo(module, { type: "presence.changed", presence });
    }),
    /** M6. Who is silent by now is silent from now on. */
    watch: enqueueActions(({ context, enqueue }) => {
      for (const module of provedThatAre(context, "silent")) enqueue.sendTo(module, { type: "presence.changed", presence: "silent" });
    }),
    /** M6. */
    unwatch: enqueueActions(({ context, enqueue }) => {
      if (isWatched(context)) for (const module of provedThatAre(context, "silent")) enqueue.sendTo(module, { type: "presence.changed", presence: "unseen" });
    }),
    tellProgress: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "upload.progressed" || event.module !== context.current) return;
      enqueue.sendTo(event.module, { type: "upload.progressed", attempt: event.attempt, percent: event.percent });
    }),
  },
  guards: {
    mustRefuse: ({ context }) => context.refused !== null,
    isStaged: ({ context }) => isStaged(context),
    isNothing: ({ context }) => isStaged(context) && nextOf(context) === undefined,
    isStuck: ({ context }) => context.shown.some((each) => isBad(each) || each.state === "refused"),
    hasNone: ({ context }) => nextOf(context) === undefined,
    isSafe: ({ context }) => isSafe(context, nextOf(context)),
    /** Why the next one may not begin is another reason than was told. */
    isNews: ({ context, event }) =>
      event.type === "safety.observed" && !event.open && event.module === nextOf(context) && context.safety[event.module]?.why !== (event.why ?? null),
    isUnsafe: ({ context }) => !isSafe(context, nextOf(context)),
    /** M1, M2. */
    isWord: ({ context, event }) => event.type === "campaign.go" && event.rollout === context.rollout && event.ask === context.ask && event.sender === context.sender,
    isYoung: ({ context }) => context.wordAt >= context.askedAt && context.wordAt - context.askedAt <= GO_WITHIN_MS,
    isUnwanted: ({ context, event }) => event.type === "campaign.cancel" && event.sender === context.sender && event.rollout === context.rollout,
    /** M6. */
    hasQuiet: ({ context }) => provedThatAre(context, "silent", "not expected").length > 0,
    isBack: ({ context }) => context.hasBegun && stateOf(context, context.current) === "postponed",
    isDone: ({ context }) => ["committed", "unprovable"].includes(stateOf(context, context.current) ?? ""),
    wasDropped: ({ context }) => stateOf(context, context.current) === "cancelled",
    endsCommitted: ({ context }) => endsAs(context, "committed"),
    endsInconsistent: ({ context }) => endsAs(context, "inconsistent"),
    endsRefused: ({ context }) => endsAs(context, "refused"),
    endsCancelled: ({ context }) => endsAs(context, "cancelled"),
    endsFailed: ({ context }) => endsAs(context, "failed"),
  },
  delays: { SOAK: SOAK_MS },
}).createMachine({
  id: "campaign",
  context: ({ input }) => begunCampaign(input),
  initial: "offered",
  on: {
    "clock.corrected": { actions: "shiftDates" },
    "module.reported": { actions: "tellVersion" },
    "module.changed": { actions: ["notePresence", "tellPresence"] },
    "safety.observed": { actions: ["noteSafety", "show"] },
  },
  states: {
    offered: { always: [{ guard: "mustRefuse", target: "refused" }, { target: "waiting" }] },
    /** Nothing has been sent to the next module: it may be dropped. */
    waiting: {
      on: { "campaign.cancel": { guard: "isUnwanted", target: "concluding", actions: "noteUnwanted" } },
      initial: "staging",
      states: {
        staging: {
          entry: ["begin", report("staging")],
          on: { ...heard("staging"), "campaign.asked": { actions: report("staging") } },
          always: [
            { guard: "isStuck", target: "#campaign.concluding" },
            { guard: "isNothing", target: "#campaign.concluding" },
            { guard: "isStaged", target: "asking" },
          ],
        },
        /** M2, M3. */
        asking: { entry: ["unwatch", "ask"], always: [{ guard: "isSafe", target: "ready" }, { target: "unsafe" }] },
        ready: {
          entry: report("ready"),
          on: {
            "campaign.go": { guard: "isWord", target: "judging", actions: "noteWord" },
            "campaign.asked": { actions: report("ready") },
            "update.progressed": { actions: "hear" },
          },
          always: [
            { guard: "hasNone", target: "#campaign.concluding" },
            { guard: "isUnsafe", target: "asking" },
          ],
        },
        judging: { always: [{ guard: "isYoung", target: "#campaign.activating" }, { target: "asking" }] },
        unsafe: {
          entry: report("waiting for safe state"),
          on: {
            "safety.observed": [{ guard: "isNews", actions: ["noteSafety", report("waiting for safe state")] }, { actions: ["noteSafety", "show"] }],
            "campaign.asked": { actions: report("waiting for safe state") },
            "update.progressed": { actions: "hear" },
          },
          always: [
            { guard: "hasNone", target: "#campaign.concluding" },
            { guard: "isSafe", target: "asking" },
          ],
        },
      },
    },
    activating: {
      entry: ["beginNext", report("activating"), "watch"],
      on: {
        ...heard("activating"),
        "upload.progressed": { actions: "tellProgress" },
        "campaign.cancel": { guard: "isUnwanted", actions: ["noteUnwanted", "drop"] },
        "campaign.asked": { actions: report("activating") },
      },
      always: [
        // M4.
        { guard: "isStuck", target: "concluding" },
        { guard: "wasDropped", target: "concluding" },
        { guard: "isBack", target: "between" },
        { guard: "isDone", target: "between" },
      ],
    },
    /** M3. */
    between: {
      always: [{ guard: "hasNone", target: "soaking" }, { guard: "isSafe", target: "activating" }, { target: "waiting.asking" }],
    },
    /** All modules of it are watched once more, together. */
    soaking: {
      entry: [report("soaking"), "watch"],
      on: {
        ...heard("soaking"),
        "campaign.asked": { actions: report("soaking") },
        "campaign.cancel": { guard: "isUnwanted", actions: ["noteUnwanted", report("soaking")] },
      },
      always: { guard: "isStuck", target: "concluding" },
      initial: "steady",
      states: {
        steady: { always: { guard: "hasQuiet", target: "shaken" }, after: { SOAK: "#campaign.concluding" } },
        /** One of them is silent: it is heard again, or its update's own time ends. */
        shaken: { always: { guard: not("hasQuiet"), target: "steady" } },
      },
    },
    concluding: {
      entry: ["unwatch", "drop"],
      on: { "update.progressed": { actions: "hear" } },
      always: [committed, inconsistent, cancelled, { guard: "endsRefused", target: "refused" }, { guard: "endsFailed", target: "failed" }],
    },
    committed: { ...ended("committed"), on: { ...ended("committed").on, "update.progressed": {} } },
    failed: { ...ended("failed"), always: [committed, inconsistent, cancelled] },
    inconsistent: { ...ended("inconsistent"), always: [committed, cancelled] },
    refused: ended("refused"),
    cancelled: { ...ended("cancelled"), always: [committed, inconsistent] },
  },
});

function endsAs(context: CampaignContext, verdict: ReturnType<typeof verdictOn>): boolean {
  return context.shown.every(hasEnded) && verdictOn(context) === verdict;
}
