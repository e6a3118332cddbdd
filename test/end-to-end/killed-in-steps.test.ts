// kill -9 of an edge process in the very moment in which it steps an actor, again and again: that is nobody's code, and the vehicle keeps its actors.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import tap, { test } from "tap";
import { form } from "../forms.ts";
import { commandStream } from "./command-stream.ts";
import { type ProcessFleet, processFleet } from "./processes.ts";
import { until } from "./until.ts";

const EVERY_MS = 60;
const BACK_MS = 25_000;
const KILLS = form(2, 8);
/** What nobody says again. */
const COMMAND = /^\{.*"key":"outside /;
const FILE_MS = 120_000;

tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

/** Stops it again and again until it stands within a step, and kills it there. */
async function killInStep(fleet: ProcessFleet): Promise<void> {
  const pid = fleet.child("trailer-01").pid as number;
  const mark = join(fleet.data, "trailer-01", "steps.crash.running");
  await until("it stands within a step", BACK_MS, async () => {
    process.kill(pid, "SIGSTOP");
    if (COMMAND.test(readFileSync(mark, "utf8"))) return true;
    process.kill(pid, "SIGCONT");
    await pause(1);
    return false;
  });
  fleet.kill("trailer-01");
}

test("M4, S3. An edge process that is killed within steps of different messages keeps its vehicle: whoever kills it, the supervisor saw it", { timeout: FILE_MS }, async (t) => {
  const fleet = await processFleet(t, ["trailer-01"]);
  const stream = commandStream(t, fleet.api, EVERY_MS);
  const isServed = async (from: number): Promise<void> => {
    await until(`commands are confirmed after kill ${String(fleet.child("trailer-01").restarts)}`, BACK_MS, () => stream.sent.slice(from).some(({ told }) => told === "confirmed"));
  };
  await isServed(0);
  for (let kill = 1; kill <= KILLS; kill++) {
    await killInStep(fleet);
    await until("it runs again", BACK_MS, () => fleet.child("trailer-01").restarts === kill && fleet.child("trailer-01").state === "running");
    await isServed(stream.sent.length);
  }
  await stream.stop();
  t.equal(fleet.child("trailer-01").restarts, KILLS);
});
