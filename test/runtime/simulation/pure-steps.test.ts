// The simulator takes every step twice, the second time with a frozen context: what writes in place and what is not a function of its input is a finding, whatever its type keeps.

import { test } from "tap";
import { assign, type MachineContext, setup } from "xstate";
import { actorType, type AnyActorType, entityType, messages, reducer, T } from "../../../runtime/index.ts";
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
