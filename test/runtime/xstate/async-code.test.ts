// A promise where a value is needed: a fault of its actor, wherever it stands, and never the end of the node that it runs on.

import { test } from "tap";

import { reducer } from "../../../runtime/actor/index.ts";
import { encodeData, NotCarried } from "../../../runtime/xstate/index.ts";

import { anyMessages, EntityHost, thingType } from "../entity-host.ts";
import { enqueueActions, type LooseFunction, machine } from "./loose.ts";
import { asyncCode, promisesWithin } from "./async-code-cases.ts";

const loose: unknown[] = [];
process.on("unhandledRejection", (reason) => loose.push(reason));

const rejected = async (): Promise<unknown> => Promise.reject(new Error("nobody waits for this"));
const resolved = async (): Promise<unknown> => Promise.resolve(1);

for (const durability of ["events", "volatile"] as const) {
  for (const [how, code] of [
    ["is rejected", rejected],
    ["has a value later", resolved],
  ] as const) {
    test(`H13, N8. a promise that ${how} is a fault of a ${durability} actor in every place where XState asks for a value at once, and ends no node`, async (t) => {
      for (const one of asyncCode(code)) {
        const host = new EntityHost(thingType(one.machine, anyMessages(), { durability }));
        host.send("BAD");
        t.match(host.results.at(-1), { kind: "faulted", code: one.code, error: one.error, place: one.place }, one.name);
        t.equal(host.send("GOOD").kind, "accepted", `${one.name}: it goes on`);
        t.match(host.context(), { n: 1 }, one.name);
      }
      await new Promise(setImmediate);
      t.same(loose.splice(0), [], "nothing that was rejected would have ended the node");
    });
  }
}

test("H8, N8. a promise further down is refused where data is kept, and ends no node where it is not", async (t) => {
  for (const [name, made] of promisesWithin(rejected)) {
    const host = new EntityHost(thingType(made, anyMessages(), { durability: "volatile" }));
    t.equal(host.send("BAD").kind, "accepted", `${name}: a volatile actor may hold anything`);
    const durable = new EntityHost(thingType(made, anyMessages(), { durability: "events" }));
    durable.send("BAD");
    durable.advance(10);
    t.notMatch(JSON.stringify(durable.context()), /lost|ends/, name);
    t.equal(durable.send("GOOD").kind, "accepted", name);
  }
  const kept = { isLenient: false } as never;
  t.throws(() => encodeData({ first: { a: new Map(), b: rejected() }, list: [rejected()] }, kept), NotCarried);
  t.throws(() => encodeData(rejected(), kept), NotCarried);
  await new Promise(setImmediate);
  t.same(loose.splice(0), []);
});

test("H13. a reducer that asks for something with a promise in it has failed", async (t) => {
  const asks: Readonly<Record<string, (turn: Record<string, LooseFunction>) => unknown>> = {
    "a send": (turn) => turn["send"]?.("acme/other/one", { type: "X", n: rejected() }),
    "a send to a promise": (turn) => turn["send"]?.(rejected(), { type: "X" }),
    "a timer": (turn) => turn["arm"]?.("soon", 1, { type: "X", n: rejected() }),
    "a delay": (turn) => turn["arm"]?.("soon", rejected(), { type: "X" }),
    "a cancel": (turn) => turn["cancel"]?.(rejected()),
    "an emit": (turn) => turn["emit"]?.(rejected()),
    "a refusal": (turn) => turn["refuse"]?.(rejected()),
  };
  for (const [name, ask] of Object.entries(asks)) {
    const behaviour = reducer({
      initial: () => ({ n: 0 }),
      step: (state: { readonly n: number }, { type }: { readonly type: string }, turn) => {
        if (type === "BAD") ask(turn as never);
        return { n: state.n + 1 };
      },
    });
    const host = new EntityHost(thingType(behaviour, anyMessages()));
    t.match(host.send("BAD"), { kind: "faulted", code: "DROVER_STEP_PROMISE", error: /a promise/, place: /on "BAD": the reducer$/ }, name);
    t.equal(host.send("GOOD").kind, "accepted", name);
  }
  const keeps = reducer({ initial: () => ({ n: 0 }), step: () => ({ n: rejected() }) as never });
  t.match(new EntityHost(thingType(keeps, anyMessages(), { durability: "volatile" })).send("BAD"), { kind: "faulted", code: "DROVER_STEP_PROMISE" }, "a field of its state");
  await new Promise(setImmediate);
  t.same(loose.splice(0), []);
});

test("what enqueueActions is given to enqueue with is all that XState has, and what is no promise goes through as it is", (t) => {
  let watched: readonly string[] = [];
  const collect = enqueueActions(({ enqueue }) => {
    watched = Object.keys(enqueue);
    enqueue.assign({ n: 1 });
  });
  const host = new EntityHost(thingType(machine({ context: { n: 0 }, on: { BAD: { actions: collect } } }), anyMessages()));
  t.equal(host.send("BAD").kind, "accepted");
  t.same(host.context(), { n: 1 });
  let own: readonly string[] = [];
  const bare = enqueueActions(({ enqueue }) => {
    own = Object.keys(enqueue);
  }) as { readonly resolve: LooseFunction };
  bare.resolve({}, {}, {}, undefined, bare);
  t.same([...watched].sort(), [...own].sort());
  t.ok(own.length > 0);
  t.end();
});
