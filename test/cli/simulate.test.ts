// `drover simulate`: our own nodes, unchanged, through the faults of many seeds; one seed again with all that happens in it; a scenario of one's own.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "tap";
import { form } from "../forms.ts";
import { fleet } from "../../cli/simulate/index.ts";
import { explain, simulateSeeds, traceOf, simulate } from "../../runtime/simulation/index.ts";
import { built } from "../project/checkout.ts";
import { drover, scratch } from "./captured.ts";

/** In each run of the tests. CI runs 2,000 by `drover simulate`. */
const SEEDS = form(4, 8);

test("S1 to S9. one cloud node and four edge nodes keep every promise through kills, pauses, cuts and failing stores", async (t) => {
  const seen = { accepted: 0, replied: 0, waiting: 0, alarms: 0, replicas: 0, kills: 0 };
  const { runs, failed } = await simulateSeeds(fleet, {
    count: SEEDS,
    each: ({ history }) => {
      for (const fact of history) {
        if (fact.kind === "told" && fact.outcome.kind === "replied") seen.replied++;
        if (fact.kind === "told" && fact.outcome.kind === "accepted") seen["waiting" in fact.outcome ? "waiting" : "accepted"]++;
        if (fact.kind === "sent" && fact.type === "alarm.acknowledge") seen.alarms++;
        if (fact.kind === "view" && fact.isReplica) seen.replicas++;
        if (fact.kind === "node" && fact.what === "killed") seen.kills++;
      }
    },
  });
  t.equal(runs, SEEDS);
  t.same(failed.map(explain), []);
  for (const [what, count] of Object.entries(seen)) t.ok(count >= SEEDS / 5, `${what}: ${String(count)}`);
});

test("S9. a seed of the fleet runs the same way twice, byte for byte", async (t) => {
  const first = traceOf(await simulate(fleet(11)));
  t.equal(traceOf(await simulate(fleet(11))), first);
});

test("seeds that hold are counted, in words and as JSON", async (t) => {
  const { code, out, err } = await drover(["simulate", "--seeds", "4..5"]);
  t.equal(code, 0, err);
  t.match(out, /^fleet: seeds 4 to 5, 2 hold, 0 do not; \d+ faults, \d+ steps, \d+ s simulated\n$/);
  t.match(JSON.parse((await drover(["simulate", "--seed", "4", "--json"])).out), { scenario: "fleet", first: 4, runs: 1, failed: [] });
});

test("a seed is shown with everything that happens in it", async (t) => {
  const { code, out, err } = await drover(["simulate", "--seed", "4", "--trace"]);
  t.equal(code, 0);
  t.equal(out, traceOf(await simulate(fleet(4))));
  t.match(err, /^seed 4: every promise held in \d+ steps\n$/);
  const facts = (await drover(["simulate", "--seed", "4", "--trace", "--json"])).out.trim().split("\n");
  t.match(JSON.parse(facts[0] ?? ""), { kind: "node", what: "starting", atMs: 0, node: "cloud", run: 1 });
});

test("a module that is no scenario is told as such with exit code 3, which is no broken promise", async (t) => {
  const file = join(scratch(t), "scenario.mjs");
  const cases: readonly (readonly [text: string, said: RegExp])[] = [
    ["export const scenario = (", /The module cannot be loaded\.[^]*Unexpected/],
    ["throw new Error('no bus')", /The module cannot be loaded\.[^]*no bus/],
    ["export const other = 1", /The module exports no scenario\./],
    ["export const scenario = (seed) => { throw new Error('no seed ' + seed); }", /The module's scenario cannot be made\.[^]*scenario\(7\) threw: no seed 7/],
    [
      "export const scenario = () => ({ seed: 8, nodes: { a: { types: [], entities: {} } } })",
      /The module's scenario does not run the seed that it is given\.[^]*scenario\(7\) returns has seed 8/,
    ],
  ];
  for (const [at, [text, said]] of cases.entries()) {
    writeFileSync(`${file}.${String(at)}.mjs`, text);
    t.match(await drover(["simulate", `${file}.${String(at)}.mjs`, "--seed", "7"]), { code: 3, err: said }, text);
    t.match(await drover(["simulate", `${file}.${String(at)}.mjs`, "--seed", "7", "--trace"]), { code: 3, out: "", err: said }, `${text}, traced`);
  }
});

test("a scenario of one's own that does not hold ends with exit code 1, its seed and what happened", async (t) => {
  const file = join(scratch(t), "scenario.mjs");
  const runtime = pathToFileURL(join(built, "runtime/index.js")).href;
  writeFileSync(
    file,
    `import { actorType, entityType, messages, reducer } from ${JSON.stringify(runtime)};
     const root = actorType({ name: "lamp", version: 1, messages: messages({ on: { body: {} } }), behaviour: reducer({ initial: () => 0, step: (n) => n + 1 }) });
     const lamp = entityType({ root, durability: "events", placement: "cloud" });
     export const scenario = (seed) => ({
       seed,
       forMs: 500,
       faults: "none",
       nodes: { home: { types: [lamp], entities: { "t/lamp/a": undefined } } },
       script: async ({ tell, system }) => {
         await tell("t/lamp/a", { type: "on" });
         if (seed === 3) throw new Error("too dark with " + system("home").read("t/lamp/a").context);
       },
     });`,
  );
  const { code, out, err } = await drover(["simulate", file, "--count", "5"]);
  t.equal(code, 1);
  t.match(out, /seeds 1 to 3, 2 hold, 1 do not/);
  t.match(err, /seed 3 does not hold:\n {2}script \(the script ends\) at [\d.]+ ms: it threw Error: too dark with 1 \(at [^\n]*scenario\.mjs:11:\d+\)/);
  t.match(JSON.parse((await drover(["simulate", file, "--count", "5", "--all", "--json"])).out), {
    runs: 5,
    failed: [{ seed: 3, violations: [{ promise: "script" }], faults: [] }],
  });
});

test("a checker of one's own that throws is a finding of its seed, with its place, and the other seeds go on", async (t) => {
  const file = join(scratch(t), "scenario.mjs");
  const runtime = pathToFileURL(join(built, "runtime/index.js")).href;
  writeFileSync(
    file,
    `import { actorType, decodeState, entityType, messages, reducer } from ${JSON.stringify(runtime)};
     const root = actorType({ name: "lamp", version: 1, messages: messages({ on: { body: {} } }), behaviour: reducer({ initial: () => 0, step: (n) => n + 1 }) });
     const lamp = entityType({ root, durability: "events", placement: "cloud" });
     const wrong = {
       2: () => { throw new RangeError("no lamp is seen"); },
       3: () => decodeState("no state"),
       4: () => undefined,
       5: async () => { throw new Error("later"); },
       6: () => { throw "nothing"; },
     };
     export const scenario = (seed) => ({
       seed,
       forMs: 200,
       faults: "none",
       nodes: { home: { types: [lamp], entities: { "t/lamp/a": undefined } } },
       checkers: [{ name: "lamps are seen", promise: "mine", check: () => (wrong[seed] ?? (() => []))() }],
     });`,
  );
  const { code, out, err } = await drover(["simulate", file, "--count", "7", "--all"]);
  t.equal(code, 1);
  t.match(out, /seeds 1 to 7, 2 hold, 5 do not/);
  t.match(err, /seed 2 does not hold:\n {2}mine \(lamps are seen\) at [\d.]+ ms: its check threw RangeError: no lamp is seen \(at [^\n]*scenario\.mjs:5:\d+\)/);
  t.match(err, /seed 3 does not hold:\n[^\n]*its check threw [^\n]*\(at [^\n]*scenario\.mjs:6:\d+\)/, "the place is the user's, not ours below it");
  t.match(err, /seed 4 does not hold:\n[^\n]*its check returned undefined, a list of findings is expected at once/);
  t.match(err, /seed 5 does not hold:\n[^\n]*its check returned a promise/);
  t.match(err, /seed 6 does not hold:\n[^\n]*its check threw nothing/);
  t.match(await drover(["simulate", file]), { code: 1, out: /seeds 1 to 2, 1 hold, 1 do not/ });
});

test("wrong usage is refused", async (t) => {
  for (const wrong of [
    ["--seed", "-1"],
    ["--seed", "x"],
    ["--seeds", "5..4"],
    ["--seeds", "5"],
    ["--count", "0"],
    ["--seed", "1", "--seeds", "1..2"],
    ["--seed", "1", "--count", "3"],
    ["--seeds", "1..2", "--count", "3"],
    ["--trace", "--seeds", "1..2"],
    ["--trace", "--count", "3"],
    ["--trace", "--all"],
  ])
    t.equal((await drover(["simulate", ...wrong])).code, 2, wrong.join(" "));
  t.equal((await drover(["simulate", "nowhere.js"])).code, 4);
  const file = join(scratch(t), "empty.mjs");
  writeFileSync(file, "export const other = 1;");
  t.match(await drover(["simulate", file]), { code: 3, err: /exports no scenario/ });
});
