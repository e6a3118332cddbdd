// The vehicle's own state: motion and health (vehicle.md, States). Power and duty come with the issues that act on them.

import { assign, sendTo, setup } from "xstate";
import { type EventOf, now, reply } from "../../runtime/index.ts";
import type { vehicleMessages } from "./messages.ts";

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
  /** The alarm of each store that was lost, until it is acknowledged; absent in a history that began before it was kept. */
  readonly losses?: Readonly<Partial<Record<"journal" | "telemetry", StoreLossNote>>>;
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

type VehicleEvent = EventOf<typeof vehicleMessages>;

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

export const vehicleMachine = setup({
  types: { context: {} as VehicleContext, events: {} as VehicleEvent, input: {} as VehicleInput },
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
  },
  guards: {
    knownBus: ({ context, event }) => "bus" in event && Object.hasOwn(context.buses, event.bus),
    hasLosses: ({ context }) => Object.keys(context.losses ?? {}).length > 0,
    parked: ({ event }) => event.type === "motion.observed" && event.motion === "parked",
    moving: ({ event }) => event.type === "motion.observed" && event.motion === "moving",
    unsure: ({ event }) => event.type === "motion.observed" && event.motion === "unknown",
    isFaulted: ({ context }) => Object.values(context.unwell).includes("faulted"),
    isDegraded: ({ context }) => isDegraded(context),
    isWell: ({ context }) => !isDegraded(context),
    isOnlyDegraded: ({ context }) => isDegraded(context) && !Object.values(context.unwell).includes("faulted"),
  },
}).createMachine({
  id: "vehicle",
  context: ({ input }) => ({
    muted: Object.fromEntries(Object.entries(input.muted ?? {}).filter(([name]) => input.buses.includes(name))),
    buses: Object.fromEntries(input.buses.map((name) => [name, "down"])),
    outages: {},
    silent: [],
    unwell: {},
    model: input.model,
    simulated: input.simulated,
    storeLoss: null,
    losses: {},
  }),
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
});

function isDegraded(context: VehicleContext): boolean {
  return context.silent.length > 0 || Object.keys(context.unwell).length > 0 || Object.values(context.buses).includes("down") || Object.keys(context.losses ?? {}).length > 0;
}
