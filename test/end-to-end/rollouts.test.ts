// A rollout from the API to the modules: images brought, planned, approved; groups, proof by version report, kills of every process, triggers counted at the bus. Faults of modules: rollout-faults.test.ts.

import tap, { test } from "tap";
import { until } from "./until.ts";
import { begun, longOnly, stateIs, strayTriggers, updateFleet } from "./update-fleet.ts";

const FILE_MS = 300_000;
/** A good update and its group's soak take half a minute; another attempt waits for the module's window, which is half a minute more. */
const LONG_MS = 150_000;
const LOOK_MS = 20_000;

tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

test("S8. a rollout goes through its groups; each module is triggered once and committed by its own report; the cloud is killed midway", async (t) => {
  const fleet = await updateFleet(t, 3);
  await begun(fleet);
  await until("the canary is under way", LOOK_MS, () => fleet.vehicles.some((vehicle) => fleet.triggers(vehicle) > 0));
  t.equal(fleet.vehicles.filter((vehicle) => fleet.triggers(vehicle) > 0).length, 1, "the others wait for the canary");
  fleet.kill("cloud");
  await stateIs(fleet, "completed", LONG_MS);
  const rollout = await fleet.rollout();
  t.match(rollout, {
    counts: { committed: 3 },
    groups: [
      { name: "canary", size: 1, state: "succeeded" },
      { name: "rest", size: 2, state: "succeeded" },
    ],
    bad: [],
  });
  for (const vehicle of fleet.vehicles) {
    t.equal(fleet.firmware(vehicle), "2.4.0");
    t.equal(fleet.triggers(vehicle), 1);
    t.match(fleet.windows(vehicle), [{ triggers: 1, uploads: [{ outcome: "taken" }] }]);
    t.match((await fleet.api.actor(`demo/vehicle/${vehicle}/module/torrent-0`)).body.context, { firmware: "2.4.0" });
  }
  t.same(strayTriggers(fleet), []);
});

test("S8. a canary that says 200 and keeps its old image stops the rollout, which names it; nothing more is begun", longOnly, async (t) => {
  const fleet = await updateFleet(t, 2);
  for (const vehicle of fleet.vehicles) fleet.rig(vehicle).setUpdateFault("torrent-0", { keepsOldImage: true });
  await begun(fleet);
  await stateIs(fleet, "paused");
  const rollout = await fleet.rollout();
  t.match(rollout, { why: { who: "the rule" }, bad: [{ module: "torrent-0", reason: "it reports 1.4.2 instead of 2.4.0" }] });
  t.equal(fleet.vehicles.filter((vehicle) => fleet.triggers(vehicle) > 0).length, 1, "the other one was not begun");
  t.same(strayTriggers(fleet), []);
});

test("F1. an edge node killed between trigger and upload, and in mid upload: at most one trigger for each attempt, and the rollout ends", longOnly, async (t) => {
  const fleet = await updateFleet(t, 2);
  const [between = "", during = ""] = fleet.vehicles;
  fleet.rig(between).setUpdateFault("torrent-0", { opensAfterMs: 15_000 });
  // What a killed process had written goes on its way: all of so small an image, where it was killed late.
  fleet.rig(during).setUpdateFault("torrent-0", { bytesPerSecond: 5_000, ending: { how: "cut", atPercent: 80, times: 1 } });
  await begun(fleet, { groups: [{ name: "all" }] });
  await Promise.all([
    until("one was triggered", LOOK_MS, () => fleet.triggers(between) === 1).then(() => {
      fleet.kill(between);
    }),
    until("the other one is being written", LOOK_MS, () => fleet.windows(during)[0]?.uploads[0]?.outcome === "under way").then(() => {
      fleet.kill(during);
      fleet.rig(during).setUpdateFault("torrent-0", { bytesPerSecond: undefined });
    }),
  ]);
  await stateIs(fleet, "completed", LONG_MS);
  t.match(await fleet.rollout(), { counts: { committed: 2 }, bad: [] });
  t.equal(fleet.triggers(between), 1, "its port opened, so that its trigger had left");
  t.equal(fleet.triggers(during), 2, "its second attempt has a trigger of its own");
  t.match(fleet.windows(during), [{ uploads: [{ outcome: "cut" }] }, { uploads: [{ outcome: "taken" }] }]);
  for (const vehicle of fleet.vehicles) t.match([fleet.firmware(vehicle), fleet.child(vehicle).restarts], ["2.4.0", 1]);
  t.same(strayTriggers(fleet), []);
});

test("S8, U9. an edge node killed after its module's 200 and before its version report: the report is missed, and a further attempt proves it", longOnly, async (t) => {
  const fleet = await updateFleet(t, 1);
  const [vehicle = ""] = fleet.vehicles;
  await begun(fleet, { groups: [{ name: "all" }], dark_after: "1m" });
  await until("its module has taken its image", LONG_MS, () => fleet.windows(vehicle)[0]?.uploads[0]?.outcome === "taken");
  fleet.kill(vehicle);
  await stateIs(fleet, "completed", LONG_MS);
  t.match(await fleet.rollout(), { counts: { committed: 1, dark: 0, failed: 0 }, bad: [] });
  t.equal(fleet.firmware(vehicle), "2.4.0");
  // Whether its node is back in time is the machine's to say.
  for (const window of fleet.windows(vehicle)) t.equal(window.triggers, 1);
  t.same(strayTriggers(fleet), []);
});
