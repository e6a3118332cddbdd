// A node that comes back with newer types, under every kind of fault: what lives goes on, migrated once, with all that it was told.

import { assign, setup } from "xstate";
import { test } from "tap";
import { form } from "../../forms.ts";
import { actorType, createSystem, entityType, type EventOf, messages, parseAddress, type Registered, T } from "../../../runtime/index.ts";
import { type Checker, explain, type NodeProgram, simulate, type Simulation, simulateSeeds } from "../../../runtime/simulation/index.ts";

const COUNT = form(20, 200);

const tapMessages = messages({ "tap.draw": { body: { cl: T.Integer({ minimum: 1 }) } } });
type TapEvent = EventOf<typeof tapMessages>;

const tap1 = actorType({
  name: "tap",
  version: 1,
  messages: tapMessages,
  behaviour: setup({ types: { context: {} as { cl: number; shut: number }, events: {} as TapEvent } }).createMachine({
    id: "tap",
    context: { cl: 0, shut: 0 },
    initial: "shut",
    states: {
      shut: { on: { "tap.draw": { target: "open", actions: assign({ cl: ({ context, event }) => context.cl + event.cl }) } } },
      open: { after: { 400: { target: "shut", actions: assign({ shut: ({ context }) => context.shut + 1 }) } } },
    },
  }),
});

const tap2 = actorType({
  name: "tap",
  version: 2,
  messages: tapMessages,
  earlier: [tap1],
  migrate: {
    1: ({ value, context }) => ({
      value: value === "open" ? "flowing" : value,
      context: { litres: (context as { cl: number }).cl / 100, shut: (context as { shut: number }).shut },
    }),
  },
  behaviour: setup({ types: { context: {} as { litres: number; shut: number }, events: {} as TapEvent } }).createMachine({
    id: "tap",
    context: { litres: 0, shut: 0 },
    initial: "shut",
    states: {
      shut: { on: { "tap.draw": { target: "flowing", actions: assign({ litres: ({ context, event }) => (Math.round(context.litres * 100) + event.cl) / 100 }) } } },
      flowing: { after: { 400: { target: "shut", actions: assign({ shut: ({ context }) => context.shut + 1 }) } } },
    },
  }),
});

const hosted = (root: typeof tap1 | typeof tap2): readonly Registered[] => [entityType({ root, durability: "events", placement: "cloud" })];

const BAR = "t/tap/bar";
const CELLAR = "t/tap/cellar";

// #region scenario
function scenario(seed: number): Simulation {
  return {
    seed,
    nodes: {
      bar: { types: hosted(tap1), entities: { "t/tap/bar": undefined } },
      cellar: { types: hosted(tap1), entities: { "t/tap/cellar": undefined } },
    },
    forMs: 20_000,
    faults: { everyMs: 3_000 },
    script: async ({ insist, sleep, random, upgrade, kill, start, raise }) => {
      const upgradeAt = Math.floor(random.next() * 12);
      for (let n = 0; n < 12; n++) {
        if (n === upgradeAt) {
          upgrade("bar", hosted(tap2)); // for its next run, whoever begins that
          kill("bar");
          start("bar");
        }
        for (const tap of ["t/tap/bar", "t/tap/cellar"]) await insist(tap, { type: "tap.draw", cl: 5 });
        if (n === upgradeAt) await raise("bar", { tap: 2 }); // until here it ran the old one, and could be taken back
        await sleep(random.next() * 1_500);
      }
    },
    checkers: [migratedOnce],
  };
}
// #endregion

/** What was drawn is there whatever version counts it, and the one that was upgraded has been migrated once. */
const migratedOnce: Checker = {
  name: "a tap is migrated once, with all that was drawn",
  promise: "T4",
  check: ({ history, turns }) => {
    const found: { atMs: number; what: string }[] = [];
    const say = (what: string): void => void found.push({ atMs: history.at(-1)?.atMs ?? 0, what });
    for (const tap of [BAR, CELLAR]) {
      const own = turns.filter(({ entity }) => entity === tap);
      const upgrades = own.filter(({ record }) => record.inputs.some(({ kind }) => kind === "upgrade"));
      if (upgrades.length !== (tap === BAR ? 1 : 0)) say(`${tap} has ${String(upgrades.length)} upgrades`);
      const shown = history.findLast((fact) => fact.kind === "view" && fact.address === tap);
      const context = shown?.kind === "view" ? (shown.context as { cl?: number; litres?: number; shut: number }) : undefined;
      const taken = own.flatMap(({ record: { inputs, results } }) => inputs.filter(({ kind }, at) => kind === "message" && results[at]?.kind === "accepted")).length;
      const cl = tap === BAR ? Math.round((context?.litres ?? 0) * 100) : context?.cl;
      if (cl !== taken * 5 || (tap === BAR) !== (context?.litres !== undefined)) say(`${tap} took ${String(taken)} and shows ${JSON.stringify(context)}`);
      if (context?.shut !== taken) say(`${tap} was opened ${String(taken)} times and has shut ${String(context?.shut)} times`);
    }
    return found;
  },
};

test("T4. a node that comes back with newer types brings its durable actors over, once, whatever fails", { timeout: 120_000 }, async (t) => {
  let open = 0;
  let versions = 0;
  const { runs, failed } = await simulateSeeds(scenario, {
    count: COUNT,
    each: ({ history }) => {
      for (const fact of history) {
        if (fact.kind !== "asked" || fact.entity !== BAR || fact.record?.inputs[0]?.kind !== "upgrade") continue;
        versions++;
        if (fact.record.outcome.cells[0]?.value === "flowing") open++;
      }
    },
  });
  t.equal(runs, COUNT);
  t.same(failed.map(explain), []);
  t.ok(versions >= COUNT, `${String(versions)} upgrades were asked for`);
  t.ok(open > 0, `${String(open)} of them while its tap was open, with a timer under way`);
});

/** The bar's release comes, is taken back, comes again and is raised, whatever fails meanwhile. */
function takenBack(seed: number): Simulation {
  return {
    ...scenario(seed),
    script: async ({ insist, sleep, random, upgrade, kill, start, stop, raise, system }) => {
      const seen: number[] = [];
      const draw = async (times: number): Promise<void> => {
        for (let n = 0; n < times; n++) {
          await insist(BAR, { type: "tap.draw", cl: 5 });
          await insist(CELLAR, { type: "tap.draw", cl: 5 });
          const active = system("bar")?.versions()[0]?.active;
          if (active !== undefined) seen.push(active);
          await sleep(random.next() * 1_000);
        }
      };
      const release = async (tap: typeof tap1 | typeof tap2): Promise<void> => {
        upgrade("bar", hosted(tap));
        if (random.next() < 0.5) kill("bar");
        else await stop("bar");
        start("bar");
      };
      await draw(2);
      await release(tap2);
      await draw(3);
      await release(tap1);
      await draw(3);
      await release(tap2);
      await draw(2);
      if (seen.some((active) => active !== 1)) throw new Error(`before the raise the versions ${seen.join(", ")} were active`);
      await raise("bar", { tap: 2 });
      await draw(2);
    },
    checkers: [migratedOnce, formerReads],
  };
}

/** What the former release could not read comes after the raise. */
const formerReads: Checker = {
  name: "nothing of a newer version is written before it is raised",
  promise: "T4",
  check: ({ history, turns }) => {
    const raisedAt = history.findIndex((fact) => fact.kind === "note" && fact.text.startsWith("raises "));
    return turns
      .filter(({ at, entity, record }) => entity === BAR && record.versions["tap"] !== 1 && (raisedAt === -1 || at < raisedAt))
      .map(({ atMs, revision, record }) => ({ atMs, what: `r${String(revision)} is of version ${String(record.versions["tap"])}` }));
  },
};

test("T4. a release that is taken back before its version is raised has written nothing that the former one cannot read, whatever fails", { timeout: 120_000 }, async (t) => {
  let turns = 0;
  const { runs, failed } = await simulateSeeds(takenBack, {
    count: COUNT,
    each: ({ history }) => {
      for (const fact of history) if (fact.kind === "asked" && fact.entity === BAR && fact.record?.versions["tap"] === 1) turns++;
    },
  });
  t.equal(runs, COUNT);
  t.same(failed.map(explain), []);
  t.ok(turns > COUNT * 10, `${String(turns)} turns of the former version`);
});

test("a raise that no run can do is told to the script", async (t) => {
  const refused: unknown[] = [];
  await simulate({
    seed: 1,
    nodes: { bar: { types: hosted(tap1), entities: { "t/tap/bar": undefined } } },
    forMs: 100,
    faults: "none",
    script: async ({ raise }) => {
      for (const [node, versions] of [
        ["bar", { tap: 2 }],
        ["cellar", { tap: 1 }],
      ] as const)
        await raise(node, versions).catch((error: unknown) => refused.push(error));
    },
  });
  t.match(refused, [{ code: "DROVER_TYPE_INVALID" }, { code: "DROVER_SIMULATION_INVALID", message: 'there is no node "cellar"; the nodes are bar' }]);
});

test("what runs goes on with its types; the next run has the new ones, whoever begins it", async (t) => {
  const seen: string[] = [];
  await simulate({
    seed: 1,
    nodes: { bar: { types: hosted(tap1), entities: { "t/tap/bar": undefined }, versions: "raised-at-start" } },
    forMs: 1_000,
    faults: "none",
    script: async ({ upgrade, stop, start, sleep, system, insist }) => {
      const look = (): void => void seen.push(`v${String(system("bar")?.read(parseAddress(BAR))?.version)}`);
      await insist(BAR, { type: "tap.draw", cl: 5 });
      upgrade("bar", hosted(tap2));
      await sleep(100);
      look();
      await stop("bar");
      start("bar");
      await sleep(1_000);
      look();
    },
  });
  t.same(seen, ["v1", "v2"]);
});

test("a node with a program of its own comes back with another program", async (t) => {
  const runs: string[] = [];
  const programNamed = (name: string): NodeProgram => ({
    hosts: [],
    types: [],
    start: async ({ node, run, store, clock, random, log, defer }) => {
      runs.push(`${name} ${String(run)}`);
      await store.open();
      const system = createSystem({ node, types: [], store, clock, random, log, defer });
      await system.start();
      return { system, stop: () => system.stop().then(() => store.close()) };
    },
  });
  const { violations } = await simulate({
    seed: 1,
    nodes: { bar: { program: programNamed("first") } },
    forMs: 100,
    faults: "none",
    script: async ({ upgrade, kill, start, sleep }) => {
      upgrade("bar", programNamed("second"));
      kill("bar");
      start("bar");
      await sleep(100);
    },
  });
  t.same(violations, []);
  t.same(runs, ["first 1", "second 2"]);
});

test("an upgrade that is none is refused with what is expected", async (t) => {
  const refused: unknown[] = [];
  const program: NodeProgram = { hosts: [], types: [], start: () => Promise.reject(new Error("not today")) };
  await simulate({
    seed: 1,
    nodes: { bar: { types: hosted(tap1) }, own: { program } },
    forMs: 100,
    faults: "none",
    script: ({ upgrade }) => {
      for (const [node, to] of [
        ["nobody", hosted(tap2)],
        ["bar", undefined],
        ["bar", program],
        ["bar", ["tap"]],
        ["own", hosted(tap2)],
      ] as const) {
        try {
          upgrade(node, to as never);
        } catch (error) {
          refused.push(error);
        }
      }
      return Promise.resolve();
    },
  });
  t.match(refused, [
    { code: "DROVER_SIMULATION_INVALID", message: 'there is no node "nobody"; the nodes are bar, own' },
    { code: "DROVER_SIMULATION_INVALID", message: 'upgrade of "bar": the key "types" is missing (expected a list of an entity type or an actor type)' },
    { code: "DROVER_SIMULATION_INVALID", message: 'upgrade of "bar": types: a map stands here (expected a list)' },
    { code: "DROVER_SIMULATION_INVALID", message: /^upgrade of "bar": types.0: / },
    { code: "DROVER_SIMULATION_INVALID", message: /^upgrade of "own": program: .*expected a program, as its node has one, with start/ },
  ]);
});
