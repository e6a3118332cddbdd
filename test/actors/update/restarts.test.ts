// Updates over the death of their node at any moment (rules F1, F2; actors/update U2).

import { test, type Test } from "tap";

import { vehicleEntity, vehicleRoot } from "../../../actors/index.ts";
import { campaignMachine } from "../../../actors/campaign/index.ts";
import { type ModuleTrigger, type ModuleTriggered, updateMachine } from "../../../actors/update/index.ts";
import { vehicleMachine } from "../../../actors/vehicle/machine.ts";
import { actorType, type AnyActorType, parseAddress, task } from "../../../runtime/index.ts";
import { form } from "../../forms.ts";
import { begunDesk, type Desk, desk, offerOf, ROLLOUT, VEHICLE } from "./desk.ts";
import { NEW, type Rig, type Trigger } from "./rig.ts";

const MODULE = "torrent-0";

/** What nobody may do: more than one frame for one attempt. */
function repeated(triggers: readonly Trigger[]): readonly string[] {
  const names = triggers.map(({ module, attempt }) => `${module} ${String(attempt)}`);
  return names.filter((name, index) => names.indexOf(name) !== index);
}

function isAsItSays(t: Test, all: Desk, when: string): void {
  t.same(repeated(all.rig.triggers), [], `${when}: at most one trigger for an attempt`);
  const { state, update } = all.last() ?? {};
  const { firmware } = all.rig.module(MODULE);
  t.ok(state === "committed" ? firmware === NEW : state === "failed" && update === "dark", `${when}: it ends as ${state ?? ""} ${update ?? ""}, and its module runs ${firmware}`);
}

test("S7, F2. killed in any state it goes on, and ends as its module is", async (t) => {
  const ends: Readonly<Record<string, number>> = { offered: 1, postponed: 1, triggering: 1, "awaiting module": 1, uploading: 2, rebooting: 1, trial: 1, committed: 1 };
  for (const [state, triggers] of Object.entries(ends)) {
    const all = await desk();
    if (state === "offered") all.rig.keepFails = 1;
    await all.say(offerOf([MODULE]));
    if (state === "offered" || state === "postponed") {
      await all.untilUpdate(MODULE, state);
      await all.restart();
    }
    await all.untilState("ready");
    if (state === "triggering") all.rig.checkFails = 1;
    await all.go();
    if (state !== "offered" && state !== "postponed") {
      await all.untilUpdate(MODULE, state);
      await all.restart();
    }
    await all.untilState("committed", "failed");
    t.equal(all.last()?.state, "committed", state);
    t.equal(all.rig.triggers.length, triggers, `${state}: ${String(triggers)} triggers`);
    isAsItSays(t, all, state);
    await all.stop();
  }
});

/** Killed when the frame has left, or has not, and nobody was told. */
async function killedAtTrigger(hasLeft: boolean, types?: (rig: Rig) => readonly (typeof vehicleEntity | AnyActorType)[]): Promise<Desk> {
  const all = await desk(types === undefined ? {} : { types });
  await all.say(offerOf([MODULE]));
  await all.untilState("ready");
  all.rig.triggerAnswers = (count) => (count === 1 ? new Promise(() => undefined) : Promise.resolve({ kind: "sent" }));
  if (!hasLeft) all.rig.isHanging = true;
  await all.go();
  await all.until(() => all.rig.triggers.length === 1 || all.rig.isHeldUp);
  all.rig.isHanging = false;
  await all.restart();
  return all;
}

test("F1. killed between the trigger and the commit of its result: no second trigger of that attempt; its port tells that it left, or its window ends the attempt", async (t) => {
  const left = await killedAtTrigger(true);
  await left.untilState("committed");
  t.match(left.rig.triggers, [{ attempt: 1 }]);
  t.equal(left.rig.triggers.length, 1);
  await left.stop();

  const kept = await killedAtTrigger(false);
  const at = kept.clock.now();
  await kept.untilState("committed");
  t.match(kept.rig.triggers, [{ attempt: 2 }]);
  t.ok((kept.rig.triggers[0]?.at ?? 0) - at >= 180_000, "after the window of what might have left");
  await kept.stop();
});

/** The vehicle of a build that takes the trigger for what may be repeated. */
function carelessTypes(rig: Rig): readonly (typeof vehicleEntity | AnyActorType)[] {
  const update = updateMachine.provide({ actors: { "module.trigger": task<ModuleTrigger, ModuleTriggered>({ class: "idempotent" }) } });
  const campaign = campaignMachine.provide({ actors: { update } });
  const root = actorType({ name: "vehicle", version: 2, messages: vehicleRoot.messages, behaviour: vehicleMachine.provide({ actors: { campaign } }) });
  return [vehicleEntity.using(root), root.with({ inner: { tasks: { ...rig.tasks } } })];
}

test("F1. a build whose trigger is not once is caught by that", async (t) => {
  const all = await killedAtTrigger(true, carelessTypes);
  await all.untilState("committed", "failed");
  t.same(repeated(all.rig.triggers), [`${MODULE} 1`]);
  await all.stop();
});

test("S3, S7, F1. killed at any moment, once or again and again: at most one trigger for an attempt, and no end that its module does not bear out", async (t) => {
  const MOST_MS = 150_000;
  const step = form(23_000, 1_700);
  for (let at = 300; at < MOST_MS; at += step) {
    const all = await begunDesk();
    await all.pass(at);
    await all.restart();
    await all.untilState("committed", "failed");
    isAsItSays(t, all, `at ${String(at)} ms`);
    await all.stop();
  }
  for (const every of form([19_700], [2_900, 7_300, 19_700, 31_000])) {
    const all = await begunDesk();
    for (let n = 0; n < 2_000 && !["committed", "failed"].includes(all.last()?.state ?? ""); n++) {
      await all.pass(every);
      await all.restart();
    }
    await all.untilState("committed", "failed");
    t.same(repeated(all.rig.triggers), [], `every ${String(every)} ms`);
    t.ok(all.last()?.state === "failed" || all.rig.module(MODULE).firmware === NEW);
    await all.stop();
  }
});

test("U9. a module whose one report was missed is not dark: it is heard of, and a further attempt makes it tell its version", async (t) => {
  for (const isKilled of [false, true])
    for (const state of ["claimed", "rebooting"]) {
      const what = `${state}${isKilled ? ", killed" : ""}`;
      const all = await begunDesk();
      all.rig.lostReports = 1;
      if (state === "claimed") {
        await all.untilUpdate(MODULE, "uploading");
        // It restarts too fast to be silent.
        const module = all.rig.module(MODULE);
        const { upload } = module;
        Object.assign(module, { upload: undefined, portUntil: 0, firmware: NEW });
        upload?.resolve({ kind: "taken", at: all.clock.now() });
        all.rig.says(MODULE);
      }
      await all.untilUpdate(MODULE, state);
      if (isKilled) await all.restart();
      await all.untilState("committed", "failed");
      isAsItSays(t, all, what);
      t.match(all.last(), { state: "committed" }, what);
      t.same(
        all.rig.triggers.map(({ attempt }) => attempt),
        [1, 2],
        what,
      );
      t.ok(all.reports().some(({ update, why }) => update === "awaiting module" && why === "it is heard of, and did not tell its version after its upload"));
      await all.stop();
    }
  const never = await begunDesk();
  never.rig.lostReports = 9;
  await never.untilState("failed");
  t.match(never.last(), { update: "failed", attempt: 3, why: "it is heard of, and did not tell its version after its upload" });
  never.rig.lostReports = 0;
  never.rig.says(MODULE);
  await never.untilState("committed");
  await never.stop();
});

/** Of a module's windows: how long after one trigger the next one came, ms. */
function gaps(triggers: readonly Trigger[]): readonly number[] {
  return triggers.slice(1).map(({ steadyMs }, index) => steadyMs - (triggers[index]?.steadyMs ?? 0));
}

for (const [name, byMs] of [
  ["an hour ahead", 3_600_000],
  ["an hour behind", -3_600_000],
  ["a day behind", -86_400_000],
] as const)
  test(`U2, U8. killed at any moment, its node comes back with its clock ${name}: the window of an attempt is waited out, and what the module tells counts`, async (t) => {
    for (const state of ["awaiting module", "uploading", "rebooting", "trial"])
      for (const isMended of [false, true]) {
        const what = `${state}${isMended ? ", mended" : ""}`;
        const all = await begunDesk();
        await all.untilUpdate(MODULE, state);
        all.clock.jump(byMs);
        await all.restart();
        if (isMended) {
          await all.pass(6_000);
          await all.correct(-byMs);
        }
        const from = all.clock.monotonic();
        await all.untilState("committed", "failed");
        t.match(all.last(), { state: "committed" }, what);
        t.ok(all.clock.monotonic() - from < 420_000, `${what}: ${String(all.clock.monotonic() - from)} ms`);
        t.same(repeated(all.rig.triggers), [], what);
        for (const gap of gaps(all.rig.triggers)) t.ok(gap >= 180_000, `${what}: the next trigger came ${String(gap)} ms after the one before`);
        await all.stop();
      }
  });

test("T4. a vehicle of before goes on with what it was, and takes offers once its version is raised", async (t) => {
  const [first] = vehicleRoot.earlier;
  if (first === undefined) throw new Error("version 1 is registered");
  const before = await desk({ types: () => [vehicleEntity.using(first)] });
  const mute = before.system().ask(VEHICLE, { type: "bus.mute", bus: "can0", reason: "wiring" }, { withinMs: 1_000 });
  await before.pass(500);
  t.match(await mute, { kind: "replied" });
  await before.say(offerOf([MODULE]));
  t.same([before.reports(), before.vehicle().context.updates], [[], undefined]);
  await before.stop();

  const { disk, clock } = before;
  const known = await desk({ disk, clock });
  t.match(
    known
      .system()
      .versions()
      .find(({ type }) => type === "vehicle"),
    { active: 1 },
  );
  await known.say(offerOf([MODULE]));
  t.same([known.reports(), known.vehicle().context.updates], [[], undefined], "the former release may still come back");
  const raised = known.system().raiseVersions({ vehicle: 2 });
  await known.pass(1_000);
  await raised;
  t.match(known.vehicle(), { context: { muted: { can0: { reason: "wiring" } }, model: "car" } });
  t.equal(known.system().read(parseAddress(VEHICLE))?.version, 2);
  await known.say(offerOf([MODULE]));
  await known.untilState("ready");
  await known.say({ type: "campaign.go", rollout: ROLLOUT, ask: known.last()?.ask ?? 0 });
  await known.untilState("committed");
  await known.restart();
  t.match(known.updates(), { campaign: { state: "committed" } });
  t.equal(
    known
      .system()
      .metrics()
      .find(({ name }) => name === "drover_replay_divergences_total")?.value,
    0,
  );
  await known.stop();
});
