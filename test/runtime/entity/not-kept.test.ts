// What a step may put into its record, and what no record can hold, each with each: always a fault of that input with a code, or kept as it is; never a record that
// cannot be written (rules R2; hosting H13).

import { test } from "tap";

import { actorType, type AnyReducer, effect, reducer } from "../../../runtime/actor/index.ts";
import type { InputResult } from "../../../runtime/entity/contract.ts";
import { errorCatalogue } from "../../../runtime/errors.ts";
import { form } from "../../forms.ts";
import { anyMessages, EntityHost, ROOT, thingType, words } from "../entity-host.ts";
import { assign, cancel, emit, fromCallback, fromTransition, log, machine, raise, sendTo, spawnChild } from "../xstate/loose.ts";

class Speed {
  readonly kph = 5;
}

const circle: { self?: unknown } = {};
circle.self = circle;
const trap = (): never => {
  throw new Error("trap");
};
const hostile = (): object => new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap, has: trap });

/** Made anew for each case. */
const values: Readonly<Record<string, () => unknown>> = {
  "a Date": () => new Date(0),
  "a Map": () => new Map([[1, 2]]),
  "a function": () => () => 1,
  "a symbol": () => Symbol("s"),
  "a bigint": () => 10n,
  "an instance": () => new Speed(),
  "a circle": () => circle,
  "a promise": () => Promise.resolve(1),
  bytes: () => new Uint8Array(2),
  "a hole": () => [1, , 2],
  "a name on a list": () => Object.assign([1], { x: 2 }),
  "a name on a long list": () =>
    Object.assign(
      Array.from({ length: 100 }, () => 0),
      { x: 2 },
    ),
  "a key that is a symbol": () => ({ [Symbol("s")]: 1 }),
  "a getter that throws": () => Object.defineProperty({}, "n", { enumerable: true, get: trap }),
  "a proxy that throws": hostile,
  "an error whose message is none": () => Object.assign(new Error("odd"), { message: new Date(0), name: () => 1 }),
  "an error with half a character": () => new RangeError("\ud800"),
  "half a character": () => "\udc00",
  "no number": () => Number.NaN,
  nothing: () => undefined,
  null: () => null,
};

const other = actorType({ name: "other", version: 1, messages: words("HELLO"), behaviour: machine({}) as never });
const heat = effect<unknown>({ class: "idempotent" });

/** A machine that counts `GOOD`, and does what is asked of it on `BAD`. */
const thing = (actions: unknown, parts = {}, more = {}): ReturnType<typeof machine> =>
  machine(
    {
      id: "m",
      context: { n: 0, kept: null },
      on: { GOOD: { actions: assign({ n: ({ context }) => context.n + 1 }) }, BAD: { actions: actions as never } },
      ...more,
    },
    parts,
  );
const child = (config: object): object => ({ actors: { kid: machine({ id: "kid", ...config }) } });
const kid = spawnChild("kid", { id: "k" });

const machines: Readonly<Record<string, (value: () => unknown) => ReturnType<typeof machine>>> = {
  "the context": (value) => thing(assign({ kept: value as never })),
  "the whole context": (value) => thing(assign(value as never)),
  "an emitted event": (value) => thing(emit(() => ({ type: "E", value: value() }))),
  "the whole of an emitted event": (value) => thing(emit(value as never)),
  "a delayed event": (value) => thing(raise(() => ({ type: "GOOD", value: value() }) as never, { delay: 1_000 })),
  "an event to itself": (value) =>
    thing(
      sendTo(
        ({ self }) => self,
        () => ({ type: "X", value: value() }),
        { delay: 1_000 },
      ),
    ),
  "the id of a delayed event": (value) => thing(raise({ type: "GOOD" }, { delay: 1_000, id: value() as never })),
  "what is cancelled": (value) => thing([raise({ type: "GOOD" }, { delay: 1_000, id: "t" }), cancel(value as never)]),
  "an event to another entity": (value) =>
    thing(
      sendTo(
        () => other.at("acme/other/one") as never,
        () => ({ type: "HELLO", value: value() }),
      ),
    ),
  "a receiver": (value) => thing(sendTo(value as never, { type: "X" })),
  "the input of a child": (value) => thing(spawnChild("kid", { id: "k", input: value as never }), child({ context: ({ input }: { input: unknown }) => ({ input }) })),
  "the input of a source": (value) => thing(spawnChild("kid", { id: "k", input: value as never }), { actors: { kid: fromCallback(() => undefined) } }),
  "the id of a child": (value) => thing(spawnChild("kid", { id: value as never }), child({})),
  "the system id of a child": (value) => thing(assign({ kept: ({ spawn }) => spawn("kid", { id: "k", systemId: value() }) }), child({})),
  "the context of a child": (value) => thing(kid, child({ context: value })),
  "the output of a child": (value) => thing(kid, child({ initial: "a", output: value, states: { a: { type: "final" } } })),
  "what a child emits": (value) => thing(kid, child({ entry: emit(() => ({ type: "E", value: value() })) })),
  "what a child throws": (value) =>
    thing(
      kid,
      child({
        entry: assign(() => {
          throw value();
        }),
      }),
    ),
  "what a child throws, handled": (value) =>
    thing(
      kid,
      child({
        entry: assign(() => {
          throw value();
        }),
      }),
      {
        on: {
          GOOD: { actions: assign({ n: ({ context }) => context.n + 1 }) },
          BAD: { actions: kid },
          "xstate.error.actor.k": { actions: assign({ kept: ({ event }) => event.error }) },
        },
      },
    ),
  "the state of a transition function": (value) => thing([kid, sendTo("k", { type: "X" })], { actors: { kid: fromTransition(value as never, {}) } }),
  "an output": (value) =>
    machine({
      context: { n: 0 },
      initial: "a",
      output: value as never,
      states: { a: { on: { GOOD: { actions: assign({ n: ({ context }) => context.n + 1 }) }, BAD: "b" } }, b: { type: "final" } },
    }),
  "what it throws": (value) =>
    thing(
      assign(() => {
        throw value();
      }),
    ),
  "a line of the log": (value) => thing(log(value as never)),
  "parameters of an effect": (value) => thing({ type: "heat", params: value }, { actions: { heat } }),
};

type Turn = Parameters<AnyReducer["step"]>[2];

const reducers: Readonly<Record<string, (value: unknown, turn: Turn) => unknown>> = {
  "the state": (value) => ({ n: 0, value }),
  "the whole state": (value) => value,
  "an emitted event": (value, turn) => {
    turn.emit({ type: "E", value });
  },
  "the whole of an emitted event": (value, turn) => {
    turn.emit(value as never);
  },
  "an event to another entity": (value, turn) => {
    turn.send("acme/other/one", { type: "HELLO", value });
  },
  "a receiver": (value, turn) => {
    turn.send(value as never, { type: "HELLO" });
  },
  "a delayed event": (value, turn) => {
    turn.arm("t", 1_000, { type: "GOOD", value });
  },
  "the id of a delayed event": (value, turn) => {
    turn.arm(value as never, 1_000, { type: "GOOD" });
  },
  "a delay": (value, turn) => {
    turn.arm("t", value as never, { type: "GOOD" });
  },
  "a policy": (value, turn) => {
    turn.arm("t", 1_000, { type: "GOOD" }, { policy: { each: value as never } });
  },
  "what is cancelled": (value, turn) => {
    turn.cancel(value as never);
  },
  "parameters of an effect": (value, turn) => {
    turn.perform("heat", value);
  },
  "a refusal": (value, turn) => {
    turn.refuse(value as never);
  },
  "what it throws": (value) => {
    throw value;
  },
};

const counting = (bad: (value: unknown, turn: Turn) => unknown, value: () => unknown): AnyReducer =>
  reducer({
    initial: () => ({ n: 0 }),
    step: (state: { readonly n: number }, event: { readonly type: string }, turn) => {
      if (event.type !== "BAD") return { n: 1 };
      return (bad(value(), turn) ?? state) as never;
    },
    effects: { heat },
  });

/** After `BAD` thrice under one id: taken, or a fault with a code each time and then parked; the history can be read, and `GOOD` is taken. Gives what does not hold. */
function wrongOf(host: EntityHost): unknown {
  if (host.send("GOOD").kind !== "accepted") return "GOOD is not taken before";
  const results: InputResult[] = [];
  try {
    for (let at = 0; at < 3; at++) results.push(host.send("BAD", { id: "bad" }));
  } catch (thrown) {
    return { thrown };
  }
  const [first, , third] = results;
  if (first?.kind === "faulted") {
    if (!Object.hasOwn(errorCatalogue, first.code) || typeof first.error !== "string" || !first.place.startsWith(ROOT)) return first;
    if (third?.kind !== "faulted" || third.attempt !== 3 || !third.parked) return { isNotParked: third };
  }
  const ways = host.type.durability === "volatile" ? [] : first?.kind === "faulted" ? (["bytes", "journal"] as const) : (["bytes"] as const);
  for (const way of ways) {
    const before = JSON.stringify(host.entity.state());
    const { divergences } = host.restart({ by: way });
    const after = JSON.stringify(host.entity.state());
    if (divergences.length > 0 || after !== before) return { way, divergences, before, after };
  }
  return host.send("GOOD").kind === "faulted" ? "GOOD is a fault after" : undefined;
}

/** In the short form each value meets every third place, and each place every third value. */
const EVERY = form(3, 1);

for (const durability of ["events", "volatile"] as const)
  test(`R2, H13. whatever a step of a ${durability} entity puts into its record is kept or its fault, with a code, a cause and a place; the entity goes on`, (t) => {
    const host = (behaviour: object): EntityHost => new EntityHost(thingType(behaviour, anyMessages(), { durability }));
    for (const [at, [what, value]] of Object.entries(values).entries()) {
      const places: readonly (readonly [where: string, behaviour: () => object])[] = [
        ...Object.entries(machines).map(([where, make]) => [`${where} of a machine`, () => make(value)] as const),
        ...Object.entries(reducers).map(([where, bad]) => [`${where} of a reducer`, () => counting(bad, value)] as const),
      ];
      const wrong = places.filter((_, place) => (at + place) % EVERY === 0).map(([where, behaviour]) => [where, wrongOf(host(behaviour()))]);
      t.same(
        wrong.filter(([, found]) => found !== undefined),
        [],
        what,
      );
    }
    t.end();
  });

test("R2, F2. whatever a source or an effect says is heard, or is its failure; the entity goes on", (t) => {
  const hearing = machine(
    {
      id: "m",
      context: { n: 0, heard: null },
      invoke: { src: "kid", id: "k", onError: { actions: assign({ heard: ({ event }) => event.error }) } },
      on: {
        GOOD: { actions: assign({ n: ({ context }) => context.n + 1 }) },
        BAD: { actions: { type: "heat", params: {} } },
        "*": { actions: assign({ heard: ({ event }) => event }) },
      },
    },
    { actors: { kid: fromCallback(() => undefined) }, actions: { heat } },
  );
  const words: Readonly<Record<string, (value: unknown) => object>> = {
    done: (output) => ({ kind: "done", output }),
    error: (error) => ({ kind: "error", error }),
    next: (value) => ({ kind: "next", value }),
    event: (value) => ({ kind: "event", event: { type: "SAID", value } }),
    "a whole event": (event) => ({ kind: "event", event }),
    emit: (value) => ({ kind: "emit", event: { type: "SAID", value } }),
    "a whole emitted event": (event) => ({ kind: "emit", event }),
  };
  const outcomes: Readonly<Record<string, (value: unknown) => object>> = {
    failed: (error) => ({ kind: "failed", error }),
    refused: (reason) => ({ kind: "refused", reason, guard: reason }),
  };
  for (const [what, value] of Object.entries(values)) {
    const goesOn = (host: EntityHost, name: string): void => {
      const before = JSON.stringify(host.entity.state());
      t.same(host.restart({ by: "bytes" }).divergences, [], name);
      t.equal(JSON.stringify(host.entity.state()), before, name);
      t.equal(host.send("GOOD").kind, "accepted", name);
    };
    for (const [how, word] of Object.entries(words)) {
      const host = new EntityHost(thingType(hearing, anyMessages()));
      const started = host.effects.find((effect) => effect.kind === "source.start");
      if (started === undefined) throw new Error("no source was started");
      const { cell, incarnation } = started;
      t.doesNotThrow(() => host.take({ kind: "source", cell, incarnation, said: word(value()) as never }), `${what} by ${how}`);
      goesOn(host, `${what} by ${how}`);
    }
    for (const [how, outcome] of Object.entries(outcomes)) {
      const host = new EntityHost(thingType(hearing, anyMessages()));
      host.send("BAD");
      t.equal(host.entity.pending().length, 1);
      t.doesNotThrow(() => host.take({ kind: "performed", key: host.acts[0]?.key ?? "", outcome: outcome(value()) as never }), `${what} by ${how}`);
      t.same(host.entity.pending(), [], `${what} by ${how}: nobody waits for it any more`);
      goesOn(host, `${what} by ${how}`);
    }
  }
  t.end();
});
