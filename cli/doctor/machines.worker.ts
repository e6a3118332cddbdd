// The thread in which the code of a new machine runs for the doctor: whoever waits outside can end it where that code hangs (watched-machines.ts).

import { parentPort, workerData } from "node:worker_threads";
import { failureOf } from "../terminal/index.ts";
import { checkMachines } from "./check-machines.ts";
import type { MachineNews } from "./watched-machines.ts";

const { module, folder } = workerData as { readonly module: string; readonly folder: string };
const say = (news: MachineNews): void => {
  parentPort?.postMessage(news);
};

try {
  say({
    kind: "found",
    findings: await checkMachines(module, folder, (what) => {
      say({ kind: "running", what });
    }),
  });
} catch (thrown) {
  say({ kind: "failed", failure: failureOf(thrown) });
}
