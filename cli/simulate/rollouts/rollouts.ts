// A rollout over two hundred vehicles, on simulated time: its actors and those of its groups in the cloud, campaigns and updates in five edge nodes of forty vehicles, boards behind them. An operator pauses, resumes
// and aborts, vehicles drive off, modules lie and die. Those that nobody offers anything are in no memory: most of them, in most seeds, since a rollout that goes wrong ends early.

import {
  groupEntity,
  isAtWork,
  isCampaignOver,
  type PartContext,
  phasesIn,
  rolloutEntity,
  type UpdateTasks,
  type VehicleContext,
  vehicleEntity,
  vehicleRoot,
} from "../../../actors/index.ts";
import { parseAddress, type Registered } from "../../../runtime/index.ts";
import { type FaultKind, type NodeSpec, type Script, SeededRandom, type Simulation } from "../../../runtime/simulation/index.ts";
import type { Board, Surroundings } from "./board.ts";
import { EDGES, type FleetOf200, fleetOf200, ROLLOUT } from "./fleet-of-200.ts";
import { invariantsOf } from "./invariants.ts";
import { createEyes, type Eyes, MODULE } from "./node-eyes.ts";

const CLOUD = "cloud";
/** Faults happen for this long, ms: a vehicle takes about three minutes. */
const FOR_MS = 240_000;
const FAULT_EVERY_MS = 20_000;
const SETTLE_MS = 120_000;
/** What is under way when nothing more begins has ended by then. */
const LAST_MS = 2_400_000;
const LOOK_EVERY_MS = 2_000;
/** What a board says last is followed by a trial of half a minute, which its vehicle does not show once its campaign has failed. */
const CALM_LOOKS = 23;
const PATIENCE = { withinMs: 5_000, forMs: 60_000, author: "ann" };
/** One process sends for a vehicle (rules F3), so none is taken over. */
const KINDS: readonly FaultKind[] = ["kill", "power-cut", "restart", "pause", "cut", "part", "store-outage", "full-store", "slow-store", "clock-jump"];
/** Seeds of which one looks twice: what that finds does not depend on the rollout's chances. */
const LOOKS_TWICE_EVERY = 20;

/** Types in the place of ours, for tests that break them on purpose. */
interface RolloutTypes {
  readonly cloud?: readonly Registered[];
  readonly vehicle?: (tasks: UpdateTasks) => readonly Registered[];
}

const ownVehicle = (tasks: UpdateTasks): readonly Registered[] => [vehicleEntity, vehicleRoot.with({ inner: { tasks: { ...tasks } } })];

export function rollouts(seed: number, types: RolloutTypes = {}): Simulation {
  const fleet = fleetOf200(new SeededRandom(seed));
  let hands: Script | undefined;
  const eyes = new Map<string, Eyes>();
  const involved = new Set<string>();
  const world: Surroundings = {
    nowMs: () => hands?.nowMs ?? 0,
    later: (ms, happens) => void hands?.sleep(ms).then(happens),
    told: (board) => eyes.get(board.node)?.told(board, hands?.system(board.node)),
    silenced: (board) => eyes.get(board.node)?.silenced(board, hands?.system(board.node)),
  };
  const nodes: Record<string, NodeSpec> = { [CLOUD]: { types: types.cloud ?? [rolloutEntity, groupEntity], entities: fleet.cloud } };
  for (const edge of EDGES) nodes[edge] = edgeNode(edge, fleet, { eyes, involved, world, hands: () => hands, vehicle: types.vehicle ?? ownVehicle });
  return {
    seed,
    nodes,
    forMs: FOR_MS,
    settleMs: SETTLE_MS,
    faults: { everyMs: FAULT_EVERY_MS, kinds: KINDS },
    looksTwice: seed % LOOKS_TWICE_EVERY === 0,
    checkers: invariantsOf(fleet),
    script: async (script) => {
      hands = script;
      const words = operate(script, fleet);
      await look(script, eyes, () => isOver(script, fleet, involved));
      await words;
    },
  };
}

interface EdgeWorld {
  readonly eyes: Map<string, Eyes>;
  readonly involved: Set<string>;
  readonly world: Surroundings;
  readonly hands: () => Script | undefined;
  readonly vehicle: (tasks: UpdateTasks) => readonly Registered[];
}

function edgeNode(edge: string, { boards }: FleetOf200, { eyes, involved, world, hands, vehicle }: EdgeWorld): NodeSpec {
  const own = new Map([...boards].filter(([, { node }]) => node === edge));
  /** Of the present run: a task is its process's. */
  const present = (): UpdateTasks => {
    const found = eyes.get(edge);
    if (found === undefined) throw new Error(`${edge} has not begun`);
    return found.tasks;
  };
  const tasks: UpdateTasks = {
    "module.check": (input, work) => present()["module.check"](input, work),
    "image.keep": (input, work) => present()["image.keep"](input, work),
    "module.trigger": (input, work) => present()["module.trigger"](input, work),
    "module.await": (input, work) => present()["module.await"](input, work),
    "module.upload": (input, work) => present()["module.upload"](input, work),
  };
  return {
    types: vehicle(tasks),
    entities: Object.fromEntries(
      [...own.keys()].map((address) => [
        address,
        {
          input: { model: "trailer", buses: ["can0"], simulated: true },
          children: [{ kind: "module", id: MODULE, type: "module", input: { moduleType: "trailcurrent/torrent", bus: "can0", outputs: [], offers: {} } }],
        },
      ]),
    ),
    entitiesBegin: "when-told",
    ports: (ports) => {
      eyes.set(
        edge,
        createEyes(own, involved, world, ports, () => hands()?.system(edge)),
      );
      return ports;
    },
  };
}

/** What nodes find is told again and again, until it is over. */
async function look({ sleep, system }: Script, eyes: ReadonlyMap<string, Eyes>, isOver: () => boolean): Promise<void> {
  let overFor = 0;
  for (let passed = 0; passed < FOR_MS + LAST_MS; passed += LOOK_EVERY_MS) {
    await sleep(LOOK_EVERY_MS);
    for (const [edge, each] of eyes) {
      const running = system(edge);
      if (running !== undefined) each.look(running);
    }
    overFor = passed > FOR_MS && isOver() ? overFor + 1 : 0;
    if (overFor >= CALM_LOOKS) return;
  }
}

/** A person at the rollout, and drivers. In the end nothing more begins: it is paused or aborted. */
async function operate(script: Script, { boards, parts }: FleetOf200): Promise<void> {
  const { random, sleep, insist } = script;
  const say = (word: "approve" | "pause" | "resume" | "abort"): Promise<unknown> =>
    insist(ROLLOUT, { type: `rollout.${word}`, ...(word === "approve" ? {} : { reason: "by chance" }) }, PATIENCE);
  const first = [...parts.values()].flat().slice(0, 30);
  const last = random.next() < 0.5 ? "abort" : "pause";
  await say("approve");
  for (const end = script.nowMs + FOR_MS; script.nowMs < end; await sleep(2_000 + random.next() * 20_000)) {
    const draw = random.next();
    const board = boards.get(first[Math.floor(random.next() * first.length)] ?? "");
    if (draw < 0.2) void say("pause");
    else if (draw < 0.55) void say("resume");
    else if (draw < 0.56) void say("abort");
    else if (board !== undefined) board.isParked = !board.isParked;
  }
  for (const board of boards.values()) board.isParked = true;
  await say(last);
}

function isOver({ system }: Script, { boards, parts }: FleetOf200, involved: ReadonlySet<string>): boolean {
  const cloud = system(CLOUD);
  const rollout = cloud?.read(parseAddress(ROLLOUT));
  if (cloud === undefined || rollout === undefined || !/settled|completed/.test(JSON.stringify(rollout.state))) return false;
  for (const part of parts.keys()) {
    const phases = phasesIn((cloud.read(parseAddress(part))?.context as PartContext | undefined)?.phases ?? "");
    if (phases.includes("under way")) return false;
  }
  return [...involved].every((vehicle) => {
    const board = boards.get(vehicle) as Board;
    const { updates } = (system(board.node)?.read(parseAddress(vehicle))?.context ?? {}) as Partial<VehicleContext>;
    const campaign = updates?.campaign ?? undefined;
    // What has ended may be corrected by what its module tells late.
    if (board.pending > 0 || campaign === undefined || campaign.updates.some(isAtWork)) return false;
    return isCampaignOver(campaign) || campaign.state === "ready" || campaign.state === "waiting for safe state";
  });
}
