// What a machine gets that does what none may: a fault of that actor, with a code, a cause and a place, seen by its supervisor; nothing else is touched.

import { test } from "tap";

import { actorType, entityType, reducer } from "../../../runtime/actor/index.ts";
import type { SupervisionReport } from "../../../runtime/entity/contract.ts";
import { restoreEntity } from "../../../runtime/entity/index.ts";
import { errorCatalogue } from "../../../runtime/errors.ts";
import { anyMessages, EntityHost, ROOT, thingType } from "../entity-host.ts";
import { type BadInput, badInputs, badStarts } from "./bad-input-cases.ts";
import { assign, emit, fromTransition, machine, raise, sendParent, sendTo, spawnChild } from "./loose.ts";

function hosted(one: BadInput, options = {}): EntityHost {
  return new EntityHost(thingType(one.machine, anyMessages(), { durability: one.volatile === true ? "volatile" : "events" }), options);
}

function reports(host: EntityHost): readonly SupervisionReport[] {
  return host.effects.flatMap((effect) => (effect.kind === "supervision" ? [effect.report] : []));
}

test("N14, N15. what a machine must not do is a fault of its actor with a code, a cause and a place, which the supervisor sees", (t) => {
  for (const one of badInputs) {
    const host = hosted(one, { twice: one.volatile !== true });
    t.equal(host.send("GOOD").kind, "accepted", `${one.name}: it starts`);
    const before = JSON.stringify(host.entity.view(ROOT)?.context);
    const sent = host.send("BAD");
    const result = one.volatile === true ? host.results.at(-1) : sent;
    t.match(result, { kind: "faulted", code: one.code, error: one.error, place: one.place }, one.name);
    t.ok(Object.hasOwn(errorCatalogue, one.code), one.name);
    t.match(
      reports(host).find((report) => report.context === "child_terminated"),
      { offender: ROOT, reason: one.error, code: one.code, place: one.place },
      `${one.name}: its supervisor has heard`,
    );
    t.equal(JSON.stringify(host.entity.view(ROOT)?.context), before, `${one.name}: its context is as it was`);
    t.same(host.differences, [], one.name);
    t.equal(host.send("GOOD").kind, "accepted", `${one.name}: it goes on`);
    t.match(host.context(), { n: 2 }, one.name);
  }
  t.end();
});

test("H13. a message that is such a fault three times is parked with its cause, and its sender hears it", (t) => {
  for (const one of badInputs.filter(({ volatile }) => volatile !== true)) {
    const host = hosted(one);
    const results = [1, 2, 3].map(() => host.send("BAD", { id: "same" }));
    t.match(results.at(-1), { kind: "faulted", attempt: 3, parked: true, code: one.code, outcome: { kind: "refused" } }, one.name);
    t.equal(host.send("BAD", { id: "same" }).kind, "duplicate", `${one.name}: it is not offered again`);
    t.equal(host.entity.parked().length, 1, one.name);
    const { entity, divergences } = restoreEntity(host.type, ROOT, { snapshot: undefined, records: host.journal() });
    t.same(divergences, [], `${one.name}: its journal comes to the same`);
    t.equal(entity.parked().length, 1, one.name);
  }
  t.end();
});

test("H6. what fails at its start is a fault with a code and a place, and the entity reports it after the third", (t) => {
  for (const one of badStarts) {
    const host = hosted(one);
    t.match(host.results[0], { kind: "faulted", code: one.code, error: one.error, place: one.place, attempt: 1, again: true }, one.name);
    host.take({ kind: "start", input: undefined, labels: {} });
    host.take({ kind: "start", input: undefined, labels: {} });
    t.match(reports(host).at(-1), { context: "entity_failed", code: one.code, place: one.place }, one.name);
    t.equal(host.send("GOOD").kind, "no-such-actor", one.name);
  }
  t.end();
});

const steps: readonly { readonly name: string; readonly step: (state: { readonly n: number }) => unknown; readonly code: string; readonly error: RegExp }[] = [
  { name: "a promise", step: async (state) => Promise.resolve(state), code: "DROVER_STEP_PROMISE", error: /returned a promise/ },
  { name: "a promise that is rejected", step: async () => Promise.reject(new Error("nobody waits for this")), code: "DROVER_STEP_PROMISE", error: /returned a promise/ },
  { name: "nothing", step: () => undefined, code: "DROVER_STEP_WITHOUT_STATE", error: /returned nothing/ },
];

for (const durability of ["events", "volatile"] as const) {
  test(`H13, R1. a ${durability} reducer or transition function whose next state is a promise or nothing has failed, with a code, a cause and a place`, (t) => {
    for (const { name, step, code, error } of steps) {
      const asReducer = reducer({
        initial: () => ({ n: 0 }),
        step: (state: { readonly n: number }, { type }: { readonly type: string }) => (type === "BAD" ? step(state) : { n: state.n + 1 }) as { readonly n: number },
      });
      const asTransition = machine(
        {
          id: "m",
          context: { n: 0 },
          invoke: { src: "kid", id: "k" },
          on: { BAD: { actions: sendTo("k", { type: "BAD" }) }, GOOD: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
        },
        { actors: { kid: fromTransition(step, { n: 0 }) } },
      );
      for (const [behaviour, place] of [
        [asReducer, /one on "BAD": the reducer$/],
        [asTransition, /one\/~\/k on "BAD"/],
      ] as const) {
        const host = new EntityHost(thingType(behaviour, anyMessages(), { durability }));
        const results = [1, 2, 3].map(() => host.send("BAD", { id: "same" }));
        t.match(results[0], { kind: "faulted", code, error, place, attempt: 1 }, name);
        t.match(results[2], { kind: "faulted", attempt: 3, parked: true }, name);
        t.equal(host.send("GOOD").kind, "accepted", `${name}: it goes on`);
        t.match(host.context(), { n: 1 }, name);
      }
    }
    t.end();
  });

  test(`H6. a ${durability} reducer whose first state is a promise does not start`, (t) => {
    const initial = (async () => Promise.reject(new Error("nobody waits for this"))) as never;
    const host = new EntityHost(thingType(reducer({ initial, step: (state) => state }), anyMessages(), { durability }));
    t.match(host.results[0], { kind: "faulted", code: "DROVER_STEP_PROMISE", error: /returned a promise/, place: /one: the reducer's first state$/ });
    t.equal(host.send("GOOD").kind, "no-such-actor");
    t.end();
  });
}

test("H1. what an unwound input left between its cells reaches nobody with the next one", (t) => {
  const kid = machine({ entry: [sendParent({ type: "A" }), sendParent({ type: "B" })] });
  const parent = machine(
    {
      context: { n: 0 },
      on: {
        BAD: { actions: spawnChild("kid", { id: "k" }) },
        A: {
          actions: assign(() => {
            throw new Error("boom");
          }),
        },
        B: { actions: assign({ n: ({ context }) => context.n + 100 }) },
        GOOD: { actions: assign({ n: ({ context }) => context.n + 1 }) },
      },
    },
    { actors: { kid } },
  );
  const host = new EntityHost(thingType(parent, anyMessages()));
  t.match(host.send("BAD"), { kind: "faulted", error: "boom" });
  t.equal(host.send("GOOD").kind, "accepted");
  t.same(host.context(), { n: 1 });
  t.end();
});

test("H12. a child of whose step something cannot be done fails once, and nothing further of that step is done", (t) => {
  const kid = machine({ entry: [emit({ type: "SEEN", f: () => 1 }), sendParent({ type: "LATE" })] });
  const parent = machine(
    {
      context: { failed: 0, late: 0 },
      on: {
        BAD: { actions: spawnChild("kid", { id: "k" }) },
        LATE: { actions: assign({ late: ({ context }) => context.late + 1 }) },
        "xstate.error.actor.k": { actions: assign({ failed: ({ context }) => context.failed + 1 }) },
      },
    },
    { actors: { kid } },
  );
  const host = new EntityHost(thingType(parent, anyMessages()));
  t.equal(host.send("BAD").kind, "accepted");
  t.same(host.context(), { failed: 1, late: 0 });
  t.same(host.emitted, []);
  t.end();
});

test("a reducer that refuses may return nothing, and one without a state too", (t) => {
  const refusing = reducer({
    initial: () => ({ n: 0 }),
    step: (_state, _event, turn) => {
      turn.refuse("not now");
      return undefined as never;
    },
  });
  t.match(new EntityHost(thingType(refusing, anyMessages())).send("BAD"), { kind: "refused", reason: "not now" });
  const without = reducer({ initial: () => undefined, step: () => undefined });
  t.match(new EntityHost(thingType(without, anyMessages())).send("GOOD"), { kind: "accepted" });
  t.end();
});

test("K1. a negative delay counts as zero", (t) => {
  const host = new EntityHost(
    thingType(
      machine({ context: { n: 0 }, on: { BAD: { actions: raise({ type: "X" }, { delay: -5 }) }, X: { actions: assign({ n: ({ context }) => context.n + 1 }) } } }),
      anyMessages(),
    ),
  );
  host.send("BAD");
  t.same(host.context(), { n: 0 });
  host.advance(0);
  t.same(host.context(), { n: 1 });
  t.end();
});

type Json = Record<string, unknown>;

test("H8. a stored state that does not fit is refused with a code, its actor and what does not fit", (t) => {
  const kid = machine({ initial: "on", states: { on: {} } });
  const type = thingType(machine({ id: "m", initial: "a", context: { n: 0 }, invoke: { src: "kid", id: "k" }, states: { a: {}, b: {} } }, { actors: { kid } }), anyMessages());
  const spoil = (change: (state: Json, cells: Json[]) => void): (() => unknown) => {
    const state = JSON.parse(JSON.stringify(new EntityHost(type).entity.state())) as Json;
    change(state, state["cells"] as Json[]);
    return () => restoreEntity(type, ROOT, { snapshot: state as never, records: [] });
  };
  const cases: Readonly<Record<string, readonly [RegExp, (state: Json, cells: Json[]) => void]>> = {
    "a state that the machine does not have": [/one.*no state|one.*'gone'/i, (_, [root]) => Object.assign(root as Json, { value: "gone" })],
    "a state of a child that it does not have": [/one\/~\/k: State 'gone'/, (_, cells) => Object.assign(cells[1] as Json, { value: "gone" })],
    "a type that is not registered": [/no actor type is registered for "other"/, (_, [root]) => Object.assign(root as Json, { type: "other" })],
    "a source that is not registered": [/registered for "thing\/other"/, (_, cells) => Object.assign(cells[1] as Json, { type: "thing/other" })],
    "a mark that the codec does not know": [/unknown tag \$new/, (_, [root]) => Object.assign(root as Json, { context: { n: { $new: 1 } } })],
    "cells that are none": [/one/, (state) => Object.assign(state, { cells: [5] })],
    "no cells": [/one/, (state) => Object.assign(state, { cells: "none" })],
    "tables that are none": [/one/, (state) => Object.assign(state, { rest: { timers: 5 } })],
    "a status that is none": [/one: odd and running are no status/, (_, [root]) => Object.assign(root as Json, { status: "odd" })],
    "a history of a state that it does not have": [/no state "#gone"/, (_, [root]) => Object.assign((root as Json)["inner"] as Json, { history: [["m", ["gone"]]] })],
  };
  for (const [name, [message, change]] of Object.entries(cases)) t.throws(spoil(change), { code: "DROVER_STATE_INVALID", message }, name);
  t.doesNotThrow(spoil(() => undefined));
  t.end();
});

test("a migration that throws is such a refusal too", (t) => {
  const old = new EntityHost(thingType(machine({ initial: "a", states: { a: {} } }), anyMessages())).entity.state();
  const root = actorType({
    name: "thing",
    version: 2,
    messages: anyMessages(),
    behaviour: machine({ initial: "b", states: { b: {} } }) as never,
    migrate: {
      1: () => {
        throw new Error("boom");
      },
    },
  });
  t.throws(() => restoreEntity(entityType({ root, durability: "events", placement: "cloud" }), ROOT, { snapshot: old, records: [] }), {
    code: "DROVER_STATE_INVALID",
    message: /one.*boom/,
  });
  t.end();
});

const growing = machine({
  context: { list: [] },
  on: {
    MORE: { actions: assign({ list: ({ context }) => [...context.list, "x".repeat(100)] }) },
    LESS: { actions: assign({ list: ({ context }) => context.list.slice(1) }) },
  },
});

for (const durability of ["events", "volatile"] as const) {
  test(`a context of a ${durability} actor that grows is told once, then a fault; it never gets beyond its limit, and may shrink`, (t) => {
    const root = actorType({ name: "thing", version: 1, messages: anyMessages(), behaviour: growing as never, contextLimits: { warnBytes: 5_000, maxBytes: 20_000 } });
    const host = new EntityHost(entityType({ root, durability, placement: "cloud" }), { twice: true });
    const results = Array.from({ length: 400 }, () => host.send("MORE"));
    const told = reports(host).filter((report) => report.context === "context_large");
    t.equal(told.length, 1);
    t.match(told[0], { offender: ROOT, reason: /about \d+ bytes; beyond 20000 it is a fault/ });
    const size = (host.context() as { readonly list: readonly string[] }).list.length;
    t.ok(size > 100 && size < 200, `${String(size)} items are kept`);
    t.match(results.at(-1), { kind: "faulted", code: "DROVER_CONTEXT_TOO_LARGE", error: /about \d+ bytes, the limit of "thing" is 20000/, place: ROOT });
    t.same(host.differences, []);
    t.equal(host.send("LESS").kind, "accepted");
    t.equal(host.send("MORE").kind, "accepted");
    t.end();
  });
}

test("limits of a context that contradict each other are refused at registration", (t) => {
  for (const contextLimits of [{ warnBytes: 10, maxBytes: 5 }, { warnBytes: 0 }, { maxBytes: Number.NaN }])
    t.throws(() => actorType({ name: "thing", version: 1, messages: anyMessages(), behaviour: growing as never, contextLimits }), { code: "DROVER_TYPE_INVALID" });
  t.end();
});
