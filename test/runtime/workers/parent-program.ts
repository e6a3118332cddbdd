// A program that starts a worker process and is then killed by its test. Tells the test the ids of what runs below it.

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { startWorker } from "../../../runtime/workers/index.ts";
import { echo } from "./echo.worker.ts";

const after = (["loop", "daemon"] as const).find((name) => name === process.argv[2]) ?? "child";
let below: readonly number[] = [];
await startWorker(
  echo,
  { after },
  {
    isolation: "process",
    shutdownMs: 200,
    linked: (link) => {
      below = [link.pid ?? 0];
    },
    into: (item) => {
      if ("pid" in item && item.said !== "up") process.send?.([...new Set([...below, item.pid ?? 0])]);
    },
  },
  { clock: systemClock, random: systemRandom, log: silentLog },
);
