// Rollouts over processes that are killed at any moment, triggers counted at the bus. In the long form only.

import { setTimeout as pause } from "node:timers/promises";
import tap, { test } from "tap";
import { SeededRandom } from "../../runtime/simulation/index.ts";
import { until } from "./until.ts";
import { begun, longOnly, stateIs, strayTriggers, updateFleet } from "./update-fleet.ts";

const FILE_MS = 300_000;
const LOOK_MS = 20_000;
const LONG_MS = 240_000;
const KILLS = 10;

tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

for (const seed of [1, 2])
  test(`F1, S8. cloud and edge nodes killed at ${KILLS} random moments, seed ${seed}: the same counts, at most one trigger for each attempt`, longOnly, async (t) => {
    const fleet = await updateFleet(t, 2);
    const random = new SeededRandom(seed);
    for (const vehicle of fleet.vehicles) fleet.rig(vehicle).setUpdateFault("torrent-0", { bytesPerSecond: 4_000 });
    await begun(fleet, { groups: [{ name: "all" }], attempts: 10 });
    const all = ["cloud", ...fleet.vehicles];
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(random.next() * 2_500);
      const id = all[Math.floor(random.next() * all.length)] ?? "cloud";
      await until(`${id} runs`, LOOK_MS, () => fleet.child(id).state === "running" && fleet.child(id).pid !== undefined);
      fleet.kill(id);
    }
    await stateIs(fleet, "completed", LONG_MS);
    t.match(await fleet.rollout(), { counts: { committed: 2 }, bad: [] });
    for (const vehicle of fleet.vehicles) {
      t.equal(fleet.firmware(vehicle), "2.4.0");
      t.comment(`${vehicle}: ${fleet.triggers(vehicle)} triggers, ${fleet.child(vehicle).restarts} kills`);
    }
    t.same(strayTriggers(fleet), []);
  });
