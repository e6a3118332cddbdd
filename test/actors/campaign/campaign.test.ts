// A campaign in its vehicle: staging, the word to begin, modules one after the other, cancel, its ends (vehicle.md, States; actors/campaign C1, C2, M1 to M5; actors/vehicle U1 to U3).

import { test } from "tap";

import { GO_WITHIN_MS } from "../../../actors/campaign/index.ts";
import { begunDesk, desk, type Desk, offerOf, ROLLOUT, TARGET } from "../update/desk.ts";
import { NEW } from "../update/rig.ts";

const TWO = ["torrent-0", "torrent-1"];
const cancel = { type: "campaign.cancel", rollout: ROLLOUT, reason: "no longer wanted" };

const endsOf = (all: Desk): Readonly<Record<string, string>> => Object.fromEntries((all.updates().campaign?.updates ?? []).map(({ module, state }) => [module, state]));

async function staged(modules: readonly string[] = ["torrent-0"]): Promise<Desk> {
  const all = await desk({ modules });
  await all.say(offerOf(modules));
  await all.untilState("ready");
  return all;
}

test("C1. an offer fetches and checks images and sends nothing to a module; a vehicle is idle until one comes", async (t) => {
  const all = await desk({ modules: TWO });
  await all.pass(60_000);
  t.equal(all.updates(), undefined);
  t.same(all.reports(), []);
  for (const event of [{ type: "campaign.go", rollout: ROLLOUT, ask: 1 }, cancel]) await all.say(event);
  t.same(all.reports(), [], "nor does a word to one that was never offered do anything");
  await all.say(offerOf(TWO));
  await all.untilState("ready");
  await all.pass(600_000);
  t.same([all.rig.triggers, all.rig.uploads], [[], []]);
  t.equal(all.rig.kept.length, 2);
  t.match(all.last(), { state: "ready", ask: Number });
  await all.stop();
});

test("C2. a word for the newest ask begins, while it is young by the vehicle's own clock; one that comes too late is void, and the vehicle asks again", async (t) => {
  const all = await staged();
  const asked = all.last()?.ask ?? 0;
  await all.pass(GO_WITHIN_MS);
  await all.say({ type: "campaign.go", rollout: ROLLOUT, ask: asked });
  t.match(all.last(), { state: "ready", ask: asked + 1 });
  t.same(all.rig.triggers, []);
  await all.say({ type: "campaign.go", rollout: ROLLOUT, ask: asked });
  t.match(all.last(), { state: "ready", ask: asked + 1 }, "the older ask is answered in vain");
  await all.pass(GO_WITHIN_MS - 5_000);
  await all.say({ type: "campaign.go", rollout: ROLLOUT, ask: asked + 1 });
  t.match(all.last(), { state: "activating", ask: asked + 1 });
  await all.untilState("committed");
  t.equal(all.rig.triggers.length, 1);
  await all.say({ type: "campaign.go", rollout: ROLLOUT, ask: asked + 1 });
  await all.pass(60_000);
  t.equal(all.rig.triggers.length, 1, "a word that comes twice begins nothing twice");
  await all.stop();
});

test("C2. a word that was on its way while the vehicle was off is judged by the time that passed, not by the time that it ran", async (t) => {
  const all = await staged();
  const asked = all.last()?.ask ?? 0;
  all.rig.plug(undefined);
  await all.system().stop();
  await all.clock.advance(3_600_000);
  await all.restart();
  await all.say({ type: "campaign.go", rollout: ROLLOUT, ask: asked });
  t.match(all.last(), { state: "ready", ask: asked + 1 });
  t.same(all.rig.triggers, []);
  await all.stop();
});

test("V3, X1. a vehicle that is not safe waits and says why; each change is a new ask, so that no older word counts; outputs that are on may be released by a person", async (t) => {
  const all = await desk({ modules: TWO });
  all.rig.isSafe = false;
  await all.say(offerOf(TWO));
  await all.untilState("waiting for safe state");
  await all.pass(2_000);
  t.match(all.last(), { why: "not parked" });
  await all.go();
  await all.pass(10_000);
  t.match(all.last(), { state: "waiting for safe state" });
  all.rig.isSafe = true;
  all.rig.outputsOn.add("torrent-0");
  await all.pass(10_000);
  t.match(all.last(), { state: "waiting for safe state" });
  t.match(all.updates().campaign, { why: "outputs of torrent-0 are on" });
  t.match(await all.ask({ type: "update.release", module: "torrent-7" }), { kind: "refused" });
  t.match(await all.ask({ type: "update.release", module: "torrent-0" }), { kind: "replied", value: { released: ["torrent-0"] } });
  t.match(all.updates().released, { "torrent-0": { who: "ann", at: Number } });
  await all.untilState("ready");
  const asked = all.last()?.ask ?? 0;
  all.rig.isSafe = false;
  await all.untilState("waiting for safe state");
  all.rig.isSafe = true;
  await all.untilState("ready");
  t.ok((all.last()?.ask ?? 0) > asked);
  await all.say({ type: "campaign.go", rollout: ROLLOUT, ask: asked });
  t.equal(all.last()?.state, "ready");
  await all.go();
  await all.untilState("committed");
  t.same(all.updates().released, {}, "a release is for one campaign");
  t.match(await all.ask({ type: "update.release", module: "torrent-0" }), { kind: "refused" });
  await all.stop();
});

test("modules are updated one after the other, and the vehicle is watched for a while when all have their firmware", async (t) => {
  const all = await begunDesk({ modules: TWO });
  await all.untilState("committed");
  t.match(all.rig.triggers, [{ module: "torrent-0" }, { module: "torrent-1" }]);
  const first = all.reports().findIndex(({ module, update }) => module === "torrent-1" && update === "triggering");
  t.ok(all.reports().findIndex(({ module, update }) => module === "torrent-0" && update === "committed") < first);
  t.equal(all.reports().filter(({ state }) => state === "ready").length, 1, "one word is enough for all of them");
  const soaking = all.reports().findIndex(({ state }) => state === "soaking");
  t.equal(all.reports().length - 1, soaking + 1);
  t.same(endsOf(all), { "torrent-0": "committed", "torrent-1": "committed" });
  await all.stop();
});

test("M3. a vehicle that drives off between two modules gives its word back and asks anew", async (t) => {
  const all = await begunDesk({ modules: TWO });
  const { ask = 0 } = all.last() ?? {};
  await all.untilUpdate("torrent-0", "trial");
  all.rig.isSafe = false;
  await all.untilState("waiting for safe state");
  t.match(all.last(), { ask: ask + 1, why: "not parked" });
  t.same(endsOf(all), { "torrent-0": "committed", "torrent-1": "postponed" });
  await all.pass(3_600_000);
  t.equal(all.rig.triggers.length, 1);
  all.rig.isSafe = true;
  await all.untilState("ready");
  await all.go();
  await all.untilState("committed");
  t.equal(all.rig.triggers.length, 2);
  await all.stop();
});

test("M3. so does one that drives off between two attempts", async (t) => {
  const all = await desk();
  all.rig.module("torrent-0").manners = ["cuts the upload", "good"];
  await all.say(offerOf(["torrent-0"]));
  await all.untilState("ready");
  await all.go();
  await all.untilUpdate("torrent-0", "uploading");
  all.rig.isSafe = false;
  await all.untilState("waiting for safe state");
  t.equal(all.rig.triggers.length, 1);
  all.rig.isSafe = true;
  await all.untilState("ready");
  await all.go();
  await all.untilState("committed");
  t.match(all.rig.triggers, [{ attempt: 1 }, { attempt: 2 }]);
  await all.stop();
});

test("M4. some committed and some bad is inconsistent; what comes behind a bad one is not begun", async (t) => {
  const all = await desk({ modules: [...TWO, "torrent-2"] });
  all.rig.module("torrent-1").manners = ["lies"];
  await all.say(offerOf([...TWO, "torrent-2"]));
  await all.untilState("ready");
  await all.go();
  await all.untilState("inconsistent");
  t.same(endsOf(all), { "torrent-0": "committed", "torrent-1": "wrong image", "torrent-2": "cancelled" });
  t.match(all.last(), { module: "torrent-1", update: "wrong image", why: "torrent-0 committed, torrent-1 wrong image, torrent-2 cancelled" });
  t.equal(all.rig.triggers.length, 2);
  all.rig.module("torrent-0").isOn = false;
  await all.pass(3_600_000);
  all.rig.isSafe = false;
  await all.pass(1_000);
  t.equal(endsOf(all)["torrent-0"], "committed", "how its module fares later is no business of its rollout");
  await all.stop();

  const first = await desk({ modules: TWO });
  first.rig.module("torrent-0").manners = ["dies"];
  await first.say(offerOf(TWO));
  await first.untilState("ready");
  await first.go();
  await first.untilState("failed");
  t.match(first.last(), { module: "torrent-0", update: "dark" });
  t.equal(first.rig.triggers.length, 1);
  await first.stop();
});

test("U6, M5. a dark one of several that proves itself later makes its campaign consistent", async (t) => {
  const all = await desk({ modules: TWO });
  all.rig.module("torrent-1").manners = ["is late"];
  await all.say(offerOf(TWO));
  await all.untilState("ready");
  await all.go();
  await all.untilState("inconsistent");
  await all.untilState("committed");
  await all.stop();

  const first = await desk({ modules: TWO });
  first.rig.module("torrent-0").manners = ["is late"];
  await first.say(offerOf(TWO));
  await first.untilState("ready");
  await first.go();
  await first.untilState("failed");
  await first.untilState("cancelled");
  t.match(first.last(), { why: "torrent-0 committed, torrent-1 cancelled" }, "the other one was dropped meanwhile");
  await first.stop();
});

test("a module that falls back or silent while the vehicle is watched is bad all the same", async (t) => {
  const back = await begunDesk({ modules: TWO });
  await back.untilState("soaking");
  back.rig.module("torrent-0").firmware = "1.0.0";
  back.rig.says("torrent-0");
  await back.untilState("inconsistent");
  t.same(endsOf(back), { "torrent-0": "rolled back", "torrent-1": "committed" });
  await back.stop();

  const silent = await begunDesk();
  await silent.untilState("soaking");
  silent.rig.module("torrent-0").isOn = false;
  await silent.untilState("failed");
  t.match(silent.last(), { update: "dark", why: "it fell silent after its trial" });
  await silent.stop();

  const quiet = await begunDesk();
  await quiet.untilState("soaking");
  quiet.rig.module("torrent-0").isOn = false;
  await quiet.pass(20_000);
  quiet.rig.module("torrent-0").isOn = true;
  await quiet.untilState("committed");
  quiet.rig.module("torrent-0").isOn = false;
  await quiet.pass(3_600_000);
  t.equal(quiet.last()?.state, "committed", "later it is no business of its rollout");
  t.match(quiet.vehicle().state, { health: "degraded" });
  t.same(endsOf(quiet), { "torrent-0": "committed" });
  await quiet.stop();
});

test("M6. a module that fell silent while the next one was updated is not watched as if it spoke: heard again it is committed and stays so, else it is dark", async (t) => {
  for (const isHeardAgain of [true, false]) {
    const all = await begunDesk({ modules: TWO });
    await all.untilUpdate("torrent-1", "trial");
    all.rig.module("torrent-0").isOn = false;
    await all.untilState("soaking");
    await all.pass(120_000);
    t.equal(all.last()?.state, "soaking");
    all.rig.module("torrent-0").isOn = isHeardAgain;
    await all.untilState(isHeardAgain ? "committed" : "inconsistent");
    await all.pass(600_000);
    all.rig.isSafe = false;
    await all.pass(1_000);
    t.same(endsOf(all), { "torrent-0": isHeardAgain ? "committed" : "dark", "torrent-1": "committed" });
    await all.stop();
  }
});

test("M6. so does one that nobody can hear stop the clock of that", async (t) => {
  const all = await begunDesk();
  await all.untilState("soaking");
  all.rig.module("torrent-0").isOn = false;
  await all.pass(10_000);
  all.rig.isBusDown = true;
  await all.pass(3_600_000);
  t.equal(all.last()?.state, "soaking");
  all.rig.isBusDown = false;
  await all.untilState("failed");
  t.match(all.last(), { update: "dark" });
  await all.stop();
});

test("M6. modules that sleep while their vehicle waits for its safe state are not silent for that, also one that fell asleep before", async (t) => {
  const all = await begunDesk({ modules: TWO });
  await all.untilUpdate("torrent-0", "trial");
  all.rig.isSafe = false;
  await all.untilState("waiting for safe state");
  const [first, second] = [all.rig.module("torrent-0"), all.rig.module("torrent-1")];
  first.isOn = false;
  second.isOn = false;
  await all.pass(1_800_000);
  t.match(all.last(), { state: "waiting for safe state" });
  second.isOn = true;
  all.rig.isSafe = true;
  await all.untilState("ready");
  await all.go();
  await all.pass(5_000);
  first.isOn = true;
  await all.untilState("committed");
  t.same(endsOf(all), { "torrent-0": "committed", "torrent-1": "committed" });
  await all.stop();
});

test("M6. one that had the version before and is switched off holds nobody up", async (t) => {
  const all = await desk({ modules: TWO });
  all.rig.module("torrent-0").firmware = NEW;
  all.rig.says("torrent-0");
  await all.pass(1_000);
  await all.say(offerOf(TWO));
  await all.untilState("ready");
  all.rig.module("torrent-0").isOn = false;
  await all.go();
  await all.untilState("committed");
  t.same(endsOf(all), { "torrent-0": "unprovable", "torrent-1": "committed" });
  await all.stop();
});

test("M6. one that is silent when its campaign ends badly, and is heard soon after, has committed", async (t) => {
  const all = await desk({ modules: TWO });
  all.rig.module("torrent-1").manners = ["lies"];
  await all.say(offerOf(TWO));
  await all.untilState("ready");
  await all.go();
  await all.untilUpdate("torrent-1", "claimed", "rebooting");
  all.rig.module("torrent-0").isOn = false;
  await all.untilState("inconsistent");
  await all.pass(5_000);
  all.rig.module("torrent-0").isOn = true;
  await all.pass(1_200_000);
  all.rig.isSafe = false;
  await all.pass(1_000);
  t.same(endsOf(all), { "torrent-0": "committed", "torrent-1": "wrong image" });
  await all.stop();
});

test("a module that already has the version is left out of a campaign, and the others make it committed", async (t) => {
  const all = await desk({ modules: TWO });
  all.rig.module("torrent-0").firmware = NEW;
  all.rig.says("torrent-0");
  await all.pass(1_000);
  await all.say(offerOf(TWO));
  await all.untilState("ready");
  await all.go();
  await all.untilState("committed");
  t.same(endsOf(all), { "torrent-0": "unprovable", "torrent-1": "committed" });
  t.match(all.rig.triggers, [{ module: "torrent-1" }]);
  await all.stop();
});

test("cancel before anything is installed drops it: staging, ready, waiting, triggered", async (t) => {
  const staging = await desk({ modules: TWO });
  staging.rig.keepFails = 100;
  await staging.say(offerOf(TWO));
  t.equal(staging.last()?.state, "staging");
  await staging.say(cancel);
  t.match(staging.last(), { state: "cancelled", why: "no longer wanted: torrent-0 cancelled, torrent-1 cancelled" });
  await staging.pass(3_600_000);
  t.equal(staging.rig.keepFails, 98, "and fetches nothing more");
  await staging.stop();

  const ready = await staged(TWO);
  await ready.say(cancel);
  t.match(ready.last(), { state: "cancelled" });
  await ready.go();
  t.same(ready.rig.triggers, []);
  await ready.stop();

  const waiting = await desk();
  waiting.rig.isSafe = false;
  await waiting.say(offerOf(["torrent-0"]));
  await waiting.untilState("waiting for safe state");
  await waiting.say(cancel);
  t.match(waiting.last(), { state: "cancelled" });
  await waiting.stop();

  const checking = await staged();
  checking.rig.checkFails = 1;
  await checking.go();
  t.equal(checking.stateOf("torrent-0"), "triggering");
  await checking.say(cancel);
  t.match(checking.last(), { state: "cancelled" });
  t.same(checking.rig.triggers, []);
  await checking.stop();

  const triggered = await staged();
  triggered.rig.openMs = 60_000;
  await triggered.go();
  await triggered.untilUpdate("torrent-0", "awaiting module");
  await triggered.say(cancel);
  t.match(triggered.last(), { state: "activating", update: "awaiting module" }, "the module listens until its window is over");
  await triggered.untilState("cancelled");
  t.ok(triggered.clock.now() - (triggered.rig.triggers[0]?.at ?? 0) >= 180_000);
  t.same(triggered.rig.uploads, []);
  await triggered.stop();
});

test("cancel while the frame is handed over: its window is waited out, since it may have left", async (t) => {
  const all = await staged();
  let hand: (() => void) | undefined;
  all.rig.triggerAnswers = () =>
    new Promise((resolve) => {
      hand = () => resolve({ kind: "sent" });
    });
  await all.go();
  await all.say(cancel);
  hand?.();
  await all.pass(120_000);
  t.match(all.last(), { state: "activating", update: "awaiting module" });
  await all.untilState("cancelled");
  t.match([all.rig.triggers.length, all.rig.uploads.length], [1, 0]);
  await all.stop();
});

test("cancel is a negotiation: during the upload its end decides, in the trial it cannot be called back, and then another rollout takes it back", async (t) => {
  const good = await staged(TWO);
  await good.go();
  await good.untilUpdate("torrent-0", "uploading");
  await good.say(cancel);
  t.ok(good.reports().some(({ update, why }) => update === "uploading" && why === "its image is being written: how that ends decides"));
  await good.untilState("cancelled");
  t.match(good.last(), { why: "no longer wanted: torrent-0 committed, torrent-1 cancelled" });
  t.match(good.rig.triggers, [{ module: "torrent-0" }]);
  await good.stop();

  const cut = await staged();
  cut.rig.module("torrent-0").manners = ["cuts the upload", "good"];
  await cut.go();
  await cut.untilUpdate("torrent-0", "uploading");
  await cut.say(cancel);
  await cut.untilState("cancelled");
  t.equal(cut.rig.triggers.length, 1, "no further attempt");
  await cut.stop();

  for (const state of ["rebooting", "trial"]) {
    const all = await staged();
    await all.go();
    await all.untilUpdate("torrent-0", state);
    await all.say(cancel);
    t.match(all.last(), { state: "activating", update: state, why: "it cannot be called back: it has no way to undo" });
    await all.untilState("committed");
    await all.stop();
  }

  const late = await staged();
  await late.go();
  await late.untilState("soaking");
  await late.say(cancel);
  t.match(late.last(), { state: "soaking", why: "its modules run the new firmware: another rollout takes that back" });
  await late.untilState("committed");
  const count = late.reports().length;
  await late.say(cancel);
  t.match([late.last(), late.reports().length], [{ state: "committed" }, count + 1], "it is told again how it ended");
  await late.stop();
});

test("cancel after an answer that is on its way: claimed", async (t) => {
  const all = await staged();
  await all.go();
  await all.untilUpdate("torrent-0", "uploading");
  const { upload } = all.rig.module("torrent-0");
  all.rig.module("torrent-0").upload = undefined;
  upload?.resolve({ kind: "taken", at: all.clock.now() });
  await all.clock.advance(100);
  t.equal(all.stateOf("torrent-0"), "claimed");
  await all.say(cancel);
  t.match(all.last(), { update: "claimed", why: "it cannot be called back: it has no way to undo" });
  await all.untilState("failed");
  t.match(all.last(), { update: "failed", why: "it is heard of, and did not tell its version after its upload" }, "nobody wants another attempt");
  await all.stop();
});

test("U6. called off while nobody knew what its upload came to: should its module come back with the new version, that counts", async (t) => {
  const all = await staged();
  all.rig.module("torrent-0").manners = ["is late"];
  await all.go();
  await all.untilUpdate("torrent-0", "uploading");
  await all.until(() => (all.last()?.progress ?? 0) === 90);
  const module = all.rig.module("torrent-0");
  const { upload } = module;
  // It takes the last of it, and its answer is lost with its node.
  Object.assign(module, { upload: undefined, portUntil: 0, isOn: false });
  module.coming.push({
    at: (upload?.endsAt ?? 0) + 600_000,
    happens: () => {
      Object.assign(module, { isOn: true, firmware: NEW });
      all.rig.says("torrent-0");
    },
  });
  await all.restart();
  await all.say(cancel);
  await all.untilState("cancelled");
  t.match(all.last(), { state: "cancelled" });
  await all.untilState("committed");
  t.match(all.last(), { update: "committed" });
  t.equal(all.rig.triggers.length, 1);
  await all.stop();
});

test("S10. an offer speaks for a target of who sent it; words of others count nothing", async (t) => {
  const all = await desk();
  await all.say(offerOf(["torrent-0"], { target: "demo/group/other/target/0" }));
  t.equal(all.updates(), undefined);
  await all.say(offerOf(["torrent-0"]));
  await all.untilState("ready");
  const { ask = 0 } = all.last() ?? {};
  await all.say({ type: "campaign.go", rollout: ROLLOUT, ask }, "demo/group/other");
  await all.say(cancel, "demo/group/other");
  await all.say({ type: "campaign.go", rollout: "another", ask });
  t.match(all.last(), { state: "ready", ask });
  t.match(await all.ask(offerOf(["torrent-0"])), { kind: "invalid" }, "no door takes them");
  t.same(all.rig.triggers, []);
  await all.stop();
});

test("an offer that comes again is answered with where it stands, at any time", async (t) => {
  const all = await desk();
  all.rig.isSafe = false;
  await all.say(offerOf(["torrent-0"]));
  const again = async (state: string): Promise<void> => {
    const count = all.reports().length;
    await all.say(offerOf(["torrent-0"]));
    t.match([all.reports().length, all.last()], [count + 1, { state }]);
  };
  await all.untilState("waiting for safe state");
  await all.pass(2_000);
  await again("waiting for safe state");
  all.rig.isSafe = true;
  await all.untilState("ready");
  await again("ready");
  await all.go();
  await all.untilUpdate("torrent-0", "awaiting module");
  await again("activating");
  await all.untilState("soaking");
  await again("soaking");
  await all.untilState("committed");
  await again("committed");
  t.equal(all.rig.triggers.length, 1);
  await all.stop();

  const staging = await desk();
  staging.rig.keepFails = 100;
  await staging.say(offerOf(["torrent-0"]));
  await staging.say(offerOf(["torrent-0"]));
  t.match(staging.reports().slice(-2), [{ state: "staging" }, { state: "staging" }]);
  await staging.stop();
});

test("U1. one campaign at a time: another rollout's offer waits behind it without a slot, and begins when it has ended", async (t) => {
  const all = await begunDesk({ modules: TWO, offer: { updates: offerOf(["torrent-0"])["updates"] } });
  const other = (id: number, more: object = {}): object => ({
    ...offerOf(["torrent-1"], { rollout: `other-${String(id)}`, target: `demo/group/g/target/${String(id)}`, ...more }),
  });
  const of = (id: number): string => `demo/group/g/target/${String(id)}`;
  for (const id of [1, 2, 3, 4, 5]) await all.say(other(id) as never);
  t.match(all.last(of(1)), { state: "waiting for safe state", ask: 0, why: "the rollout torrent-2 is under way" });
  t.match(all.last(of(5)), { state: "refused", why: "too many rollouts wait for this vehicle" });
  await all.say(other(1) as never);
  t.equal(all.updates().waiting.length, 4, "it waits once");
  const [toFirst, toWaiting] = [all.reports().length, all.reports(of(1)).length];
  await all.say({ type: "campaign.ask", rollout: ROLLOUT });
  await all.say({ type: "campaign.ask", rollout: "other-1" });
  await all.say({ type: "campaign.ask", rollout: "of-nobody" });
  t.same([all.reports().length, all.reports(of(1)).length], [toFirst + 1, toWaiting + 1], "whoever asks where it stands is told");
  t.same([all.last(), all.last(of(1))], [all.reports().at(-2), all.reports(of(1)).at(-2)]);
  await all.say({ ...cancel, rollout: "other-2" }, "demo/group/other");
  t.equal(all.updates().waiting.length, 4, "who did not offer it cannot take it back");
  await all.say({ ...cancel, rollout: "other-2" });
  t.match(all.last(of(2)), { state: "cancelled", why: "no longer wanted" });
  await all.untilState("committed");
  await all.until(() => all.last(of(3))?.state === "ready");
  t.match(all.updates(), { campaign: { rollout: "other-3" }, waiting: [{ rollout: "other-4" }, { rollout: "other-1" }] });
  await all.say({ ...cancel, rollout: "other-3" });
  await all.until(() => all.last(of(4))?.state === "ready");
  t.match(all.last(of(3)), { state: "cancelled" });
  await all.say({ type: "campaign.go", rollout: "other-4", ask: all.last(of(4))?.ask ?? 0 });
  await all.until(() => all.last(of(4))?.state === "committed");
  t.match(all.rig.triggers, [{ module: "torrent-0" }, { module: "torrent-1" }]);
  await all.until(() => all.last(of(1))?.state === "failed");
  t.match(all.last(of(1)), { update: "unprovable" }, "what it wanted is so by now");
  await all.stop();
});

test("whoever asks a vehicle for a rollout of which it knows nothing hears so", async (t) => {
  const all = await desk();
  await all.say({ type: "campaign.ask", rollout: ROLLOUT });
  t.same(all.reports(), []);
  await all.say({ type: "campaign.recall", rollout: ROLLOUT, target: TARGET });
  t.same(all.reports(), [{ rollout: ROLLOUT }]);
  await all.say(offerOf(["torrent-0"]));
  await all.untilState("ready");
  for (const type of ["campaign.ask", "campaign.recall"]) {
    const told = all.reports().length;
    await all.say({ type, rollout: ROLLOUT, ...(type === "campaign.ask" ? {} : { target: TARGET }) });
    t.equal(all.reports().length, told + 1, `${type} is answered`);
  }
  t.match(all.last(TARGET), { state: "ready" });
  await all.stop();
});

test("an offer that names a module twice is refused", async (t) => {
  const all = await desk();
  await all.say(offerOf(["torrent-0", "torrent-0"]));
  t.match(all.last(TARGET), { state: "refused", why: "it names torrent-0 twice" });
  all.rig.module("torrent-0").isOn = false;
  await all.pass(60_000);
  t.match(all.vehicle().state, { health: "degraded" });
  t.same(all.system().deadLetters({ limit: 9 }), [], "it has no update that would have to hear of its module");
  await all.stop();
});
