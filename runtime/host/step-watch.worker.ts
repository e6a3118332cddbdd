// The watchdog's thread: looks ten times a second at the step under way (step-watch.ts).

import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { workerData } from "node:worker_threads";

import { markAsTold } from "./step-mark.ts";
import { StepMemory } from "./step-memory.ts";
import { systemClock } from "./system-clock.ts";

const LOOK_EVERY_MS = 100;

const { buffer, file, markFile, hangMs } = workerData as { readonly buffer: SharedArrayBuffer; readonly file: string; readonly markFile: string; readonly hangMs: number };
const memory = new StepMemory(buffer);
let seen = 0;
let looks = 0;

function look(): void {
  const { number } = memory;
  looks = number !== 0 && number === seen ? looks + 1 : 0;
  seen = number;
  memory.grantNames();
  if (looks * LOOK_EVERY_MS >= hangMs) end(memory.read());
  systemClock.setTimeout(look, LOOK_EVERY_MS);
}

/** The text is one JSON object, unless it was cut. */
function end(step: string): void {
  try {
    append(file, `${JSON.stringify({ at: systemClock.now(), ...(JSON.parse(step) as object) })}\n`);
    sync(dirname(file));
    tellMark();
    writeSync(2, `drover: a step hung for ${String(hangMs)} ms and its process ends: ${step}\n`);
  } catch (cause) {
    writeSync(2, `drover: a step hung and its process ends, and that could not be written to ${file}: ${String(cause)}: ${step}\n`);
  }
  process.kill(process.pid, "SIGKILL");
}

/** It is one death. */
function tellMark(): void {
  try {
    markAsTold(markFile);
  } catch {
    // There is none.
  }
}

function append(path: string, line: string): void {
  const descriptor = openSync(path, "a");
  writeSync(descriptor, line);
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function sync(folder: string): void {
  const descriptor = openSync(folder, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

look();
