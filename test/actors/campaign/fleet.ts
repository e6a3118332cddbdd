// A rollout over nodes: its actors and those of its groups in the cloud, each vehicle on a node of its own with the modules of a rig behind it. What strikes the nodes strikes no module.

import {
  groupEntity,
  partBeginning,
  rolloutEntity,
  rolloutInput,
  type RolloutContext,
  vehicleEntity,
  type VehicleContext,
  vehicleRoot,
  type VehicleUpdates,
} from "../../../actors/index.ts";
import { grouped, partAddress, type PlanFile, termsOf } from "../../../actors/rollout/index.ts";
import { parseAddress, type Registered } from "../../../runtime/index.ts";
import type { FaultOptions, NodeSpec, Script, Simulation } from "../../../runtime/simulation/index.ts";
import { fleetOf, planOf } from "../rollout/fleet.ts";
import { type Manner, Rig } from "../update/rig.ts";

const TENANT = "acme";
const ROLLOUT = `${TENANT}/rollout/torrent-2`;
const CLOUD = "cloud";
const MODULE = "torrent-0";
const STEP_MS = 500;
/** A simulated script ends within the hour. */
const MOST_MS = 3_300_000;

export interface Vehicle {
  readonly address: string;
  readonly node: string;
  readonly rig: Rig;
}

export interface Fleet {
  readonly vehicles: readonly Vehicle[];
  readonly script: Script;
  readonly rollout: () => { readonly value: string; readonly context: RolloutContext | undefined };
  readonly updates: (vehicle: Vehicle) => VehicleUpdates | undefined;
  readonly say: (word: "approve" | "resume" | "abort") => void;
}

/** What is known when it is over. */
export interface Ledger {
  value: string;
  counts: Readonly<Record<string, number>>;
  why: string | undefined;
  bad: readonly { readonly vehicle: string; readonly module?: string; readonly ending: string; readonly reason: string }[];
  /** Of vehicles, while their nodes ran: the most that were at work at the same time. */
  most: number;
  /** By vehicle: its campaign's state, and the firmware of its module. */
  ends: readonly { readonly campaign: string | undefined; readonly firmware: string }[];
  vehicles: readonly Vehicle[];
  tookMs: number;
}

export interface FleetOptions {
  readonly seed?: number;
  readonly count: number;
  readonly plan?: Partial<PlanFile>;
  readonly manner?: (place: number) => readonly Manner[];
  readonly faults?: FaultOptions | "none";
  readonly types?: (rig: Rig) => readonly Registered[];
  /** At each step; true: it is over. */
  readonly each?: (fleet: Fleet) => boolean | undefined;
  /** After the rollout's end. */
  readonly forMs?: number;
}

export function fleetSimulation(options: FleetOptions, ledger: Partial<Ledger>): Simulation {
  const { count, manner = (): readonly Manner[] => ["good"] } = options;
  const plan = planOf({ soak: "10s", ...options.plan });
  const grouping = grouped(plan, fleetOf(count), (vehicle) => vehicle);
  if (grouping.kind === "refused") throw new Error(JSON.stringify(grouping.problems));
  const images = plan.images.map(({ version, sha256 }) => ({ version, sha256, bytes: 1_000_000 }));
  const parts = grouping.groups.flatMap(({ parts: all }, group) => all.map((targets, part) => ({ targets, address: partAddress(TENANT, plan.rollout, group, part, all.length) })));
  const addresses = parts.flatMap(({ targets }) => targets.map(({ vehicle }) => vehicle));
  let wall = (): number => 0;
  const vehicles = addresses.map((address, place): Vehicle => {
    const rig = new Rig(address, () => wall(), [MODULE]);
    rig.module(MODULE).manners = [...manner(place)];
    return { address, node: `edge-${String(place)}`, rig };
  });
  const cloud: NodeSpec = {
    types: [rolloutEntity, groupEntity],
    entities: {
      [ROLLOUT]: { input: rolloutInput(TENANT, plan, grouping.groups) },
      ...Object.fromEntries(
        parts.map(({ address, targets }) => [address, partBeginning({ rollout: ROLLOUT, name: plan.rollout, group: address, targets, images, terms: termsOf(plan) })]),
      ),
    },
  };
  const edges = vehicles.map(({ address, node, rig }): readonly [string, NodeSpec] => [
    node,
    {
      types: options.types?.(rig) ?? [vehicleEntity, vehicleRoot.with({ inner: { tasks: { ...rig.tasks } } })],
      entities: {
        [address]: {
          input: { model: "trailer", buses: ["can0"], simulated: true },
          children: [{ kind: "module", id: MODULE, type: "module", input: { moduleType: "trailcurrent/torrent", bus: "can0", outputs: ["1"], offers: {} } }],
        },
      },
      ports: (given) => {
        rig.plug(undefined);
        wall = () => given.clock.now();
        return given;
      },
    },
  ]);
  return {
    seed: options.seed ?? 1,
    nodes: { [CLOUD]: cloud, ...Object.fromEntries(edges) },
    faults: options.faults ?? "none",
    forMs: options.faults === undefined || options.faults === "none" ? 1_000 : 600_000,
    settleMs: 120_000,
    script: (script) => drive(script, vehicles, options, ledger),
  };
}

async function drive(script: Script, vehicles: readonly Vehicle[], { each, forMs = 0 }: FleetOptions, ledger: Partial<Ledger>): Promise<void> {
  const { system, sleep, insist } = script;
  let seen: RolloutContext | undefined;
  let value = "";
  const words: Promise<unknown>[] = [];
  const fleet: Fleet = {
    vehicles,
    script,
    rollout: () => {
      const view = system(CLOUD)?.read(parseAddress(ROLLOUT));
      if (view !== undefined) {
        seen = view.context as RolloutContext;
        value = JSON.stringify(view.state);
      }
      return { value, context: seen };
    },
    updates: ({ address, node }) => (system(node)?.read(parseAddress(address))?.context as VehicleContext | undefined)?.updates,
    say: (word) => words.push(insist(ROLLOUT, { type: `rollout.${word}`, ...(word === "approve" ? {} : { reason: "by hand" }) }, { withinMs: 5_000, forMs: 60_000 })),
  };
  const step = async (): Promise<void> => {
    await sleep(STEP_MS);
    for (const { node, rig } of vehicles) {
      rig.plug(system(node));
      rig.step();
    }
    const atWork = vehicles.filter((vehicle) => fleet.updates(vehicle)?.campaign?.state === "activating").length;
    ledger.most = Math.max(ledger.most ?? 0, atWork);
  };
  await step();
  for (const { rig } of vehicles) rig.says(MODULE);
  for (let n = 0; n < 20; n++) await step();
  // Whoever was dead when its module spoke hears it when it speaks again.
  for (const { rig } of vehicles) rig.says(MODULE);
  for (let n = 0; n < 20; n++) await step();
  fleet.say("approve");
  const isOver = (): boolean => /completed|"aborted":"settled"/.test(fleet.rollout().value);
  for (let passed = 0; passed < MOST_MS && !isOver() && each?.(fleet) !== true; passed += STEP_MS) await step();
  ledger.tookMs = script.nowMs;
  for (let passed = 0; passed < forMs; passed += STEP_MS) await step();
  await Promise.all(words);
  const { context } = fleet.rollout();
  const counts: Record<string, number> = {};
  for (const { tally } of Object.values(context?.parts ?? {})) for (const [name, number] of Object.entries(tally)) counts[name] = (counts[name] ?? 0) + number;
  Object.assign(ledger, {
    value,
    counts,
    why: context?.why?.reason,
    bad: context?.bad ?? [],
    ends: vehicles.map((vehicle) => ({ campaign: fleet.updates(vehicle)?.campaign?.state, firmware: vehicle.rig.module(MODULE).firmware })),
    vehicles,
  });
}
