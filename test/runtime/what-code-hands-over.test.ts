// Whoever calls the runtime from plain JavaScript, or with data of a file, is told which key is wrong, what was expected and which was meant; never a bare TypeError, never silence.

import { test } from "tap";
import { setup } from "xstate";
import {
  actorType,
  child,
  createSystem,
  createTree,
  type DroverError,
  entityType,
  hosted,
  messages,
  supervisor,
  systemClock,
  systemRandom,
  T,
  worker,
} from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { memoryStore, simulate } from "../../runtime/simulation/index.ts";

type Anything = (...given: readonly unknown[]) => unknown;
const any = (called: unknown): Anything => called as Anything;

const ports = { clock: systemClock, random: systemRandom, log: silentLog };
const system = { node: "n", types: [], store: memoryStore(), ...ports };
const startable = { start: () => Promise.reject(new Error("not started")) };
const flags = { strategy: "one-for-one" };
const tree = supervisor("root", { strategy: "one-for-one" }, []);
const protocol = messages({ go: { body: {} } });
const machine = setup({ types: { events: {} as { type: "go" } } }).createMachine({ on: { go: {} } });
const delayed = setup({ delays: { D: 1_000 } }).createMachine({ initial: "a", states: { a: { after: { D: "b" } }, b: {} } });
const pump = actorType({ name: "pump", version: 1, messages: protocol, behaviour: machine });
const pumps = entityType({ root: pump, durability: "events", placement: "vehicle" });
const own = worker({ module: import.meta.url, run: () => Promise.resolve() });

const POLICIES = "expected remaining, absolute, skip, or { each: n } with a whole number n from 1";

const CASES: readonly (readonly [called: Anything, given: readonly unknown[], code: string, message: string | RegExp])[] = [
  [any(createSystem), [], "DROVER_CONFIG_INVALID", "createSystem: nothing stands here (expected keys and values, at least node, types, store, clock, random, log)"],
  [any(createSystem), [null], "DROVER_CONFIG_INVALID", /^createSystem: nothing stands here /],
  [any(createSystem), [{}], "DROVER_CONFIG_INVALID", /^createSystem: the key "node" is missing .*\ncreateSystem: the key "types" is missing /],
  [any(createSystem), [{ ...system, residentEntites: 5 }], "DROVER_CONFIG_INVALID", /^createSystem: residentEntites: .*did you mean "residentEntities"\?\)$/],
  [any(createSystem), [{ ...system, activation: { burts: 1 } }], "DROVER_CONFIG_INVALID", /^createSystem: activation\.burts: .*did you mean "burst"\?\)$/],
  [
    any(createSystem),
    [{ ...system, types: [pumps], journalLimits: { pomp: { records: 1, bytes: 1 } } }],
    "DROVER_CONFIG_INVALID",
    /^createSystem: journalLimits\.pomp: no such .*expected one of pump; did you mean "pump"\?\)$/,
  ],
  [
    any(createSystem),
    [{ ...system, journalLimits: { pump: { records: Number.NaN, bytes: 0 } } }],
    "DROVER_CONFIG_INVALID",
    /^createSystem: journalLimits\.pump\.records: .*\ncreateSystem: journalLimits\.pump\.bytes: /,
  ],
  [any(createSystem), [{ ...system, types: {} }], "DROVER_CONFIG_INVALID", "createSystem: types: a map stands here (expected a list)"],
  [
    any(createSystem),
    [{ ...system, clock: Date }],
    "DROVER_CONFIG_INVALID",
    "createSystem: clock: a function stands here (expected a clock, with now, monotonic, setTimeout, clearTimeout)",
  ],
  [any(createSystem), [{ ...system, store: {} }], "DROVER_CONFIG_INVALID", /^createSystem: store: a map stands here \(expected a store, with open, commit, /],
  [
    any(createSystem),
    [{ ...system, node: 5, epoch: "1" }],
    "DROVER_CONFIG_INVALID",
    /^createSystem: node: the number 5 .*\ncreateSystem: epoch: the text "1" stands here \(expected a whole number of at least 0\)$/,
  ],
  ...(["mailBudgetBytes", "residentEntities", "burst", "concurrent", "waiting"] as const).flatMap((limit) =>
    [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300, null].map((value): (typeof CASES)[number] => [
      any(createSystem),
      [{ ...system, ...(limit.includes("B") || limit.includes("E") ? { [limit]: value } : { activation: { [limit]: value } }) }],
      "DROVER_CONFIG_INVALID",
      new RegExp(`^createSystem: (activation\\.)?${limit}: .*${value === null ? "nothing" : String(value).replace("+", "\\+")} .*\\(expected a whole number of at least 1\\)$`),
    ]),
  ),
  ...[0, -3, 0.000_9, Number.NaN, Number.POSITIVE_INFINITY].map((perSecond): (typeof CASES)[number] => [
    any(createSystem),
    [{ ...system, activation: { perSecond } }],
    "DROVER_CONFIG_INVALID",
    /^createSystem: activation\.perSecond: .* \(expected a number of at least 0\.001\)$/,
  ]),
  ...[-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY].map((epoch): (typeof CASES)[number] => [
    any(createSystem),
    [{ ...system, epoch }],
    "DROVER_CONFIG_INVALID",
    /^createSystem: epoch: /,
  ]),
  ...(
    [
      ["skipp", `: the text "skipp" stands here (${POLICIES}; did you mean "skip"?)`],
      ["absolut", `: the text "absolut" stands here (${POLICIES}; did you mean "absolute"?)`],
      ["", `: the text "" stands here (${POLICIES})`],
      [5, `: the number 5 stands here (${POLICIES})`],
      [true, `: the value true stands here (${POLICIES})`],
      [null, `: nothing stands here (${POLICIES})`],
      [[], `: a list stands here (${POLICIES})`],
      [() => "skip", `: a function stands here (${POLICIES})`],
      [{}, ".each: nothing stands here (expected a whole number of at least 1)"],
      [{ each: 0 }, ".each: the number 0 stands here (expected a whole number of at least 1)"],
      [{ each: -1 }, ".each: the number -1 stands here (expected a whole number of at least 1)"],
      [{ each: 1.5 }, ".each: the number 1.5 stands here (expected a whole number of at least 1)"],
      [{ each: 2, skip: true }, '.skip: the key "skip" is not known here (expected "each")'],
      [{ eech: 3 }, '.eech: the key "eech" is not known here (expected "each"; did you mean "each"?)'],
    ] as const
  ).map(([policy, problem]): (typeof CASES)[number] => [
    any(actorType),
    [{ name: "pump", version: 1, messages: protocol, behaviour: delayed, timers: { D: policy } }],
    "DROVER_TYPE_INVALID",
    `actor type "pump": timers.D${problem}`,
  ]),
  [any(createTree), [], "DROVER_TREE_INVALID", /^createTree: the key "spec" is missing .*\ncreateTree: the key "options" is missing /],
  [any(createTree), [tree], "DROVER_TREE_INVALID", /^createTree: the key "options" is missing \(expected keys and values, at least clock, random, log\)$/],
  [any(createTree), [tree, { ...ports, isolation: "proces" }], "DROVER_TREE_INVALID", /^createTree: options\.isolation: .*did you mean "process"\?\)$/],
  [any(createTree), [{}, ports], "DROVER_TREE_INVALID", "createTree: spec: a map stands here (expected what supervisor() gave)"],
  [any(supervisor), [], "DROVER_TREE_INVALID", /^a child of a tree: the key "id" is missing /],
  [any(supervisor), ["a"], "DROVER_TREE_INVALID", /^"a": the key "flags" is missing .*\n"a": the key "children" is missing \(expected a list of a child: /],
  [any(supervisor), ["a", flags, tree], "DROVER_TREE_INVALID", /^"a": children: a map stands here \(expected a list\)$/],
  [any(supervisor), ["a", flags, [undefined]], "DROVER_TREE_INVALID", /^"a": children\.0: nothing stands here /],
  [any(supervisor), ["a", flags, [() => startable]], "DROVER_TREE_INVALID", /^"a": children\.0: a function stands here /],
  [any(supervisor), ["a", { strategy: "one-for-one", intesity: 3 }, []], "DROVER_TREE_INVALID", /^"a": flags\.intesity: .*did you mean "intensity"\?\)$/],
  [any(supervisor), ["a", { strategy: "one_for_one" }, []], "DROVER_TREE_INVALID", /^"a": flags\.strategy: the text "one_for_one" .*did you mean "one-for-one"\?\)$/],
  [any(supervisor), ["a", { ...flags, periodMs: "5000" }, []], "DROVER_TREE_INVALID", '"a": flags.periodMs: the text "5000" stands here (expected a number)'],
  [any(supervisor), ["a", { ...flags, backoff: { maxMS: 5 } }, []], "DROVER_TREE_INVALID", /^"a": flags\.backoff\.maxMS: .*did you mean "maxMs"\?\)$/],
  [any(hosted), ["a"], "DROVER_TREE_INVALID", /^"a": the key "startable" is missing \(expected something that can be started, with start\)$/],
  [any(hosted), ["a", {}], "DROVER_TREE_INVALID", /^"a": startable: a map stands here /],
  [any(hosted), [7, startable], "DROVER_TREE_INVALID", /^a child of a tree: id: the number 7 stands here /],
  [any(hosted), ["a", startable, { restrat: "permanent" }], "DROVER_TREE_INVALID", /^"a": options\.restrat: .*did you mean "restart"\?\)$/],
  [any(child), ["a", undefined, {}], "DROVER_TREE_INVALID", /^"a": the key "type" is missing \(expected a worker: /],
  [
    any(child),
    ["a", own, {}, { isolation: "fiber" }],
    "DROVER_TREE_INVALID",
    /^"a": options\.isolation: the text "fiber" stands here \(expected one of inline, thread, process\)$/,
  ],
  [any(child), ["a", own, {}, { memoryMB: 5 }], "DROVER_TREE_INVALID", /^"a": options\.memoryMB: .*did you mean "memoryMb"\?\)$/],
  [any(messages), [], "DROVER_TYPE_INVALID", "messages: nothing stands here (expected keys and values)"],
  [any(messages), [{ go: {} }], "DROVER_TYPE_INVALID", /^messages: go: the key "body" is missing /],
  [any(messages), [{ go: null }], "DROVER_TYPE_INVALID", /^messages: go: nothing stands here /],
  [any(messages), [{ go: { body: {}, replay: T.String() } }], "DROVER_TYPE_INVALID", /^messages: go\.replay: .*did you mean "reply"\?\)$/],
  [any(messages), [{ go: { body: { level: "number" } } }], "DROVER_TYPE_INVALID", /^messages: go\.body\.level: the text "number" stands here \(expected an object\)$/],
  [any(messages), [{ go: { body: {}, whenAway: "waits" } }], "DROVER_TYPE_INVALID", /did you mean "wait"\?\)$/],
  [any(actorType), [], "DROVER_TYPE_INVALID", /^actorType: nothing stands here /],
  [any(actorType), [{ name: "pump", version: 1, messages: {}, behaviour: machine }], "DROVER_TYPE_INVALID", /^actorType: messages: a map stands here \(expected a protocol: /],
  [
    any(actorType),
    [{ name: "pump", version: 1, messages: protocol, behavior: machine }],
    "DROVER_TYPE_INVALID",
    /^actorType: behavior: .*did you mean "behaviour"\?\)\nactorType: the key "behaviour" is missing /,
  ],
  [
    any(actorType),
    [{ name: "pump", version: 1, messages: protocol, behaviour: {} }],
    "DROVER_TYPE_INVALID",
    /^actorType: behaviour: a map stands here \(expected a machine of XState, /,
  ],
  [
    any(actorType),
    [{ name: "pump", version: 1, messages: protocol, behaviour: machine, mailbox: { mesages: 5 } }],
    "DROVER_TYPE_INVALID",
    /^actorType: mailbox\.mesages: .*did you mean "messages"\?\)$/,
  ],
  [any(entityType), [], "DROVER_TYPE_INVALID", /^entityType: nothing stands here /],
  [
    any(entityType),
    [{ root: machine, durability: "events", placement: "cloud" }],
    "DROVER_TYPE_INVALID",
    /^entityType: root: an object of the class StateMachine stands here \(expected an actor type: /,
  ],
  [any(entityType), [{ root: pump, durability: "event", placement: "cloud" }], "DROVER_TYPE_INVALID", /^entityType: durability: .*did you mean "events"\?\)$/],
  [any(entityType), [{ root: pump, durability: "events", placement: "cloud", passivateAfter: 5 }], "DROVER_TYPE_INVALID", /^entityType: passivateAfter: /],
  [
    any(entityType),
    [{ root: pump, durability: "events", placement: "cloud", children: { valve: { types: pump } } }],
    "DROVER_TYPE_INVALID",
    /^entityType: children\.valve\.types: a map stands here .*\nentityType: children\.valve: the key "strategy" is missing /,
  ],
];

test("what is unknown, missing or of another kind is refused with its key, what was expected and what was meant", (t) => {
  for (const [called, given, code, message] of CASES) {
    const name = `${called.name}: ${String(message)}`;
    try {
      called(...given);
      t.fail(name);
    } catch (error) {
      const thrown = error as DroverError;
      t.equal(thrown.code, code, name);
      if (typeof message === "string") t.equal(thrown.message, message, name);
      else t.match(thrown.message, message, name);
    }
  }
  t.end();
});

test("a simulation is checked before it runs", async (t) => {
  const node = { types: [] };
  for (const [given, message] of [
    [undefined, /^simulate: nothing stands here \(expected keys and values, at least seed, nodes\)$/],
    [{ seed: "1", nodes: { a: node } }, /^simulate: seed: the text "1" stands here /],
    [{ seed: 1, nodes: [node] }, /^simulate: nodes: a list stands here /],
    [{ seed: 1, nodes: { a: node }, forMS: 5 }, /^simulate: forMS: .*did you mean "forMs"\?\)$/],
    [{ seed: 1, nodes: { a: node }, faults: "nothing" }, /^simulate: faults: /],
    [{ seed: 1, nodes: { a: node }, faults: { kinds: ["kil"] } }, /^simulate: faults\.kinds\.0: .*did you mean "kill"\?\)$/],
    [{ seed: 1, nodes: { a: node }, script: "go" }, /^simulate: script: the text "go" stands here \(expected a function\)$/],
  ] as const)
    await t.rejects(simulate(given as never), { code: "DROVER_SIMULATION_INVALID", message }, String(message));
});
