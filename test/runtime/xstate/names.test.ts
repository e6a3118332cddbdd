// Names of Object.prototype mean what any other name means (hosting H3, H8): as in bare XState, with its state through JSON between all steps, and by replay.

import { test } from "tap";
import { createActor } from "xstate";

import { actorType, effect, type AnyReducer, reducer } from "../../../runtime/actor/index.ts";
import { difference, restoreEntity } from "../../../runtime/entity/index.ts";
import { walkMachine } from "../../../runtime/xstate/index.ts";
import { anyMessages, EntityHost, thingType } from "../entity-host.ts";
import { type Ran, runBare, runHosted } from "./differential.ts";
import { assign, machine, sendTo, spawnChild } from "./loose.ts";
import { NAMES, namesCases } from "./names-cases.ts";

const json = (ran: Ran): unknown => JSON.parse(JSON.stringify(ran));

test("H3, H8. whatever is named so gives what bare XState gives", async (t) => {
  for (const one of namesCases) t.same(json((await runHosted(one)).ran), json(await runBare(one)), one.name);
});

test("H8, S9. it gives the same with its state through JSON between all steps, by replay, and taken twice", async (t) => {
  for (const one of namesCases) {
    const { ran, host } = await runHosted(one);
    t.same(json((await runHosted(one, { restart: true })).ran), json(ran), `${one.name}, restarted`);
    const { entity, divergences } = restoreEntity(host.type, host.address, { snapshot: undefined, records: host.journal() });
    t.same(divergences, [], one.name);
    t.equal(difference(host.entity.state(), entity.state(), ""), undefined, one.name);
    t.same((await runHosted(one, { twice: true })).host.differences, [], one.name);
  }
});

test("H8. a durable actor keeps a child of such an id over bytes, and its system id", (t) => {
  for (const name of NAMES) {
    const kid = machine({ context: { n: 0 }, on: { P: { actions: assign({ n: ({ context }) => context.n + 1 }) } } });
    const host = new EntityHost(
      thingType(
        machine({ on: { A: { actions: spawnChild("kid", { id: name, systemId: name }) }, B: { actions: sendTo(name, { type: "P" }) } } }, { actors: { kid } }),
        anyMessages(),
      ),
    );
    for (const event of ["A", "B"]) t.equal(host.send(event).kind, "accepted", name);
    t.same(host.restart({ by: "bytes" }).divergences, [], name);
    t.equal(host.send("B").kind, "accepted", name);
    t.match(host.context(`${host.address}/~/${name}` as never), { n: 2 }, name);
    t.match(host.send("A"), { kind: "faulted", code: "DROVER_CHILD_ID_TAKEN" }, `N15: ${name}`);
  }
  t.end();
});

test("N17. a state whose name or id is __proto__ is refused at registration; bare XState loses it", (t) => {
  const named = machine({ initial: "a", states: { a: { on: { N: { target: "__proto__" } } }, ["__proto__"]: { on: { N: "a" } } } });
  t.match(walkMachine(named), [
    { where: "#(machine).__proto__", what: 'has the name "__proto__", under which XState loses a state', advice: "give it another name", durableOnly: false },
  ]);
  t.throws(() => actorType({ name: "thing", version: 1, messages: anyMessages(), behaviour: named }), { code: "DROVER_TYPE_INVALID" });
  const remembered = machine({ initial: "a", states: { a: { initial: "b", states: { b: {}, h: { type: "history", id: "__proto__" } } } } });
  t.match(walkMachine(remembered), [{ where: "#__proto__", what: /has the id "__proto__"/ }]);
  const errors: unknown[] = [];
  const bare = createActor(named);
  bare.subscribe({ error: (error) => errors.push(error) });
  bare.start();
  for (let at = 0; at < 2; at++) bare.send({ type: "N" });
  t.match(errors, [{ message: /Cannot read properties of undefined/ }]);
  t.end();
});

test("A2. an effect and a task of such a name are missing until they are supplied", (t) => {
  for (const name of NAMES) {
    const heat = effect<unknown>({ class: "idempotent" });
    const parts = Object.fromEntries([[name, heat]]);
    const doing = reducer({ initial: () => ({ n: 0 }), step: (state: object) => state, effects: parts }) as AnyReducer;
    for (const behaviour of [machine({ on: { A: { actions: name } } }, { actions: parts as never }), doing]) {
      const type = actorType({ name: "thing", version: 1, messages: anyMessages(), behaviour: behaviour as never }) as unknown as {
        with(parts: object): { readonly effects: object };
      };
      t.throws(() => type.with({ effects: {} }), { message: new RegExp(`does not supply the effect "${name}"`) }, name);
      const supplied = type.with({ effects: Object.fromEntries([[name, () => undefined]]) });
      t.ok(Object.hasOwn(supplied.effects, name), name);
    }
  }
  t.end();
});
