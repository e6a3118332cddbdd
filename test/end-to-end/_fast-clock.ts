// Loaded before a process of a test (`--import`): its time passes faster, wall and monotonic alike, so that the minutes in which a module is watched are seconds. All processes of such a test, and the
// rig, count from the same moment at the same rate; what the system itself waits for (sockets, disks) takes its real time. So do threads: a watchdog that counted six times as fast would take a busy machine
// for a step that hangs.

import { promisify } from "node:util";
import { isMainThread } from "node:worker_threads";

const factor = Number(process.env["FAST_CLOCK_FACTOR"]);
const baseMs = Number(process.env["FAST_CLOCK_BASE"]);
const real = { now: Date.now, monotonic: performance.now.bind(performance), setTimeout: globalThis.setTimeout, setInterval: globalThis.setInterval };

if (isMainThread) {
  Date.now = () => Math.floor(baseMs + (real.now() - baseMs) * factor);
  performance.now = () => real.monotonic() * factor;
  globalThis.setTimeout = faster(real.setTimeout);
  globalThis.setInterval = faster(real.setInterval);
}

function faster<T extends typeof setTimeout | typeof setInterval>(slow: T): T {
  const fast = (run: () => void, ms?: number, ...rest: unknown[]): unknown => slow(run, (ms ?? 0) / factor, ...(rest as []));
  const promised = (slow as { readonly [promisify.custom]?: unknown })[promisify.custom];
  return Object.assign(fast, promised === undefined ? {} : { [promisify.custom]: promised }) as unknown as T;
}
