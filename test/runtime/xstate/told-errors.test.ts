// An error that is told to a durable actor: what its step is given is what a restart reads back, so that the same messages come to the same state (rules R2; named difference N21).

import { test } from "tap";

import { anyMessages, EntityHost, thingType } from "../entity-host.ts";
import { rootOf } from "./differential.ts";
import { assign, fromCallback, fromPromise, machine, sendTo } from "./loose.ts";

class NotFound extends Error {
  override readonly name = "NotFound";
  readonly code = 404;
  readonly part = { no: 7 };
  readonly retry = (): number => 1;
}

class Nameless extends TypeError {
  get code(): string {
    return `E_${this.message.toUpperCase()}`;
  }
}

const round = new Error("round");
round.cause = round;

interface Told {
  readonly thrown: Error;
  readonly kept: object;
  readonly isA: ErrorConstructor;
}

const told: Readonly<Record<string, Told>> = {
  "an author's class": {
    thrown: new NotFound("no such part", { cause: new NotFound("inner") }),
    kept: { name: "NotFound", message: "no such part", code: 404, part: { no: 7 }, retry: undefined, cause: { name: "NotFound", code: 404 } },
    isA: Error,
  },
  "a class without a name": { thrown: new Nameless("odd"), kept: { name: "TypeError", message: "odd", code: "E_ODD" }, isA: TypeError },
  "an AggregateError": {
    thrown: new AggregateError([new NotFound("one"), new RangeError("two")], "all"),
    kept: { name: "AggregateError", errors: [{ name: "NotFound", code: 404 }, { name: "RangeError" }] },
    isA: Error,
  },
  "a DOMException": { thrown: new DOMException("gone", "DataError"), kept: { name: "DataError", message: "gone" }, isA: Error },
  "one that is its own cause": { thrown: round, kept: { message: "round", cause: undefined }, isA: Error },
};

const noting = { actions: assign({ error: ({ event }) => event.error, isMine: ({ event }) => event.error instanceof NotFound }) };
const failed = { target: "failed", ...noting };
const ways: Readonly<Record<string, (error: Error) => ReturnType<typeof machine>>> = {
  "a promise that rejects": (error) =>
    machine(
      { id: "m", context: { error: null }, initial: "looking", states: { looking: { invoke: { src: "look", id: "k", onError: failed } }, failed: {} } },
      { actors: { look: fromPromise(() => Promise.reject(error)) } },
    ),
  "a child that throws": (error) => {
    const kid = machine({
      id: "kid",
      on: {
        LOOK: {
          actions: assign(() => {
            throw error;
          }),
        },
      },
    });
    const looking = { invoke: { src: "kid", id: "k", onError: failed }, on: { LOOK: { actions: sendTo("k", { type: "LOOK" }) } } };
    return machine({ id: "m", context: { error: null }, initial: "looking", states: { looking, failed: {} } }, { actors: { kid } });
  },
  "a callback that sends it": (error) =>
    machine(
      { id: "m", context: { error: null }, initial: "looking", states: { looking: { invoke: { src: "look", id: "k" }, on: { MISSED: failed } }, failed: {} } },
      { actors: { look: fromCallback(({ sendBack }) => void sendBack({ type: "MISSED", error })) } },
    ),
};

test("N21, R2. an error that is told to a durable actor keeps its name, message, code and cause, is of a class of the language, and is the same after a restart", async (t) => {
  for (const [way, make] of Object.entries(ways)) {
    for (const [name, { thrown, kept, isA }] of Object.entries(told)) {
      for (const by of ["bytes", "journal"] as const) {
        const host = new EntityHost(thingType(make(thrown), anyMessages()), { twice: true });
        await host.tick();
        host.send("LOOK");
        const context = (): { readonly error: Error; readonly isMine: boolean } => rootOf(host).context as never;
        const isKept = (): void => {
          t.match(context().error, kept, `${way}, ${name}`);
          t.ok(context().error instanceof isA && Object.getPrototypeOf(context().error) === isA.prototype, `${way}, ${name}: its class`);
          t.equal(context().isMine, false, `${way}, ${name}`);
        };
        t.equal(host.value(), "failed", `${way}, ${name}`);
        t.same(host.faults, [], `${way}, ${name}`);
        isKept();
        t.same(host.restart({ by }).divergences, [], `${way}, ${name}`);
        isKept();
      }
    }
  }
});

test("N21. a volatile actor is told the very error", async (t) => {
  for (const [way, make] of Object.entries(ways)) {
    const thrown = new NotFound("no such part");
    const host = new EntityHost(thingType(make(thrown), anyMessages(), { durability: "volatile" }));
    await host.tick();
    host.send("LOOK");
    t.match(host.context(), { isMine: true }, way);
  }
});
