// The checkers find what they are for: each promise is broken by a part between a node and its ports, and some seed of few shows it.

import { test } from "tap";
import { actorType, entityType, messages, reducer, T } from "../../../runtime/index.ts";
import { type NodeSpec, simulate, type Simulation } from "../../../runtime/simulation/index.ts";
import { fleet } from "../../../cli/simulate/index.ts";
import { beacons, POLICIES, type Policy, SLOW_STORES } from "./beacons.ts";
import { belfry } from "./belfry.ts";
import * as broken from "./broken.ts";
import { couriers, forgetfulCouriers } from "./courier.ts";
import { mailroom } from "./mailroom.ts";
import { metronomes } from "./set-back.ts";
import { PARKED_IN_TIME, poisoned, STONE } from "./poisoned.ts";
import { killedSleepers, longSleepers, sleepers } from "./sleepers.ts";

/** Counted from where a rare one was found when this was written. */
const MOST_SEEDS = 500;

/** All nodes of a scenario with this part between them and their ports. */
function between(ports: NonNullable<NodeSpec["ports"]>, scenario: (seed: number) => Simulation = couriers): (seed: number) => Simulation {
  return (seed) => {
    const simulation = scenario(seed);
    return { ...simulation, nodes: Object.fromEntries(Object.entries(simulation.nodes).map(([name, node]) => [name, { ...node, ports }])) };
  };
}

type Case = readonly [title: string, checker: string, scenario: (seed: number) => Simulation, first?: number];

const cases: readonly Case[] = [
  ["S1, E4. a store that does not check epochs", "one owner commits", between(broken.ignoresEpochs), 23],
  ["S2. a store that answers before it writes", "nothing leaves before its commit", between(broken.answersBeforeItWrites)],
  ["S3. a disk that confirms what it has not kept", "no acknowledged command is lost", lyingDisks(couriers)],
  ["S3. a disk that confirms states that it has not kept", "no acknowledged command is lost", lyingDisks(forgetfulCouriers)],
  ["S3. a store that confirms and does not write", "no acknowledged command is lost", between(broken.confirmsWithoutWriting)],
  ["S3. a store that confirms states and does not write them", "no acknowledged command is lost", between(broken.confirmsWithoutWriting, forgetfulCouriers)],
  ["S3. a store that gives back the state before the newest", "a store keeps its word", between(broken.recoversOldStates, forgetfulCouriers)],
  ["C2. a store that refuses what it writes", "a store keeps its word", between(broken.refusesWhatItWrites)],
  ["S3, M2. a store that refuses what it writes", "what was told not to be taken was not", between(broken.refusesWhatItWrites)],
  ["S3, M1, M2. a recovery that forgets what was taken", "a message takes effect once", between(broken.forgetsWhatWasTaken)],
  ["S7. a recovery that loses timers", "a timer fires in time", between(broken.losesTimers)],
  ["S7. a recovery that revives timers", "a timer fires once", between(broken.revivesTimers)],
  ...POLICIES.flatMap((policy): readonly Case[] => [
    [`S7, K1. a clock that swallows firings of policy ${JSON.stringify(policy)}`, "a timer fires in time", between(broken.swallowsBeats, beating(policy))],
    [`S7, K1. a clock that is late for policy ${JSON.stringify(policy)}`, "a timer fires in time", between(broken.beatsLate, beating(policy))],
  ]),
  [
    "S7, K1. a clock that is late, beside a store that is slow",
    "a timer fires in time",
    between(broken.beatsLate, (seed) => beacons(seed, "remaining", { faults: SLOW_STORES })),
    28,
  ],
  ["S7, W1. a store that loses when an entity out of memory must come back", "a timer fires in time", between(broken.losesWakeRows, sleepers), 3],
  ["S7, W2. a store that loses which entities in memory have something to do", "a timer fires in time", between(broken.losesWakeMarks, killedSleepers)],
  ["S7, W1. an entity whose row goes when it comes back", "a timer fires in time", between(broken.forgetsWakeRowsTooEarly, killedSleepers), 2],
  ["S7, W6. a store that loses which entities out of memory keep a rhythm, and a clock that is set back", "a timer fires in time", between(broken.losesRhythms, metronomes)],
  ["S7, K1. hosted time that begins anew with each run", "a timer fires in time", between(broken.forgetsHostedTime, longSleepers)],
  ["S7, K1. hosted time that is kept with turns alone", "a timer fires in time", between(broken.keepsNoBeats, longSleepers)],
  ["K1. a recovery that fires what it skips", "a missed timer goes by its policy", between(broken.firesWhatItSkips, beating("skip"))],
  ["K1. a clock that makes each time seem missed", "a missed timer goes by its policy", between(broken.seemsToMiss, beating("skip"))],
  ["K1. a recovery that fires for each missed time without end", "a missed timer goes by its policy", between(broken.firesEachWithoutEnd, beating({ each: 2 }))],
  ["F1. a recovery that loses effects", "an idempotent effect is confirmed in the end", between(broken.losesEffects)],
  ["F1. a recovery that repeats once effects", "a once effect happens at most once", between(broken.repeatsOnceEffects)],
  ["S3, F1. a recovery that takes once effects for state effects", "a once effect is closed by what is known of it", between(broken.forgetsToTellOfOnceEffects, belfry)],
  ["S3, F1. a node that takes effects for done that nobody has confirmed", "a once effect is closed by what is known of it", between(broken.guessesThatEffectsAreDone, belfry), 7],
  ["S3, F2. a recovery that forgets once effects", "a once effect is closed by what is known of it", between(broken.losesEffects, belfry)],
  ["F1. a recovery that replays state effects", "a state effect is never replayed", between(broken.replaysStateEffects, belfry)],
  ["M2. a recovery that reads answers wrong", "the same id gets the same answer", between(broken.answersOtherwise, belfry)],
  ["M1. a node that takes what it is told newest first", "per-sender order", toldNewestFirst],
  ["M1. a link that mixes up what it carries", "per-sender order", between(broken.mixesUpMessages)],
  ["S3, M1. a link that confirms messages of entities without carrying them", "a message between entities arrives", between(broken.confirmsWithoutCarrying)],
  ["S3, M1. such a link between entities that keep states", "a message between entities arrives", between(broken.confirmsWithoutCarrying, forgetfulCouriers)],
  ["S3, M1. a link that never carries messages of entities", "a message between entities arrives", between(broken.carriesNothing)],
  ["S3, M1. a recovery that loses what waits for its receiver", "a message between entities arrives", between(broken.losesOutboxes)],
  ["M4. a recovery that forgets how often a message ended its process", PARKED_IN_TIME, poisonedFor(broken.forgetsAttempts)],
  ["M4. a watch that names nothing", PARKED_IN_TIME, poisonedFor(broken.namesNothing)],
  ["a node that leaves a timer behind", "every started thing is stopped", between(broken.leavesATimer)],
  ["S9. a step that is not pure", "replay is exact", impure],
  ["R2. a store whose journal lacks the timers", "a recovery brings what was held", between(broken.writesNoTimers)],
  ["R2. a state with a part that is worked out when it is read", "a recovery brings what was held", workedOut],
  ["S5. a recovery that forgets where a shelf ends", "a shelf empties", between(broken.forgetsWhereShelvesEnd, mailroom), 32],
  ["S5. a node that knows no deadlines of senders", "a sender hears by its deadline", between(broken.keepsSendersWaiting)],
  ["T3. a cloud that reads a replica wrong", "a replica equals its owner", onTheCloud(broken.misreadsContexts), 15],
  ["O2. a cloud that forgets that it has to forward", "a waiting request comes to its end", onTheCloud(broken.losesEffects), 134],
];

for (const [title, checker, scenario, first] of cases) {
  test(`${title} is found`, { timeout: 120_000 }, async (t) => {
    const found = await firstSeed(scenario, checker, first);
    t.ok(found !== undefined, `within ${String(MOST_SEEDS)} seeds`);
    t.comment(found);
  });
}

/** What the first seed shows in which this checker finds something. */
async function firstSeed(scenario: (seed: number) => Simulation, checker: string, first = 1): Promise<string | undefined> {
  for (let seed = first; seed < first + MOST_SEEDS; seed++) {
    const violation = (await simulate(scenario(seed))).violations.find((found) => found.checker === checker);
    if (violation !== undefined) return `seed ${String(seed)}: ${violation.what}`;
  }
  return undefined;
}

function beating(policy: Policy): (seed: number) => Simulation {
  return (seed) => beacons(seed, policy, { faults: "none" });
}

/** Until the first that ends its process has come: with these parts it does so without end, and each end costs a recovery. */
function poisonedFor(ports: NonNullable<NodeSpec["ports"]>): (seed: number) => Simulation {
  return (seed) => ({ ...poisoned(seed, ports, STONE), settleMs: 0 });
}

function onTheCloud(ports: NonNullable<NodeSpec["ports"]>): (seed: number) => Simulation {
  return (seed) => {
    const simulation = fleet(seed);
    return { ...simulation, nodes: { ...simulation.nodes, cloud: { ...(simulation.nodes["cloud"] as NodeSpec), ports } } };
  };
}

function toldNewestFirst(seed: number): Simulation {
  const { nodes, ...simulation } = belfry(seed);
  return { ...simulation, nodes: { tower: { program: broken.newestFirst(nodes.tower) } } };
}

function lyingDisks(scenario: (seed: number) => Simulation): (seed: number) => Simulation {
  return (seed) => {
    const simulation = scenario(seed);
    return { ...simulation, nodes: Object.fromEntries(Object.entries(simulation.nodes).map(([name, node]) => [name, { ...node, lyingDisk: true }])) };
  };
}

/** Counts what it was asked in a variable of the process, which no journal holds. */
function impure(seed: number): Simulation {
  let steps = 0;
  return tallies(seed, () => ({ steps: ++steps }));
}

/** What its getter gives is kept as a value, and is old after the next recovery. */
function workedOut(seed: number): Simulation {
  return tallies(seed, ({ steps }) => ({
    steps: steps + 1,
    get isMany() {
      return this.steps > 3;
    },
  }));
}

interface Tally {
  readonly steps: number;
}

function tallies(seed: number, step: (tally: Tally) => Tally): Simulation {
  const root = actorType({
    name: "tally",
    version: 1,
    messages: messages({ "tally.add": { body: { n: T.Integer() } } }),
    behaviour: reducer<Tally, { readonly type: string }>({ initial: () => ({ steps: 0 }), step }),
  });
  return {
    seed,
    nodes: { one: { types: [entityType({ root, durability: "events", placement: "cloud" })], entities: { "t/tally/a": undefined } } },
    forMs: 2_000,
    script: async ({ insist }) => {
      for (let n = 0; n < 5; n++) await insist("t/tally/a", { type: "tally.add", n }, { forMs: 5_000 });
    },
  };
}
