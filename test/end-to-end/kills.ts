// Kills of a node at random moments of a stream of commands, and what must be true of every one of them afterwards.

import { setTimeout as pause } from "node:timers/promises";
import type { Test } from "tap";
import type { SeededRandom } from "../../runtime/simulation/index.ts";
import { form } from "../forms.ts";
import { actsOf, type CommandStream, settle } from "./command-stream.ts";
import type { ProcessFleet } from "./processes.ts";
import { until } from "./until.ts";

/** An even number: the last is of those at the start. */
export const KILLS = form(2, 12);
/** Between commands of one speaker, ms. */
export const EVERY_MS = 150;
const BACK_MS = 25_000;
const SETTLED_WITHIN_MS = 40_000;

/** Every second kill comes at a random moment up to so long after the process was started, ms: also while it recovers, connects or does its first work. */
const EARLY_MS = 1_200;

/** Kills `id` at random moments of the stream, every second time after it has done something again, and waits until it does so for good. */
export async function kills(fleet: ProcessFleet, id: string, stream: CommandStream, random: SeededRandom): Promise<void> {
  for (let kill = 0; kill <= KILLS; kill++) {
    await until(`${id} runs after kill ${kill}`, BACK_MS, () => fleet.child(id).restarts === kill && fleet.child(id).state === "running");
    if (kill % 2 === 1) {
      await pause(random.next() * EARLY_MS);
      fleet.kill(id);
      continue;
    }
    const from = stream.sent.length;
    await until(`commands are confirmed after kill ${kill}`, BACK_MS, () => stream.sent.slice(from).some(({ told }) => told === "confirmed"));
    if (kill === KILLS) return;
    await pause(random.next() * EVERY_MS * 2);
    fleet.kill(id);
  }
}

/** Every confirmed one acted once; every other one has a final outcome that the bus agrees with. */
export async function judge(t: Test, fleet: ProcessFleet, stream: CommandStream): Promise<void> {
  const told = new Map<string, number>();
  for (const { told: outcome } of stream.sent) told.set(outcome, (told.get(outcome) ?? 0) + 1);
  t.comment(`${stream.sent.length} commands were told: ${[...told].map(([outcome, count]) => `${outcome} ${count}`).join(", ")}`);
  for (const each of stream.sent.filter(({ told: outcome }) => outcome === "confirmed")) {
    const acts = actsOf(fleet.rig, each);
    if (acts !== 1) t.fail(`${each.key} was confirmed and acted ${acts} times`);
  }
  const open = stream.sent.filter(({ told: outcome }) => outcome !== "confirmed");
  const outcomes = await settle(fleet.api, open, SETTLED_WITHIN_MS);
  const final = new Map<string, number>();
  for (const [each, outcome] of outcomes) {
    final.set(outcome, (final.get(outcome) ?? 0) + 1);
    const acts = actsOf(fleet.rig, each);
    const agrees = outcome === "confirmed" ? acts === 1 : outcome === "refused" ? acts === 0 : outcome === "superseded" || outcome === "outcome-unknown" ? acts <= 1 : false;
    if (!agrees) t.fail(`${each.key} was told "${each.told}", then "${outcome}", and acted ${acts} times`);
  }
  t.comment(`asked again: ${[...final].map(([outcome, count]) => `${outcome} ${count}`).join(", ")}`);
  for (const each of stream.sent) {
    const acts = actsOf(fleet.rig, each);
    if (acts > 1) t.fail(`${each.key} acted ${acts} times`);
  }
  t.ok(stream.confirmed > KILLS, `${stream.confirmed} were confirmed at once`);
}
