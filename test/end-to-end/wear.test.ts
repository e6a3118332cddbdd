// What an edge node writes to its card while nothing is asked of it (rules L4).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "tap";
import { processChild } from "../../cli/demo/process-child.ts";
import { edgeWorker, type EdgeStats } from "../../edge-node/edge.worker.ts";
import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { createTree, supervisor, systemClock, systemRandom } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { busesOf, demoFile, scratchFolder } from "./fleet.ts";
import { until } from "./until.ts";

const SETTLED_MS = 5_000;
const WINDOW_MS = 20_000;
const DAY_MS = 86_400_000;
const FRAMES_PER_SECOND = 590;
/** Of the recording: 53,800 frames of its first bus in a minute. */
const RECORDED_PER_SECOND = 53_800 / 60;
const MOST_MB_A_DAY = 500;

/** Bytes that a process has caused to be written to disks. */
function writtenBy(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${String(pid)}/io`, "utf8"))?.[1]);
}

test("L4. an edge node at rest commits at most once a second in the mean, and at 590 frames/s writes at most 500 MB a day", {
  skip: process.platform === "linux" ? false : "needs /proc",
  timeout: 120_000,
}, async (t) => {
  const folder = scratchFolder(t);
  const data = join(folder, "data");
  let stats: EdgeStats | undefined;
  const config = (): object => ({
    vehicle: demoFile("vehicles", "rav4-01.yaml"),
    data,
    buses: { can0: (busesOf("rav4-01", folder)["can0"] ?? "").replace("rate=1", `rate=${String(FRAMES_PER_SECOND / RECORDED_PER_SECOND)}`) },
  });
  const log = silentLog;
  const tree = createTree(
    supervisor("wear", { strategy: "one-for-one", intensity: 0, periodMs: 1_000 }, [
      processChild("edge", edgeWorker, config as never, {
        log,
        into: (item: EdgeStats) => {
          stats = item;
        },
      }),
    ]),
    { clock: systemClock, random: systemRandom, log },
  );
  t.teardown(() => tree.stop());
  await tree.start();
  await until("frames flow", 20_000, () => (stats?.framesPerSecond ?? 0) > 100);
  await pause(SETTLED_MS);
  const pid = tree.describe().children[0]?.pid ?? 0;
  const from = { at: Date.now(), bytes: writtenBy(pid), frames: stats?.frames ?? 0 };
  await pause(WINDOW_MS);
  const to = { at: Date.now(), bytes: writtenBy(pid), frames: stats?.frames ?? 0 };
  await tree.stop();

  const seconds = (to.at - from.at) / 1_000;
  const framesPerSecond = (to.frames - from.frames) / seconds;
  const megabytesADay = (((to.bytes - from.bytes) / seconds) * (DAY_MS / 1_000)) / 1_000_000;
  const store = sqliteStore({ path: join(data, "journal.db"), clock: systemClock, log });
  await store.open();
  let commits = 0;
  for (const { entity } of await store.entities(undefined, 100))
    commits += (await store.journal({ entity, limit: 10_000, order: "newest-first" })).filter(({ at }) => at >= from.at && at < to.at).length;
  await store.close();
  t.comment(`${framesPerSecond.toFixed(0)} frames/s: ${megabytesADay.toFixed(0)} MB a day, ${commits} commits in ${seconds.toFixed(0)} s`);
  t.ok(framesPerSecond > FRAMES_PER_SECOND / 2, "there was traffic");
  t.ok(commits <= seconds, `${commits} commits in ${seconds.toFixed(0)} s`);
  t.ok(megabytesADay * Math.max(1, FRAMES_PER_SECOND / framesPerSecond) <= MOST_MB_A_DAY, `${megabytesADay.toFixed(0)} MB a day at ${framesPerSecond.toFixed(0)} frames/s`);
});
