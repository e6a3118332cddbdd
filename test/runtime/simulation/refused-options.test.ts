// What a simulation cannot do, or would pass over in silence, is refused with its key, what stands there and what was expected: a fault that is never injected would be told as a promise that held.

import { test } from "tap";
import { actorType, entityType, messages, reducer } from "../../../runtime/index.ts";
import {
  ManualClock,
  memoryLog,
  memoryStore,
  type NodeProgram,
  type Script,
  SeededRandom,
  simulate,
  simulateSeeds,
  type Simulation,
  stepPurely,
} from "../../../runtime/simulation/index.ts";

const CODE = "DROVER_SIMULATION_INVALID";

const bell = actorType({
  name: "bell",
  version: 1,
  messages: messages({ "bell.ring": { body: {} } }),
  behaviour: reducer<{ readonly rung: number }, { readonly type: string }>({ initial: () => ({ rung: 0 }), step: ({ rung }) => ({ rung: rung + 1 }) }),
});
const bells = entityType({ root: bell, durability: "events", placement: "cloud" });
const tower = { types: [bells], entities: { "t/bell/one": undefined } };

function belfry(more: object): Simulation {
  return { seed: 1, nodes: { tower }, forMs: 500, settleMs: 1_000, faults: "none", ...more };
}

const faults = (given: unknown): object => ({ faults: given });
const node = (given: object): object => ({ nodes: { tower: { ...tower, ...given } } });
const LATENCIES = "[least, most] in ms: two numbers of at least 0, the least first";

/** A simulation, and the one line that refuses it. */
const DESCRIBED: readonly (readonly [object, string])[] = [
  [node({ entitiesBegin: "later" }), 'nodes.tower.entitiesBegin: the text "later" stands here (expected one of at-start, when-told)'],
  [{ seed: -1 }, "seed: -1 is out of range (expected a whole number from 0 to 4294967295)"],
  [{ seed: 1.5 }, "seed: 1.5 stands here (expected a whole number from 0 to 4294967295)"],
  [{ forMs: Number.NaN }, "forMs: the number NaN stands here (expected a number of at least 0)"],
  [{ settleMs: -1 }, "settleMs: -1 is out of range (expected a number of at least 0)"],
  [{ nodes: {} }, "nodes: there is none (expected at least one node)"],
  [{ nodes: { "my tower": tower } }, 'nodes.my tower: "my tower" is not a name that can stand here (expected a node\'s name of 1 to 64 letters, digits and _.~-)'],
  [{ checkers: [{ name: "mine", check: () => [] }] }, "checkers.0: a map stands here (expected a checker: { name, promise, check }, two texts and a function)"],
  [{ looksTwice: "no" }, 'looksTwice: the text "no" stands here (expected true or false)'],
  [{ checkers: [() => []] }, "checkers.0: a function stands here (expected a checker: { name, promise, check }, two texts and a function)"],

  [faults({ everyMs: 0 }), "faults.everyMs: 0 is out of range (expected a number of at least 1)"],
  [faults({ everyMs: -1 }), "faults.everyMs: -1 is out of range (expected a number of at least 1)"],
  [faults({ everyMs: Number.NaN }), "faults.everyMs: the number NaN stands here (expected a number of at least 1)"],
  [faults({ everyMs: Number.POSITIVE_INFINITY }), "faults.everyMs: the number Infinity stands here (expected a number of at least 1)"],
  [faults({ everyMS: 5 }), 'faults.everyMS: the key "everyMS" is not known here (expected one of kinds, nodes, everyMs, network, store; did you mean "everyMs"?)'],
  [faults({ nodes: [] }), "faults.nodes: the list is empty (expected at least 1 entries)"],
  [faults({ nodes: ["towre"] }), 'faults.nodes.0: the text "towre" stands here (expected "tower"; did you mean "tower"?)'],
  [faults({ kinds: "kill" }), 'faults.kinds: the text "kill" stands here (expected a list)'],
  [faults({ network: { dropp: 0.1 } }), 'faults.network.dropp: the key "dropp" is not known here (expected one of latencyMs, drop, duplicate, reorder; did you mean "drop"?)'],
  [faults({ network: { drop: "x" } }), 'faults.network.drop: the text "x" stands here (expected a number from 0 to 1)'],
  [faults({ network: { duplicate: 1.01 } }), "faults.network.duplicate: 1.01 is out of range (expected a number from 0 to 1)"],
  [faults({ network: { reorder: Number.NaN } }), "faults.network.reorder: the number NaN stands here (expected a number from 0 to 1)"],
  [faults({ network: { latencyMs: [0, Number.POSITIVE_INFINITY] } }), `faults.network.latencyMs: a list stands here (expected ${LATENCIES})`],
  [faults({ store: { latencyMs: 5 } }), `faults.store.latencyMs: the number 5 stands here (expected ${LATENCIES})`],
  [faults({ store: { latencyMs: [3, -8] } }), `faults.store.latencyMs: a list stands here (expected ${LATENCIES})`],
  [faults({ store: { latencyMs: [-1, 3] } }), `faults.store.latencyMs: a list stands here (expected ${LATENCIES})`],
  [faults({ store: { latencyMs: [Number.NaN, 3] } }), `faults.store.latencyMs: a list stands here (expected ${LATENCIES})`],
  [faults({ store: { latencyMs: [1, 2, 3] } }), `faults.store.latencyMs: a list stands here (expected ${LATENCIES})`],
  [faults({ store: { unknown: 7 } }), "faults.store.unknown: 7 is out of range (expected a number from 0 to 1)"],
  [faults({ store: { refused: -0.1 } }), "faults.store.refused: -0.1 is out of range (expected a number from 0 to 1)"],
  [faults({ store: { failedRead: true } }), "faults.store.failedRead: the value true stands here (expected a number from 0 to 1)"],
  [faults({ store: { failedWrite: 0.1 } }), 'faults.store.failedWrite: the key "failedWrite" is not known here (expected one of latencyMs, unknown, refused, failedRead)'],

  [node({ types: [{}] }), "nodes.tower.types.0: a map stands here (expected an entity type or an actor type)"],
  [node({ residentEntites: 4 }), 'did you mean "residentEntities"?)'],
  [node({ residentEntities: 0 }), "nodes.tower.residentEntities: 0 is out of range (expected a whole number of at least 1)"],
  [node({ activation: { perSecond: 0 } }), "nodes.tower.activation.perSecond: 0 is out of range (expected a number of at least 0.001)"],
  [node({ versions: "by-hand" }), 'nodes.tower.versions: the text "by-hand" stands here (expected one of raised-by-hand, raised-at-start'],
  [node({ lyingDisk: "yes" }), 'nodes.tower.lyingDisk: the text "yes" stands here (expected true or false)'],
  [node({ ports: {} }), "nodes.tower.ports: a map stands here (expected a function)"],
  [node({ door: 1 }), "nodes.tower.door: the number 1 stands here (expected a function)"],
  [node({ foreignTypes: [5] }), "nodes.tower.foreignTypes.0: the number 5 stands here (expected an entity type or an actor type)"],
  [node({ entities: { "t/bell/one": { imput: 1 } } }), 'nodes.tower.entities.t/bell/one.imput: the key "imput" is not known here'],
  [node({ entities: { "t/bell/one": { labels: { at: 5 } } } }), "nodes.tower.entities.t/bell/one.labels.at: the number 5 stands here (expected a text)"],
  [{ nodes: { tower: {} } }, "nodes.tower: "],
  [{ nodes: { tower: { program: () => undefined } } }, "nodes.tower.program: a function stands here (expected a program, with start)"],

  [
    node({ entities: { "t/bel/one": undefined } }),
    'nodes.tower.entities.t/bel/one: no entity type "bel" is among the types of its node (expected one of bell; did you mean "bell"?)',
  ],
  [node({ types: [], entities: { "t/bell/one": undefined } }), 'nodes.tower.entities.t/bell/one: no entity type "bell" is among the types of its node (expected an entity type)'],
  [node({ entities: { "t/bell/one/clapper/a": undefined } }), "nodes.tower.entities.t/bell/one/clapper/a: a child of an entity stands here (expected its entity, t/bell/one)"],
];

for (const [given, line] of DESCRIBED)
  test(`a simulation is refused: ${line}`, async (t) => {
    const refused = (await simulate(belfry(given)).catch((cause: unknown) => cause)) as { readonly code?: string; readonly message?: string };
    t.equal(refused.code, CODE);
    t.ok(refused.message?.startsWith("simulate: ") === true && refused.message.includes(line), String(refused.message));
    t.equal(refused.message?.includes("\n"), false, "and nothing else is told");
  });

test("types and addresses that are none are refused before anything runs, with their own codes", async (t) => {
  await t.rejects(simulate(belfry(node({ types: [bell], entities: {} }))), { code: "DROVER_TYPE_INVALID", message: /"bell" of version 1 belongs to no registered entity type/ });
  await t.rejects(simulate(belfry(node({ types: [bells, bells] }))), { code: "DROVER_TYPE_INVALID", message: /registered twice/ });
  await t.rejects(simulate(belfry(node({ entities: { nonsense: undefined } }))), { code: "DROVER_ADDRESS_INVALID", message: /"nonsense"/ });
});

test("the ends of each range are taken, and such a run ends", async (t) => {
  const ring: Simulation["script"] = async ({ insist }) => {
    await insist("t/bell/one", { type: "bell.ring" }, { forMs: 2_000 });
  };
  const sure = { network: { latencyMs: [0, 0], drop: 1, duplicate: 1, reorder: 1 }, store: { latencyMs: [0, 0], unknown: 1, refused: 1, failedRead: 1 } };
  const never = { network: { drop: 0, duplicate: 0, reorder: 0 }, store: { unknown: 0, refused: 0, failedRead: 0 } };
  for (const [given, least] of [
    [sure, 0],
    [never, 0],
    [{ kinds: [] }, 0],
    [{ everyMs: 1, kinds: ["cut"] }, 100],
  ] as const) {
    const run = await simulate(belfry({ faults: given, script: ring, settleMs: 20_000 }));
    t.same(run.violations, [], JSON.stringify(given));
    t.ok(run.faults.length >= least, `${String(run.faults.length)} faults`);
  }
});

/** What a hand of a script refuses. */
const HANDS: readonly (readonly [string, (script: Script) => unknown, string])[] = [
  ["sleep", ({ sleep }) => sleep(Number.NaN), "sleep: ms: the number NaN stands here (expected a number)"],
  ["sleep", ({ sleep }) => sleep("5" as never), 'sleep: ms: the text "5" stands here (expected a number)'],
  ["jump", ({ jump }) => jump("tower", Number.NaN), "jump: ms: the number NaN stands here (expected a number)"],
  ["jump", ({ jump }) => jump("tower", Number.POSITIVE_INFINITY), "jump: ms: the number Infinity stands here (expected a number)"],
  ["jump", ({ jump }) => jump("towr", 5), 'there is no node "towr"; the nodes are tower'],
  ["cut", ({ cut }) => cut("tower", "towr"), 'there is no node "towr"; the nodes are tower'],
  ["heal", ({ heal }) => heal("tower", "towr"), 'there is no node "towr"; the nodes are tower'],
  ["kill", ({ kill }) => kill("towr"), 'there is no node "towr"; the nodes are tower'],
  ["note", ({ note }) => note(5 as never), "note: text: the number 5 stands here (expected a text)"],
  ["tell", ({ tell }) => tell("t/bell/one", { type: "bell.ring" }, { through: "towr" }), 'through: there is no node "towr"; the nodes are tower'],
  ["insist", ({ insist }) => insist("t/bell/one", { type: "bell.ring" }, { forMs: Number.NaN }), "insist: forMs: the number NaN stands here (expected a number of at least 0)"],
  ["upgrade", ({ upgrade }) => upgrade("tower", []), 'upgrade of "tower": entities.t/bell/one: no entity type "bell" is among the types of its node (expected an entity type)'],
];

for (const [name, hand, line] of HANDS)
  test(`\`${name}\` of a script is refused: ${line}`, async (t) => {
    const refused: unknown[] = [];
    const run = await simulate(
      belfry({
        script: async (script: Script) => {
          try {
            await hand(script);
          } catch (cause) {
            refused.push(cause);
            throw cause;
          }
        },
      }),
    );
    t.match(refused, [{ code: CODE, message: line }]);
    t.match(run.violations, [{ promise: "script", what: `it threw DroverError: ${line}` }], "and a finding of its seed");
  });

test("a negative sleep counts as none, and an endless one is told as what never happens", async (t) => {
  t.same((await simulate(belfry({ script: ({ sleep }: Script) => sleep(-1) }))).violations, []);
  t.match((await simulate(belfry({ script: ({ sleep }: Script) => sleep(Number.POSITIVE_INFINITY) }))).violations, [
    { promise: "script", what: "it waits for something that never happens" },
  ]);
});

test("a script that throws at once, or gives no promise, is a script as any", async (t) => {
  t.match((await simulate(belfry({ script: () => assertedNot("at once") }))).violations, [{ promise: "script", what: /^it threw Error: at once/ }]);
  t.same((await simulate(belfry({ script: () => undefined }))).violations, []);
});

function assertedNot(why: string): never {
  throw new Error(why);
}

test("what keeps a node away is told with the script that waits for it", async (t) => {
  const wait: Simulation["script"] = async ({ insist }) => {
    await insist("t/bell/one", { type: "bell.ring" });
  };
  const broken: NodeProgram = { hosts: ["t/bell/one"], types: [bells], start: () => Promise.reject(new Error("the key is lost")) };
  const failing = await simulate(belfry({ nodes: { tower: { program: broken } }, script: wait }));
  t.match(failing.violations, [{ promise: "script", what: 'it waits for something that never happens; the node "tower" has not started: the key is lost' }]);
  const unkept = await simulate(belfry({ ...node({ entities: { "t/bell/one": { input: new Map() } } }), script: wait }));
  t.match(unkept.violations[0], {
    promise: "script",
    what: /^it waits for something that never happens; the node "tower" has not started: t\/bell\/one could not begin: .*Map/,
  });
  t.equal(unkept.history.filter((fact) => fact.kind === "log" && fact.message.includes("could not begin")).length, 1, "and once alone");
});

test("options of seeds are refused: of no seed at all everything would hold", async (t) => {
  const scenario = (seed: number): Simulation => belfry({ seed });
  for (const [given, options, line] of [
    [scenario, { count: 0 }, "count: 0 is out of range (expected a whole number of at least 1)"],
    [scenario, { count: Number.NaN }, "count: the number NaN stands here (expected a whole number of at least 1)"],
    [scenario, {}, 'the key "count" is missing (expected a whole number of at least 1)'],
    [scenario, { count: 1, from: -1 }, "from: -1 is out of range (expected a whole number from 0 to 4294967295)"],
    [scenario, { count: 1, al: true }, 'al: the key "al" is not known here (expected one of scenario, from, count, each, all; did you mean "all"?)'],
    [scenario, { count: 1, each: 5 }, "each: the number 5 stands here (expected a function)"],
    [belfry({}), { count: 1 }, "scenario: a map stands here (expected a function)"],
  ] as const)
    await t.rejects(simulateSeeds(given as never, options as never), { code: CODE, message: `simulateSeeds: ${line}` }, line);
});

test("so are those of what serves tests without a world", async (t) => {
  const clock = new ManualClock();
  await t.rejects(clock.advance(Number.NaN), { code: CODE, message: "advance: ms: the number NaN stands here (expected a number of at least 0)" });
  await t.rejects(clock.advance(-1), { code: CODE, message: "advance: ms: -1 is out of range (expected a number of at least 0)" });
  for (const [call, line] of [
    [() => clock.jump(Number.NaN), "jump: ms: the number NaN stands here (expected a number)"],
    [() => new ManualClock(Number.NaN), "new ManualClock: start: the number NaN stands here (expected a number)"],
    [() => new SeededRandom(Number.NaN), "new SeededRandom: seed: the number NaN stands here (expected a whole number)"],
    [() => memoryStore({ disc: 1 } as never), 'memoryStore: disc: the key "disc" is not known here (expected one of disk, lies, delay; did you mean "disk"?)'],
    [() => memoryStore({ disk: {} as never }), "memoryStore: disk: a map stands here (expected a MemoryDisk)"],
    [() => memoryLog({} as never), 'memoryLog: the key "maxBytes" is missing (expected a whole number of at least 0)'],
    [() => memoryLog({ maxBytes: Number.NaN }), "memoryLog: maxBytes: the number NaN stands here (expected a whole number of at least 0)"],
    [() => stepPurely(bells as never, []), "stepPurely: type: a map stands here (expected an actor type: what actorType() gave)"],
    [() => stepPurely(bell, [{ typ: "bell.ring" }] as never), "stepPurely: events.0: a map stands here (expected an event, with a type)"],
    [() => stepPurely(bell, { type: "bell.ring" } as never), "stepPurely: events: a map stands here (expected a list)"],
  ] as const)
    t.throws(call, { code: CODE, message: line }, line);
  t.equal(clock.monotonic(), 0);
});
