// A rollout over its groups and targets, with vehicles that stand in for campaigns (research/fleet-ota.md 2.2; actors/rollout, actors/group).

import { test } from "tap";

import { begins, begunPart, changed, report, type TargetChange, wanted } from "../../../actors/group/part.ts";
import type { PlanFile } from "../../../actors/rollout/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { type Fleet, fleet, mostAtOnce, type Manner } from "./fleet.ts";

const STEP_MS = 2_000;

/** Time passes until it holds, or for an hour. */
async function until(all: Fleet, holds: () => boolean, mostMs = 3_600_000): Promise<void> {
  for (let ms = 0; ms < mostMs && !holds(); ms += STEP_MS) await all.clock.advance(STEP_MS);
}

async function said(all: Fleet, ...words: Parameters<Fleet["say"]>): Promise<unknown> {
  const answer = all.say(...words);
  await all.clock.advance(100);
  return answer;
}

const stateOf = (all: Fleet): string => JSON.stringify(all.state().value);
const is =
  (all: Fleet, ...states: readonly string[]) =>
  (): boolean =>
    states.some((state) => stateOf(all).includes(state));
const begun = (all: Fleet): number => all.vehicles.reduce((sum, vehicle) => sum + all.vehicle(vehicle).begins.length, 0);
const place =
  (places: Readonly<Record<number, Manner>>) =>
  (at: number): Manner =>
    places[at] ?? "commits";

test("a rollout goes from draft over its groups to completed, and no more than its concurrency are under way at any time", async (t) => {
  const all = await fleet({ count: 30, plan: { concurrency: 4, groups: [{ name: "canary", count: 5 }, { name: "rest" }] } });
  t.equal(all.state().value, "draft");
  await all.clock.advance(5_000);
  t.ok(
    all.vehicles.every((vehicle) => all.vehicle(vehicle).offers === 0),
    "nothing is offered before it is approved",
  );
  t.match(await said(all, "approve"), { kind: "replied", value: { state: "approved" } });
  await all.clock.advance(30_000);
  t.equal(
    all.vehicles.slice(5).reduce((sum, vehicle) => sum + all.vehicle(vehicle).offers, 0),
    0,
    "the second group waits for the first",
  );
  await until(all, is(all, "completed"));
  t.equal(all.state().value, "completed");
  t.match(all.counts(), { committed: 30, failed: 0, dark: 0, excused: 0 });
  t.equal(mostAtOnce(all.vehicles.map((vehicle) => all.vehicle(vehicle))), 4);
  t.ok(
    all.vehicles.every((vehicle) => all.vehicle(vehicle).offers === 1 && all.vehicle(vehicle).begins.length === 1),
    "each is offered once and begins once",
  );
  t.match(all.state().context.noted, [{ verb: "approve", who: "ann" }]);
  await all.stop();
});

test("S8. a module that lies about its version pauses the rollout, which names it; paused nothing new begins, and a person lets it go on", async (t) => {
  const all = await fleet({ count: 40, plan: { concurrency: 2, abort: { percent: 90 } }, manner: place({ 1: "lies", 8: "lies" }) });
  await said(all, "approve");
  await until(all, is(all, "paused"));
  t.same(all.state().value, { paused: "settled" });
  t.match(all.state().context.why, { who: "the rule", reason: /^1 bad in group canary, 1 pause it$/ });
  t.match(all.state().context.bad, [{ vehicle: all.vehicles[1], module: "torrent-0", ending: "failed", reason: "it reports 1.0.0 instead of 2.4.0" }]);
  const before = begun(all);
  await all.clock.advance(600_000);
  t.equal(begun(all), before);
  t.match(await all.say("approve"), { kind: "refused" });
  t.match(await said(all, "resume", "one is known to be bad"), { kind: "replied", value: { state: "running" } });
  await until(all, is(all, "paused", "completed"));
  t.match(all.state().context.why, { who: "the rule", reason: /^2 of [0-9]+ bad, 2.5 % pause it$/ }, "it went on past the bad one, to the next");
  t.equal(all.state().context.bad.at(-1)?.vehicle, all.vehicles[8]);
  await all.stop();
});

test("five canaries that fall silent abort it within their time, with no message from anyone", async (t) => {
  const all = await fleet({
    count: 40,
    plan: { concurrency: 5, dark_after: "5m", pause: { percent: 100 }, groups: [{ name: "canary", count: 5, abort_count: 2 }, { name: "rest" }] },
    manner: () => "falls silent",
  });
  await said(all, "approve");
  await until(all, is(all, "aborted"));
  t.same(all.state().value, { aborted: "settled" });
  t.match(all.state().context.why, { who: "the rule", reason: "2 bad in group canary, 2 abort it" });
  await all.clock.advance(600_000);
  t.match(all.counts(), { dark: 5, excused: 35 });
  t.equal(begun(all), 5);
  await all.stop();
});

test("S8. what was believed dark and tells later how it ended is counted as that; the verdict on the rollout stands", async (t) => {
  const all = await fleet({ count: 12, plan: { dark_after: "1m", groups: [{ name: "canary", count: 5, abort_count: 2 }, { name: "rest" }] }, manner: () => "falls silent" });
  await said(all, "approve");
  await until(all, is(all, "aborted"));
  await all.clock.advance(600_000);
  t.match(all.counts(), { dark: 5, committed: 0 });
  const [first = ""] = all.vehicles;
  await all.tell(first, { type: "vehicle.recover" });
  await all.clock.advance(5_000);
  t.match(all.counts(), { dark: 4, committed: 1 });
  t.match(all.target(all.parts[0] ?? "", 0), { ending: "committed" });
  t.same(all.state().value, { aborted: "settled" });
  await all.stop();
});

test("who cannot begin gives its slot back, and begins when it can and has one again", async (t) => {
  const all = await fleet({ count: 6, plan: { concurrency: 2, groups: [{ name: "all" }] }, manner: place({ 0: "driving", 1: "driving" }) });
  await said(all, "approve");
  await until(all, () => all.counts()["committed"] === 4);
  t.match(all.counts(), { committed: 4, absent: 2 });
  t.match(all.state().context.parts[all.parts[0] ?? ""], { slots: 0, underWay: 0, waits: { postponed: 2 } });
  t.equal(mostAtOnce(all.vehicles.map((vehicle) => all.vehicle(vehicle))), 2);
  for (const vehicle of all.vehicles.slice(0, 2)) await all.tell(vehicle, { type: "vehicle.become", manner: "commits" });
  await until(all, is(all, "completed"));
  t.match(all.counts(), { committed: 6 });
  t.ok(
    all.vehicles.every((vehicle) => all.vehicle(vehicle).offers === 1),
    "and is not offered again",
  );
  await all.stop();
});

test("who was never heard of holds no slot, ends as excused in its time, and is told that it is no longer wanted", async (t) => {
  const all = await fleet({ count: 10, plan: { concurrency: 2, excused_after: "1h", groups: [{ name: "all" }] }, manner: place({ 0: "silent", 1: "silent" }) });
  await said(all, "approve");
  await until(all, () => all.counts()["committed"] === 8);
  t.match(all.counts(), { committed: 8, absent: 2 });
  t.match(all.state().context.parts[all.parts[0] ?? ""], { slots: 0, waits: { away: 2 } });
  await until(all, is(all, "completed"), 8_000_000);
  t.equal(all.state().value, "completed");
  t.match(all.counts(), { committed: 8, excused: 2 });
  t.equal(all.vehicle(all.vehicles[0] ?? "").begins.length, 0);
  t.equal(all.vehicle(all.vehicles[0] ?? "").phase, "ended");
  await all.stop();
});

test("a word to begin is for one ask and a young one: after a long pause a vehicle asks anew, and nobody begins on the old word", async (t) => {
  const all = await fleet({ count: 3, plan: { concurrency: 3, groups: [{ name: "all" }] } });
  await said(all, "approve");
  await until(all, () => all.vehicles.every((vehicle) => all.vehicle(vehicle).phase === "staging"));
  t.match(await said(all, "pause", "the weather"), { kind: "replied", value: { state: "paused" } });
  await all.clock.advance(300_000);
  t.ok(
    all.vehicles.every((vehicle) => all.vehicle(vehicle).phase === "ready" && all.vehicle(vehicle).begins.length === 0),
    "ready, and not begun",
  );
  t.match(all.state().context.why, { who: "ann", reason: "the weather" });
  const [, second = ""] = all.vehicles;
  await all.tell(second, { type: "vehicle.become", manner: "driving" });
  await said(all, "resume", "it is over");
  await all.clock.advance(5_000);
  t.match(
    all.vehicles.map((vehicle) => ({ ask: all.vehicle(vehicle).ask, begins: all.vehicle(vehicle).begins.length })),
    [
      { ask: 2, begins: 1 },
      { ask: 2, begins: 0 },
      { ask: 2, begins: 1 },
    ],
  );
  t.match(all.counts(), { absent: 1 });
  await all.tell(second, { type: "vehicle.become", manner: "commits" });
  await until(all, is(all, "completed"));
  t.match(all.counts(), { committed: 3 });
  await all.stop();
});

test("who becomes ready while its rollout is paused begins when it goes on", async (t) => {
  const all = await fleet({ count: 3, plan: { concurrency: 1, groups: [{ name: "all" }] }, manner: () => "driving" });
  await said(all, "approve");
  await until(all, () => all.counts()["absent"] === 3);
  await said(all, "pause", "the weather");
  await until(all, is(all, "settled"));
  for (const vehicle of all.vehicles) await all.tell(vehicle, { type: "vehicle.become", manner: "commits" });
  await all.clock.advance(60_000);
  t.equal(begun(all), 0);
  await said(all, "resume", "it is over");
  await until(all, is(all, "completed"), 600_000);
  t.match(all.counts(), { committed: 3 });
  t.equal(all.state().value, "completed");
  await all.stop();
});

const ENDS: readonly (readonly ["aborted" | "completed", Partial<PlanFile>])[] = [
  ["aborted", { groups: [{ name: "canary", count: 2, abort_count: 2 }, { name: "rest" }] }],
  ["completed", { groups: [{ name: "all" }], success_percent: 50, pause: { percent: 100 }, abort: { percent: 100, count: 50 } }],
];
for (const [end, plan] of ENDS)
  test(`M3. who was given up as dark and is heard of again, not begun, is called off once its rollout is ${end}`, async (t) => {
    const all = await fleet({ count: 4, plan: { concurrency: 2, dark_after: "5m", ...plan } });
    await said(all, "approve");
    await until(all, () => all.vehicles.filter((vehicle) => all.vehicle(vehicle).phase === "staging").length === 2);
    await said(all, "pause", "the weather");
    await until(all, () => all.vehicles.filter((vehicle) => all.vehicle(vehicle).phase === "ready").length === 2);
    // Their words to begin never reach them.
    const given = all.vehicles.slice(0, 2);
    for (const vehicle of given) await all.tell(vehicle, { type: "vehicle.become", manner: "off" });
    await all.clock.advance(30_000);
    await said(all, "resume", "it is over");
    await until(all, is(all, end));
    t.match(all.counts(), { dark: 2 }, stateOf(all));
    for (const vehicle of given) await all.tell(vehicle, { type: "vehicle.become", manner: "driving" });
    await all.clock.advance(10_000);
    for (const vehicle of given) await all.tell(vehicle, { type: "vehicle.become", manner: "commits" });
    await all.clock.advance(600_000);
    t.same(
      given.map((vehicle) => all.vehicle(vehicle).phase),
      ["ended", "ended"],
    );
    t.match(all.counts(), { dark: 0, excused: end === "aborted" ? 4 : 2, absent: 0 });
    t.equal(begun(all), end === "aborted" ? 0 : 2);
    t.match(all.state().value, end === "aborted" ? { aborted: "settled" } : "completed");
    await all.stop();
  });

test("an abort excuses what has not begun, lets what has begun end, and is told as settled; nothing resumes it", async (t) => {
  const all = await fleet({ count: 20, plan: { concurrency: 4, groups: [{ name: "all" }] } });
  await said(all, "approve");
  await until(all, () => begun(all) === 4);
  t.match(await said(all, "abort", "wrong release"), { kind: "replied", value: { state: "aborted" } });
  await all.clock.advance(120_000);
  t.same(all.state().value, { aborted: "settled" });
  t.match(all.counts(), { committed: 4, excused: 16 });
  t.equal(begun(all), 4);
  t.match(all.state().context.noted, [{ verb: "approve" }, { verb: "abort", who: "ann", reason: "wrong release" }]);
  t.match(await said(all, "resume", "please"), { kind: "refused" });
  await all.stop();
});

test("one vehicle that is left inconsistent aborts, whatever the sample", async (t) => {
  const all = await fleet({ count: 20, plan: { concurrency: 1, pause: { percent: 100 }, groups: [{ name: "all" }] }, manner: place({ 0: "inconsistent" }) });
  await said(all, "approve");
  await until(all, is(all, "aborted"));
  t.match(all.state().context.why, { reason: "1 left inconsistent: one aborts it" });
  t.equal(begun(all), 1);
  await all.stop();
});

test("after a bad result nothing of its part begins before the rule has taken note of it", async (t) => {
  const all = await fleet({
    count: 60,
    plan: { concurrency: 10, pause: { count: 1 }, abort: { count: 50, percent: 100 }, groups: [{ name: "all" }] },
    manner: place({ 25: "fails" }),
    updateMs: (at) => 30_000 + at * 7,
  });
  await said(all, "approve");
  await until(all, is(all, "paused"));
  const failedAt = all.vehicle(all.vehicles[25] ?? "").endedAt ?? 0;
  const later = all.vehicles.flatMap((vehicle) => all.vehicle(vehicle).begins).filter((at) => at > failedAt);
  t.same(later, [], "nobody has begun since");
  t.ok(begun(all) > 10 && begun(all) < 60);
  await all.stop();
});

test("a part with a bad result that nobody has taken note of begins nothing, also where the result was corrected since", (t) => {
  const change = (index: number, phase: TargetChange["phase"]): TargetChange => ({
    index,
    vehicle: `acme/vehicle/${String(index)}`,
    phase,
    why: null,
    module: null,
    critical: false,
  });
  const first = begins({ ...begunPart({ self: "acme/group/g", rollout: "acme/rollout/r", part: "acme/group/g", size: 5 }), slots: 3 });
  t.same(first.places, [0, 1, 2]);
  const failed = wanted(changed(first.context, change(0, "failed"), 1), 1);
  t.same(begins(failed).places, [], "one is ready, and one has room");
  t.same(begins(changed(failed, change(0, "committed"), 2)).places, [], "the rule is still to see it");
  t.same(begins({ ...failed, cleared: 1 }).places, [1, 3]);
  t.match(report(failed).report, { noted: 1, bad: [{ vehicle: "acme/vehicle/0", ending: "failed" }], underWay: 2, wanting: 1, returned: 0 });
  t.end();
});

test("a group that cannot reach its share any more waits for a person, who accepts it by resuming", async (t) => {
  const all = await fleet({
    count: 20,
    plan: { concurrency: 5, pause: { percent: 100 }, abort: { percent: 100, count: 50 }, groups: [{ name: "first", count: 10 }, { name: "rest" }] },
    manner: place({ 2: "fails" }),
  });
  await said(all, "approve");
  await until(all, is(all, "paused"));
  t.match(all.state().context.why, { who: "the rule", reason: /in group first: 95 % cannot be reached any more$/ });
  await said(all, "resume", "nine will do");
  await until(all, is(all, "completed", "paused", "aborted"));
  t.equal(all.state().value, "completed");
  t.match(all.counts(), { committed: 19, failed: 1 });
  await all.stop();
});

test("R5. who resumes a group that cannot reach its share forgives its bad results alone: the next one opens when the others have shown it", async (t) => {
  const all = await fleet({
    count: 25,
    plan: { concurrency: 5, pause: { percent: 100 }, abort: { percent: 100, count: 50 }, groups: [{ name: "canary", count: 5 }, { name: "rest" }] },
    manner: place({ 0: "fails", 1: "driving", 2: "driving", 3: "driving", 4: "driving" }),
  });
  await said(all, "approve");
  await until(all, is(all, "paused"));
  await said(all, "resume", "one is known to be bad");
  await all.clock.advance(3_600_000);
  t.match(all.counts(), { committed: 0, failed: 1, absent: 4 });
  t.equal(begun(all), 1, "no canary has shown anything");
  for (const vehicle of all.vehicles.slice(1, 3)) await all.tell(vehicle, { type: "vehicle.become", manner: "commits" });
  await all.clock.advance(600_000);
  t.equal(begun(all), 3, "two of four are fewer than the share: one of the five may be excused");
  await all.tell(all.vehicles[3] ?? "", { type: "vehicle.become", manner: "commits" });
  await until(all, () => all.counts()["committed"] === 23);
  t.match(all.counts(), { committed: 23, failed: 1, absent: 1 });
  await all.stop();
});

test("R5. more excused than the plan allows are forgiven alike: while the others have shown nothing the next group stays closed", async (t) => {
  const all = await fleet({
    count: 25,
    plan: { concurrency: 5, pause: { percent: 100 }, abort: { percent: 100, count: 50 }, groups: [{ name: "canary", count: 5 }, { name: "rest" }] },
    manner: (at) => (at < 5 ? "driving" : "commits"),
  });
  await said(all, "approve");
  await until(all, () => all.counts()["absent"] === 5);
  for (const index of [0, 1]) await all.leaveOut(all.parts[0] ?? "", index);
  await until(all, is(all, "paused"));
  t.match(all.state().context.why, { reason: "0 of 5 committed in group canary: 95 % cannot be reached any more" });
  await said(all, "resume", "these two are sold");
  await all.clock.advance(600_000);
  t.match(all.counts(), { excused: 2, absent: 3 });
  t.equal(begun(all), 0, "nobody has shown anything");
  for (const vehicle of all.vehicles.slice(2, 5)) await all.tell(vehicle, { type: "vehicle.become", manner: "commits" });
  await until(all, is(all, "completed"));
  t.match(all.counts(), { excused: 2, committed: 23 });
  await all.stop();
});

test("G2. vehicles that are ready and switched off while their rollout is paused are away when their turn comes, and no bad result", async (t) => {
  const all = await fleet({ count: 12, plan: { concurrency: 8, groups: [{ name: "all" }] } });
  const [part = ""] = all.parts;
  await said(all, "approve");
  await until(all, () => all.vehicles.filter((vehicle) => all.vehicle(vehicle).phase === "staging").length === 8);
  await said(all, "pause", "friday evening");
  await until(all, () => all.vehicles.filter((vehicle) => all.vehicle(vehicle).phase === "ready").length === 8);
  for (const vehicle of all.vehicles.slice(0, 6)) await all.tell(vehicle, { type: "vehicle.become", manner: "off" });
  // Longer than a target has.
  await all.clock.advance(60 * 3_600_000);
  t.match([all.state().value, all.part(part).phases], [{ paused: "settled" }, "oooooooowwww"], "who waits for a person is not timed out");
  await said(all, "resume", "monday morning");
  await all.clock.advance(60_000);
  t.equal(all.part(part).phases.slice(0, 6), "aaaaaa");
  t.equal(all.target(part, 0).why, "not heard of since its turn came");
  await until(all, () => all.counts()["committed"] === 6);
  t.match(all.state().value, { running: "offering" });
  t.equal(begun(all), 6, "who was there, and who waited behind them");
  for (const vehicle of all.vehicles.slice(0, 6)) await all.tell(vehicle, { type: "vehicle.become", manner: "commits" });
  await until(all, is(all, "completed"));
  t.match(all.counts(), { committed: 12, dark: 0, timedOut: 0 });
  await all.stop();
});

test("G2. so is one that was ready again, waited for its turn and was switched off meanwhile", async (t) => {
  const all = await fleet({
    count: 4,
    plan: { concurrency: 1, groups: [{ name: "all" }], excuse_percent: 50 },
    manner: place({ 0: "driving", 1: "driving" }),
    updateMs: () => 600_000,
  });
  const [part = ""] = all.parts;
  await said(all, "approve");
  await until(all, () => begun(all) === 1);
  for (const vehicle of all.vehicles.slice(0, 2)) await all.tell(vehicle, { type: "vehicle.become", manner: "commits" });
  await all.clock.advance(30_000);
  t.equal(all.part(part).back.length, 2, "they wait for their turn");
  for (const vehicle of all.vehicles.slice(0, 2)) await all.tell(vehicle, { type: "vehicle.become", manner: "off" });
  await until(all, () => all.counts()["committed"] === 2);
  await all.clock.advance(3_600_000);
  t.match([all.part(part).phases, all.counts()], ["aacc", { dark: 0, committed: 2, absent: 2 }]);
  await all.stop();
});

test("who was away or postponed and is ready again waits for its turn for as long as that takes; who is not ends as excused", async (t) => {
  const all = await fleet({
    count: 4,
    plan: { concurrency: 2, excused_after: "2h", excuse_percent: 50, groups: [{ name: "all" }] },
    manner: place({ 0: "driving", 1: "driving" }),
  });
  const [part = ""] = all.parts;
  await said(all, "approve");
  await until(all, () => all.counts()["committed"] === 2);
  await said(all, "pause", "the weather");
  await all.tell(all.vehicles[0] ?? "", { type: "vehicle.become", manner: "commits" });
  await all.clock.advance(10 * 3_600_000);
  t.equal(all.part(part).phases, "pxcc", "the other one cannot begin for longer than the plan allows");
  await said(all, "resume", "it is over");
  await until(all, is(all, "completed"));
  t.match(all.counts(), { committed: 3, excused: 1 });
  await all.stop();
});

test("G2. who fetches its images and falls silent is asked, and gives its slot back where it says nothing; one that is there keeps it", async (t) => {
  const all = await fleet({
    count: 3,
    plan: { concurrency: 2, dark_after: "10m", target_timeout: "5h", pause: { percent: 100 }, groups: [{ name: "all" }] },
    manner: place({ 0: "fetches", 1: "fetches" }),
  });
  const [part = ""] = all.parts;
  await said(all, "approve");
  await all.clock.advance(10_000);
  await all.tell(all.vehicles[0] ?? "", { type: "vehicle.become", manner: "off" });
  t.equal(all.part(part).phases, "oow");
  await until(all, () => all.part(part).phases === "aoc");
  t.equal(all.target(part, 0).why, "not heard of since it was offered");
  await until(all, is(all, "paused"), 6 * 3_600_000);
  t.equal(all.target(part, 1).why, "its images were not there in time");
  await all.stop();
});

test("G8. a vehicle that has lost its store before it began is offered all anew when it is asked, and begins; one that was at work counts as dark, with the reason", async (t) => {
  const manners: readonly Manner[] = ["driving", "commits", "fetches", "silent"];
  const all = await fleet({
    count: 4,
    plan: { concurrency: 4, success_percent: 60, pause: { percent: 100 }, abort: { percent: 100, count: 50 }, groups: [{ name: "all" }] },
    manner: (at) => manners[at] ?? "commits",
    updateMs: () => 7_200_000,
  });
  await said(all, "approve");
  await all.clock.advance(90_000);
  const [postponed = "", works = "", fetches = "", away = ""] = all.vehicles;
  const [part = ""] = all.parts;
  // Its asks are counted from the first again.
  await all.tell(postponed, { type: "vehicle.say", event: { type: "campaign.reported", state: "waiting for safe state", ask: 7 } });
  for (const vehicle of all.vehicles) await all.tell(vehicle, { type: "vehicle.forget" });
  for (const vehicle of [postponed, fetches, away]) await all.tell(vehicle, { type: "vehicle.become", manner: "commits" });
  await all.tell(postponed, { type: "vehicle.say", to: `${part}/target/1`, event: { type: "campaign.unknown", rollout: "torrent-2" } });
  await all.clock.advance(3_000_000);
  t.same(
    all.vehicles.map((vehicle) => all.vehicle(vehicle).offers),
    [1, 1, 1, 1],
    "nobody is asked before an hour has passed, and none believed of another one",
  );
  t.equal(all.target(part, 1).ending, null);
  await said(all, "pause", "a look");
  await until(all, () => all.target(part, 1).ending !== null, 1_200_000);
  t.match(all.target(part, 1), { ending: "dark", why: /lost its store/ });
  await all.clock.advance(3_600_000);
  t.same(
    [all.part(part).phases, all.vehicles.map((vehicle) => all.vehicle(vehicle).offers)],
    ["wdww", [1, 1, 1, 1]],
    "who is to be offered it anew waits for its turn, which does not come while it is paused",
  );
  await said(all, "resume", "seen");
  t.match(all.vehicle(works), { offers: 1, begins: [Number] }, "what was begun is not begun again");
  await until(all, is(all, "completed"), 28_800_000);
  for (const vehicle of [postponed, fetches, away]) t.match(all.vehicle(vehicle), { offers: 2, begins: [Number], endedAs: "commits" });
  t.match(all.counts(), { committed: 3, dark: 1 });
  await all.stop();
});

test("G8. a vehicle that loses its store again and again ends as excused, and one that has lost it is offered nothing once its rollout has ended", async (t) => {
  const all = await fleet({ count: 2, plan: { concurrency: 2, groups: [{ name: "all" }], excuse_percent: 100 }, manner: () => "driving" });
  await said(all, "approve");
  const [again = "", once = ""] = all.vehicles;
  const [part = ""] = all.parts;
  for (let hour = 0; hour < 4; hour++) {
    await all.clock.advance(30_000);
    t.equal(all.vehicle(again).offers, hour + 1);
    await all.tell(again, { type: "vehicle.forget" });
    if (hour === 3) {
      await all.tell(once, { type: "vehicle.forget" });
      await said(all, "abort", "enough");
    }
    await all.clock.advance(3_600_000);
  }
  await all.clock.advance(3_600_000);
  t.same([all.vehicle(again).offers, all.vehicle(once).offers], [4, 1]);
  t.match([all.target(part, 0).ending, all.target(part, 1).ending], ["excused", "excused"]);
  await all.stop();
});

test("G7. who is at work when its time is over counts as timed out, is called off, and keeps its slot until it has ended or falls silent", async (t) => {
  const all = await fleet({
    count: 6,
    plan: { concurrency: 2, target_timeout: "5m", dark_after: "10m", pause: { percent: 100 }, abort: { percent: 100, count: 50 }, success_percent: 1, groups: [{ name: "all" }] },
    manner: place({ 1: "falls silent" }),
    updateMs: () => 8 * 60_000,
  });
  const [part = ""] = all.parts;
  await said(all, "approve");
  let most = 0;
  const look = (): void => {
    const atWork = all.vehicles.filter((vehicle) => all.vehicle(vehicle).phase === "under way").length;
    most = Math.max(most, atWork);
  };
  await until(all, () => (look(), all.part(part).phases.startsWith("OO")));
  t.match([all.counts(), all.vehicle(all.vehicles[0] ?? "").calledOff], [{ timedOut: 2 }, "its time is over"]);
  t.equal(begun(all), 2, "both are at work");
  await until(all, () => (look(), all.part(part).phases.startsWith("cO")));
  t.match(all.counts(), { timedOut: 1, committed: 1 }, "it came to its end after all");
  await until(all, () => (look(), all.state().value === "completed"), 7_200_000);
  t.equal(all.part(part).phases[1], "t", "nothing was heard of it any more");
  t.equal(most, 2);
  await all.stop();
});

test("M3. who was given up by a timer is called off when its rollout is aborted: it may be at work", async (t) => {
  for (const [plan, phase, updateMs] of [
    [{ target_timeout: "1m" }, "O", 600_000],
    [{ dark_after: "1m" }, "d", 1_000],
  ] as const) {
    const all = await fleet({
      count: 2,
      plan: { concurrency: 1, pause: { percent: 100 }, abort: { percent: 100, count: 50 }, groups: [{ name: "all" }], ...plan },
      manner: place({ 0: phase === "d" ? "falls silent" : "commits" }),
      updateMs: () => updateMs,
    });
    const [part = ""] = all.parts;
    await said(all, "approve");
    await until(all, () => all.part(part).phases.startsWith(phase));
    t.equal(all.part(part).phases[0], phase);
    await said(all, "abort", "wrong release");
    await all.clock.advance(1_000);
    t.equal(all.vehicle(all.vehicles[0] ?? "").calledOff, "its rollout was aborted: wrong release", phase);
    await all.stop();
  }
});

test("an abort whose reason is cut in the middle of a character arrives all the same", async (t) => {
  const all = await fleet({ count: 1, plan: { groups: [{ name: "all" }] } });
  await said(all, "approve");
  await until(all, () => begun(all) === 1);
  t.match(await said(all, "abort", "🚚".repeat(250)), { kind: "replied" });
  await all.clock.advance(1_000);
  t.match(all.vehicle(all.vehicles[0] ?? "").calledOff, /^its rollout was aborted: (🚚){137}$/u);
  await all.stop();
});

test("G3. a vehicle that is not heard of since its module took its image is dark", async (t) => {
  const all = await fleet({ count: 1, plan: { dark_after: "5m", target_timeout: "10h", groups: [{ name: "all" }] }, manner: () => "claims", updateMs: () => 1_000 });
  await said(all, "approve");
  await until(all, is(all, "paused"));
  t.match([all.target(all.parts[0] ?? "", 0).update, all.counts()], ["claimed", { dark: 1 }]);
  await all.stop();
});

test("G2. a report that it was ready, on its way while the word to begin was, takes nothing back", async (t) => {
  const all = await fleet({ count: 1, plan: { groups: [{ name: "all" }] } });
  const [part = ""] = all.parts;
  await said(all, "approve");
  await until(all, () => begun(all) === 1);
  const ready = { type: "campaign.reported", state: "ready", ask: all.vehicle(all.vehicles[0] ?? "").ask };
  await all.tell(all.vehicles[0] ?? "", { type: "vehicle.say", event: ready });
  await all.clock.advance(1_000);
  t.match([all.part(part).phases, all.vehicle(all.vehicles[0] ?? "").words], ["u", 1], "it is told once");
  await all.stop();
});

test("G6. who is left out and goes on telling of itself keeps its slot for longer than the time of the dark", async (t) => {
  const all = await fleet({
    count: 2,
    plan: { concurrency: 1, dark_after: "3m", excuse_percent: 100, success_percent: 1, groups: [{ name: "all" }] },
    updateMs: (at) => (at === 0 ? 20 * 60_000 : 60_000),
  });
  const [part = ""] = all.parts;
  await said(all, "approve");
  await until(all, () => begun(all) === 1);
  await all.leaveOut(part, 0);
  for (let minute = 0; minute < 15; minute++) {
    await all.clock.advance(60_000);
    await all.tell(all.vehicles[0] ?? "", { type: "vehicle.say", event: { type: "campaign.reported", state: "activating", ask: 1, update: "uploading", progress: minute } });
  }
  t.match([all.part(part).phases, begun(all)], ["uw", 1]);
  await until(all, is(all, "completed"));
  t.match(all.counts(), { committed: 2 });
  await all.stop();
});

test("P5. while its node has no link to the bus nobody is given up for silence; afterwards it is counted anew", async (t) => {
  const all = await fleet({
    count: 7,
    plan: { concurrency: 7, dark_after: "5m", target_timeout: "10h", groups: [{ name: "all" }] },
    manner: (at) => (at < 6 ? "falls silent" : "claims"),
    updateMs: () => 1_000,
  });
  const [part = ""] = all.parts;
  await said(all, "approve");
  await until(all, () => begun(all) === 7);
  await all.hears(false);
  await all.clock.advance(3_600_000);
  await all.restart();
  await all.clock.advance(600_000);
  t.match([all.state().value, all.part(part).phases], [{ running: "offering" }, "uuuuuuu"], "also over a restart of its node");
  await all.hears(true);
  await all.clock.advance(1_000);
  for (const vehicle of all.vehicles.slice(0, 6)) await all.tell(vehicle, { type: "vehicle.recover" });
  await all.clock.advance(200_000);
  t.match(all.counts(), { committed: 6, dark: 0 }, "what was on its way is heard first");
  await all.clock.advance(300_000);
  t.match(all.counts(), { committed: 6, dark: 1 });
  await all.stop();
});

test("S4. a bad result that is corrected after a person has resumed makes no room for another one", async (t) => {
  for (const groups of [[{ name: "canary", count: 5, pause_count: 1, abort_count: 3 }, { name: "rest" }], undefined]) {
    const all = await fleet({
      count: 12,
      plan: { concurrency: 1, success_percent: 50, abort: { min_sample: 50 }, ...(groups === undefined ? {} : { groups }) },
      manner: place({ 0: "dark", 1: "lies" }),
    });
    await said(all, "approve");
    await until(all, is(all, "paused"));
    await said(all, "resume", "it was the cable");
    await all.tell(all.vehicles[0] ?? "", { type: "vehicle.recover" });
    await until(all, is(all, "paused"));
    t.match(
      [all.counts(), all.state().context.why],
      [
        { committed: 1, failed: 1 },
        { who: "the rule", reason: "1 bad in group canary, 1 pause it" },
      ],
    );
    t.match(all.state().context.bad.at(-1), { vehicle: all.vehicles[1], ending: "failed" }, "it is named");
    await all.stop();
  }
});

test("G6. who is left out while it is under way keeps its slot until it has said how it ended, or nothing is heard of it", async (t) => {
  const all = await fleet({
    count: 3,
    plan: { concurrency: 1, dark_after: "5m", excuse_percent: 100, success_percent: 1, groups: [{ name: "all" }] },
    manner: place({ 1: "falls silent" }),
  });
  const [part = ""] = all.parts;
  await said(all, "approve");
  await until(all, () => begun(all) === 1);
  await all.leaveOut(part, 0);
  await all.clock.advance(20_000);
  t.equal(begun(all), 1, "it is still at work");
  t.match(all.part(part), { phases: "uww" });
  t.equal(all.vehicle(all.vehicles[0] ?? "").calledOff, "sold");
  await all.leaveOut(part, 0, "sold twice");
  await all.clock.advance(1_000);
  t.match([all.part(part).phases, all.target(part, 0).why, begun(all)], ["uww", "sold twice", 1], "saying it again gives no slot");
  await until(all, () => begun(all) === 2);
  t.match(all.counts(), { committed: 1 }, "it had gone too far to be called back, and said so");
  await all.leaveOut(part, 1);
  await all.clock.advance(200_000);
  t.equal(begun(all), 2);
  await until(all, is(all, "completed"));
  t.match(all.counts(), { committed: 2, excused: 1, dark: 0 });
  await all.stop();
});

test("R5. a group of which all are bad is accepted as it is by whoever resumes it", async (t) => {
  const all = await fleet({
    count: 6,
    plan: { concurrency: 5, pause: { percent: 100 }, abort: { percent: 100, count: 50, min_sample: 6 }, groups: [{ name: "canary", count: 2 }, { name: "rest" }] },
    manner: place({ 0: "fails", 1: "fails" }),
  });
  await said(all, "approve");
  await until(all, is(all, "paused"));
  await all.clock.advance(300_000);
  t.match(all.counts(), { failed: 2 });
  await said(all, "resume", "these two are old");
  await until(all, is(all, "completed", "paused", "aborted"));
  t.equal(all.state().value, "completed");
  t.match(all.counts(), { committed: 4, failed: 2 });
  await all.stop();
});

test("R4. the next group opens when the share has stood for the soak, counted anew where it was lost meanwhile", async (t) => {
  const soakMs = 3_600_000;
  const all = await fleet({
    count: 6,
    plan: {
      concurrency: 6,
      soak: "1h",
      success_percent: 66,
      excuse_percent: 0,
      pause: { percent: 100 },
      abort: { percent: 100, count: 50 },
      groups: [{ name: "canary", count: 3 }, { name: "rest" }],
    },
    manner: place({ 2: "driving" }),
  });
  const opensAt = async (from: number, mostMs: number): Promise<number | undefined> => {
    for (; all.clock.now() < from + mostMs; ) {
      await all.clock.advance(STEP_MS);
      if (all.state().context.open === 1) return all.clock.now();
    }
    return undefined;
  };
  await said(all, "approve");
  await until(all, () => all.counts()["committed"] === 2);
  t.equal(await opensAt(all.clock.now(), soakMs / 2), undefined);
  t.match(stateOf(all), "soaking");
  // The first one takes it back: the share is lost.
  await all.tell(all.vehicles[0] ?? "", { type: "vehicle.relapse" });
  await all.clock.advance(1_000);
  t.notMatch(stateOf(all), "soaking");
  await all.tell(all.vehicles[2] ?? "", { type: "vehicle.become", manner: "commits" });
  await until(all, () => all.counts()["committed"] === 2);
  t.match(stateOf(all), "soaking");
  const from = all.clock.now();
  const opened = (await opensAt(from, 2 * soakMs)) ?? Number.NaN;
  t.ok(opened >= from + soakMs - 2_000 && opened <= from + soakMs + STEP_MS, `it opened ${String(opened - from)} ms after its share was there again`);
  await all.stop();
});

test("R4. of a group no more are excused than the plan allows", async (t) => {
  const all = await fleet({
    count: 30,
    plan: {
      concurrency: 10,
      excuse_percent: 20,
      success_percent: 100,
      pause: { percent: 100 },
      abort: { percent: 100, count: 50 },
      groups: [{ name: "canary", count: 10 }, { name: "rest" }],
    },
    manner: (at) => (at < 3 ? "driving" : "commits"),
  });
  await said(all, "approve");
  await all.clock.advance(1_800_000);
  t.match(all.counts(), { committed: 7, absent: 3 });
  t.equal(all.state().context.open, 0, "two may be excused, three are away");
  await all.tell(all.vehicles[0] ?? "", { type: "vehicle.become", manner: "commits" });
  await until(all, () => all.counts()["committed"] === 28);
  t.match(all.counts(), { committed: 28, absent: 2 });
  await all.stop();
});

test("S10. only its own vehicle reports to a target", async (t) => {
  const all = await fleet({ count: 2, plan: { concurrency: 2, groups: [{ name: "all" }] } });
  await said(all, "approve");
  await until(all, () => begun(all) === 2);
  const [first = "", second = ""] = all.vehicles;
  await all.tell(second, { type: "vehicle.claim", target: `${all.parts[0] ?? ""}/target/0` });
  await all.clock.advance(1_000);
  t.match(all.counts(), { committed: 0 });
  await all.tell(first, { type: "vehicle.claim", target: `${all.parts[0] ?? ""}/target/0` });
  await all.clock.advance(1_000);
  t.match(all.counts(), { committed: 1 }, "its own is believed");
  await all.stop();
});

test("S3, S4. killed at any moment and brought back it comes to the same counts, with no more at once and nothing offered or begun twice", async (t) => {
  const random = new SeededRandom(7);
  const manner = place({ 3: "lies", 11: "fails", 14: "driving" });
  const all = await fleet({
    count: 24,
    plan: { concurrency: 3, pause: { percent: 100 }, abort: { percent: 100, count: 50 }, success_percent: 50, groups: [{ name: "canary", count: 5 }, { name: "rest" }] },
    manner,
  });
  await said(all, "approve");
  for (let kills = 0; kills < 40 && !is(all, "completed")(); kills++) {
    await all.clock.advance(Math.floor(random.next() * 40_000));
    await all.restart();
  }
  await all.tell(all.vehicles[14] ?? "", { type: "vehicle.become", manner: "commits" });
  await until(all, is(all, "completed"));
  t.equal(all.state().value, "completed");
  t.match(all.counts(), { committed: 22, failed: 2 });
  t.ok(mostAtOnce(all.vehicles.map((vehicle) => all.vehicle(vehicle))) <= 3);
  t.ok(all.vehicles.every((vehicle) => all.vehicle(vehicle).offers === 1 && all.vehicle(vehicle).begins.length === 1));
  await all.stop();
});
