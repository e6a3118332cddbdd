// A rollout that is aborted while its modules stand at every place of an update, over real processes, triggers counted at the bus. In the long form only: it waits for a module's window.

import tap, { test } from "tap";
import { until } from "./until.ts";
import { approved, begun, longOnly, stateIs, strayTriggers, updateFleet } from "./update-fleet.ts";

const FILE_MS = 300_000;
const LOOK_MS = 60_000;
const LONG_MS = 120_000;
/** Of the rig's time: one is in its trial before the other's upload begins, which is cut after half a minute. */
const SOON_MS = 3_000;
const LATER_MS = 12_000;
const SLOW_BYTES = 1_500;

tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

test(
  "an abort drops what was not begun, waits out what was triggered, lets the end of an upload decide, and takes back nothing that was taken; what it dropped a new rollout updates",
  longOnly,
  async (t) => {
    const fleet = await updateFleet(t, 4);
    const [taken = "", written = "", triggered = "", unsafe = ""] = fleet.vehicles;
    fleet.rig(taken).setUpdateFault("torrent-0", { opensAfterMs: SOON_MS });
    fleet.rig(written).setUpdateFault("torrent-0", { opensAfterMs: LATER_MS, bytesPerSecond: SLOW_BYTES, ending: { how: "cut", atPercent: 80, times: 1 } });
    fleet.rig(triggered).setUpdateFault("torrent-0", { opensAfterMs: "never" });
    const said = (word: { readonly type: string }): Promise<unknown> =>
      until(`${word.type} is taken`, LOOK_MS, async () => (await fleet.api.ask(`demo/vehicle/${unsafe}`, { bus: "can0", ...word }, { key: word.type })).status === 200);
    await said({ type: "bus.mute" });
    await begun(fleet, { groups: [{ name: "all" }] });
    const updateOf = async (vehicle: string): Promise<unknown> => (await fleet.target(vehicle))?.update;
    await Promise.all([
      until("one is in its trial", LOOK_MS, async () => ["trial", "committed"].includes(String(await updateOf(taken)))),
      until("one is being written", LOOK_MS, () => fleet.windows(written)[0]?.uploads[0]?.outcome === "under way"),
      until("one awaits its module's port", LOOK_MS, async () => (await updateOf(triggered)) === "awaiting module"),
      until("one is postponed", LOOK_MS, async () => (await fleet.target(unsafe))?.state === "postponed"),
    ]);
    t.equal((await fleet.post("/v1/rollouts/torrent-2.4/abort", { reason: "wrong image" })).status, 200);
    t.equal(fleet.windows(written)[0]?.uploads[0]?.outcome, "under way", "in the middle of an upload: how that ends decides");

    await until("what was not begun is dropped", LOOK_MS, async () => (await fleet.target(unsafe))?.state === "excused");
    await until("nothing of it begins any more", LOOK_MS, async () => (await fleet.rollout())?.phase === "settled");
    t.match(await fleet.target(triggered), { state: "under way", update: "awaiting module" }, "its window is waited out: its port may still open");
    await until("all have ended", LONG_MS, async () => {
      const { counts } = (await fleet.rollout())?.groups?.[0] ?? {};
      return (counts?.committed ?? 0) + (counts?.excused ?? 0) === 4;
    });
    t.match(await fleet.rollout(), { state: "aborted", why: { who: "admin", reason: "wrong image" }, groups: [{ counts: { committed: 1, excused: 3 } }], bad: [] });
    t.match(await fleet.target(taken), { state: "committed" }, "in its trial nothing can be called back");
    for (const vehicle of [written, triggered, unsafe]) t.match(await fleet.target(vehicle), { state: "excused", why: /its rollout was aborted: wrong image/ });
    t.same(
      fleet.vehicles.map((vehicle) => fleet.firmware(vehicle)),
      ["2.4.0", "1.4.2", "1.4.2", "1.4.2"],
    );
    t.same(
      fleet.vehicles.map((vehicle) => fleet.triggers(vehicle)),
      [1, 1, 1, 0],
    );

    for (const vehicle of [written, triggered]) fleet.rig(vehicle).setUpdateFault("torrent-0", { opensAfterMs: undefined, bytesPerSecond: undefined });
    await said({ type: "bus.unmute" });
    await approved(fleet, { rollout: "torrent-2.4-again", groups: [{ name: "all" }] });
    t.match(await fleet.rollout("torrent-2.4-again"), { targets: 3 }, "of the one that was committed nothing is wanted");
    await stateIs(fleet, "completed", LONG_MS, "torrent-2.4-again");
    t.same(
      fleet.vehicles.map((vehicle) => fleet.firmware(vehicle)),
      ["2.4.0", "2.4.0", "2.4.0", "2.4.0"],
    );
    t.same(
      fleet.vehicles.map((vehicle) => fleet.triggers(vehicle)),
      [1, 2, 2, 1],
    );
    t.same(strayTriggers(fleet), []);
  },
);
