// Looks at new machines in a thread of its own, and ends it where their code hangs: a guard that loops would hold the doctor for ever, and who waits would not know of whom.
//
// W1. Only the machines' own code is watched: reading a store may take as long as it does.

import { Worker } from "node:worker_threads";
import { systemClock } from "../../runtime/host/index.ts";
import type { TimeoutHandle } from "../../runtime/ports/index.ts";
import { CommandFailure, type Failure } from "../terminal/index.ts";
import { type Finding, problem } from "./finding.ts";

/** What the thread says. */
export type MachineNews =
  /** What runs now; undefined: nothing of theirs. */
  | { readonly kind: "running"; readonly what: string | undefined }
  | { readonly kind: "found"; readonly findings: readonly Finding[] }
  | { readonly kind: "failed"; readonly failure: Failure };

/** For one entity: all turns since its older snapshot, and its upgrade. */
const HANGS_AFTER_MS = 30_000;

/** @throws CommandFailure as `checkMachines` does */
export async function watchedMachines(module: string, folder: string, hangsAfterMs = HANGS_AFTER_MS): Promise<readonly Finding[]> {
  const worker = new Worker(new URL(`./machines.worker${import.meta.url.slice(-3)}`, import.meta.url), { name: "drover-doctor-machines", workerData: { module, folder } });
  let timer: TimeoutHandle | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const hangsIn = (what: string) => () => {
        resolve([hung(module, what, hangsAfterMs)]);
      };
      worker.on("message", (news: MachineNews) => {
        systemClock.clearTimeout(timer);
        if (news.kind === "found") resolve(news.findings);
        else if (news.kind === "failed") reject(new CommandFailure(news.failure));
        else if (news.what !== undefined) timer = systemClock.setTimeout(hangsIn(news.what), hangsAfterMs);
      });
      worker.once("error", reject);
      worker.once("exit", () => {
        reject(new Error(`${module} ended the thread in which it was looked at`));
      });
    });
  } finally {
    systemClock.clearTimeout(timer);
    await worker.terminate();
  }
}

function hung(module: string, what: string, afterMs: number): Finding {
  return problem(
    "machine",
    `${module} hangs: ${what} was not done after ${String(afterMs / 1_000)} s`,
    "A node that steps it hangs too, and is ended by its watch; what came after it was not looked at.",
    "Look for a loop that never ends in a guard, an action, `migrate` or the module itself, and look again.",
    { module, what },
  );
}
