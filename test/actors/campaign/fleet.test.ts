// Rollouts from the cloud to the module: the real rollout, groups, campaigns and updates over simulated nodes (research/fleet-ota.md 2.2; promises S3, S7, S8; rules C1, F1, M1).

import { test, type Test } from "tap";

import { vehicleEntity, vehicleRoot } from "../../../actors/index.ts";
import { campaignMachine, GO_WITHIN_MS } from "../../../actors/campaign/index.ts";
import { type ModuleTrigger, type ModuleTriggered, updateMachine } from "../../../actors/update/index.ts";
import { vehicleMachine } from "../../../actors/vehicle/machine.ts";
import { actorType, type Registered, task } from "../../../runtime/index.ts";
import { explain, type Script, SeededRandom, simulate } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";
import { NEW, type Manner, OLD, type Rig } from "../update/rig.ts";
import { type FleetOptions, fleetSimulation, type Ledger } from "./fleet.ts";

async function run(t: Test, options: FleetOptions): Promise<Ledger> {
  const ledger: Partial<Ledger> = {};
  const made = await simulate(fleetSimulation(options, ledger));
  t.same(made.violations.length === 0 ? "" : explain(made), "", `seed ${String(options.seed ?? 1)}: every promise holds`);
  return ledger as Ledger;
}

/** More than one frame for one attempt at one module. */
function repeated({ vehicles }: Pick<Ledger, "vehicles">): readonly string[] {
  const names = vehicles.flatMap(({ address, rig }) => rig.triggers.map(({ module, attempt }) => `${address} ${module} ${String(attempt)}`));
  return names.filter((name, index) => names.indexOf(name) !== index);
}

const oneGroup = { groups: [{ name: "all" }] };

test("all good: every vehicle commits, no more than the concurrency at once, one trigger each", async (t) => {
  const ledger = await run(t, { count: 6, plan: { concurrency: 2, groups: [{ name: "canary", count: 2 }, { name: "rest" }] } });
  t.match(ledger, { value: '"completed"', counts: { committed: 6, failed: 0, dark: 0, excused: 0 }, most: 2 });
  t.same(
    ledger.ends,
    Array.from({ length: 6 }, () => ({ campaign: "committed", firmware: NEW })),
  );
  t.same(
    ledger.vehicles.map(({ rig }) => rig.triggers.length),
    Array.from({ length: 6 }, () => 1),
  );
});

test("S8. a module that lies about its version pauses its rollout, which names it", async (t) => {
  const ledger = await run(t, {
    count: 6,
    plan: { concurrency: 1, groups: [{ name: "canary", count: 3, pause_count: 1, abort_count: 3 }, { name: "rest" }] },
    manner: (place) => [place === 1 ? "lies" : "good"],
    each: ({ rollout }) => rollout().value.includes('"paused":"settled"'),
    forMs: 300_000,
  });
  t.match(ledger, { value: '{"paused":"settled"}', why: "1 bad in group canary, 1 pause it" });
  t.match(ledger.bad, [{ vehicle: ledger.vehicles[1]?.address, module: "torrent-0", ending: "failed", reason: `it reports ${OLD} instead of ${NEW}` }]);
  t.equal(ledger.counts["failed"], 1);
  const began = ledger.vehicles.flatMap(({ rig }) => rig.triggers.map(({ at }) => at));
  t.equal(Math.max(...began), ledger.vehicles[1]?.rig.triggers[0]?.at, "nothing is begun after the one that lied");
  t.ok(began.length < 6);
});

test("S7. five canaries that stay dark abort it within their time, with no message from anyone", async (t) => {
  const ledger = await run(t, {
    count: 8,
    plan: { concurrency: 5, dark_after: "5m", pause: { percent: 100 }, groups: [{ name: "canary", count: 5, abort_count: 2 }, { name: "rest" }] },
    manner: () => ["dies"],
    forMs: 400_000,
  });
  t.match(ledger, { value: '{"aborted":"settled"}', why: "2 bad in group canary, 2 abort it", counts: { dark: 5, excused: 3 } });
  t.ok(ledger.tookMs < 450_000, `within its time, this took ${String(ledger.tookMs)} ms`);
});

test("S7. so do vehicles that nobody hears of any more once their modules restart: the cloud's own timer says it", async (t) => {
  const ledger = await run(t, {
    count: 3,
    plan: { concurrency: 3, dark_after: "5m", pause: { percent: 100 }, groups: [{ name: "canary", count: 3, abort_count: 2 }] },
    each: ({ vehicles, updates, script }) => {
      for (const vehicle of vehicles) if (updates(vehicle)?.campaign?.updates[0]?.state === "rebooting") script.cut(vehicle.node);
      return undefined;
    },
    forMs: 60_000,
  });
  t.match(ledger, { value: '{"aborted":"settled"}', why: "2 bad in group canary, 2 abort it" });
  t.equal((ledger.counts["dark"] ?? 0) + (ledger.counts["committed"] ?? 0), 3);
});

for (const [name, state, strike, mend] of [
  ["down for longer than a module may be silent", "rebooting", (script: Script) => script.kill("cloud"), (script: Script) => script.start("cloud")],
  ["down for longer than a target has", "uploading", (script: Script) => script.kill("cloud"), (script: Script) => script.start("cloud")],
  ["set forward by a day", "rebooting", (script: Script) => script.jump("cloud", 86_400_000), () => undefined],
] as const)
  test(`S7, S8. a cloud node that was ${name} gives nobody up for it: what its vehicles have said meanwhile is heard first`, async (t) => {
    let struckAt: number | undefined;
    let isMended = false;
    const ledger = await run(t, {
      count: 6,
      plan: { concurrency: 6, dark_after: "3m", target_timeout: "10m", ...oneGroup },
      each: ({ vehicles, updates, script }) => {
        if (struckAt === undefined && vehicles.filter((vehicle) => updates(vehicle)?.campaign?.updates[0]?.state === state).length >= 3) {
          struckAt = script.nowMs;
          strike(script);
        } else if (struckAt !== undefined && !isMended && script.nowMs - struckAt > 1_200_000) {
          isMended = true;
          mend(script);
        }
        return false;
      },
      forMs: 60_000,
    });
    t.match(ledger, { value: '"completed"', counts: { committed: 6 }, bad: [] });
  });

for (const phase of ["offered", "postponed", "awaiting module", "uploading", "rebooting", "trial", "committed"])
  test(`an abort while a module is ${phase}: dropped before anything is installed, decided by its end after that`, async (t) => {
    let struck: number | undefined;
    const ledger = await run(t, {
      count: 2,
      plan: { concurrency: 1, ...oneGroup },
      each: ({ vehicles, updates, say }) => {
        if (struck !== undefined) return undefined;
        const [first] = vehicles;
        if (first !== undefined && phase === "offered") first.rig.keepFails = 100;
        // Which of them has the slot is a matter of the seed; offered are both at the beginning.
        const found = vehicles.findIndex((vehicle) => updates(vehicle)?.campaign?.updates[0]?.state === phase && (phase !== "offered" || vehicle === first));
        if (found === -1) return undefined;
        struck = found;
        say("abort");
        return undefined;
      },
      forMs: 300_000,
    });
    const isInstalled = ["uploading", "rebooting", "trial", "committed"].includes(phase);
    t.match(ledger, { value: '{"aborted":"settled"}', counts: isInstalled ? { committed: 1, excused: 1 } : { committed: 0, excused: 2 } });
    t.match(ledger.ends[struck ?? -1], isInstalled ? { campaign: "committed", firmware: NEW } : { campaign: "cancelled", firmware: OLD });
    t.same(ledger.vehicles[struck === 0 ? 1 : 0]?.rig.triggers, [], "the other one begins nothing any more");
  });

test("C2. a word that was on its way for too long begins nothing: the vehicle asks again, and is told again", async (t) => {
  let cutAt: number | undefined;
  let isHealed = false;
  const asks: number[] = [];
  const ledger = await run(t, {
    count: 1,
    plan: { concurrency: 1, ...oneGroup },
    each: ({ vehicles, updates, script }) => {
      const [vehicle] = vehicles;
      if (vehicle === undefined) return undefined;
      const { rig, node } = vehicle;
      const campaign = updates(vehicle)?.campaign;
      // Nothing of it gets through from here on: its ask is old when it arrives, and so is the word for it.
      if (cutAt === undefined) {
        rig.isSafe = false;
        if (campaign?.why !== "not parked") return undefined;
        script.cut(node);
        cutAt = script.nowMs;
        rig.isSafe = true;
      }
      if (!isHealed && script.nowMs - cutAt > GO_WITHIN_MS + 60_000) {
        isHealed = true;
        t.match(campaign, { state: "ready" });
        asks.push(campaign?.ask ?? 0);
        script.heal(node);
      }
      if (campaign?.state === "activating" && asks.length === 1) asks.push(campaign.ask);
      return undefined;
    },
  });
  t.match(ledger, { value: '"completed"', counts: { committed: 1 } });
  t.ok(asks.length === 2 && (asks[1] ?? 0) > (asks[0] ?? 0), `asked ${String(asks[0])}, begun on ${String(asks[1])}`);
  t.equal(ledger.vehicles[0]?.rig.triggers.length, 1);
});

/** Its node dies when the frame has left and before its result is committed. */
function killedAtTrigger(types?: (rig: Rig) => readonly Registered[]): FleetOptions {
  const killed = new Set<string>();
  return {
    count: 3,
    plan: { concurrency: 3, ...oneGroup },
    ...(types === undefined ? {} : { types }),
    each: ({ vehicles, script }) => {
      for (const { node, rig } of vehicles) {
        rig.triggerAnswers = (count) => (count === 1 ? new Promise(() => undefined) : Promise.resolve({ kind: "sent" }));
        if (rig.triggers.length === 0 || killed.has(node)) continue;
        killed.add(node);
        script.kill(node);
        script.start(node);
      }
      return undefined;
    },
  };
}

test("F1. killed between the trigger and its result: one trigger for each attempt, and all commit", async (t) => {
  const ledger = await run(t, killedAtTrigger());
  t.match(ledger, { value: '"completed"', counts: { committed: 3 } });
  t.same(repeated(ledger), []);
});

test("F1. a build whose trigger is not once is caught", async (t) => {
  const ledger: Partial<Ledger> = {};
  await simulate(
    fleetSimulation(
      killedAtTrigger((rig) => {
        const update = updateMachine.provide({ actors: { "module.trigger": task<ModuleTrigger, ModuleTriggered>({ class: "idempotent" }) } });
        const root = actorType({
          name: "vehicle",
          version: 2,
          messages: vehicleRoot.messages,
          behaviour: vehicleMachine.provide({ actors: { campaign: campaignMachine.provide({ actors: { update } }) } }),
        });
        return [vehicleEntity.using(root), root.with({ inner: { tasks: { ...rig.tasks } } })];
      }),
      ledger,
    ),
  );
  t.equal(repeated(ledger as Ledger).length, 3, "each of the three vehicles repeats its frame");
});

const MANNERS: readonly Manner[] = ["good", "good", "good", "lies", "dies", "loses its answer", "never answers", "never opens", "cuts the upload", "browns out", "falls back"];

test("S3, S7, S8, F1, M1. whatever strikes nodes and links: one trigger for an attempt, the cloud's counts are what vehicles ended as, and who commits runs the new firmware", async (t) => {
  for (let seed = 1; seed <= form(4, 40); seed++) {
    const random = new SeededRandom(seed);
    const count = 2 + Math.floor(random.next() * 4);
    const manners = Array.from({ length: count }, () => [MANNERS[Math.floor(random.next() * MANNERS.length)] ?? "good", "good"] as const);
    let resumed = 0;
    const ledger = await run(t, {
      seed,
      count,
      plan: { concurrency: 2, dark_after: "5m", pause: { percent: 100 }, abort: { percent: 100, count: 100 }, success_percent: 1, ...oneGroup },
      manner: (place) => manners[place] ?? ["good"],
      // Where all that is known is bad its rule pauses it, and a person lets it go on.
      each: ({ rollout, say }) => {
        const { value, context } = rollout();
        if (!value.includes('"paused":"settled"') || context === undefined || context.round === resumed) return undefined;
        resumed = context.round;
        say("resume");
        return undefined;
      },
      // One process sends for a vehicle (rules F3), so none is taken over; rigs have the wall clock of their nodes.
      faults: { kinds: ["kill", "power-cut", "restart", "cut", "part", "store-outage", "slow-store"], everyMs: 15_000 },
      forMs: 900_000,
    });
    const { counts, ends, value } = ledger;
    t.same(repeated(ledger), [], `seed ${String(seed)}`);
    const committed = ends.filter(({ campaign }) => campaign === "committed");
    t.same(
      committed.filter(({ firmware }) => firmware !== NEW),
      [],
      `seed ${String(seed)}: who commits runs it`,
    );
    t.equal(counts["committed"], committed.length, `seed ${String(seed)}: ${value} ${JSON.stringify(counts)} ${JSON.stringify(ends)}`);
    const sum = ["committed", "failed", "rolledBack", "timedOut", "dark", "excused"].reduce((all, name) => all + (counts[name] ?? 0), 0);
    t.equal(sum, count, `seed ${String(seed)}: each has ended`);
  }
});
