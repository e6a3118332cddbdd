// Rollouts by chance: vehicles of all manners, pauses, resumes, aborts, vehicles that drive off, nodes that die. What must hold at any time, and at the end.

import { test, type Test } from "tap";

import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";
import { type Fleet, fleet, type Manner, mostAtOnce, type VehicleState } from "./fleet.ts";

const MANNERS: readonly Manner[] = ["commits", "commits", "commits", "commits", "commits", "commits", "fails", "lies", "dark", "falls silent", "driving", "silent"];
const STEPS = 120;

async function run(t: Test, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const below = (most: number): number => Math.floor(random.next() * most);
  const count = 3 + below(28);
  const concurrency = 1 + below(6);
  const manners = Array.from({ length: count }, () => MANNERS[below(MANNERS.length)] ?? "commits");
  const times = manners.map(() => 5_000 + below(120_000));
  const canaries = 1 + below(count);
  const all = await fleet({
    count,
    plan: {
      concurrency,
      dark_after: "4m",
      excused_after: "30m",
      excuse_percent: below(100),
      success_percent: 1 + below(100),
      ...(random.next() < 0.7 ? { pause: { percent: 100 }, abort: { percent: 100, count: 1 + below(count) } } : {}),
      groups: random.next() < 0.5 ? [{ name: "all" }] : [{ name: "canary", count: canaries }, { name: "rest" }],
    },
    manner: (place) => manners[place] ?? "commits",
    updateMs: (place) => times[place] ?? 1_000,
  });
  const words: Promise<unknown>[] = [all.say("approve")];
  await all.clock.advance(200);
  /** The pause that is settled, and when it was seen to be. */
  let held: { readonly round: number; readonly since: number } | undefined;
  for (let step = 0; step < STEPS; step++) {
    const dice = random.next();
    const vehicle = all.vehicles[below(count)] ?? "";
    if (dice < 0.06) words.push(all.say("pause", "chance"));
    else if (dice < 0.16) words.push(all.say("resume", "chance"));
    else if (dice < 0.165) words.push(all.say("abort", "chance"));
    else if (dice < 0.25) await all.restart();
    else if (dice < 0.32) void all.tell(vehicle, { type: "vehicle.become", manner: "driving" });
    else if (dice < 0.4) void all.tell(vehicle, { type: "vehicle.become", manner: "commits" });
    await all.clock.advance(below(40_000));
    const vehicles = holds(t, all, concurrency);
    const { round } = all.state().context;
    const isHeld = JSON.stringify(all.state().value).includes("settled");
    if (!isHeld || held?.round !== round) held = isHeld ? { round, since: all.clock.now() } : undefined;
    const since = held?.since;
    if (since !== undefined && vehicles.some(({ begins }) => begins.some((at) => at > since))) return void t.fail(`seed ${String(seed)}: it is paused, and a vehicle began`);
  }
  for (const vehicle of all.vehicles) void all.tell(vehicle, { type: "vehicle.become", manner: "commits" });
  let readyBefore: readonly string[] = [];
  for (let step = 0; step < 400 && !/completed|aborted/.test(JSON.stringify(all.state().value)); step++) {
    if (JSON.stringify(all.state().value).includes("paused")) words.push(all.say("resume", "to its end"));
    await all.clock.advance(30_000);
    holds(t, all, concurrency);
    const ready = readyWithRoom(all, concurrency);
    const forgotten = ready.filter((each) => readyBefore.includes(each));
    if (forgotten.length > 0) t.fail(`seed ${String(seed)}: it runs and has room, and ${forgotten.join(", ")} do not begin`);
    readyBefore = ready;
  }
  await all.clock.advance(4_000_000);
  holds(t, all, concurrency);
  const end = JSON.stringify(all.state().value);
  const counts = all.counts();
  const ended = ["committed", "failed", "rolledBack", "timedOut", "dark", "excused"].reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  const wasDone = (manner: Manner): number => all.vehicles.filter((each) => all.vehicle(each).endedAs === manner).length;
  t.same(
    { end: /completed|aborted/.test(end), ended, committed: counts["committed"], failed: counts["failed"] },
    { end: true, ended: count, committed: wasDone("commits"), failed: wasDone("fails") + wasDone("lies") },
    `seed ${String(seed)}: it ends, and the counts are those of the vehicles' own ledger`,
  );
  await Promise.all(words);
  await all.stop();
}

/** @returns the vehicles as they are */
function holds(t: Test, all: Fleet, concurrency: number): readonly VehicleState[] {
  const { parts } = all.state().context;
  const held = Object.values(parts).reduce((sum, { slots }) => sum + slots, 0);
  if (held > concurrency) t.fail(`${String(held)} slots are held, ${String(concurrency)} is the limit`);
  const vehicles = all.vehicles.map((vehicle) => all.vehicle(vehicle));
  for (const [at, { offers, begins }] of vehicles.entries())
    if (offers > 1 || begins.length > 1) t.fail(`${all.vehicles[at] ?? ""} was offered it ${String(offers)} times and began ${String(begins.length)} times`);
  // Those that never told their end are believed dark after their time; until then they hold their slot.
  const most = mostAtOnce(vehicles, 240_000);
  if (most > concurrency) t.fail(`${String(most)} at once, ${String(concurrency)} is the limit`);
  return vehicles;
}

/** Vehicles with their asks that the cloud has heard and could let begin: the rollout runs, and a slot is free. */
function readyWithRoom(all: Fleet, concurrency: number): readonly string[] {
  const { value, context } = all.state();
  const held = Object.values(context.parts).reduce((sum, { slots }) => sum + slots, 0);
  if (!JSON.stringify(value).includes("running") || held >= concurrency) return [];
  return all.parts.flatMap((part) =>
    Array.from({ length: all.part(part).size }, (_, index) => all.target(part, index)).flatMap(({ vehicle, ask }) => {
      const is = all.vehicle(vehicle);
      return is.phase === "ready" && is.ask === ask ? [`${vehicle} (ask ${String(ask)})`] : [];
    }),
  );
}

test("C1, M1, S3, S5. whatever happens, no more than the concurrency are under way, nobody is offered or begins twice, paused nothing begins, and the counts are the vehicles' own", async (t) => {
  for (let seed = 1; seed <= form(4, 24); seed++) await run(t, seed);
});
