// Rollouts over two hundred vehicles on simulated time: what must hold does, and what breaks it is found (issue 5; research/fleet-ota.md 2.2).

import { test } from "tap";

import { rollouts } from "../../cli/simulate/index.ts";
import { explain, simulate, simulateSeeds, traceOf } from "../../runtime/simulation/index.ts";
import { form } from "../forms.ts";
import { drover } from "./captured.ts";

test("C1, F1, M1, S3, S5, S8. whatever strikes nodes and links, a rollout over 200 vehicles keeps its limits, and its counts are the ledger's", async (t) => {
  const { failed } = await simulateSeeds(rollouts, { count: form(6, 20) });
  t.same(failed.map(explain), []);
});

test("S9. a seed runs the same way again", async (t) => {
  t.equal(traceOf(await simulate(rollouts(8))), traceOf(await simulate(rollouts(8))));
});

test("drover simulate knows it by its name", async (t) => {
  t.match(await drover(["simulate", "rollouts", "--seed", "23"]), { code: 0, out: /^rollouts: seeds 23 to 23, 1 hold, 0 do not; \d+ faults/ });
});
