// The memory limit where no control group holds it: now and then somebody looks at the whole family, daemons that left it included. A program that takes faster than that may take
// more for a moment.

import type { Clock } from "../ports/index.ts";
import { EndedError } from "./end-cause.ts";
import { familyOf, lookoutFor, ownBytes, residentBytes } from "./process-family.ts";

const LOOK_EVERY_MS = 500;
const MB = 1_048_576;

/** @param mark which all carry that it starts  @param over called once, with the MB in use  @param signal ends the watch */
export function watchMemory(
  { pid, mark }: { readonly pid: number; readonly mark: string },
  limitMb: number,
  clock: Clock,
  signal: AbortSignal,
  over: (usedMb: number) => void,
): void {
  const markedNow = lookoutFor(mark);
  const look = async (): Promise<void> => {
    const pids = [...new Set([...(await familyOf(pid)), ...(await markedNow())])];
    // What is shared counts for each there, and once only here, which costs more to find out.
    const isMore = (await residentBytes(pids)) > limitMb * MB;
    const usedMb = isMore ? Math.round((await ownBytes(pids)) / MB) : 0;
    if (signal.aborted) return;
    if (usedMb > limitMb) over(usedMb);
    else arm();
  };
  const arm = (): void => {
    clock.setTimeout(() => void look(), LOOK_EVERY_MS, { unref: true });
  };
  arm();
}

export function outOfMemory(limitMb: number, usedMb: number | undefined): EndedError {
  const used = usedMb === undefined ? {} : { usedMb };
  return new EndedError("DROVER_WORKER_FAILED", `it ran out of memory: allowed are ${String(limitMb)} MB${usedMb === undefined ? "" : `, it used ${String(usedMb)} MB`}`, {
    kind: "out-of-memory",
    limitMb,
    ...used,
  });
}
