// A target: one vehicle in a group, as the cloud sees it. What its campaign reports decides; where nothing is reported, a timer does.
//
// G1. It begins with a slot alone. A vehicle that cannot begin now (not heard of, not parked, postponed) gives its slot back; it asks for one again when it is ready.
// G2. The word to begin is given for one ask, and is the moment from which the target counts as under way. Should the vehicle's next report name a newer ask, the word came to nothing (campaign/messages.ts C2).
//     It is given to a vehicle that was heard of within a minute. Any other one, parked and switched off while it waited for its turn, is asked where it stands; where it says nothing it gives its slot back.
// G3. What has begun ends with the vehicle's word, or by a timer of its own: `timed out` after its time, `dark` where nothing came after it was to begin or a module was to restart,
//     while its node had a link to the bus (part.ts P5).
// G4. A timer's verdict is a belief. Should the vehicle tell later how it ended, or that it never began, that counts (promise S8). Until then it may be at work: where its rollout ends it is called off all the same.
// G5. Only its own vehicle reports to it (promise S10).
// G6. Who is left out while under way keeps its slot until its vehicle says how it ended, or nothing is heard of it for the time of the dark: what has begun may be at work.
// G7. Who is at work when its time is over counts as timed out, is called off, and keeps its slot as in G6.
// G8. Who waits or is at work and says nothing for long is asked where it stands, once for each silence. A vehicle that does not know of it has lost its store: it waits for its turn to be offered all anew, three
//     times at most, unless its word to begin was given. Then nobody knows what became of its update, and it counts as dark.

import { assign, enqueueActions, setup } from "xstate";
import { now } from "../../runtime/index.ts";
import { campaignMessages } from "../campaign/index.ts";
import { cutTo } from "../cut-to.ts";
import type { Ending } from "../rollout/index.ts";
import { groupOwnMessages } from "./messages.ts";
import type { Phase } from "./phases.ts";
import { ends, heard, isUnknown, says, type TargetContext, type TargetEvent, type TargetInput, voids } from "./target-context.ts";

/** A vehicle answers an offer within this, or counts as away. */
const UNHEARD_MS = 60_000;
/** Of a reason that its vehicle is told. */
const MAX_REASON = 300;
/** G2. */
const FRESH_MS = 60_000;
/** G8. */
const RECALL_MS = 3_600_000;
const MOST_LOSSES = 3;

const endings = [
  { guard: "committed", target: "#target.ended.committed", actions: "hear" },
  { guard: "failed", target: "#target.ended.failed", actions: "hear" },
  { guard: "rolledBack", target: "#target.ended.rolledBack", actions: "hear" },
  { guard: "dark", target: "#target.ended.dark", actions: "hear" },
  { guard: "excused", target: "#target.ended.excused", actions: "hear" },
] as const;

/** It has a turn to wait for. @param asks what is told when its turn comes and nobody knows whether it is still there */
const ready = (...asks: readonly ("askThere" | ReturnType<typeof tell>)[]) =>
  ({
    entry: "want",
    initial: "fresh",
    states: {
      fresh: { on: { "target.slot": { target: "#target.begun.underWay", actions: "go" } }, after: { FRESH: "old" } },
      old: { on: { "target.slot": { target: "#target.begun.offered.asked", actions: [...asks] } } },
    },
  }) as const;

const groupOf = ({ target }: TargetContext): string => target.split("/").slice(0, 3).join("/");

const tell = (phase: Phase) => ({ type: "tell", params: { phase } }) as const;
const ended = (phase: Ending) => [{ type: "noteEnd", params: { ending: phase } }, tell(phase)] as const;
const because = (why: string) => ({ type: "because", params: { why } }) as const;

/** G8. */
const askedAfterLong = { after: { RECALL: { actions: "recallThere" } } } as const;
const lost = [
  { guard: "isLostAgain", target: "#target.ended.excused", actions: because("its node loses its store again and again") },
  { guard: "isUnknown", target: "#target.waiting", actions: ["forget", because("its node has lost what it knew of this rollout, and is offered it anew"), tell("waiting")] },
] as const;

export const targetMachine = setup({
  types: { context: {} as TargetContext, events: {} as TargetEvent, input: {} as TargetInput },
  actions: {
    hear: assign(({ context, event, self }) =>
      event.type === "campaign.reported"
        ? {
            ...context,
            why: event.why ?? null,
            module: event.module ?? context.module,
            update: event.update ?? context.update,
            progress: event.progress ?? null,
            attempt: event.attempt ?? context.attempt,
            ask: Math.max(context.ask, event.ask),
            critical: event.state === "inconsistent",
            heardAt: now(self),
          }
        : context,
    ),
    because: assign({ why: (_, { why }: { readonly why: string }) => why }),
    reason: assign({ why: ({ context, event }) => ("reason" in event ? event.reason : context.why) }),
    noteEnd: assign({ endedAt: ({ self }) => now(self), ending: (_, { ending }: { readonly ending: Ending }) => ending }),
    goOn: assign({ ending: null, endedAt: null }),
    offer: enqueueActions(({ context, enqueue }) => {
      const { rollout, target, vehicle, updates, attempts, darkMs } = context;
      enqueue.sendTo(() => campaignMessages.at(vehicle), { type: "campaign.offer", rollout, target, attempts, darkMs, updates: [...updates] });
    }),
    go: enqueueActions(({ context, enqueue }) => {
      enqueue.assign({ told: context.ask });
      enqueue.sendTo(() => campaignMessages.at(context.vehicle), { type: "campaign.go", rollout: context.rollout, ask: context.ask });
    }),
    askThere: enqueueActions(({ context, enqueue }) => {
      enqueue.sendTo(() => campaignMessages.at(context.vehicle), { type: "campaign.ask", rollout: context.rollout });
    }),
    /** G8. */
    recallThere: enqueueActions(({ context, enqueue }) => {
      enqueue.sendTo(() => campaignMessages.at(context.vehicle), { type: "campaign.recall", rollout: context.rollout, target: context.target });
    }),
    /** Its vehicle counts its asks from the first again. */
    forget: assign({ ask: 0, told: 0, module: null, update: null, progress: null, attempt: 0, losses: ({ context }) => context.losses + 1 }),
    cancelThere: enqueueActions(({ context, event, enqueue }) => {
      enqueue.sendTo(() => campaignMessages.at(context.vehicle), {
        type: "campaign.cancel",
        rollout: context.rollout,
        reason: cutTo(("reason" in event ? event.reason : context.why) ?? "it is no longer wanted", MAX_REASON),
      });
    }),
    want: enqueueActions(({ context, enqueue }) => {
      enqueue.sendTo(() => groupOwnMessages.at(groupOf(context)), { type: "target.wants", index: context.index });
    }),
    tellSilent: enqueueActions(({ context, enqueue }) => {
      enqueue.sendTo(() => groupOwnMessages.at(groupOf(context)), { type: "target.silent", index: context.index });
    }),
    tell: enqueueActions(({ context, enqueue }, { phase }: { readonly phase: Phase }) => {
      const { index, vehicle, why, module, critical } = context;
      enqueue.sendTo(() => groupOwnMessages.at(groupOf(context)), { type: "target.changed", index, vehicle, phase, why, module, critical });
    }),
  },
  guards: {
    committed: ends("committed"),
    failed: ends("failed"),
    rolledBack: ends("rolledBack"),
    dark: ends("dark"),
    excused: ends("excused"),
    isStaging: says("staging"),
    isReady: says("ready"),
    cannotBegin: says("waiting for safe state"),
    asksAgain: voids("ready"),
    couldNotBegin: voids("waiting for safe state"),
    isHeard: (args) => heard(args) !== undefined,
    isUnknown: (args) => isUnknown(args),
    isLostAgain: (args) => isUnknown(args) && args.context.losses >= MOST_LOSSES,
    restarts: (args) => ["rebooting", "claimed"].includes(heard(args)?.update ?? ""),
    /** Of an older word: it is told again, or was on its way. */
    isBefore: (args) => ["staging", "ready", "waiting for safe state"].includes(heard(args)?.state ?? ""),
  },
  delays: {
    UNHEARD: UNHEARD_MS,
    FRESH: FRESH_MS,
    RECALL: RECALL_MS,
    TIMED_OUT: ({ context }) => context.timeoutMs,
    /** Its vehicle, which counts for itself, speaks first. */
    DARK: ({ context }) => context.darkMs + UNHEARD_MS,
    EXCUSED: ({ context }) => context.excusedMs,
  },
}).createMachine({
  id: "target",
  context: ({ input }) => ({
    ...input,
    why: null,
    module: null,
    update: null,
    progress: null,
    attempt: 0,
    ask: 0,
    told: 0,
    ending: null,
    critical: false,
    heardAt: null,
    endedAt: null,
    losses: 0,
  }),
  initial: "waiting",
  states: {
    waiting: {
      on: {
        "target.slot": { target: "begun.offered", actions: "offer" },
        "target.cancel": { target: "ended.excused", actions: "reason" },
        "target.removed": { target: "ended.excused", actions: "reason" },
      },
    },
    begun: {
      on: {
        "target.removed": { target: "ended.excused", actions: ["reason", "cancelThere"] },
        "target.cancel": { actions: ["reason", "cancelThere"] },
      },
      initial: "offered",
      states: {
        offered: {
          entry: tell("offered"),
          initial: "staging",
          on: {
            "campaign.reported": [
              ...endings,
              { guard: "isReady", target: ".ready", actions: "hear" },
              { guard: "cannotBegin", target: "absent.missing.postponed", actions: "hear" },
              { guard: "isHeard", target: ".staging", actions: "hear" },
            ],
            "campaign.unknown": lost,
          },
          states: {
            staging: {
              on: { "campaign.reported": { guard: "isStaging", target: ".heard", actions: "hear" } },
              after: { TIMED_OUT: { target: "#target.ended.timedOut", actions: [because("its images were not there in time"), "cancelThere"] } },
              initial: "unheard",
              states: {
                unheard: { after: { UNHEARD: { target: "#target.begun.absent.missing.away", actions: because("not heard of since it was offered") } } },
                heard: { after: { DARK: { target: "unheard", actions: "askThere" } } },
              },
            },
            /** Its group says when: it may be holding. */
            ready: ready("askThere", tell("offered")),
            asked: { after: { UNHEARD: { target: "#target.begun.absent.missing.away", actions: because("not heard of since its turn came") } } },
          },
        },
        absent: {
          initial: "missing",
          on: {
            "campaign.reported": [
              ...endings,
              { guard: "isReady", target: ".wanting", actions: "hear" },
              { guard: "cannotBegin", target: ".missing.postponed", actions: "hear" },
              { guard: "isHeard", actions: "hear" },
            ],
            "campaign.unknown": lost,
          },
          states: {
            missing: {
              after: { EXCUSED: { target: "#target.ended.excused", actions: "cancelThere" } },
              on: { "campaign.reported": { guard: "cannotBegin", target: ".postponed", actions: "hear" } },
              initial: "away",
              states: { away: { entry: tell("away"), ...askedAfterLong }, postponed: { entry: tell("postponed"), ...askedAfterLong } },
            },
            wanting: ready("askThere"),
          },
        },
        underWay: {
          entry: tell("under way"),
          after: { TIMED_OUT: { target: "overdue", actions: [because("its time is over"), "cancelThere"] } },
          initial: "quiet",
          on: {
            "campaign.reported": [
              ...endings,
              // G2.
              { guard: "asksAgain", target: "offered.ready", actions: "hear" },
              { guard: "couldNotBegin", target: "absent.missing.postponed", actions: "hear" },
              { guard: "isBefore" },
              { guard: "restarts", target: ".quiet", reenter: true, actions: "hear" },
              { guard: "isHeard", target: ".working", actions: "hear" },
            ],
            "campaign.unknown": { guard: "isUnknown", target: "#target.ended.dark", actions: because("its node has lost its store: nobody knows what became of its update") },
            // G6.
            "target.removed": { target: "leaving", actions: ["reason", "cancelThere"] },
          },
          states: {
            /** Its word to begin is on its way, or a module restarts: silence from here on is dark. */
            quiet: { after: { DARK: "silent" } },
            /** Its group knows whether anybody could have been heard. */
            silent: {
              entry: "tellSilent",
              on: {
                "target.listen": "quiet",
                "target.given-up": { target: "#target.ended.dark", actions: because("nothing was heard of it since it was to begin or a module was to restart") },
              },
            },
            working: askedAfterLong,
          },
        },
        /** G7. */
        overdue: {
          entry: [{ type: "noteEnd", params: { ending: "timedOut" } }, tell("overdue")],
          on: {
            "campaign.reported": [
              ...endings,
              { guard: "asksAgain", target: "#target.ended.timedOut" },
              { guard: "couldNotBegin", target: "#target.ended.timedOut" },
              { guard: "isHeard", target: ".heard", actions: "hear" },
            ],
            // It has been called off.
            "target.removed": { actions: "reason" },
          },
          initial: "heard",
          states: { heard: { after: { DARK: "#target.ended.timedOut" } } },
        },
        /** G6. */
        leaving: {
          after: { DARK: "#target.ended.excused" },
          on: {
            // It has been told.
            "target.removed": { actions: "reason" },
            "campaign.reported": [
              ...endings,
              { guard: "asksAgain", target: "#target.ended.excused" },
              { guard: "couldNotBegin", target: "#target.ended.excused" },
              { guard: "isHeard", reenter: true, target: "leaving", actions: "hear" },
            ],
          },
        },
      },
    },
    ended: {
      // G4.
      on: {
        "campaign.reported": [
          ...endings,
          { guard: "asksAgain", target: "begun.absent.wanting", actions: ["goOn", "hear", tell("away")] },
          { guard: "couldNotBegin", target: "begun.absent.missing.postponed", actions: ["goOn", "hear"] },
          { guard: "isHeard", actions: "hear" },
        ],
        "target.cancel": { actions: "cancelThere" },
      },
      initial: "excused",
      states: {
        committed: { entry: [...ended("committed")] },
        failed: { entry: [...ended("failed")] },
        rolledBack: { entry: [...ended("rolledBack")] },
        timedOut: { entry: [...ended("timedOut")] },
        dark: { entry: [...ended("dark")] },
        excused: { entry: [...ended("excused")], on: { "campaign.reported": [...endings, { guard: "isHeard", actions: "hear" }] } },
      },
    },
  },
});
