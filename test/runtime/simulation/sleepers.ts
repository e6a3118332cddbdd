// Alarm clocks that are out of memory most of the time, with timers of every policy: each is set from outside, rings once or twice, switches a lamp, tells its neighbour and
// a desk on another node, and leaves memory when nothing of it is under way. None is listed with its node, so that a start recovers only those that must come back.

import { assign, sendTo, setup } from "xstate";
import { actorType, effect, effectOutcomes, type EntityType, entityType, type EventOf, messages, type Registered, T } from "../../../runtime/index.ts";
import type { NodeSpec, Simulation } from "../../../runtime/simulation/index.ts";
import { POLICIES, type Policy } from "./beacons.ts";

const IDLE_MS = 150;
const LONGEST_MS = 12_000;
const SETTINGS = 16;
const CLOCKS_PER_POLICY = 3;
const DESK = "t/desk/main";

const rung = { "clock.rang": { body: {} } } as const;
const desk = actorType({
  name: "desk",
  version: 1,
  messages: messages(rung),
  behaviour: setup({ types: { context: {} as { noted: number } }, actions: { note: assign({ noted: ({ context }) => context.noted + 1 }) } }).createMachine({
    context: { noted: 0 },
    on: { "clock.rang": { actions: "note" } },
  }),
});

const clockMessages = messages({ "clock.set": { body: { ms: T.Integer(), times: T.Integer(), neighbour: T.String() } }, ...rung, ...effectOutcomes });

interface ClockContext {
  readonly ms: number;
  /** To ring yet. */
  readonly left: number;
  readonly neighbour: string;
  readonly heard: number;
}

const machine = setup({
  types: { context: {} as ClockContext, events: {} as EventOf<typeof clockMessages> },
  actions: {
    set: assign(({ event }) => (event.type === "clock.set" ? { ms: event.ms, left: event.times, neighbour: event.neighbour } : {})),
    count: assign({ left: ({ context }) => context.left - 1 }),
    hear: assign({ heard: ({ context }) => context.heard + 1 }),
    ring: effect<{ left: number }>({ class: "once" }),
    light: effect<{ left: number }>({ class: "idempotent" }),
    tellNeighbour: sendTo(({ context }) => desk.at(context.neighbour), { type: "clock.rang" }),
    tellDesk: sendTo(() => desk.at(DESK), { type: "clock.rang" }),
  },
  guards: { isLast: ({ context }) => context.left <= 1 },
  delays: { RING: ({ context }) => context.ms },
}).createMachine({
  context: { ms: 0, left: 0, neighbour: DESK, heard: 0 },
  initial: "quiet",
  on: {
    "clock.rang": { actions: "hear" },
    "clock.set": { target: ".set", reenter: true, actions: ["set", { type: "light", params: ({ context }) => ({ left: context.left }) }] },
  },
  states: {
    quiet: {},
    set: {
      after: {
        RING: [
          { guard: "isLast", target: "quiet", actions: ["count", { type: "ring", params: ({ context }) => ({ left: context.left }) }, "tellNeighbour", "tellDesk"] },
          { target: "set", reenter: true, actions: ["count", "tellNeighbour"] },
        ],
      },
    },
  },
});

const addressOf = (kind: number, n: number): string => `t/clock-${String(kind)}/${String(n)}`;

type Kept = Exclude<EntityType["durability"], "volatile">;

function typesOf(policy: Policy, kind: number, durability: Kept): readonly Registered[] {
  const root = actorType({ name: `clock-${String(kind)}`, version: 1, messages: clockMessages, behaviour: machine, timers: { RING: policy } });
  let attempts = 0;
  const seldomFails = (): void => {
    if (++attempts % 6 === 0) throw new Error("out of order");
  };
  return [entityType({ root, durability, placement: "cloud", passivateAfterMs: IDLE_MS }), root.with({ effects: { ring: seldomFails, light: seldomFails } })];
}

function sleeperNodes(durability: Kept): Readonly<Record<"home" | "office", NodeSpec>> {
  return {
    home: { types: POLICIES.flatMap((policy, kind) => typesOf(policy, kind, durability)) },
    office: { types: [entityType({ root: desk, durability, placement: "cloud" })], entities: { [DESK]: undefined } },
  };
}

/** @param durability of all of them; default `events` */
export function sleepers(seed: number, { durability = "events", ...more }: Partial<Simulation> & { readonly durability?: Kept } = {}): Simulation {
  return {
    seed,
    nodes: sleeperNodes(durability),
    forMs: 30_000,
    script: async ({ insist, sleep, random }) => {
      const anyOf = (count: number): number => Math.floor(random.next() * count);
      for (let n = 1; n <= SETTINGS; n++) {
        const kind = anyOf(POLICIES.length);
        const [clock, neighbour] = [addressOf(kind, anyOf(CLOCKS_PER_POLICY)), addressOf(anyOf(POLICIES.length), anyOf(CLOCKS_PER_POLICY))];
        const set = { type: "clock.set", ms: 500 + anyOf(LONGEST_MS), times: 1 + anyOf(2), neighbour };
        // Who is told to something that is nobody yet hears so: a neighbour is made before.
        for (const [to, id] of [[neighbour, `made-${String(n)}`] as const, [clock, `set-${String(n)}`] as const])
          await insist(to, to === neighbour ? { type: "clock.rang" } : set, { id, through: "home", withinMs: 3_000, forMs: 40_000, create: { input: undefined } });
        await sleep(random.next() * 2_000);
      }
    },
    ...more,
  };
}

/** The same on nodes that are killed in the midst of it. */
export function killedSleepers(seed: number): Simulation {
  return sleepers(seed, { faults: { kinds: ["kill", "power-cut"], everyMs: 6_000 } });
}

/** Clocks that are set once and ring long after, on a node that is killed again and again while nothing happens. */
export function longSleepers(seed: number): Simulation {
  return sleepers(seed, {
    faults: "none",
    forMs: 0,
    script: async ({ insist, kill, sleep, start, random }) => {
      for (let kind = 0; kind < POLICIES.length; kind++) {
        const set = { type: "clock.set", ms: 15_000 + Math.floor(random.next() * 25_000), times: 1, neighbour: DESK };
        await insist(addressOf(kind, 0), set, { id: `set-${String(kind)}`, through: "home", create: { input: undefined } });
      }
      for (let kills = 0; kills < 12; kills++) {
        await sleep(500 + random.next() * 14_000);
        kill("home");
        await sleep(random.next() * 1_000);
        start("home");
      }
    },
  });
}
