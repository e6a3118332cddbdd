// Vehicles that come back from older copies of their stores (rules T1): the fault `old-copy`, on our own fleet.

import { test } from "tap";
import { fleet } from "../../../cli/simulate/index.ts";
import { explain, simulate, type Simulation } from "../../../runtime/simulation/index.ts";
import * as broken from "./broken.ts";

const VANS = ["van-1", "van-2", "van-3", "van-4"];

function oldCopies(seed: number): Simulation {
  return fleet(seed, { faults: { everyMs: 800, kinds: ["old-copy", "kill", "cut"], nodes: VANS } });
}

test("T1, S9. after stores went back each history is one chain in each store, and replicas equal their owners", { timeout: 200_000 }, async (t) => {
  let forked = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const run = await simulate(oldCopies(seed));
    t.equal(run.violations.length, 0, explain(run));
    forked += run.history.filter((fact) => fact.kind === "asked" && fact.record?.inputs.some(({ kind }) => kind === "forked") === true).length;
  }
  t.ok(forked > 0, `${String(forked)} histories have forked`);
});

test("T1. vehicles that compare no hashes are found: the cloud keeps turns of both branches under one name", { timeout: 200_000 }, async (t) => {
  let found: string | undefined;
  for (let seed = 1; seed <= 500 && found === undefined; seed++) {
    const simulation = oldCopies(seed);
    const nodes = Object.fromEntries(Object.entries(simulation.nodes).map(([name, node]) => [name, VANS.includes(name) ? { ...node, ports: broken.comparesNoHashes } : node]));
    const violation = (await simulate({ ...simulation, nodes })).violations.find(({ checker }) => checker === "one history is one chain");
    if (violation !== undefined) found = `seed ${String(seed)}: ${violation.what}`;
  }
  t.ok(found !== undefined);
  t.comment(found);
});
