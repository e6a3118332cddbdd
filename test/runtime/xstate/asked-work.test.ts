// Work that a step asks for and that no registration has seen: a durable actor does declared work only, since inline work has no name under which a restart could find it (hosting H7).

import { type Test, test } from "tap";
import { createActor } from "xstate";

import type { Address } from "../../../runtime/address.ts";
import { effect } from "../../../runtime/actor/index.ts";
import { anyMessages, EntityHost, ROOT, thingType } from "../entity-host.ts";
import { assign, enqueueActions, fromCallback, fromObservable, fromPromise, fromTransition, type LooseFunction, machine, raise, sendTo, spawnChild } from "./loose.ts";

const counting = { context: { n: 0 }, on: { GOOD: { actions: assign({ n: ({ context }) => context.n + 1 }) } } };
const kid = machine({ id: "kid", ...counting });
const KID = `${ROOT}/~/k` as Address;
const grown = fromTransition((state: number, event: { readonly type: string }) => (event.type === "GOOD" ? state + 1 : state), 0);

/** Counts `GOOD`, and does on `BAD` what is given. */
const thing = (actions: unknown, parts: object = {}, more: object = {}): ReturnType<typeof machine> =>
  machine({ id: "m", ...counting, on: { ...counting.on, BAD: { actions } }, ...more } as never, parts as never);

const logics: Readonly<Record<string, unknown>> = {
  machine: kid,
  transition: grown,
  promise: fromPromise(() => Promise.resolve(1)),
  callback: fromCallback(() => undefined),
  "of no known kind": {},
  observable: fromObservable(() => ({ subscribe: () => ({ unsubscribe: () => undefined }) })),
};

type Spawn = (src: unknown, options?: object) => unknown;
const enqueued = (ask: LooseFunction): unknown => enqueueActions(ask);

interface Asked {
  readonly name: string;
  readonly machine: ReturnType<typeof machine>;
  readonly error: RegExp;
  readonly place: RegExp;
}

const spawned: readonly Asked[] = Object.entries(logics).flatMap(([kind, logic]) => {
  const error = new RegExp(`inline logic \\(${kind}\\).*volatile types only.*register it in setup\\(\\{ actors \\}\\) and spawn it by that name`);
  return [
    {
      name: `spawn of a ${kind} in assign`,
      machine: thing(assign({ kept: ({ spawn }: { readonly spawn: Spawn }) => spawn(logic, { id: "k" }) })),
      error,
      place: /on "BAD": #m on "BAD" assign of "kept"$/,
    },
    {
      name: `spawn of a ${kind} that nothing keeps`,
      machine: thing(
        assign(({ spawn }: { readonly spawn: Spawn }) => {
          spawn(logic);
          return {};
        }),
      ),
      error,
      place: /#m on "BAD" assign$/,
    },
    {
      name: `enqueue.spawnChild of a ${kind}`,
      machine: thing(
        enqueued(({ enqueue }) => {
          enqueue.spawnChild(logic, { id: "k" });
        }),
      ),
      error,
      place: /#m on "BAD" enqueueActions$/,
    },
    {
      name: `an enqueued spawnChild of a ${kind}`,
      machine: thing("ask", {
        actions: {
          ask: enqueued(({ enqueue }) => {
            enqueue(spawnChild(logic as never, { id: "k" }));
          }),
        },
      }),
      error,
      place: /action "ask" enqueueActions$/,
    },
  ];
});

const inline: readonly Asked[] = [
  {
    name: "an enqueued function",
    machine: thing(
      enqueued(({ enqueue }) => {
        enqueue(() => undefined);
      }),
    ),
    error: /the inline action \(anonymous\) is enqueued.*volatile types only.*effect\(\{ class \}\)/,
    place: /#m on "BAD" enqueueActions$/,
  },
  {
    name: "an enqueued function that has a declared effect's name",
    machine: thing(
      enqueued(({ enqueue }) => {
        enqueue(function heat() {});
      }),
      { actions: { heat: effect({ class: "once" }) } },
    ),
    error: /the inline action "heat" is enqueued/,
    place: /enqueueActions$/,
  },
  {
    name: "a function that is enqueued by what is enqueued",
    machine: thing(
      enqueued(({ enqueue }) => {
        enqueue(
          enqueued(({ enqueue: inner }) => {
            inner(() => undefined);
          }),
        );
      }),
    ),
    error: /the inline action \(anonymous\) is enqueued/,
    place: /enqueueActions enqueueActions$/,
  },
];

const unknown: readonly Asked[] = [
  {
    name: "what has no name",
    machine: thing(
      enqueued(({ enqueue }) => {
        enqueue({});
      }),
    ),
    error: /names the action "undefined"/,
    place: /enqueueActions$/,
  },
  {
    name: "an enqueued name",
    machine: thing(
      enqueued(({ enqueue }) => {
        enqueue("heet");
      }),
      { actions: { heat: effect({ class: "once" }) } },
    ),
    error: /names the action "heet", which the machine does not have; it has "heat"/,
    place: /#m on "BAD" enqueueActions$/,
  },
  {
    name: "an enqueued object",
    machine: thing(
      enqueued(({ enqueue }) => {
        enqueue({ type: "heet", params: { on: true } });
      }),
    ),
    error: /names the action "heet", which the machine does not have; add it to setup\(\{ actions \}\)/,
    place: /enqueueActions$/,
  },
  {
    name: "a delay",
    machine: thing(
      enqueued(({ enqueue }) => {
        enqueue.raise({ type: "GOOD" }, { delay: "SOON" });
      }),
    ),
    error: /names the delay "SOON"/,
    place: /enqueueActions$/,
  },
  {
    name: "the delay of an action that was made elsewhere",
    machine: thing(
      enqueued(({ enqueue }) => {
        enqueue(raise({ type: "GOOD" }, { delay: "SOON" }));
      }),
    ),
    error: /names the delay "SOON"/,
    place: /enqueueActions$/,
  },
  {
    name: "a child's logic",
    machine: thing(
      enqueued(({ enqueue }) => {
        enqueue.spawnChild("kit", { id: "k" });
      }),
      { actors: { kid } },
    ),
    error: /names the actor "kit", which the machine does not have; it has "kid"/,
    place: /enqueueActions$/,
  },
];

function refused(t: Test, { name, machine: behaviour, error, place }: Asked, durability: "events" | "snapshot" | "volatile"): void {
  const host = new EntityHost(thingType(behaviour, anyMessages(), { durability }), { twice: durability !== "volatile" });
  host.send("GOOD");
  const before = JSON.stringify(host.context());
  const result = host.send("BAD");
  t.match(durability === "volatile" ? host.results.at(-1) : result, { kind: "faulted", code: "DROVER_WORK_UNDECLARED", error, place }, `${name}, ${durability}`);
  t.equal(JSON.stringify(host.context()), before, `${name}: its input is taken back`);
  t.same(host.acts, [], `${name}: nothing of it is performed`);
  t.same(host.differences, [], name);
  if (durability !== "volatile") {
    t.equal(host.entity.state().cells.length, 1, `${name}: it has no child`);
    host.restart({ by: "bytes" });
  }
  t.equal(host.send("GOOD").kind, "accepted", `${name}: it goes on`);
  t.match(host.context(), { n: 2 }, name);
}

/** Takes it, keeps it over a restart, and goes on. */
function taken(t: Test, name: string, behaviour: ReturnType<typeof machine>): void {
  const host = new EntityHost(thingType(behaviour, anyMessages()), { twice: true });
  t.equal(host.send("BAD").kind, "accepted", name);
  t.equal(host.send("GOOD").kind, "accepted", name);
  t.same(host.differences, [], name);
  for (const by of ["bytes", "journal"] as const) {
    t.same(host.restart({ by }).divergences, [], `${name}: ${by}`);
    t.equal(host.send("GOOD").kind, "accepted", `${name}: ${by}`);
  }
  t.match(host.context(KID), { n: 3 }, `${name}: its child has gone on`);
}

for (const durability of ["events", "snapshot"] as const) {
  test(`H7. ${durability}: a step that spawns logic which is not registered is a fault with code, cause, place and advice; its input is taken back, and it can be restored`, (t) => {
    for (const one of spawned) refused(t, one, durability);
    t.end();
  });

  test(`H7, F1. ${durability}: a step that enqueues an inline function is such a fault, and nothing of it is performed`, (t) => {
    for (const one of inline) refused(t, one, durability);
    t.end();
  });
}

for (const durability of ["events", "volatile"] as const) {
  test(`N9. ${durability}: a name that is enqueued and that the machine does not have is such a fault; bare XState leaves it out, or takes it for no delay`, (t) => {
    for (const one of unknown) refused(t, one, durability);
    t.end();
  });
}

test("H7. a volatile actor spawns and enqueues what it likes", (t) => {
  for (const { name, machine: behaviour } of [...spawned.filter((one) => !one.name.includes("of no known kind")), ...inline]) {
    const host = new EntityHost(thingType(behaviour, anyMessages(), { durability: "volatile" }));
    t.equal(host.send("BAD").kind, "accepted", name);
    t.same(host.faults, [], name);
  }
  t.end();
});

test("H7. registered logic that is spawned as the object it is runs under its name, and is found again after a restart", (t) => {
  const on = { ...counting.on, GOOD: { actions: [...[counting.on.GOOD.actions], sendTo("k", { type: "GOOD" })] } };
  const parts = { actors: { other: grown, kid } };
  taken(
    t,
    "in assign",
    thing(assign({ kept: ({ spawn }: { readonly spawn: Spawn }) => spawn(kid, { id: "k" }) }), parts, {
      on: { ...on, BAD: { actions: assign({ kept: ({ spawn }) => spawn(kid, { id: "k" }) }) } },
    }),
  );
  const asked = enqueued(({ enqueue }) => {
    enqueue.spawnChild(kid, { id: "k" });
  });
  taken(t, "enqueued", thing(asked, parts, { on: { ...on, BAD: { actions: asked } } }));
  t.end();
});

test("H7, H6. logic that is spawned by a first context fails its start; by a child it is the child's fault, of which its parent hears", (t) => {
  const first = machine({ id: "m", context: ({ spawn }) => ({ n: 0, kept: spawn(kid, { id: "k" }) }), on: counting.on });
  const host = new EntityHost(thingType(first, anyMessages()));
  t.match(host.results[0], { kind: "faulted", code: "DROVER_WORK_UNDECLARED", error: /inline logic \(machine\)/, place: /one.*: the first context$/ });
  t.equal(host.entity.state().cells.length, 0);

  const inner = machine({ id: "kid", context: { n: 0 }, entry: assign({ kept: ({ spawn }) => spawn(grown, { id: "l" }) }) });
  const parent = thing(spawnChild("kid", { id: "k" }), { actors: { kid: inner } }, { initial: "a", states: { a: {}, b: {} } });
  const hearing = machine(
    {
      id: "m",
      ...counting,
      on: { ...counting.on, BAD: { actions: spawnChild("kid", { id: "k" }) }, "xstate.error.actor.k": { actions: assign({ heard: ({ event }) => event.error.message }) } },
    },
    { actors: { kid: inner } },
  );
  t.match(new EntityHost(thingType(parent, anyMessages())).send("BAD"), { kind: "faulted", code: "DROVER_WORK_UNDECLARED", place: /one\/~\/k.*#kid entry assign of "kept"$/ });
  const heard = new EntityHost(thingType(hearing, anyMessages()));
  t.equal(heard.send("BAD").kind, "accepted");
  t.match(heard.context(), { heard: /inline logic \(transition\)/ });
  heard.restart({ by: "bytes" });
  t.equal(heard.send("GOOD").kind, "accepted");
  t.end();
});

test("H7. a transition function has no names for logic, so that none of its own can be spawned by it", (t) => {
  const made: unknown[] = [];
  const spawning = fromTransition((state: number, event: { readonly type: string }, { self }: { readonly self: unknown }) => {
    if (event.type === "BAD") made.push(createActor(kid as never, { parent: self, id: "k" } as never));
    return state + 1;
  }, 0);
  const host = new EntityHost(
    thingType(
      machine({ id: "m", context: {}, invoke: { src: "pure", id: "p" }, on: { BAD: { actions: sendTo("p", { type: "BAD" }) } } }, { actors: { pure: spawning } }),
      anyMessages(),
    ),
  );
  t.match(host.send("BAD"), { kind: "faulted", code: "DROVER_WORK_UNDECLARED" });
  t.same(made, []);
  t.end();
});
