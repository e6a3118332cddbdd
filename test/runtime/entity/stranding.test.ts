// Whether an upgrade strands an actor: it can never leave its state any more, and what led out of it is gone (rules T4).

import { type Test, test } from "tap";
import type { AnyStateMachine } from "xstate";

import { actorType, type AnyActorType, entityType, type EntityType, reducer, task } from "../../../runtime/actor/index.ts";
import { type ActorUpgrade, upgradeOf } from "../../../runtime/entity/index.ts";
import { EntityHost, ROOT, words } from "../entity-host.ts";
import { assign, type LooseRecord, machine, raise } from "../xstate/loose.ts";

const protocol = words("GO", "STOP", "STATUS");
const work = task as unknown as (options?: object) => LooseRecord;
const note = { actions: assign({ n: 1 }) };
const answers = { on: { STATUS: note } };

const made = (config: LooseRecord, actors: LooseRecord = {}): AnyStateMachine =>
  machine({ id: "p", context: { n: 0 }, ...config }, { delays: { D: 1_000, E: 5_000 }, actors: { job: work(), ...actors } });
const states = (given: LooseRecord, more: LooseRecord = {}): AnyStateMachine => made({ initial: "idle", ...more, states: given });
const beside = (left: LooseRecord, right: LooseRecord): AnyStateMachine => made({ type: "parallel", states: { left, right } });

interface Lived {
  readonly said?: readonly string[];
  readonly migrate?: object;
  readonly taken?: ReturnType<typeof words>;
}

function actor(version: number, behaviour: object, { migrate, taken = protocol }: Lived, earlier: readonly AnyActorType[]): AnyActorType {
  const type = actorType({
    name: "p",
    version,
    messages: taken,
    behaviour: behaviour as never,
    earlier: [...earlier],
    ...(migrate === undefined ? {} : { migrate: migrate as never }),
  });
  return "implementations" in behaviour ? type.with({ tasks: { job: () => new Promise(() => undefined) } }) : type;
}

const typeOf = (root: AnyActorType): EntityType => entityType({ root, durability: "events", placement: "cloud" });

function judged(v1: object, v2: object, lived: Lived = {}, isKnown = true): ActorUpgrade {
  const first = actor(1, v1, {}, []);
  const host = new EntityHost(typeOf(first));
  for (const word of lived.said ?? []) host.send(word);
  const later = actor(2, v2, lived, isKnown ? [first] : []);
  return upgradeOf(new Map([["p", later]]), { entity: ROOT, snapshot: host.entity.state(), records: [] }).actors[0] as ActorUpgrade;
}

/** With the older version registered and without. */
function strands(t: Test, v1: object, v2: object, lived: Lived, reason: RegExp, name: string): void {
  for (const isKnown of [true, false]) {
    const { verdict, reason: told = "" } = judged(v1, v2, lived, isKnown);
    t.equal(verdict, "stranded", `${name}, known: ${String(isKnown)}`);
    t.match(told, reason);
    t.match(told, /in version 2/);
  }
}

function fits(t: Test, v1: object, v2: object, lived: Lived, name: string, known: readonly boolean[] = [true, false]): void {
  for (const isKnown of known) {
    const { verdict, reason } = judged(v1, v2, lived, isKnown);
    t.match(verdict, /^(fits|migrates)$/, `${name}, known: ${String(isKnown)}: ${reason ?? ""}`);
  }
  for (const isKnown of [true, false]) t.equal(judged(v1, v1, lived.said === undefined ? {} : { said: lived.said }, isKnown).verdict, "fits", `${name}: an upgrade to itself`);
}

const said = ["GO"];
const go = { idle: { on: { GO: "run" } } };

test("T4, G1. stranded is who took a message, or waited for a timer or a child, that led out, and has no way out any more, whatever else it takes", (t) => {
  const closed = states({ ...go, run: {} }, answers);
  strands(t, states({ ...go, run: { on: { GO: "idle" } } }), states({ ...go, run: {} }), { said }, /nothing leads out of "run".*the message GO/, "it takes nothing at all");
  strands(t, states({ ...go, run: { on: { STOP: "idle" } } }, answers), closed, { said }, /nothing leads out of "run".*the message STOP/, "a message");
  strands(t, states({ ...go, run: { after: { D: "idle" } } }, answers), closed, { said }, /the timer xstate\.after\.D\.p\.run/, "a timer");
  strands(t, states({ ...go, run: { invoke: { src: "job", onDone: "idle" } } }, answers), closed, { said }, /the child acme\/thing\/one\/~\/0\.p\.run/, "a child");
  strands(
    t,
    states({ ...go, run: { after: { D: "idle" } } }, answers),
    states({ ...go, run: { on: { GO: { target: "run", reenter: true } } } }, answers),
    { said },
    /D/,
    "it only comes back",
  );
  const delayed = { entry: raise({ type: "TICK" }, { delay: 500 }) };
  const { reason, verdict } = judged(states({ ...go, run: { ...delayed, on: { TICK: "idle" } } }, answers), states({ ...go, run: delayed }, answers), { said });
  t.match({ verdict, reason }, { verdict: "stranded", reason: /the timer ~\d+ \(TICK\).*it was left by TICK/ }, "a delayed event that goes on and means nothing");
  t.match(judged(states({ ...go, run: { on: { "*": "idle" } } }), states({ ...go, run: {} }, { on: { "*": note } }), { said }), {
    verdict: "stranded",
    reason: /it was left by \*/,
  });
  t.match(judged(states({ ...go, run: { always: { target: "idle", guard: () => false } } }, answers), closed, { said }), { reason: /it was left by an eventless transition/ });
  t.match(judged(states({ ...go, run: { on: { STOP: "idle" } } }, answers), closed, { said }, false).reason, /STOP; version 1 is not among `earlier`/);
  t.end();
});

test("T4, G1. nobody is stranded whom anything leads out, nor who could not leave before, nor who ends", (t) => {
  const timed = states({ ...go, run: { after: { D: "idle" } } }, answers);
  fits(t, timed, states({ ...go, run: { on: { STOP: "idle" } } }, answers), { said }, "by a message now");
  fits(t, timed, states({ ...go, run: { after: { E: "idle" } } }, answers), { said }, "by another timer");
  fits(t, timed, states({ ...go, run: { on: { "*": { target: "idle", guard: () => false } } } }), { said }, "by a guarded wildcard");
  fits(t, timed, states({ ...go, run: {} }, { on: { STOP: ".idle" } }), { said }, "by the root");
  fits(t, timed, states({ ...go, run: { invoke: { src: "job", onError: "idle" } } }), { said }, "by a child");
  const to = (value: unknown): object => ({ 1: (old: { context: object }) => ({ value, context: old.context }) });
  fits(t, timed, states({ ...go, run: {}, rest: { on: { GO: "idle" } } }), { said, migrate: to("rest") }, "from the state that migrate leads to");
  fits(t, timed, states({ ...go, run: {}, end: { type: "final" } }), { said, migrate: to("end") }, "it has ended");
  strands(t, timed, states({ ...go, run: { after: { D: "idle" } }, rest: {} }, answers), { said, migrate: to("rest") }, /nothing leads out of "rest"/, "migrate leads astray");
  const closed = { ...go, run: {} };
  fits(t, states(closed, { on: { STATUS: note, STOP: note } }), states(closed, answers), { said }, "it was the end before, and is known to have been", [true]);
  t.equal(judged(states(closed, { on: { STATUS: note, STOP: note } }), states(closed, answers), { said }, false).verdict, "stranded", "nobody knows");
  t.end();
});

test("T4, G3. a reducer, and a machine that has one place to be, is stranded where it takes nothing any more", (t) => {
  const counting = reducer({ initial: () => ({ n: 0 }), step: (state) => state }) as object;
  fits(t, counting, counting, { taken: words("GO") }, "a reducer that takes less");
  strands(t, counting, counting, { taken: words() }, /nothing leads out of it in version 2.*the message GO, the message STOP/, "a reducer that takes nothing");
  const one = (on: LooseRecord, more: LooseRecord = {}): AnyStateMachine => made({ on, ...more });
  fits(t, one({ GO: note, STOP: note }, { after: { D: note } }), one({ GO: note }), {}, "a machine of one state that takes less");
  strands(t, one({ GO: note }), one({}), {}, /the message GO/, "and one that takes nothing");
  t.equal(judged(one({}), one({}), {}).verdict, "fits", "nothing was ever taken");
  t.end();
});

test("T4, G2. a region that lost its timer or its child and is never left any more strands its actor, while the others go on", (t) => {
  const living = { initial: "a", states: { a: { on: { GO: "b" } }, b: { on: { GO: "a" } } } };
  const region = (a: LooseRecord, more: LooseRecord = {}): LooseRecord => ({ initial: "a", states: { a, b: {} }, ...more });
  const told = /nothing leads out of #p\.left\.a, a state within \{"left":"a","right":"a"\}/;
  strands(t, beside(region({ after: { D: "b" } }), living), beside(region({}), living), {}, told, "a timer");
  strands(t, beside(region({}, { after: { D: ".b" } }), living), beside(region({}), living), {}, /xstate\.after\.D\.p\.left/, "of the state around it");
  strands(t, beside(region({ invoke: { src: "job", onDone: "b" } }), living), beside(region({}), living), {}, /the child acme\/thing\/one\/~\/0\.p\.left\.a/, "a child");
  const named = { id: "job", src: "job" };
  strands(
    t,
    beside(region({ invoke: { ...named, onDone: "b" } }), living),
    beside(region({}), living),
    {},
    /left\.a.*the child acme\/thing\/one\/~\/job/,
    "a child with a name of its own",
  );
  strands(
    t,
    beside(region({ invoke: { ...named, onDone: "b" } }), living),
    beside(region({ invoke: named }), living),
    {},
    /left\.a.*~\/job/,
    "a child that goes on, and whose end means nothing",
  );
  const elsewhere = beside({ ...region({}), invoke: { ...named, onDone: note } }, { ...living, initial: "b" });
  fits(t, elsewhere, beside(region({}), { ...living, initial: "b" }), {}, "it led nowhere from there", [true]);
  t.equal(judged(elsewhere, beside(region({}), { ...living, initial: "b" }), {}, false).verdict, "stranded", "nobody knows whose it was");
  const ticking = (id?: string): LooseRecord => ({ entry: raise({ type: "TICK" }, { delay: 500, ...(id === undefined ? {} : { id }) }) });
  for (const id of [undefined, "mine"]) {
    const ticked = beside(region({ ...ticking(id), on: { TICK: "b" } }), living);
    t.match(
      judged(ticked, beside(region(ticking(id)), living)),
      { verdict: "stranded", reason: new RegExp(`${told.source}.*the timer ${id ?? "~\\d+"} \\(TICK\\)`) },
      `an event that is delayed under the name ${id ?? "of none"}`,
    );
    fits(t, ticked, beside(region({ ...ticking(id), on: { STOP: "b" } }), living), {}, "another way out", [true]);
  }
  const tickedRight = beside(region({ on: { STOP: "b" } }), { initial: "a", states: { a: { ...ticking(), on: { TICK: "b", GO: "b" } }, b: {} } });
  fits(t, tickedRight, beside(region({}), { initial: "a", states: { a: { on: { GO: "b" } }, b: {} } }), {}, "another region's", [true]);
  fits(t, beside(region({ after: { D: "b" } }), living), beside(region({ on: { STOP: "b" } }), living), {}, "a message instead");
  fits(t, beside(region({ on: { STOP: "b" } }), living), beside(region({}), living), {}, "a message that is gone strands no region");
  fits(t, beside({ after: { D: note } }, living), beside({}, living), {}, "a region of one state");
  fits(t, beside(region({ after: { D: note } }), living), beside(region({}), living), {}, "it led nowhere", [true]);
  const ending = { initial: "a", states: { a: { always: "z" }, z: { type: "final" } } };
  fits(t, beside({ ...ending, after: { D: note } }, living), beside(ending, living), {}, "a region at its end");
  t.end();
});

test("T4, G4. a child machine that never ends any more strands the parent that only its end leads out", (t) => {
  const inner = (x: LooseRecord): AnyStateMachine => machine({ id: "i", initial: "x", states: { x, z: { type: "final" } } }, { delays: { L: 5_000 } });
  const parent = (x: LooseRecord, invoke: LooseRecord, run: LooseRecord = {}): AnyStateMachine =>
    made({ initial: "idle", ...answers, states: { ...go, run: { ...run, invoke: { src: "inner", id: "inner", ...invoke } } } }, { inner: inner(x) });
  const timed = { after: { L: "z" } };
  const out = { onDone: "idle", onError: "idle" };
  strands(
    t,
    parent(timed, out),
    parent({}, out),
    { said },
    /out of "run".*child acme\/thing\/one\/~\/inner never ends, nothing leads out of "x" in version 2.*xstate\.after\.L\.i\.x/,
    "its timer",
  );
  t.match(judged(parent({ on: { kick: "z" } }, out), parent({}, out), { said }).reason, /never ends.*it was left by kick/, "what its parent says");
  fits(t, parent(timed, out), parent({ on: { kick: "z" } }, out), { said }, "its parent may say it");
  fits(t, parent(timed, out), parent({}, out, { on: { STOP: "idle" } }), { said }, "its parent may leave");
  fits(t, parent({}, out), parent({ on: { other: note } }, out), { said }, "it never ended");
  const always = (x: LooseRecord): AnyStateMachine => made({ ...answers, invoke: { src: "inner", id: "inner" } }, { inner: inner(x) });
  strands(t, always(timed), always({}), {}, /child acme\/thing\/one\/~\/inner never ends/, "nobody will ever stop it");
  const besideIt = (x: LooseRecord): AnyStateMachine =>
    made(
      {
        type: "parallel",
        states: {
          left: { initial: "a", states: { a: { invoke: { src: "inner", id: "inner", onDone: "b" } }, b: {} } },
          right: { initial: "a", states: { a: { on: { GO: "b" } }, b: {} } },
        },
      },
      { inner: inner(x) },
    );
  strands(t, besideIt(timed), besideIt({}), {}, /out of #p\.left\.a.*child acme\/thing\/one\/~\/inner never ends/, "in a region");
  t.end();
});
