// The vehicle's own state: motion and health (vehicle.md, States), and the campaign of a rollout as its child. Power and duty come with the issues that act on them.
//
// V1. Version 1 had no campaigns. It stays, for the journals that it has written and until version 2 is raised (rules T4).

import { assign, enqueueActions, sendTo, setup } from "xstate";
import { author, type EventOf, now, reply } from "../../runtime/index.ts";
import { type CampaignChanged, campaignMachine, isCampaignOver, targetReports } from "../campaign/index.ts";
import type { vehicleMessages } from "./messages.ts";
import {
  beginning,
  isBeingUpdated,
  isUnknown,
  judged,
  mayRelease,
  NO_UPDATES,
  offerTaken,
  type VehicleUpdates,
  waitingOf,
  withCampaign,
  withCleared,
  withoutWaiting,
  withWaiting,
} from "./vehicle-updates.ts";

export interface VehicleContext {
  /** Buses on which nothing may be sent, by whose word (vehicle X1). */
  readonly muted: Readonly<Record<string, { readonly since: number; readonly reason: string | null }>>;
  readonly buses: Readonly<Record<string, "awake" | "down">>;
  /** The alarm of each bus that is down: since when, wall ms, and why. Absent in a history that began before it was kept. */
  readonly outages?: Readonly<Record<string, { readonly since: number; readonly reason: string }>>;
  /** Modules that should speak and do not. */
  readonly silent: readonly string[];
  /** Modules whose health is not ok. */
  readonly unwell: Readonly<Record<string, "degraded" | "faulted">>;
  readonly model: string;
  /** True when simulated hardware stands behind it. */
  readonly simulated: boolean;
  /** Set when the vehicle's store was damaged and moved aside: what was lost (rules L2). */
  readonly storeLoss: StoreLossNote | null;
  /** The alarm of each store that was lost, and of a history that has forked (rules T1), until it is acknowledged; absent in a history that began before it was kept. */
  readonly losses?: Readonly<Partial<Record<"journal" | "telemetry" | "history", StoreLossNote>>>;
  /** Absent until its first offer of an update. */
  readonly updates?: VehicleUpdates;
}

interface StoreLossNote {
  /** Wall ms. */
  readonly at: number;
  readonly reason: string;
}

export interface VehicleInput {
  readonly model: string;
  readonly buses: readonly string[];
  readonly simulated: boolean;
  /** Buses that were muted in a history that is lost; none when left out. */
  readonly muted?: VehicleContext["muted"];
}

type VehicleEvent = EventOf<typeof vehicleMessages> | CampaignChanged;

function isAsk(event: VehicleEvent): event is Extract<VehicleEvent, { type: "campaign.ask" | "campaign.recall" }> {
  return event.type === "campaign.ask" || event.type === "campaign.recall";
}

/** Id of its child. */
const CAMPAIGN = "campaign";

/** Of a rollout that it knows. */
const known = [
  { guard: "isAskedOf", actions: "askCampaign" },
  { guard: "waitsUnasked", actions: "tellWaiting" },
] as const;

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

const updatesOf = ({ updates = NO_UPDATES }: VehicleContext): VehicleUpdates => updates;

const vehicle = setup({
  types: { context: {} as VehicleContext, events: {} as VehicleEvent, input: {} as VehicleInput },
  actors: { campaign: campaignMachine },
  actions: {
    mute: assign({
      muted: ({ context, event, self }) => (event.type === "bus.mute" ? { ...context.muted, [event.bus]: { since: now(self), reason: event.reason ?? null } } : context.muted),
    }),
    unmute: assign({ muted: ({ context, event }) => (event.type === "bus.unmute" ? without(context.muted, event.bus) : context.muted) }),
    answerMuted: sendTo(
      ({ event }) => (event as Extract<VehicleEvent, { type: "bus.mute" }>).replyTo,
      ({ context }) => reply({ muted: Object.keys(context.muted) }),
    ),
    describe: assign(({ context, event }) =>
      event.type === "vehicle.described"
        ? {
            ...context,
            model: event.model,
            simulated: event.simulated,
            buses: Object.fromEntries(event.buses.map((name) => [name, context.buses[name] ?? "down"])),
            muted: Object.fromEntries(Object.entries(context.muted).filter(([name]) => event.buses.includes(name))),
            outages: Object.fromEntries(Object.entries(context.outages ?? {}).filter(([name]) => event.buses.includes(name))),
          }
        : context,
    ),
    noteBus: assign({ buses: ({ context, event }) => (event.type === "bus.changed" ? { ...context.buses, [event.bus]: event.state } : context.buses) }),
    noteFailed: assign({
      outages: ({ context, event }) => (event.type === "bus.failed" ? { ...context.outages, [event.bus]: { since: event.since, reason: event.reason } } : (context.outages ?? {})),
    }),
    noteRecovered: assign({ outages: ({ context, event }) => (event.type === "bus.recovered" ? without(context.outages ?? {}, event.bus) : (context.outages ?? {})) }),
    noteModule: assign(({ context, event }) => {
      if (event.type !== "module.changed") return context;
      const silent =
        event.presence === undefined
          ? context.silent
          : event.presence === "silent"
            ? [...new Set([...context.silent, event.module])].sort()
            : context.silent.filter((name) => name !== event.module);
      const unwell =
        event.health === undefined
          ? context.unwell
          : event.health === "ok"
            ? without(context.unwell, event.module)
            : { ...context.unwell, [event.module]: event.health as "degraded" | "faulted" };
      return { ...context, silent, unwell };
    }),
    noteStoreLoss: assign(({ context, event, self }) => {
      if (event.type !== "store.moved-aside") return context;
      const { what = "journal", reason } = event;
      const loss = { at: event.at ?? now(self), reason };
      return { ...context, storeLoss: what === "journal" ? loss : context.storeLoss, losses: { ...context.losses, [what]: loss } };
    }),
    answerLosses: sendTo(
      ({ event }) => (event as Extract<VehicleEvent, { type: "store.acknowledge" }>).replyTo,
      ({ context }) => reply({ acknowledged: Object.keys(context.losses ?? {}) }),
    ),
    acknowledgeLosses: assign({ losses: {} }),
    /** The one that is offered, or the first of those that have waited. */
    beginCampaign: enqueueActions(({ context, event, enqueue }) => {
      const updates = updatesOf(context);
      const taken = event.type === "campaign.offer" ? offerTaken(updates, event) : undefined;
      const input = taken?.kind === "begins" ? taken.input : updates.waiting[0];
      if (input === undefined) return;
      if (updates.campaign !== null) enqueue.stopChild(CAMPAIGN);
      enqueue.assign({ updates: beginning(updates, input) });
      enqueue.spawnChild("campaign", { id: CAMPAIGN, input: judged(updates, input) });
    }),
    keepOffer: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "campaign.offer") return;
      const updates = updatesOf(context);
      const taken = offerTaken(updates, event);
      if (taken.kind !== "waits") return;
      enqueue.assign({ updates: withWaiting(updates, taken.input) });
      enqueue.sendTo(() => targetReports.at(event.target), waitsReport(updates));
    }),
    tellWaiting: enqueueActions(({ context, event, enqueue }) => {
      if (!isAsk(event)) return;
      const updates = updatesOf(context);
      const waits = waitingOf(updates, event);
      if (waits !== undefined) enqueue.sendTo(() => targetReports.at(waits.target), waitsReport(updates));
    }),
    tellUnknown: enqueueActions(({ event, enqueue }) => {
      if (event.type !== "campaign.recall") return;
      const { rollout, target } = event;
      enqueue.sendTo(() => targetReports.at(target), { type: "campaign.unknown", rollout });
    }),
    refuseOffer: enqueueActions(({ event, enqueue }) => {
      if (event.type !== "campaign.offer") return;
      enqueue.sendTo(() => targetReports.at(event.target), { type: "campaign.reported", state: "refused", ask: 0, why: "too many rollouts wait for this vehicle" });
    }),
    askCampaign: sendTo(CAMPAIGN, { type: "campaign.asked" }),
    noteCampaign: assign({
      updates: ({ context, event, self }) => (event.type === "campaign.changed" ? withCampaign(updatesOf(context), event.campaign, now(self)) : updatesOf(context)),
    }),
    dropWaiting: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "campaign.cancel") return;
      const updates = updatesOf(context);
      const waits = waitingOf(updates, event);
      if (waits === undefined) return;
      enqueue.assign({ updates: withoutWaiting(updates, event.rollout) });
      enqueue.sendTo(() => targetReports.at(waits.target), { type: "campaign.reported", state: "cancelled", ask: 0, why: event.reason });
    }),
    forward: enqueueActions(({ context, event, enqueue }) => {
      if (updatesOf(context).campaign !== null) enqueue.sendTo(CAMPAIGN, event);
    }),
    clear: enqueueActions(({ context, event, enqueue, self }) => {
      if (event.type !== "update.clear") return;
      enqueue.assign({ updates: withCleared(updatesOf(context), event.module, { who: author(self) ?? "", at: now(self) }) });
      enqueue.sendTo(event.replyTo, reply({ cleared: [event.module] }));
    }),
    release: enqueueActions(({ context, event, enqueue, self }) => {
      if (event.type !== "update.release") return;
      const updates = updatesOf(context);
      const released = { ...updates.released, [event.module]: { who: author(self) ?? "", at: now(self) } };
      enqueue.assign({ updates: { ...updates, released } });
      enqueue.sendTo(event.replyTo, reply({ released: Object.keys(released) }));
    }),
  },
  guards: {
    knownBus: ({ context, event }) => "bus" in event && Object.hasOwn(context.buses, event.bus),
    begins: ({ context, event }) => event.type === "campaign.offer" && offerTaken(updatesOf(context), event).kind === "begins",
    waits: ({ context, event }) => event.type === "campaign.offer" && offerTaken(updatesOf(context), event).kind === "waits",
    isTooMany: ({ context, event }) => event.type === "campaign.offer" && offerTaken(updatesOf(context), event).kind === "full",
    isKnown: ({ context, event }) => event.type === "campaign.offer" && offerTaken(updatesOf(context), event).kind === "again",
    makesRoom: ({ context, event }) => event.type === "campaign.changed" && isCampaignOver(event.campaign) && updatesOf(context).waiting.length > 0,
    isAskedOf: ({ context, event }) => isAsk(event) && updatesOf(context).campaign?.rollout === event.rollout,
    waitsUnasked: ({ context, event }) => isAsk(event) && waitingOf(updatesOf(context), event) !== undefined,
    knowsNothing: ({ context, event }) => event.type === "campaign.recall" && isUnknown(updatesOf(context), event.rollout),
    isWaiting: ({ context, event }) => event.type === "campaign.cancel" && waitingOf(updatesOf(context), event) !== undefined,
    hasPenalty: ({ context, event }) => event.type === "update.clear" && Object.hasOwn(updatesOf(context).penalties, event.module),
    mayRelease: ({ context, event }) => event.type === "update.release" && mayRelease(updatesOf(context), event.module),
    hasLosses: ({ context }) => Object.keys(context.losses ?? {}).length > 0,
    parked: ({ event }) => event.type === "motion.observed" && event.motion === "parked",
    moving: ({ event }) => event.type === "motion.observed" && event.motion === "moving",
    unsure: ({ event }) => event.type === "motion.observed" && event.motion === "unknown",
    isFaulted: ({ context }) => Object.values(context.unwell).includes("faulted"),
    isDegraded: ({ context }) => isDegraded(context),
    isWell: ({ context }) => !isDegraded(context),
    isOnlyDegraded: ({ context }) => isDegraded(context) && !Object.values(context.unwell).includes("faulted"),
  },
});

/** Of an offer that waits for the end of another one. */
function waitsReport({ campaign }: VehicleUpdates) {
  return { type: "campaign.reported", state: "waiting for safe state", ask: 0, why: `the rollout ${campaign?.rollout ?? ""} is under way` } as const;
}

function initialContext(input: VehicleInput): VehicleContext {
  return {
    muted: Object.fromEntries(Object.entries(input.muted ?? {}).filter(([name]) => input.buses.includes(name))),
    buses: Object.fromEntries(input.buses.map((name) => [name, "down"])),
    outages: {},
    silent: [],
    unwell: {},
    model: input.model,
    simulated: input.simulated,
    storeLoss: null,
    losses: {},
  };
}

const regions = {
  type: "parallel",
  on: {
    "vehicle.described": { actions: "describe" },
    "bus.mute": { guard: "knownBus", actions: ["mute", "answerMuted"] },
    "bus.unmute": { guard: "knownBus", actions: ["unmute", "answerMuted"] },
    "bus.changed": { guard: "knownBus", actions: "noteBus" },
    "bus.failed": { guard: "knownBus", actions: "noteFailed" },
    "bus.recovered": { guard: "knownBus", actions: "noteRecovered" },
    "module.changed": { actions: "noteModule" },
    "store.moved-aside": { actions: "noteStoreLoss" },
    "store.acknowledge": { guard: "hasLosses", actions: ["answerLosses", "acknowledgeLosses"] },
  },
  states: {
    motion: {
      initial: "unknown",
      states: {
        unknown: {
          on: {
            "motion.observed": [
              { guard: "parked", target: "parked" },
              { guard: "moving", target: "moving" },
            ],
          },
        },
        parked: {
          on: {
            "motion.observed": [
              { guard: "moving", target: "moving" },
              { guard: "unsure", target: "unknown" },
            ],
          },
        },
        moving: {
          on: {
            "motion.observed": [
              { guard: "parked", target: "parked" },
              { guard: "unsure", target: "unknown" },
            ],
          },
        },
      },
    },
    health: {
      initial: "ok",
      states: {
        ok: {
          always: [
            { guard: "isFaulted", target: "faulted" },
            { guard: "isDegraded", target: "degraded" },
          ],
        },
        degraded: {
          always: [
            { guard: "isFaulted", target: "faulted" },
            { guard: "isWell", target: "ok" },
          ],
        },
        faulted: {
          always: [
            { guard: "isWell", target: "ok" },
            { guard: "isOnlyDegraded", target: "degraded" },
          ],
        },
      },
    },
  },
} as const;

/** V1. */
export const machineOf1 = vehicle.createMachine({ id: "vehicle", context: ({ input }) => initialContext(input), ...regions });

export const vehicleMachine = vehicle.createMachine({
  id: "vehicle",
  context: ({ input }) => initialContext(input),
  ...regions,
  on: {
    ...regions.on,
    "module.changed": { actions: ["noteModule", "forward"] },
    "module.reported": { actions: "forward" },
    "clock.corrected": { actions: "forward" },
    "safety.observed": { actions: "forward" },
    "upload.progressed": { actions: "forward" },
    "campaign.offer": [
      { guard: "begins", actions: "beginCampaign" },
      { guard: "waits", actions: "keepOffer" },
      { guard: "isTooMany", actions: "refuseOffer" },
      { guard: "isKnown", actions: "askCampaign" },
    ],
    "campaign.ask": known,
    "campaign.recall": [...known, { guard: "knowsNothing", actions: "tellUnknown" }],
    "campaign.go": { actions: "forward" },
    "campaign.cancel": [{ guard: "isWaiting", actions: "dropWaiting" }, { actions: "forward" }],
    "campaign.changed": [{ guard: "makesRoom", actions: ["noteCampaign", "beginCampaign"] }, { actions: "noteCampaign" }],
    "update.clear": { guard: "hasPenalty", actions: "clear" },
    "update.release": { guard: "mayRelease", actions: "release" },
  },
});

function isDegraded(context: VehicleContext): boolean {
  const isSilent = context.silent.some((module) => !isBeingUpdated(updatesOf(context), module));
  return isSilent || Object.keys(context.unwell).length > 0 || Object.values(context.buses).includes("down") || Object.keys(context.losses ?? {}).length > 0;
}
