// Rollouts over modules that go wrong, triggers counted at the bus. In the long form only: each waits for a module's window.

import tap, { test } from "tap";
import { until } from "./until.ts";
import { begun, longOnly, stateIs, strayTriggers, updateFleet } from "./update-fleet.ts";

const FILE_MS = 300_000;
const LOOK_MS = 20_000;
const LONG_MS = 240_000;

tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

test("a module that stays dark after its upload is told by its own time, with no message from anyone, and aborts the rollout", longOnly, async (t) => {
  const fleet = await updateFleet(t, 2);
  for (const vehicle of fleet.vehicles) fleet.rig(vehicle).setUpdateFault("torrent-0", { staysDark: true });
  await begun(fleet, { groups: [{ name: "canary", count: 1, abort_count: 1 }, { name: "rest" }] });
  await stateIs(fleet, "aborted");
  t.match(await fleet.rollout(), { why: { who: "the rule" }, bad: [{ module: "torrent-0" }] });
  t.equal(fleet.vehicles.filter((vehicle) => fleet.triggers(vehicle) > 0).length, 1, "the other one was not begun");
  t.same(strayTriggers(fleet), []);
});

test("U10. a module that boots its new image, reports it once and hangs is dark as well, and never counts as committed", longOnly, async (t) => {
  const fleet = await updateFleet(t, 1);
  fleet.rig("t0").setUpdateFault("torrent-0", { hangsAtStart: true });
  await begun(fleet, { groups: [{ name: "canary", count: 1, abort_count: 1 }] });
  await stateIs(fleet, "aborted", LONG_MS);
  t.match(await fleet.rollout(), { bad: [{ module: "torrent-0", ending: "dark", reason: /silent in its trial/ }] });
  t.match([fleet.firmware("t0"), fleet.triggers("t0")], ["2.4.0", 1]);
  t.same(strayTriggers(fleet), []);
});

test("a power cut in mid upload leaves no half image: the module runs what it had, and its next attempt brings the new one", longOnly, async (t) => {
  const fleet = await updateFleet(t, 1);
  fleet.rig("t0").setUpdateFault("torrent-0", { ending: { how: "brown-out", atPercent: 50, times: 1 } });
  await begun(fleet, { groups: [{ name: "all" }] });
  await until("power was cut", LOOK_MS, () => fleet.windows("t0")[0]?.uploads[0]?.outcome === "cut");
  t.equal(fleet.firmware("t0"), "1.4.2");
  await stateIs(fleet, "completed", LONG_MS);
  t.match([fleet.firmware("t0"), fleet.triggers("t0")], ["2.4.0", 2]);
  t.same(strayTriggers(fleet), []);
});

test("a module that never opens its port fails after its attempts, each with one trigger, and is in the penalty box", longOnly, async (t) => {
  const fleet = await updateFleet(t, 1);
  fleet.rig("t0").setUpdateFault("torrent-0", { opensAfterMs: "never" });
  await begun(fleet, { groups: [{ name: "all" }], attempts: 2 });
  await stateIs(fleet, "paused", LONG_MS);
  t.match([fleet.firmware("t0"), fleet.triggers("t0")], ["1.4.2", 2]);
  t.match((await fleet.api.actor("demo/vehicle/t0")).body.context.updates.penalties, { "torrent-0": { attempts: 2, why: /port did not open/ } });
  t.same(strayTriggers(fleet), []);
});
