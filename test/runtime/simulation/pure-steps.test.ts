// The simulator takes every step twice, the second time with a frozen context: what writes in place and what is not a function of its input is a finding, whatever its type keeps.

import { test } from "tap";
import { assign, enqueueActions, fromCallback, type MachineContext, sendTo, setup, stopChild } from "xstate";
import { actorType, type AnyActorType, entityType, messages, reducer, T, task } from "../../../runtime/index.ts";
import { purely, simulate, stepPurely, type Violation } from "../../../runtime/simulation/index.ts";

const words = messages({ "box.put": { body: { n: T.Integer() } } });
// Taken when the module is loaded, so that no stand-in is met.
const { random: chance } = Math;

interface Boxed {
  list: number[];
  looked: number;
}
interface Args {
  context: Boxed;
  event: { type: string; n: number };
}

function machine(on: object, context: unknown = { list: [], looked: 0 }): AnyActorType {
  return actorType({ name: "box", version: 1, messages: words, behaviour: setup({}).createMachine({ context: context as MachineContext, on: { "box.put": on } }) });
}

function putting(step: (box: Boxed, n: number) => Boxed): AnyActorType {
  return actorType({
    name: "box",
    version: 1,
    messages: words,
    behaviour: reducer<Boxed, { readonly type: string; readonly n: number }>({ initial: () => ({ list: [], looked: 0 }), step: (box, { n }) => step(box, n) }),
  });
}

const put = assign(({ context, event }: Args) => ({ list: [...context.list, event.n] })) as never;

function pushing({ context, event }: Args): Partial<Boxed> {
  context.list.push(event.n);
  return { list: context.list };
}

function looking({ context }: Args): boolean {
  context.looked++;
  return true;
}

const impure: readonly (readonly [title: string, AnyActorType, found: RegExp])[] = [
  ["an assign that pushes into its context", machine({ actions: assign(pushing as never) }), /a\/box\/1 on box\.put: context\/list\/0 was changed in place: from nothing to 0/],
  ["a guard that counts in its context", machine({ guard: looking as never, actions: put }), /on box\.put: context\/looked was changed in place: from 0 to 1/],
  [
    "a guard that counts and refuses",
    machine({ guard: ((args: Args) => looking(args) && false) as never, actions: put }),
    /on box\.put: context\/looked was changed in place: from 0 to 1/,
  ],
  [
    "an assign that writes and throws",
    machine({
      actions: assign((args: Args) => {
        pushing(args);
        throw new Error("no");
      }),
    }),
    /context\/list\/0 was changed in place/,
  ],
  [
    "a reducer that writes into its state",
    putting((box, n) => {
      box.list[0] = n + 1;
      return { ...box, looked: n };
    }),
    /context\/list\/0 was changed in place: from nothing to 1/,
  ],
  [
    "chance that was taken from where no guard is",
    machine({ actions: assign({ looked: () => chance() }) }),
    /on box\.put: context\/looked came out twice from one input, and not the same: 0\.\d+ and 0\.\d+/,
  ],
  ["a first state by chance", machine({ actions: put }, () => ({ list: [], looked: chance() })), /on xstate\.init: context\/looked came out twice/],
];

interface Kid {
  readonly by: number;
}

/** A child by chance: where its parent makes it, by which name, from which source, and to whom the parent speaks. */
const kid = setup({ types: {} }).createMachine({ context: ({ input }) => input });
const twin = setup({}).createMachine({});
const listener = fromCallback(() => undefined);
const inside = setup({ actors: { kid } }).createMachine({ invoke: { src: "kid", id: "deep", input: () => ({ by: chance() }) } });
const work = task<Kid, number>();
const parts = { actors: { kid, twin, listener, inside, work } };

function parent(step: object): AnyActorType {
  const behaviour = setup(parts).createMachine({ initial: "waits", states: { waits: { on: { "box.put": step } }, works: { on: { "box.put": "waits" } } } });
  return made(behaviour as never);
}

function made(behaviour: never): AnyActorType {
  return actorType({ name: "box", version: 1, messages: words, behaviour }).with({ tasks: { work: () => Promise.resolve(1) } });
}

function invoking(src: keyof typeof parts.actors, more: object): AnyActorType {
  const invoke = { src, id: "child", ...more };
  const states = { waits: { on: { "box.put": "works" } }, works: { invoke, on: { "box.put": "waits" } } };
  return made(setup(parts).createMachine({ initial: "waits", states } as never) as never);
}

const enqueued = (ask: (enqueue: { spawnChild(src: string, options: object): void; stopChild(id: string): void }) => void): object => ({
  actions: enqueueActions((({ enqueue }: { readonly enqueue: never }) => {
    ask(enqueue);
  }) as never),
});
const names = ["left", "right"];
/** In each of the two steps of a pair another one. */
let turns = 0;
const other = (): string => names[turns++ % 2] as string;

const BY_CHANCE = "came out twice from one input, and not the same: 0\\.\\d+ and 0\\.\\d+";
const children: readonly (readonly [title: string, AnyActorType, found: RegExp])[] = [
  ["input of an invoked machine", invoking("kid", { input: () => ({ by: chance() }) }), new RegExp(`on box\\.put: actions/0/child/context/by ${BY_CHANCE}`)],
  ["input of a task", invoking("work", { input: () => ({ by: chance() }) }), new RegExp(`on box\\.put: actions/0/child/input/by ${BY_CHANCE}`)],
  ["input of a source", invoking("listener", { input: () => ({ by: chance() }) }), new RegExp(`on box\\.put: actions/0/child/input/by ${BY_CHANCE}`)],
  ["input of a child's own child", invoking("inside", {}), new RegExp(`on box\\.put: actions/0/child/actions/0/child/context/by ${BY_CHANCE}`)],
  [
    "input of a spawned machine",
    parent(
      enqueued((enqueue) => {
        enqueue.spawnChild("kid", { id: "child", input: { by: chance() } });
      }),
    ),
    new RegExp(`on box\\.put: actions/0/child/context/by ${BY_CHANCE}`),
  ],
  [
    "id of a spawned machine",
    parent(
      enqueued((enqueue) => {
        enqueue.spawnChild("twin", { id: `k${String(chance())}` });
      }),
    ),
    /on box\.put: actions\/0\/child\/id came out twice from one input, and not the same: "k0\.\d+" and "k0\.\d+"/,
  ],
  [
    "source of a spawned child",
    parent(
      enqueued((enqueue) => {
        enqueue.spawnChild(other() === "left" ? "twin" : "listener", { id: "child" });
      }),
    ),
    /on box\.put: actions\/0\/child\/source came out twice from one input, and not the same: "box\/(twin|listener)" and "box\/(twin|listener)"/,
  ],
  [
    "system id of a spawned child",
    parent(
      enqueued((enqueue) => {
        enqueue.spawnChild("twin", { id: "child", systemId: other() });
      }),
    ),
    /on box\.put: actions\/0\/child\/systemId came out twice from one input, and not the same: "(left|right)" and "(left|right)"/,
  ],
  [
    "id of a child that a context holds",
    parent({ actions: assign({ held: (({ spawn }: { readonly spawn: (src: string, options: object) => unknown }) => spawn("twin", { id: other() })) as never }) }),
    /on box\.put: context\/held came out twice from one input, and not the same: a ref of \S+\/(left|right) and a ref of \S+\/(left|right)/,
  ],
  [
    "whom it speaks to",
    parent({ actions: sendTo(() => words.at(`a/box/${other()}`), { type: "box.put", n: 1 }) }),
    /on box\.put: actions\/0\/to came out twice from one input, and not the same: a ref of actor:a\/box\/(left|right) and a ref of actor:a\/box\/(left|right)/,
  ],
];

for (const [title, root, what] of children)
  test(`H11, S9. a child made by chance is a finding in every durability, and of a test of one's own: ${title}`, async (t) => {
    t.throws(() => stepPurely(root, [{ type: "box.put", n: 0 }]), { code: "DROVER_IMPURE_STEP", message: what });
    for (const durability of ["snapshot", "events", "volatile"] as const) {
      const [violation] = await found(root, durability);
      t.match(violation, { promise: "S9", what }, durability);
    }
  });

test("H11. children that are made from what a step is given are no finding: invoked, spawned, held, stopped and made anew", async (t) => {
  const behaviour = setup(parts).createMachine({
    context: ({ spawn }: { readonly spawn: (src: string, options: object) => unknown }) => ({ held: spawn("twin", { id: "first" }), n: 0 }),
    initial: "waits",
    states: {
      waits: { on: { "box.put": { target: "works", actions: assign({ n: (({ event }: Args) => event.n) as never }) } } },
      works: {
        invoke: [
          { src: "kid", id: "kid", input: (({ context }: { readonly context: { readonly n: number } }) => ({ by: context.n })) as never },
          { src: "work", id: "work", input: (() => ({ by: 1 })) as never, onDone: "waits" },
          { src: "listener", id: "quiet", input: (() => ({ by: 2 })) as never },
        ],
        on: { "box.put": { target: "works", reenter: true, actions: stopChild("first") } },
      },
    },
  } as never);
  const deterministic = made(behaviour as never);
  for (const durability of ["snapshot", "events", "volatile"] as const) t.same(await found(deterministic, durability), [], durability);
  stepPurely(deterministic, [
    { type: "box.put", n: 0 },
    { type: "box.put", n: 1 },
  ]);
});

async function found(root: AnyActorType, durability: "events" | "snapshot" | "volatile"): Promise<readonly Violation[]> {
  const { violations } = await simulate({
    seed: 1,
    faults: "none",
    nodes: { home: { types: [entityType({ root, durability, placement: "cloud" })], entities: { "a/box/1": undefined } } },
    forMs: 1_000,
    settleMs: 2_000,
    script: async ({ tell }) => {
      for (let n = 0; n < 3; n++) await tell("a/box/1", { type: "box.put", n });
    },
  });
  return violations.filter(({ checker }) => checker === "every step is pure");
}

for (const [title, root, what] of impure)
  test(`H11. ${title} is a finding with its place, once`, async (t) => {
    for (const durability of ["snapshot", "events", "volatile"] as const) {
      const [violation, ...more] = await found(root, durability);
      t.match(violation, { promise: "S9", what }, durability);
      t.same(more, []);
    }
  });

test("H11. steps that make anew what they change are no finding", async (t) => {
  const holder = putting((box, n) => ({ list: [...box.list, n], looked: box.looked + 1 }));
  for (const durability of ["snapshot", "events", "volatile"] as const) {
    t.same(await found(machine({ guard: ({ context }: Args) => context.looked === 0, actions: put }), durability), []);
    t.same(await found(holder, durability), []);
  }
});

test("H11. a test of one's own has the same guard: around a function, and around each step of a machine or reducer", (t) => {
  t.equal(
    purely(() => 1 + 1),
    2,
  );
  t.throws(() => purely(() => Date.now()), { code: "DROVER_IMPURE_STEP", message: /Date was called/ });
  t.ok(Date.now() > 0);
  const one = [{ type: "box.put", n: 0 }];
  for (const [title, type, found] of impure) {
    const said = found.source.replace(/^.*?on box/, "on box");
    t.throws(() => stepPurely(type, one), { code: "DROVER_IMPURE_STEP", message: new RegExp(said) }, title);
  }
  t.match(stepPurely(machine({ actions: put }), [...one, { type: "box.put", n: 5 }]), { status: "active", state: {}, context: { list: [0, 5], looked: 0 } });
  t.match(
    stepPurely(
      putting(({ list, looked }, n) => ({ list: [...list, n], looked })),
      one,
    ),
    { status: "active", context: { list: [0] } },
  );
  const throwing = machine({
    actions: assign(() => {
      throw new Error("no room");
    }),
  });
  t.throws(() => stepPurely(throwing, one), { code: "DROVER_ACTOR_FAILED", message: /on "box\.put".*no room/ });
  t.throws(() => stepPurely(machine({ actions: assign({ looked: () => Math.random() }) }), one), { code: "DROVER_IMPURE_STEP", message: /Math\.random was called/ });
  t.match(stepPurely(machine({ actions: put }), one), { context: { list: [0] } }, "nothing of it stays");
  t.end();
});
