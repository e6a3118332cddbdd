// An isolated child that does something to itself under a supervisor: how it ended, and how late this thread's event loop was meanwhile.

import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Test } from "tap";

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { child, createTree, supervisor, type ChildSpec, type LastExit } from "../../../runtime/supervision/index.ts";
import { echo, type EchoConfig } from "./echo.worker.ts";

export type Fault = readonly [name: string, spec: ChildSpec, end: object];

const P99_MS = 50;
const RESOLUTION_MS = 5;
const TRIES = 3;
const CONTROL_MS = 700;
/** Longest turn of the loop that is the control. */
const TURN_MS = 4;

/** p99 of the event loop's lag while `run` is under way, ms. */
async function lagOf(run: () => Promise<void>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  await run();
  histogram.disable();
  return Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS);
}

/** What the machine leaves of a loop that is as busy as one in a flood, and whose turns are short: who sleeps is woken sooner. */
function controlLag(): Promise<number> {
  return lagOf(async () => {
    const end = performance.now() + CONTROL_MS;
    while (performance.now() < end) {
      const turnEnd = performance.now() + TURN_MS;
      while (performance.now() < turnEnd);
      await nextTurn();
    }
  });
}

/** Runs it under a supervisor that gives up at once; how it ended there. */
async function endOf(spec: ChildSpec): Promise<LastExit | undefined> {
  const tree = createTree(supervisor("root", { strategy: "one-for-one", intensity: 0 }, [spec]), { clock: systemClock, random: systemRandom, log: silentLog });
  // Its end may come before the word that all have started.
  await tree.start().catch(() => undefined);
  await tree.exited;
  return tree.describe().children[0]?.lastExit;
}

export const isolated = (isolation: "thread" | "process", after: NonNullable<EchoConfig["after"]>): ChildSpec =>
  child(
    "it",
    echo,
    { after },
    { isolation, ...(after === "fill-heap" || after.startsWith("make-garbage") ? { maxHeapMb: 40 } : {}), ...(after === "loop" ? { livenessMs: 400 } : {}) },
  );

/** Each of them is the end of its child, with that cause, and this thread goes on answering. */
export async function dieAlone(t: Test, faults: readonly Fault[]): Promise<void> {
  const control = await controlLag();
  for (const [name, spec, wanted] of faults) {
    let end: LastExit | undefined;
    const lags: number[] = [];
    // A machine that others load is late by itself, now and then: twice the control's lateness is the bound, and what is late each time is late by the fault.
    let bound = Math.max(P99_MS, 2 * control);
    while (lags.length < TRIES && !lags.some((lag) => lag <= bound)) {
      if (lags.length > 0) bound = Math.max(bound, 2 * (await controlLag()));
      const lag = await lagOf(async () => {
        end = await endOf(spec);
      });
      lags.push(lag);
    }
    t.match(end, wanted, name);
    t.ok(Math.min(...lags) <= bound, `${name}: p99 ${lags.map((lag) => lag.toFixed(1)).join(", ")} ms, allowed ${bound.toFixed(1)} ms`);
  }
}
