// One seed runs a user's actors through faults, the same way each time, and says what did not hold.

import { test } from "tap";
import { form } from "../../forms.ts";
import { explain, FAULT_KINDS, simulate, simulateSeeds, traceOf } from "../../../runtime/simulation/index.ts";
import { beacons, POLICIES } from "./beacons.ts";
import { couriers, forgetfulCouriers } from "./courier.ts";

/** Of the couriers, in each run of the tests. CI runs 2,000 seeds of the whole fleet. */
const SEEDS = form(25, 400);

test("S1 to S9. a user's actors keep every promise through kills, pauses, takeovers, cuts and failing stores", async (t) => {
  const kinds = new Set<string>();
  let attempts = 0;
  let timers = 0;
  let withoutRoom = 0;
  const { runs, failed } = await simulateSeeds(couriers, {
    count: SEEDS,
    each: ({ faults, history }) => {
      for (const { what } of faults) kinds.add(what);
      for (const fact of history) {
        if (fact.kind === "effect" && fact.what === "attempt") attempts++;
        if (fact.kind === "answered" && fact.outcome.kind === "refused" && fact.outcome.passing === true) withoutRoom++;
        if (fact.kind === "asked") timers += fact.record?.inputs.filter(({ kind }) => kind === "timer").length ?? 0;
      }
    },
  });
  t.equal(runs, SEEDS);
  t.same(failed.map(explain), []);
  t.same([...kinds].sort(), [...FAULT_KINDS].sort(), "every kind of fault was there");
  t.ok(withoutRoom > SEEDS, `commits were refused for want of room: ${String(withoutRoom)}`);
  t.ok(attempts > SEEDS * 20 && timers > SEEDS * 10, `effects and timers were at work: ${String(attempts)}, ${String(timers)}`);
});

test("S3. a type that keeps its state and no history is judged by what was committed, not by what is retained", async (t) => {
  let acknowledged = 0;
  let restarts = 0;
  const { failed } = await simulateSeeds(forgetfulCouriers, {
    count: form(15, 60),
    each: ({ history }) => {
      for (const fact of history) {
        if (fact.kind === "told" && fact.outcome.kind === "accepted") acknowledged++;
        if (fact.kind === "loaded" && fact.head !== undefined) restarts++;
      }
    },
  });
  t.same(failed.map(explain), []);
  t.ok(acknowledged > 150 && restarts > 20, `${String(acknowledged)} acknowledged, ${String(restarts)} recoveries`);
});

for (const policy of POLICIES)
  test(`S7, K1. timers of policy ${JSON.stringify(policy)} fire in time, and what passed unwatched goes by the policy`, async (t) => {
    let fired = 0;
    let missed = 0;
    const { failed } = await simulateSeeds((seed) => beacons(seed, policy), {
      count: form(8, 60),
      each: ({ history }) => {
        for (const fact of history)
          if (fact.kind === "asked")
            for (const input of fact.record?.inputs ?? []) {
              if (input.kind === "timer") fired++;
              if (input.kind === "timer" && input.missed === true) missed++;
            }
      },
    });
    t.same(failed.map(explain), []);
    t.ok(fired > 100 && missed > 0 === (typeof policy === "object" || policy === "skip"), `${String(fired)} fired, ${String(missed)} had been missed`);
  });

test("S9. one seed gives one run, byte for byte, whatever ran before it", async (t) => {
  for (const seed of [3, 200, 4_294_967_295]) {
    const first = traceOf(await simulate(couriers(seed)));
    await simulate(couriers(seed + (seed === 3 ? 1 : -1)));
    t.equal(traceOf(await simulate(couriers(seed))), first);
    t.ok(first.split("\n").length > 200, "and something happened in it");
  }
  t.not(traceOf(await simulate(couriers(5))), traceOf(await simulate(couriers(6))));
});

test("without faults nothing fails and nobody waits", async (t) => {
  const run = await simulate(couriers(9, { faults: "none" }));
  t.same(run.violations, []);
  t.same(run.faults, []);
  t.ok(run.history.every((fact) => fact.kind !== "answered" || fact.outcome.kind === "committed"));
  t.ok(run.history.every((fact) => fact.kind !== "told" || fact.outcome.kind === "accepted"));
});

test("a node that is wanted again while it stops is started again", async (t) => {
  const told: string[] = [];
  const run = await simulate(
    couriers(3, {
      faults: "none",
      forMs: 0,
      script: async ({ stop, start, insist }) => {
        const stopped = stop("depot");
        start("depot");
        await stopped;
        told.push((await insist("t/depot/main", { type: "parcel.send", n: 1, by: "t/courier/ann" }, { forMs: 5_000 })).kind);
      },
    }),
  );
  t.same(told, ["accepted"]);
  t.same(run.violations, []);
});

test("a script that throws or never ends is a finding, told with its seed and the faults before it", async (t) => {
  const thrown = await simulate(
    couriers(3, {
      script: async ({ sleep }) => {
        await sleep(18_000);
        throw new Error("the parcel is late");
      },
    }),
  );
  t.match(thrown.violations, [{ promise: "script", what: "the parcel is late" }]);
  t.ok((thrown.violations[0]?.atMs ?? 0) > 18_000);
  t.match(explain(thrown), /seed 3 does not hold:\n.*the parcel is late[\s\S]*faults until then: [\s\S]*what happened right before:[\s\S]*simulate\(\{ seed: 3/);
  const stuck = await simulate(couriers(3, { faults: "none", script: () => new Promise(() => undefined) }));
  t.match(stuck.violations, [{ promise: "script", what: /never happens/ }]);
});

test("what cannot be simulated is refused", async (t) => {
  for (const wrong of [{ seed: -1 }, { seed: 1.5 }, { seed: Number.NaN }, { forMs: Number.POSITIVE_INFINITY }, { settleMs: -1 }, { nodes: {} }, { faults: { nodes: ["nowhere"] } }])
    await t.rejects(simulate(couriers(1, wrong)), { code: "DROVER_SIMULATION_INVALID" }, JSON.stringify(wrong));
});
