// A node of a kind: its thread hangs in native code until the test lets it; it stops, says so, and ends with code 7.

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { startWorker, stopWithin } from "../../../runtime/workers/index.ts";
import { echo } from "./echo.worker.ts";

const running = await startWorker(
  echo,
  { after: "native", fifo: process.argv[2] ?? "" },
  { isolation: "thread", livenessMs: 200 },
  { clock: systemClock, random: systemRandom, log: silentLog },
);
const exit = await running.exited;
await stopWithin(running, systemClock, { shutdownMs: 100 });
process.exitCode = 7;
process.send?.(exit.kind, () => {
  process.disconnect();
});
