// The clock of a test whose processes are started with `_fast-clock`: the same moment, the same rate.

import { extname } from "node:path";
import { systemClock } from "../../runtime/index.ts";
import type { Clock } from "../../runtime/ports/index.ts";

/** Six by default: the periods of a few trailers' modules stay well above what a busy machine holds a process up for. */
const FACTOR = Number(process.env["FAST_CLOCK_FACTOR"] ?? 6);
const baseMs = Date.now();

export const fastClock: Clock = {
  now: () => Math.floor(baseMs + (systemClock.now() - baseMs) * FACTOR),
  monotonic: () => systemClock.monotonic() * FACTOR,
  setTimeout: (run, delayMs, options) => systemClock.setTimeout(run, delayMs / FACTOR, options),
  clearTimeout: (handle) => {
    systemClock.clearTimeout(handle);
  },
};

/** Of a process that is to have it. */
export const fastEnvironment: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import ${new URL(`./_fast-clock${extname(import.meta.url)}`, import.meta.url).href}`,
  FAST_CLOCK_FACTOR: String(FACTOR),
  FAST_CLOCK_BASE: String(baseMs),
};
