// The fleet that `drover simulate` and continuous integration run: one cloud node and four edge nodes with a vehicle each. Through the cloud a person switches lamps and asks
// for temperatures, also of vehicles that are away; the vehicles raise alarms, which a person acknowledges.

import { isDeepStrictEqual } from "node:util";
import type { RequestsContext } from "../../actors/index.ts";
import { parseAddress } from "../../runtime/index.ts";
import type { Checker, FaultKind, NodeSpec, Script, Simulation } from "../../runtime/simulation/index.ts";
import { cloudProgram, edgeProgram } from "./node-programs.ts";

const VANS = ["van-1", "van-2", "van-3", "van-4"] as const;
type Van = (typeof VANS)[number];

/** Faults happen for this long, ms. Two thousand seeds must fit into four minutes on one core. */
const FOR_MS = 6_000;
/** A vehicle that was asked and gave no word is asked for two minutes. */
const SETTLE_MS = 180_000;
const ACTIONS_PER_VAN = 3;
/** Without `takeover`: nodes of a store of their own have one epoch, and one process at a time has it (rules F3). */
const KINDS: readonly FaultKind[] = ["kill", "power-cut", "restart", "pause", "cut", "store-outage", "full-store", "slow-store", "clock-jump", "part"];

const vehicleOf = (van: Van): string => `sim/vehicle/${van}`;

/** A request that the cloud keeps for its vehicle comes to an end: it reaches the vehicle, or its outcome says why not. */
const waitingEnds: Checker = {
  name: "a waiting request comes to its end",
  promise: "O2",
  check: ({ history }) => {
    const settled = new Set<string>();
    const found: { atMs: number; what: string }[] = [];
    for (const fact of history) {
      if (fact.kind !== "view" || !fact.address.includes("/requests/")) continue;
      const { waiting, settled: ended } = fact.context as RequestsContext;
      for (const { request } of waiting) found.push({ atMs: fact.atMs, what: `${request} still waits in ${fact.address}` });
      for (const { request } of ended) settled.add(request);
    }
    for (const fact of history) {
      if (fact.kind !== "told" || fact.outcome.kind !== "accepted" || !("waiting" in fact.outcome) || settled.has(fact.id)) continue;
      if (!found.some(({ what }) => what.startsWith(`${fact.id} `))) found.push({ atMs: fact.atMs, what: `${fact.id} was kept for ${fact.to}, and nobody knows of it` });
    }
    return found;
  },
};

export function fleet(seed: number, more: Partial<Simulation> = {}): Simulation {
  /** Of the present runs. */
  const nodes: Record<string, NodeSpec> = {};
  let hands: Script | undefined;
  const knowsAll = (): boolean => VANS.every((van) => isKnown(van, hands));
  nodes["cloud"] = { program: cloudProgram(knowsAll) };
  for (const van of VANS) nodes[van] = { program: edgeProgram(vehicleOf(van)) };
  return {
    seed,
    nodes,
    forMs: FOR_MS,
    settleMs: SETTLE_MS,
    faults: { everyMs: 1_000, kinds: KINDS },
    checkers: [waitingEnds],
    script: async (script) => {
      hands = script;
      await Promise.all(VANS.map((van) => live(van, script)));
    },
    ...more,
  };
}

/** The cloud's replica is where its vehicle is. */
function isKnown(van: Van, hands: Script | undefined): boolean {
  const vehicle = parseAddress(vehicleOf(van));
  const owned = hands?.system(van)?.read(vehicle);
  const known = hands?.system("cloud")?.read(vehicle);
  return owned !== undefined && isDeepStrictEqual([known?.incarnation, known?.revision], [owned.incarnation, owned.revision]);
}

/** What people do with one vehicle, and what it does by itself. */
async function live(van: Van, { random, sleep, ask, insist, tell }: Script): Promise<void> {
  const vehicle = vehicleOf(van);
  const alarm = `sim/alarm/${van}.smoke`;
  for (let turn = 1; turn <= ACTIONS_PER_VAN; turn++) {
    await sleep(random.next() * 2_000);
    const id = `${van}-${String(turn)}`;
    const draw = random.next();
    if (draw < 0.35) {
      const light = { type: "light.set", output: random.next() < 0.5 ? "cabin" : "step", level: Math.floor(random.next() * 256) };
      await insist(`${vehicle}/module/torrent-0`, light, { id, through: "cloud", withinMs: 2_000, forMs: 8_000 });
    } else if (draw < 0.75) {
      const wish = { type: "climate.setpoint.request", value: 5 + Math.floor(random.next() * 300) / 10 };
      const asked = ask(`${vehicle}/module/therma`, wish, { id, through: "cloud", withinMs: 1_500 });
      if (random.next() < 0.3) void tell(`${vehicle}/module/therma`, wish, { id, through: "cloud", withinMs: 1_500 });
      await asked;
    } else {
      await insist(alarm, { type: "alarm.raise", title: "smoke", severity: "critical", about: vehicle }, { id, through: van, withinMs: 2_000, forMs: 8_000 });
      await insist(alarm, { type: "alarm.acknowledge", by: "ann" }, { id: `${id}-seen`, through: "cloud", withinMs: 2_000, forMs: 4_000 });
    }
  }
}
