// One seed runs a user's actors through faults, the same way each time, and says what did not hold.

import { test } from "tap";
import { form } from "../../forms.ts";
import { actorType, entityType, messages, reducer } from "../../../runtime/index.ts";
import { explain, FAULT_KINDS, simulate, simulateSeeds, type Simulation, traceOf } from "../../../runtime/simulation/index.ts";
import { beacons, POLICIES } from "./beacons.ts";
import { couriers, forgetfulCouriers } from "./courier.ts";

/** Of the couriers, in each run of the tests. CI runs 2,000 seeds of the whole fleet. */
const SEEDS = form(15, 200);

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
    count: form(11, 30),
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
      count: form(5, 30),
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

/** Its steps count in a variable of the process, or not. */
function counting(name: string, isPure: boolean, script?: Simulation["script"]): Simulation {
  let steps = 0;
  const root = actorType({
    name,
    version: 1,
    messages: messages({ "count.on": { body: {} } }),
    behaviour: reducer<{ readonly n: number }, { readonly type: string }>({ initial: () => ({ n: 0 }), step: ({ n }) => ({ n: isPure ? n + 1 : ++steps }) }),
  });
  return {
    seed: 1,
    faults: "none",
    forMs: 1_000,
    settleMs: 2_000,
    nodes: { one: { types: [entityType({ root, durability: "events", placement: "cloud" })], entities: { [`t/${name}/a`]: undefined } } },
    script:
      script ??
      (async ({ insist }) => {
        await insist(`t/${name}/a`, { type: "count.on" });
      }),
  };
}

test("S1. runs in one process take turns: what is found in one is in no other's verdict, whoever waits for whom", async (t) => {
  const order: string[] = [];
  const rejecting = (name: string): Simulation =>
    counting(name, true, async ({ sleep }) => {
      order.push(`${name} begins`);
      await sleep(500);
      if (name === "loud") void Promise.reject(new Error("nobody hears me"));
      order.push(`${name} ends`);
    });
  const neverAwaited = simulate(rejecting("unwatched"));
  const refused = simulate({ ...counting("refused", true), seed: -1 });
  const runs = [simulate(counting("pure", true)), simulate(counting("impure", false)), simulate(rejecting("loud")), simulate(rejecting("quiet"))];
  await t.rejects(refused, { code: "DROVER_SIMULATION_INVALID" });
  const [pure, impure, loud, quiet] = await Promise.all(runs);
  t.same(pure?.violations, []);
  t.match(impure?.violations[0], { checker: "every step is pure", what: /t\/impure\/a/ });
  t.match(loud?.violations, [{ checker: "every failure is heard", what: /nobody hears me/ }]);
  t.same(quiet?.violations, []);
  t.same(order, ["unwatched begins", "unwatched ends", "loud begins", "loud ends", "quiet begins", "quiet ends"]);
  t.same((await neverAwaited).violations, []);
});

test("a simulation within a simulation is refused at once; what a run has left behind may begin one", async (t) => {
  const inner: unknown[] = [];
  let after: Promise<unknown> | undefined;
  let goOn: (() => void) | undefined;
  const over = new Promise<void>((resolve) => (goOn = resolve));
  const outer = await simulate(
    counting("outer", true, async () => {
      after = over.then(() => simulate(counting("after", true)));
      inner.push(await simulate(counting("inner", true)).catch((cause: unknown) => cause));
    }),
  );
  t.match(inner, [{ code: "DROVER_SIMULATION_INVALID", message: /within another/ }]);
  t.same(outer.violations, []);
  goOn?.();
  t.match(await after, { violations: [] });
});

test("what is rejected in the last moment of a run, as by a checker, is a finding of that run", async (t) => {
  const late = (): readonly never[] => {
    void Promise.reject(new Error("too late to be heard"));
    return [];
  };
  const [first, second] = await Promise.all([simulate({ ...counting("first", true), checkers: [{ name: "late", promise: "", check: late }] }), simulate(counting("second", true))]);
  t.match(first.violations, [{ checker: "every failure is heard", what: /too late to be heard/ }]);
  t.same(second.violations, []);
});

test("S9. seeds are refused where the scenario runs another one than it is given, since nothing would say how many ran", async (t) => {
  const told: number[] = [];
  const seeds = simulateSeeds((seed) => ({ ...counting("lost", true), seed: Math.min(seed, 3) }), { from: 2, count: 20, each: ({ seed }) => told.push(seed) });
  await t.rejects(seeds, { code: "DROVER_SIMULATION_INVALID", message: "the scenario that was made for seed 4 has seed 3: let it pass the seed that it is given on" });
  t.same(told, [2, 3]);
});

test("A4. what is no address is told as `invalid` to a script too, with the words of a system, and is no finding", async (t) => {
  const given: unknown[] = [];
  const run = await simulate(
    counting("nowhere", true, async ({ tell, ask, insist, system }) => {
      const event = { type: "count.on" };
      given.push(await system("one")?.tell("nonsense", event), await tell("nonsense", event), await ask("nonsense", event), await insist("nonsense", event));
      // Of a script that no compiler has read.
      given.push(await system("one")?.tell(7 as never, event), await tell(7 as never, event));
    }),
  );
  t.same(run.violations, []);
  t.match(given[0], { kind: "invalid", problems: [{ path: "/to" }] });
  t.same(given.slice(1, 4), [given[0], given[0], given[0]]);
  t.match(given[4], { kind: "invalid" });
  t.same(given[5], given[4]);
});
