// The update of a module, through its vehicle: every way to its end (vehicle.md, States; actors/update U1 to U6).

import { test } from "tap";

import { parseAddress } from "../../../runtime/index.ts";
import { begunDesk, type Desk, desk, offerOf, VEHICLE } from "./desk.ts";
import { type Manner, NEW, OLD } from "./rig.ts";

const MODULE = "torrent-0";

const statesOf = (all: Desk): readonly string[] =>
  all
    .reports()
    .map(({ state, update = "" }) => `${state}: ${update}`)
    .filter((each, index, list) => each !== list[index - 1]);

async function withManners(...manners: readonly Manner[]): Promise<Desk> {
  const all = await desk();
  all.rig.module(MODULE).manners = [...manners];
  await all.say(offerOf([MODULE]));
  await all.untilState("ready");
  await all.go();
  return all;
}

test("S8, U1. an update goes through all of its states to committed, with one trigger and one upload", async (t) => {
  const all = await begunDesk();
  await all.untilState("committed");
  t.same(statesOf(all), [
    "staging: offered",
    "staging: postponed",
    "waiting for safe state: postponed",
    "ready: postponed",
    "activating: postponed",
    "activating: triggering",
    "activating: awaiting module",
    "activating: uploading",
    "activating: claimed",
    "activating: rebooting",
    "activating: trial",
    "activating: committed",
    "soaking: committed",
    "committed: committed",
  ]);
  t.same(
    all
      .reports()
      .filter(({ update }) => update === "uploading")
      .map(({ progress }) => progress),
    [0, 10, 20, 30, 40, 50, 60, 70, 80, 90],
  );
  t.match(all.rig, { triggers: [{ module: MODULE, part: "mac:0A1E00", attempt: 1 }], uploads: [{ attempt: 1 }], kept: ["a".repeat(64)] });
  t.match(all.updates(), { campaign: { state: "committed", updates: [{ state: "committed", attempt: 1, progress: 100, why: null }] }, penalties: {} });
  await all.stop();
});

test("S8, U1. 200 and the old version is a wrong image: bad, and not tried again", async (t) => {
  const all = await withManners("lies");
  await all.untilState("failed");
  t.match(all.last(), { state: "failed", module: MODULE, update: "wrong image", why: `it reports ${OLD} instead of ${NEW}`, attempt: 1 });
  t.equal(all.rig.triggers.length, 1);
  t.same(all.updates().penalties, {}, "it has not failed to take an image");
  await all.stop();
});

test("U6. an image that took nothing is dark by its timer, with no message from anyone; should it report later what counts is that", async (t) => {
  const all = await withManners("is late");
  await all.untilUpdate(MODULE, "rebooting");
  const at = all.clock.now();
  await all.untilState("failed");
  t.match(all.last(), { update: "dark", why: "nothing was heard of it since it restarted" });
  t.ok(all.clock.now() - at >= 299_000 && all.clock.now() - at < 310_000, "after the time that its rollout gives");
  await all.untilState("committed");
  t.match(all.last(), { update: "committed" });
  t.ok(all.clock.now() - at > 1_190_000);
  await all.stop();
});

test("a module that is never heard of again stays dark", async (t) => {
  const all = await withManners("dies");
  await all.untilState("failed");
  t.match(all.last(), { update: "dark" });
  t.match(all.vehicle(), { state: { health: "degraded" }, context: { silent: [MODULE] } });
  await all.pass(3_600_000);
  t.match(all.last(), { state: "failed", update: "dark" });
  await all.stop();
});

test("while it is updated its silence degrades nobody; afterwards it does", async (t) => {
  const all = await withManners("dies");
  await all.untilUpdate(MODULE, "rebooting");
  t.match(all.vehicle(), { state: { health: "ok" }, context: { silent: [MODULE] } });
  await all.untilUpdate(MODULE, "dark");
  t.match(all.vehicle(), { state: { health: "degraded" } });
  await all.stop();
});

test("U2, U3. a port that never opens: three attempts, each with one trigger after the window of the one before; then it has failed and is in the penalty box until a person lets it out", async (t) => {
  const all = await withManners("never opens");
  await all.untilState("failed");
  t.match(all.last(), { update: "failed", attempt: 3, why: "its port did not open" });
  t.same(
    all.rig.triggers.map(({ attempt }) => attempt),
    [1, 2, 3],
  );
  for (const [index, { at }] of all.rig.triggers.entries()) t.ok(index === 0 || at - (all.rig.triggers[index - 1]?.at ?? 0) >= 180_000);
  t.match(all.updates().penalties, { [MODULE]: { rollout: "torrent-2", version: NEW, attempts: 3, why: "its port did not open", at: Number } });
  all.rig.module(MODULE).manners = ["good"];
  await all.say(offerOf([MODULE], { rollout: "again" }));
  t.match(all.last(), { state: "refused", why: /^torrent-0 is in the penalty box: 3 attempts of the rollout torrent-2 have failed there/ });
  t.match(await all.ask({ type: "update.clear", module: "torrent-1" }), { kind: "refused" });
  t.match(await all.ask({ type: "update.clear", module: MODULE }), { kind: "replied", value: { cleared: [MODULE] } });
  t.match(all.updates(), { penalties: {}, cleared: [{ who: "ann", module: MODULE, rollout: "torrent-2", at: Number }] });
  await all.say(offerOf([MODULE], { rollout: "third" }));
  await all.untilState("ready");
  await all.say({ type: "campaign.go", rollout: "third", ask: all.last()?.ask ?? 0 });
  await all.untilState("committed");
  t.equal(all.rig.triggers.length, 4);
  await all.stop();
});

test("U3. who was let out of the penalty box is not put back by a question how the rollout ended", async (t) => {
  const all = await desk();
  all.rig.module(MODULE).manners = ["never opens"];
  await all.say(offerOf([MODULE], { attempts: 1 }));
  await all.untilState("ready");
  await all.go();
  await all.untilState("failed");
  t.match(await all.ask({ type: "update.clear", module: MODULE }), { kind: "replied" });
  await all.say(offerOf([MODULE], { attempts: 1 }));
  t.match([all.last(), all.updates().penalties], [{ state: "failed", attempt: 1 }, {}]);
  t.same(all.updates().penalties, {});
  await all.stop();
});

for (const manner of ["cuts the upload", "browns out"] as const)
  test(`U2. ${manner}: never a half image called good; the next attempt begins when the window is over, and commits`, async (t) => {
    const all = await withManners(manner, "good");
    await all.untilUpdate(MODULE, "awaiting module");
    await all.until(() => all.rig.uploads.length === 1 && all.stateOf(MODULE) === "awaiting module");
    t.match(all.last(), { update: "awaiting module", why: /^cut after 5[0-9] %$/ });
    await all.untilState("committed");
    t.same(
      all.rig.triggers.map(({ attempt }) => attempt),
      [1, 2],
    );
    t.ok((all.rig.triggers[1]?.at ?? 0) - (all.rig.triggers[0]?.at ?? 0) >= 180_000);
    t.match(all.last(), { state: "committed", attempt: 2 });
    t.same(
      all.reports().filter(({ update, attempt }) => update === "claimed" && attempt === 1),
      [],
    );
    await all.stop();
  });

for (const manner of ["loses its answer", "never answers"] as const)
  test(`U2. ${manner}: its version report settles it, and nothing is sent again`, async (t) => {
    const all = await withManners(manner);
    await all.untilState("committed");
    t.equal(all.rig.triggers.length, 1);
    t.equal(all.rig.uploads.length, 1);
    t.match(all.last(), { progress: 100 });
    await all.stop();
  });

test("a version that comes back in its trial is a roll back", async (t) => {
  const all = await withManners("falls back");
  await all.untilState("failed");
  t.match(all.last(), { update: "rolled back", why: `it reports ${OLD} instead of ${NEW}` });
  await all.stop();
});

test("U7. so is one that comes back while the clock was set back since it proved itself", async (t) => {
  const all = await begunDesk();
  await all.untilUpdate(MODULE, "trial");
  all.clock.jump(-3_600_000);
  all.rig.module(MODULE).firmware = OLD;
  all.rig.says(MODULE);
  await all.untilState("failed", "committed");
  t.match(all.last(), { update: "rolled back", why: `it reports ${OLD} instead of ${NEW}` });
  await all.stop();
});

for (const [name, byMs] of [
  ["back", -3_600_000],
  ["forward", 3_600_000],
] as const)
  test(`U8. a clock that is set ${name} in an update decides nothing: neither its proof, nor the window of an attempt that was cut`, async (t) => {
    for (const state of ["awaiting module", "uploading", "rebooting", "trial"]) {
      const all = await begunDesk();
      await all.untilUpdate(MODULE, state);
      await all.correct(byMs);
      await all.untilState("committed", "failed");
      t.match(all.last(), { state: "committed" }, state);
      t.equal(all.rig.triggers.length, 1, state);
      await all.stop();
    }
    const cut = await begunDesk();
    cut.rig.module(MODULE).manners = ["cuts the upload", "good"];
    await cut.untilUpdate(MODULE, "uploading");
    const from = cut.clock.monotonic();
    await cut.correct(byMs);
    await cut.until(() => cut.rig.triggers.length === 2, "its second attempt", 600_000);
    const waited = cut.clock.monotonic() - from;
    t.ok(waited > 150_000 && waited < 260_000, `its window was waited out: ${String(waited)} ms`);
    await cut.stop();
  });

test("U2. an upload whose answer is lost as its window ends may have been taken: the module has the time to come back before anything is sent again", async (t) => {
  const all = await desk();
  all.rig.uploadMs = 184_000;
  all.rig.module(MODULE).manners = ["loses its answer"];
  await all.say(offerOf([MODULE]));
  await all.untilState("ready");
  await all.go();
  await all.untilState("committed");
  t.equal(all.rig.triggers.length, 1);
  await all.stop();
});

test("progress that is told of another attempt is none of this one", async (t) => {
  const all = await begunDesk();
  await all.untilUpdate(MODULE, "uploading");
  all.system().notify(parseAddress(VEHICLE), { type: "upload.progressed", module: MODULE, attempt: 9, percent: 95 });
  await all.pass(500);
  t.ok((all.last()?.progress ?? 100) < 50, String(all.last()?.progress));
  await all.untilState("committed");
  await all.stop();
});

test("silence in its trial is dark by its timer, a short one is none", async (t) => {
  const silent = await withManners("falls silent");
  await silent.untilState("failed");
  t.match(silent.last(), { update: "dark", why: "it fell silent in its trial" });
  silent.rig.says(MODULE);
  await silent.pass(360_000);
  t.match(silent.last(), { state: "failed", update: "dark" }, "U10. told once more and not heard, it is what it was");
  await silent.stop();
  const quiet = await withManners("is quiet for a while");
  await quiet.untilState("committed");
  await quiet.stop();
});

test("U10. a module that tells its new version once and hangs is dark, and so it is if it told it when it counted as dark; heard again, it is on trial", async (t) => {
  const hangs = await withManners("hangs at its start");
  await hangs.untilState("failed");
  t.match(hangs.last(), { update: "dark", why: "it fell silent in its trial" });
  t.same(hangs.rig.triggers.length, 1);
  hangs.rig.says(MODULE);
  await hangs.pass(360_000);
  t.match(hangs.last(), { state: "failed", update: "dark" });
  hangs.rig.says(MODULE);
  hangs.rig.module(MODULE).isOn = true;
  await hangs.untilState("committed");
  await hangs.stop();
});

test("U10. while its bus is down neither the time of a trial nor that of a silence counts: what is heard afterwards decides", async (t) => {
  for (const manner of ["good", "hangs at its start"] as const) {
    const all = await withManners(manner);
    await all.untilUpdate(MODULE, "trial");
    all.rig.isBusDown = true;
    await all.pass(3_600_000);
    t.equal(all.stateOf(MODULE), "trial");
    all.rig.isBusDown = false;
    await all.untilState(manner === "good" ? "committed" : "failed");
    t.equal(all.last()?.update, manner === "good" ? "committed" : "dark");
    await all.stop();
  }
});

test("U5. a module that already reports the version is unprovable and nothing is begun; one that never said which it runs is refused", async (t) => {
  const same = await desk();
  same.rig.module(MODULE).firmware = NEW;
  same.rig.says(MODULE);
  await same.pass(1_000);
  await same.say(offerOf([MODULE]));
  await same.untilState("failed");
  t.match(same.last(), { update: "unprovable", why: "it already reports this version" });
  t.same([same.rig.triggers, same.rig.kept], [[], []]);
  await same.stop();

  const unheard = await desk({ isHeard: false });
  await unheard.say(offerOf([MODULE]));
  await unheard.untilState("refused");
  t.match(unheard.last(), { why: "the module has never told which firmware it runs" });
  t.same([unheard.rig.triggers, unheard.rig.kept], [[], []]);
  await unheard.stop();
});

test("U5. so is one that has come to report it while it waited for the word to begin", async (t) => {
  const all = await desk();
  await all.say(offerOf([MODULE]));
  await all.untilState("ready");
  all.rig.module(MODULE).firmware = NEW;
  all.rig.says(MODULE);
  await all.pass(1_000);
  await all.go();
  await all.untilState("failed");
  t.match(all.last(), { update: "unprovable" });
  t.same(all.rig.triggers, []);
  await all.stop();
});

test("a report that is older than what was sent proves nothing, nor does that of another part", async (t) => {
  const all = await withManners("dies");
  await all.untilUpdate(MODULE, "rebooting");
  const before = (all.rig.uploads[0]?.at ?? 0) - 1;
  for (const said of [
    { part: "mac:0A1E00", firmware: NEW, at: before },
    { part: "mac:0FFFFF", firmware: NEW, at: all.clock.now() },
    { part: "mac:0A1E00", firmware: OLD, at: before },
    { part: "mac:0FFFFF", firmware: OLD, at: all.clock.now() },
  ]) {
    all.system().notify(`demo/vehicle/car/module/${MODULE}` as never, { type: "module.identified", ...said });
    await all.clock.advance(1);
    t.equal(all.stateOf(MODULE), "rebooting");
  }
  await all.stop();
});

test("a report that is on the bus before the answer is told decides as if it came after it", async (t) => {
  for (const firmware of [NEW, OLD]) {
    const all = await withManners("dies");
    await all.untilUpdate(MODULE, "uploading");
    const upload = all.rig.module(MODULE).upload;
    all.rig.module(MODULE).upload = undefined;
    const takenAt = all.clock.now();
    all.system().notify(`demo/vehicle/car/module/${MODULE}` as never, { type: "module.identified", part: "mac:0A1E00", firmware, at: takenAt + 100 });
    await all.clock.advance(200);
    t.equal(all.stateOf(MODULE), firmware === NEW ? "trial" : "uploading");
    upload?.resolve({ kind: "taken", at: takenAt });
    await all.clock.advance(200);
    t.equal(all.stateOf(MODULE), firmware === NEW ? "trial" : "wrong image");
    await all.stop();
  }
});

test("an image that cannot be fetched is tried again, more and more rarely; one that is refused, or not there within a day, ends it before anything is sent", async (t) => {
  const later = await desk();
  later.rig.keepFails = 3;
  const from = later.clock.now();
  await later.say(offerOf([MODULE]));
  t.match(later.last(), { state: "staging", update: "offered", why: "no link" });
  await later.untilState("ready");
  const took = later.clock.now() - from;
  t.ok(took >= 105_000 && took < 110_000, `15, 30 and 60 s, this took ${String(took)} ms`);
  t.equal(later.last()?.why, undefined);
  await later.stop();

  const wrong = await desk();
  wrong.rig.keepRefuses = "its hash is another one";
  await wrong.say(offerOf([MODULE]));
  await wrong.untilState("failed");
  t.match(wrong.last(), { update: "failed", why: "its hash is another one" });
  t.same(wrong.updates().penalties, {}, "its module has done nothing");
  await wrong.stop();

  const never = await desk();
  never.rig.keepFails = 1_000;
  await never.say(offerOf([MODULE]));
  const begun = never.clock.now();
  await never.until(() => never.last()?.state === "failed", "its end", 90_000_000, 30_000);
  t.match(never.last(), { update: "failed", why: "its image was not there in time" });
  t.ok(never.clock.now() - begun >= 86_000_000 && never.clock.now() - begun < 87_000_000);
  t.ok(never.rig.keepFails > 800, `tried ${String(1_000 - never.rig.keepFails)} times`);
  await never.stop();
});

test("what is not meant for the module is refused before anything is sent, also when it turns out at the last moment; a check that fails is tried again", async (t) => {
  const first = await desk();
  first.rig.checkRefuses = "the image is for another address";
  await first.say(offerOf([MODULE]));
  await first.untilState("refused");
  t.match(first.last(), { why: "the image is for another address" });
  await first.stop();

  const unknown = await desk();
  await unknown.say(offerOf(["torrent-9"]));
  await unknown.untilState("refused");
  t.match(unknown.last(), { why: "there is no module torrent-9" });
  await unknown.stop();

  const last = await desk();
  last.rig.checkFails = 2;
  await last.say(offerOf([MODULE]));
  await last.untilState("ready");
  last.rig.checkFails = 1;
  await last.go();
  await last.untilUpdate(MODULE, "triggering");
  last.rig.checkRefuses = "its bus is listen-only";
  await last.untilState("refused");
  t.match(last.last(), { update: "refused", why: "its bus is listen-only" });
  t.same(last.rig.triggers, []);
  await last.stop();
});

test("V3, X1. a trigger that is not let out at the hand-over is no attempt: it waits for a safe state, asks again, and not at once", async (t) => {
  const all = await desk();
  await all.say(offerOf([MODULE]));
  await all.untilState("ready");
  all.rig.isMuted = true;
  await all.go();
  const asked = all.last()?.ask ?? 0;
  await all.untilState("waiting for safe state");
  t.match(all.last(), { why: "the bus is muted", ask: Number });
  t.ok((all.last()?.ask ?? 0) >= asked);
  t.equal(all.stateOf(MODULE), "postponed");
  // The node's opinion of the guard is another one: the vehicle asks, and is told to begin.
  await all.untilState("ready");
  const at = all.clock.now();
  await all.go();
  t.equal(all.last()?.state, "activating");
  all.rig.isMuted = false;
  await all.untilUpdate(MODULE, "awaiting module");
  t.ok(all.clock.now() - at >= 55_000, "it has rested");
  t.match(all.rig.triggers, [{ attempt: 1 }]);
  await all.untilState("committed");
  await all.stop();
});

test("V3, X1. one that rests while nobody calls is free again when it has rested", async (t) => {
  const all = await desk();
  await all.say(offerOf([MODULE]));
  await all.untilState("ready");
  all.rig.isMuted = true;
  await all.go();
  await all.untilState("ready");
  await all.pass(70_000);
  all.rig.isMuted = false;
  await all.go();
  await all.untilUpdate(MODULE, "awaiting module");
  t.match(all.rig.triggers, [{ attempt: 1 }]);
  await all.stop();
});
