// A rollout that is aborted while its modules stand at every place of an update, over real processes, triggers counted at the bus. In the long form only: it waits for a module's window.

import tap, { test } from "tap";
import { until } from "./until.ts";
import { approved, begun, longOnly, stateIs, strayTriggers, updateFleet } from "./update-fleet.ts";

const FILE_MS = 300_000;
const LOOK_MS = 60_000;
const LONG_MS = 120_000;
/** A whole image takes half a minute of the rig's time. */
const SLOW_BYTES = 1_500;

tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

test("an abort drops what was not begun, waits out what was triggered, and takes back nothing that was written; what it dropped a new rollout updates", longOnly, async (t) => {
  const fleet = await updateFleet(t, 4);
  const [taken = "", written = "", triggered = "", unsafe = ""] = fleet.vehicles;
  fleet.rig(written).setUpdateFault("torrent-0", { bytesPerSecond: SLOW_BYTES });
  fleet.rig(triggered).setUpdateFault("torrent-0", { opensAfterMs: "never" });
  t.equal((await fleet.api.ask(`demo/vehicle/${unsafe}`, { type: "bus.mute", bus: "can0", reason: "a person works on it" })).status, 200);
  await begun(fleet, { groups: [{ name: "all" }] });
  const updateOf = async (vehicle: string): Promise<unknown> => (await fleet.target(vehicle))?.update;
  await Promise.all([
    until("one is in its trial", LOOK_MS, async () => ["trial", "committed"].includes(String(await updateOf(taken)))),
    until("one is being written", LOOK_MS, () => fleet.windows(written)[0]?.uploads[0]?.outcome === "under way"),
    until("one awaits its module's port", LOOK_MS, async () => (await updateOf(triggered)) === "awaiting module"),
    until("one is postponed", LOOK_MS, async () => (await fleet.target(unsafe))?.state === "postponed"),
  ]);
  t.equal((await fleet.post("/v1/rollouts/torrent-2.4/abort", { reason: "wrong image" })).status, 200);
  t.equal(fleet.windows(written)[0]?.uploads[0]?.outcome, "under way", "in the middle of an upload");

  await until("what was not begun is dropped", LOOK_MS, async () => (await fleet.target(unsafe))?.state === "excused");
  await until("nothing of it begins any more", LOOK_MS, async () => (await fleet.rollout())?.phase === "settled");
  t.match(await fleet.target(triggered), { state: "under way", update: "awaiting module" }, "its window is waited out: its port may still open");
  await until("all have ended", LONG_MS, async () => {
    const { counts } = (await fleet.rollout())?.groups?.[0] ?? {};
    return (counts?.committed ?? 0) + (counts?.excused ?? 0) === 4;
  });
  t.match(await fleet.rollout(), { state: "aborted", why: { who: "admin", reason: "wrong image" }, counts: { committed: 2, excused: 2 }, bad: [] });
  t.match(await fleet.target(taken), { state: "committed" }, "in its trial nothing can be called back");
  t.match(await fleet.target(written), { state: "committed" }, "how its upload ended has decided");
  for (const vehicle of [triggered, unsafe]) t.match(await fleet.target(vehicle), { state: "excused", why: /its rollout was aborted: wrong image/ });
  t.same(
    fleet.vehicles.map((vehicle) => fleet.firmware(vehicle)),
    ["2.4.0", "2.4.0", "1.4.2", "1.4.2"],
  );
  t.same(
    fleet.vehicles.map((vehicle) => fleet.triggers(vehicle)),
    [1, 1, 1, 0],
  );

  fleet.rig(triggered).setUpdateFault("torrent-0", { opensAfterMs: undefined });
  t.equal((await fleet.api.ask(`demo/vehicle/${unsafe}`, { type: "bus.unmute", bus: "can0" })).status, 200);
  await approved(fleet, { rollout: "torrent-2.4-again", groups: [{ name: "all" }] });
  t.match(await fleet.rollout("torrent-2.4-again"), { targets: 2 }, "of those that were committed nothing is wanted");
  await stateIs(fleet, "completed", LONG_MS, "torrent-2.4-again");
  t.same(
    fleet.vehicles.map((vehicle) => fleet.firmware(vehicle)),
    ["2.4.0", "2.4.0", "2.4.0", "2.4.0"],
  );
  t.same(
    fleet.vehicles.map((vehicle) => fleet.triggers(vehicle)),
    [1, 1, 2, 1],
  );
  t.same(strayTriggers(fleet), []);
});
