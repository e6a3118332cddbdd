// A cloud with a rollout's actors, and vehicles that do as they are told: stand-ins for campaigns, which say of themselves how their update goes.

import { campaignMessages, GO_WITHIN_MS } from "../../../actors/campaign/index.ts";
import { groupEntity, partBeginning, type PartContext, type TargetContext } from "../../../actors/group/index.ts";
import { grouped, type FleetVehicle, partAddress, type PlanFile, rolloutEntity, type RolloutContext, rolloutInput, termsOf } from "../../../actors/rollout/index.ts";
import { actorType, createSystem, type EventData, entityType, messages, parseAddress, reducer, type System, T } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, type MemoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";

const TENANT = "acme";
const OLD = "1.0.0";
export const NEW = "2.4.0";
const SHA = "a".repeat(64);
const STAGE_MS = 1_000;

/** How a vehicle's update goes. `silent`: nothing of it is heard. `off`: nor does it hear a word to begin. `fetches`: its images never come. `claims`: its module has taken its image, and that is its last word. */
export type Manner = "commits" | "fails" | "lies" | "dark" | "falls silent" | "inconsistent" | "driving" | "silent" | "off" | "fetches" | "claims";

export interface VehicleState {
  readonly manner: Manner;
  readonly updateMs: number;
  readonly ask: number;
  readonly askedAt: number;
  readonly target: string | null;
  readonly phase: "idle" | "staging" | "ready" | "waiting" | "under way" | "ended";
  /** What it did, for the ledger. */
  readonly offers: number;
  readonly begins: readonly number[];
  /** Words to begin that it has heard. */
  readonly words: number;
  readonly endedAt: number | null;
  /** The manner in which it said that it had ended. */
  readonly endedAs: Manner | null;
  /** Why it was asked to end, the last time. */
  readonly calledOff: string | null;
}

const vehicleWords = messages({
  ...campaignMessages.specs,
  "vehicle.become": { body: { manner: T.String() } },
  /** Says what is not its own to say. */
  "vehicle.claim": { body: { target: T.String() } },
  "vehicle.say": { body: { event: T.Any(), to: T.Optional(T.String()) } },
  /** Its node's store is lost: it knows of nothing. */
  "vehicle.forget": { body: {} },
  /** Tells late that it has done it after all. */
  "vehicle.recover": { body: {} },
  /** Tells late that its module went back. */
  "vehicle.relapse": { body: {} },
  "vehicle.staged": { body: {}, internal: true },
  "vehicle.done": { body: {}, internal: true },
});

interface VehicleEvent {
  readonly type: string;
  readonly ask: number;
  readonly target: string;
  readonly manner: Manner;
  readonly reason: string;
  readonly event: { readonly type: string };
  readonly to?: string;
}

const vehicleType = actorType({
  name: "vehicle",
  version: 1,
  messages: vehicleWords,
  behaviour: reducer<VehicleState, VehicleEvent, { readonly manner: Manner; readonly updateMs: number }>({
    initial: ({ manner, updateMs }) => ({
      manner,
      updateMs,
      ask: 0,
      askedAt: 0,
      target: null,
      phase: "idle",
      offers: 0,
      begins: [],
      words: 0,
      endedAt: null,
      endedAs: null,
      calledOff: null,
    }),
    step: (state, event, turn) => {
      const report = (next: VehicleState, told: string, more: object = {}): VehicleState => {
        if (next.manner !== "silent" && next.manner !== "off" && next.target !== null) turn.send(next.target, { type: "campaign.reported", state: told, ask: next.ask, ...more });
        return next;
      };
      const asks = (): VehicleState =>
        state.manner === "driving"
          ? report({ ...state, phase: "waiting", ask: state.ask + 1 }, "waiting for safe state", { why: "not parked" })
          : report({ ...state, phase: "ready", ask: state.ask + 1, askedAt: turn.now }, "ready");
      /** Where it stands. */
      const told = (at: VehicleState): VehicleState => {
        if (at.phase === "waiting") return report(at, "waiting for safe state", { why: "not parked" });
        if (at.phase === "under way") return report(at, "activating", { module: "torrent-0", update: "uploading", attempt: 1 });
        return at.phase === "staging" || at.phase === "ready" ? report(at, at.phase) : at;
      };
      switch (event.type) {
        case "campaign.offer":
          turn.arm("stage", STAGE_MS, { type: "vehicle.staged" });
          return report({ ...state, target: event.target, offers: state.offers + 1, phase: "staging" }, "staging", { module: "torrent-0" });
        case "campaign.ask":
          return told(state);
        case "campaign.recall":
          if (state.phase === "idle") turn.send(event.target, { type: "campaign.unknown", rollout: "torrent-2" });
          return told(state);
        case "vehicle.staged":
          return state.phase === "staging" && state.manner !== "fetches" ? asks() : state;
        case "campaign.go": {
          const words = state.words + 1;
          if (state.phase !== "ready" || state.manner === "off" || event.ask !== state.ask) return { ...state, words };
          if (turn.now - state.askedAt > GO_WITHIN_MS || state.manner === "driving") return asks();
          turn.arm("done", state.updateMs, { type: "vehicle.done" });
          return report({ ...state, words, phase: "under way", begins: [...state.begins, turn.now] }, "activating", { module: "torrent-0", update: "uploading", attempt: 1 });
        }
        case "vehicle.done": {
          const next: VehicleState = { ...state, phase: "ended", endedAt: turn.now, endedAs: state.manner };
          const module = "torrent-0";
          if (state.manner === "commits") return report(next, "committed", { module });
          if (state.manner === "fails") return report(next, "failed", { module, update: "failed", why: "three attempts" });
          if (state.manner === "lies") return report(next, "failed", { module, update: "wrong image", why: `it reports ${OLD} instead of ${NEW}` });
          if (state.manner === "dark") return report(next, "failed", { module, update: "dark", why: "no version report" });
          if (state.manner === "inconsistent") return report(next, "inconsistent", { module });
          if (state.manner === "claims") return report(next, "activating", { module, update: "claimed" });
          return report(next, "activating", { module, update: "rebooting" });
        }
        case "campaign.cancel": {
          const calledOff = event.reason;
          if (state.phase === "idle" || state.phase === "under way" || state.phase === "ended") return { ...state, calledOff };
          turn.cancel("stage");
          return report({ ...state, calledOff, phase: "ended" }, "cancelled", { why: event.reason });
        }
        case "vehicle.forget":
          turn.cancel("stage");
          turn.cancel("done");
          return { ...state, phase: "idle", target: null, ask: 0 };
        case "vehicle.claim":
          turn.send(event.target, { type: "campaign.reported", state: "committed", ask: 1 });
          return state;
        case "vehicle.say":
          turn.send(event.to ?? state.target ?? "", event.event);
          return state;
        case "vehicle.recover":
          return report({ ...state, endedAt: turn.now, endedAs: "commits" }, "committed", { module: "torrent-0" });
        case "vehicle.relapse":
          return report({ ...state, endedAs: "lies" }, "failed", { module: "torrent-0", update: "rolled back", why: `it reports ${OLD} instead of ${NEW}` });
        case "vehicle.become": {
          const next = { ...state, manner: event.manner };
          // What was on its way while its link was down.
          if (state.manner === "off" && state.phase === "ended" && state.endedAs === null) return report(next, "cancelled", { why: state.calledOff ?? "" });
          if (state.manner === "off" && state.phase === "ready") return told(next);
          if (state.phase === "waiting" && event.manner !== "driving") return report({ ...next, phase: "ready", ask: state.ask + 1, askedAt: turn.now }, "ready");
          if (state.phase === "ready" && event.manner === "driving")
            return report({ ...next, phase: "waiting", ask: state.ask + 1 }, "waiting for safe state", { why: "not parked" });
          return next;
        }
        default:
          return state;
      }
    },
  }),
});

const vehicleEntity = entityType({ root: vehicleType, durability: "events", placement: "cloud" });

export interface Fleet {
  readonly clock: ManualClock;
  readonly vehicles: readonly string[];
  readonly parts: readonly string[];
  /** What the rollout answers to an operator's word. */
  say(word: "approve" | "pause" | "resume" | "abort", reason?: string): Promise<unknown>;
  state(): { readonly value: unknown; readonly context: RolloutContext };
  vehicle(address: string): VehicleState;
  part(address: string): PartContext;
  target(part: string, index: number): TargetContext;
  tell(vehicle: string, event: EventData): Promise<void>;
  /** A vehicle that is no longer of the fleet. */
  leaveOut(part: string, index: number, reason?: string): Promise<void>;
  /** Its node's link to the bus stands, or not. */
  hears(isHearing: boolean): Promise<void>;
  /** Its node dies and comes back with what it had committed. */
  restart(): Promise<void>;
  /** Sums over the parts, as the rollout knows them. */
  counts(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

const ROLLOUT = `${TENANT}/rollout/torrent-2`;

export function planOf(more: Partial<PlanFile> = {}): PlanFile {
  return {
    rollout: "torrent-2",
    images: [{ module: "trailcurrent/torrent", hardware: "esp32-s3", address: 0, version: NEW, sha256: SHA }],
    select: {},
    soak: "10s",
    concurrency: 5,
    ...more,
  };
}

export function fleetOf(count: number): readonly FleetVehicle[] {
  return Array.from({ length: count }, (_, index) => ({
    vehicle: `${TENANT}/vehicle/v${String(index).padStart(5, "0")}`,
    model: "trailer@1",
    labels: {},
    modules: [{ name: "torrent-0", moduleType: "trailcurrent/torrent", hardware: "esp32-s3", address: 0, firmware: OLD, part: "a1b2c3" }],
    taken: {},
  }));
}

export async function fleet(options: {
  readonly count: number;
  readonly plan?: Partial<PlanFile>;
  /** By place in the rollout; default all commit after a minute. */
  readonly manner?: (place: number) => Manner;
  readonly updateMs?: (place: number) => number;
}): Promise<Fleet> {
  const { count, manner = (): Manner => "commits", updateMs = () => 60_000 } = options;
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const plan = planOf(options.plan);
  const grouping = grouped(plan, fleetOf(count), (vehicle) => vehicle);
  if (grouping.kind === "refused") throw new Error(JSON.stringify(grouping.problems));
  const images = plan.images.map(({ version, sha256 }) => ({ version, sha256, bytes: 1_000_000 }));
  const vehicles = grouping.groups.flatMap(({ parts: all }) => all.flat()).map(({ vehicle }) => vehicle);
  const parts = grouping.groups.flatMap(({ parts: all }, group) => all.map((targets, part) => ({ targets, address: partAddress(TENANT, plan.rollout, group, part, all.length) })));
  let { system, store } = await begin(disk, clock);
  await bringBack();

  async function bringBack(): Promise<void> {
    for (const [place, vehicle] of vehicles.entries()) await system.activate(parseAddress(vehicle), { input: { manner: manner(place), updateMs: updateMs(place) } });
    for (const { address, targets } of parts)
      await system.activate(parseAddress(address), partBeginning({ rollout: ROLLOUT, name: plan.rollout, group: address, targets, images, terms: termsOf(plan) }));
    await system.activate(parseAddress(ROLLOUT), { input: rolloutInput(TENANT, plan, grouping.kind === "planned" ? grouping.groups : []) });
  }

  const contextOf = (address: string): unknown => system.read(parseAddress(address))?.context;
  const state = (): { readonly value: unknown; readonly context: RolloutContext } => ({
    value: system.read(parseAddress(ROLLOUT))?.state,
    context: contextOf(ROLLOUT) as RolloutContext,
  });
  return {
    clock,
    vehicles,
    parts: parts.map(({ address }) => address),
    state,
    say: (word, reason) => system.ask(ROLLOUT, { type: `rollout.${word}`, ...(reason === undefined ? {} : { reason }) }, { withinMs: 5_000, author: "ann" }),
    vehicle: (address) => contextOf(address) as VehicleState,
    part: (address) => contextOf(address) as PartContext,
    target: (part, index) => contextOf(`${part}/target/${String(index)}`) as TargetContext,
    tell: async (vehicle, event) => {
      await system.tell(vehicle, event);
    },
    leaveOut: async (part, index, reason = "sold") => {
      await system.inform(parseAddress(`${part}/target/${String(index)}`), { type: "target.removed", reason });
    },
    hears: async (isHearing) => {
      for (const { address } of parts) await system.inform(parseAddress(address), { type: isHearing ? "group.hears" : "group.deaf" });
    },
    restart: async () => {
      store.crash();
      ({ system, store } = await begin(disk, clock));
      await bringBack();
    },
    counts: () => {
      const sums: Record<string, number> = {};
      for (const { tally } of Object.values(state().context.parts)) for (const [name, each] of Object.entries(tally)) sums[name] = (sums[name] ?? 0) + each;
      return sums;
    },
    stop: () => system.stop(),
  };
}

async function begin(disk: MemoryDisk, clock: ManualClock): Promise<{ readonly system: System; readonly store: MemoryStore }> {
  const store = memoryStore({ disk });
  await store.open();
  const system = createSystem({ node: "cloud", types: [rolloutEntity, groupEntity, vehicleEntity], store, clock, random: new SeededRandom(1), log: silentLog });
  await system.start();
  return { system, store };
}

/**
 * How many had begun and not ended at the same time, at most.
 * @param darkMs after which who said nothing is believed to have ended
 */
export function mostAtOnce(vehicles: readonly VehicleState[], darkMs = Number.POSITIVE_INFINITY): number {
  const moments = vehicles.flatMap(({ begins, endedAt, endedAs }) => {
    const isSilent = endedAs === "falls silent" || endedAs === "silent" || endedAs === "driving";
    return begins.flatMap((at) => [
      { at, by: 1 },
      { at: (endedAt ?? Number.POSITIVE_INFINITY) + (isSilent ? darkMs : 0), by: -1 },
    ]);
  });
  moments.sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of moments) most = Math.max(most, (now += by));
  return most;
}
