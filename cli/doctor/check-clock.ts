// Does the wall clock make sense? It is compared with what it cannot precede: this package's files and what a node wrote last.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../runtime/ports/index.ts";
import { type Finding, ok, problem } from "./finding.ts";

/** Clocks of machines that share files differ by so much without harm. */
const TOLERATED_MS = 120_000;

export function checkClock(folder: string, clock: Clock): Finding {
  const now = clock.now();
  const shown = new Date(now).toISOString();
  const floors = [
    { what: "this program was installed", at: changedAt(fileURLToPath(import.meta.url)) },
    { what: "the data folder was written", at: newestIn(folder) },
  ];
  const later = floors.find(({ at }) => at !== undefined && at > now + TOLERATED_MS);
  if (later?.at === undefined) return ok("clock", `the clock says ${shown}`, { now });
  return problem(
    "clock",
    `the clock says ${shown}, but ${later.what} at ${new Date(later.at).toISOString()}`,
    "Times of events are wrong, certificates look invalid, and messages expire early or late.",
    "Set the clock, or start a time service (systemd-timesyncd, chrony) and wait for it.",
    { now, floor: later.at },
  );
}

function newestIn(folder: string): number | undefined {
  try {
    const times = readdirSync(folder).map((name) => changedAt(join(folder, name)) ?? 0);
    return times.length === 0 ? undefined : Math.max(...times);
  } catch {
    return undefined;
  }
}

function changedAt(file: string): number | undefined {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return undefined;
  }
}
