// Starts the test worker and listens to it. Asserts nothing.

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { startWorker, type Isolation, type RunningWorker, type WorkerOptions, type WorkerPorts } from "../../../runtime/workers/index.ts";
import { echo, type EchoConfig, type EchoItem } from "./echo.worker.ts";
import { heard, listeningLog, type Heard, type LogLine } from "./listening.ts";

export const everywhere = ["inline", "thread", "process"] as const;
export const isolated = ["thread", "process"] as const;

export interface Started {
  readonly running: RunningWorker<unknown>;
  readonly items: Heard<EchoItem>;
  readonly lines: Heard<LogLine>;
}

export async function start(isolation: Isolation, config: EchoConfig, options: WorkerOptions<EchoItem, unknown> = {}, left?: WorkerPorts["left"]): Promise<Started> {
  const items = heard<EchoItem>();
  const lines = heard<LogLine>();
  const running = await startWorker(
    echo,
    config,
    { isolation, into: items.take, ...options },
    { clock: systemClock, random: systemRandom, log: listeningLog(lines), ...(left === undefined ? {} : { left }) },
  );
  return { running, items, lines };
}

/** Its last word once it is ready and has done what its config says. */
export const up = (item: EchoItem): boolean => "said" in item && item.said === "up";
