// What an actor has after an upgrade: what a machine in its state has (rules K1, T3, T4; promises S7, S9).

import { type Test, test } from "tap";
import type { AnyStateMachine } from "xstate";

import { actorType, type AnyActorType, entityType, type EntityType, messages, task } from "../../../runtime/actor/index.ts";
import type { Address } from "../../../runtime/address.ts";
import { difference, replayTurn, restoreEntity } from "../../../runtime/entity/index.ts";
import { EntityHost, ROOT, words } from "../entity-host.ts";
import { assign, type LooseRecord, machine, spawnChild } from "../xstate/loose.ts";

/** A task without its types. */
const work = task as unknown as (options?: object) => LooseRecord;
const protocol = words("GO", "POKE", "BACK", "LATER");

interface Made {
  readonly migrate?: object;
  readonly earlier?: readonly AnyActorType[];
  readonly tasks?: object;
  readonly timers?: object;
}

function actor(version: number, behaviour: object, { tasks, ...more }: Made = {}): AnyActorType {
  const made = actorType({ name: "pump", version, messages: protocol, behaviour: behaviour as never, ...(more as object) });
  return tasks === undefined ? made : made.with({ tasks });
}

const typeOf = (root: AnyActorType): EntityType => entityType({ root, durability: "events", placement: "cloud" });
/** States of one machine, with the delays D and E. */
const states = (given: LooseRecord, more: LooseRecord = {}): AnyStateMachine =>
  machine({ id: "pump", initial: "off", context: { n: 0 }, states: given, ...more }, { delays: { D: 1_000, E: 5_000 }, actors: { job: work(), other: work() } });
const renamed = (names: Readonly<Record<string, unknown>>): object => ({
  1: (old: { value: string; context: unknown }) => ({ value: names[old.value] ?? old.value, context: old.context }),
});

/** Lived under version 1, upgraded after `ms`. */
function upgraded(v1: object, v2: object, more: Made & { readonly said?: readonly string[]; readonly ms?: number; readonly isUnknown?: boolean } = {}): EntityHost {
  const { said = ["GO"], ms = 400, isUnknown = false, migrate, tasks } = more;
  const first = actor(1, v1, tasks === undefined ? {} : { tasks });
  const host = new EntityHost(typeOf(first));
  for (const word of said) host.send(word);
  host.advance(ms);
  host.upgrade(typeOf(actor(2, v2, { ...(migrate === undefined ? {} : { migrate }), ...(tasks === undefined ? {} : { tasks }), earlier: isUnknown ? [] : [first] })));
  return host;
}

/** S9. The journal of both versions gives the same state, and each turn of it can be looked at again. */
function replays(t: Test, host: EntityHost): void {
  const records = host.journal();
  const { entity, divergences, upgrade } = restoreEntity(host.type, ROOT, { snapshot: undefined, records });
  t.same(divergences, [], "every turn came out the same, the upgrade's too");
  t.equal(upgrade, undefined, "and there is nothing left to upgrade");
  t.equal(difference(host.entity.state(), entity.state(), ""), undefined);
  const at = records.findIndex(({ inputs }) => inputs[0]?.kind === "upgrade");
  const before = restoreEntity(
    host.type.root.earlier.reduce((type, older) => type.using(older), host.type),
    ROOT,
    { snapshot: undefined, records: records.slice(0, at) },
  );
  t.equal(replayTurn(host.type, ROOT, before.entity.state(), records[at] as never).differs, undefined, "in a debugger too");
}

const timers = (host: EntityHost): readonly string[] => host.entity.timers().map(({ name, due }) => `${name} ${String(due)}`);
const children = (host: EntityHost): readonly string[] =>
  host.entity.views().flatMap(({ role, address, incarnation }) => (role === "inner" ? [`${address.slice(ROOT.length)}#${String(incarnation)}`] : []));

test("S7, K1. a delayed transition that was armed is due when it was due: in the same state, in one that was renamed, put into another or taken out of one", (t) => {
  const run = { off: { on: { GO: "run" } }, run: { after: { D: "gone" } }, gone: {} };
  const spin = { off: { on: { GO: "spin" } }, spin: { after: { D: "gone" } }, gone: {} };
  const inside = { off: {}, active: { initial: "run", states: { run: { after: { D: "#pump.gone" } } } }, gone: {} };
  const cases: readonly (readonly [string, LooseRecord, LooseRecord, object?])[] = [
    ["the same", run, run],
    ["renamed", run, spin, renamed({ run: "spin" })],
    ["put into another", run, inside, renamed({ run: { active: "run" } })],
  ];
  for (const [name, v1, v2, migrate] of cases) {
    for (const isUnknown of [false, true]) {
      const host = upgraded(states(v1), states(v2), { isUnknown, ...(migrate === undefined ? {} : { migrate }) });
      t.equal(host.entity.timers().length, 1, `${name}: one timer`);
      host.advance(599);
      t.not(host.value(), "gone", `${name}: not before its time`);
      host.advance(1);
      t.equal(host.value(), "gone", `${name}: at its time`);
      if (!isUnknown) replays(t, host);
    }
  }
  const out = upgraded(states(inside, { initial: "active" }), states(run), { said: [], migrate: { 1: ({ context }: { context: unknown }) => ({ value: "run", context }) } });
  out.advance(600);
  t.equal(out.value(), "gone", "taken out of one");
  t.end();
});

test("S7, K1. a delay that the state did not have is armed from the upgrade on; one that it has no more is cancelled, and goes nowhere", (t) => {
  const before = { off: { on: { GO: "run" } }, run: { after: { 1500: "gone" } }, gone: {} };
  const changed = upgraded(states(before), states({ ...before, run: { after: { 1600: "gone" } } }));
  t.same(timers(changed), ["xstate.after.1600.pump.run 2000"]);
  changed.advance(1_599);
  t.equal(changed.value(), "run");
  changed.advance(1);
  t.equal(changed.value(), "gone");
  replays(t, changed);

  const added = upgraded(states({ off: { on: { GO: "run" } }, run: {}, gone: {} }), states({ off: {}, run: { after: { D: "gone", E: "off" } }, gone: {} }));
  t.same(timers(added), ["xstate.after.D.pump.run 1400", "xstate.after.E.pump.run 5400"]);
  replays(t, added);

  const removed = upgraded(states(before), states({ ...before, run: {} }));
  t.same(timers(removed), []);
  t.same(removed.entity.counters.unheard, {});
  replays(t, removed);
  t.end();
});

test("S7. what has fired without leading out of its state is not armed again, as long as its version is known", (t) => {
  const beeping = states({ off: { on: { GO: "run" } }, run: { after: { D: { actions: assign({ n: ({ context }) => context.n + 1 }) } } } });
  for (const isUnknown of [false, true]) {
    const host = upgraded(beeping, beeping, { ms: 1_200, isUnknown, migrate: { 1: (old: { context: object }) => ({ ...old, context: { ...old.context, more: 1 } }) } });
    host.advance(2_000);
    t.same(host.context(), { n: isUnknown ? 2 : 1, more: 1 });
    if (!isUnknown) replays(t, host);
  }
  t.end();
});

test("K1. each region of a parallel state keeps its own timers, and one that is new has its own from the upgrade on", (t) => {
  const region = (state: string): LooseRecord => ({ initial: state, states: { [state]: { after: { D: "done" } }, done: {} } });
  const shape = (regions: LooseRecord): AnyStateMachine => machine({ id: "pump", type: "parallel", states: regions }, { delays: { D: 1_000 } });
  const host = upgraded(shape({ left: region("a"), right: region("a") }), shape({ left: region("b"), right: region("a"), third: region("c") }), {
    said: [],
    migrate: { 1: () => ({ value: { left: "b", right: "a", third: "c" }, context: {} }) },
  });
  t.same(timers(host).toSorted(), ["xstate.after.D.pump.left.b 1000", "xstate.after.D.pump.right.a 1000", "xstate.after.D.pump.third.c 1400"]);
  host.advance(600);
  t.same(host.value(), { left: "done", right: "done", third: "c" });
  replays(t, host);
  t.end();
});

test("H9. the invoke of a renamed state goes on with its child and its key; a new one begins; one that is gone is stopped, its source gone or not", async (t) => {
  const keys: string[] = [];
  let isQuick = false;
  const tasks = {
    job: (_: unknown, { key }: { key: string }) => (keys.push(key), isQuick ? 7 : new Promise(() => undefined)),
    other: () => new Promise(() => undefined),
  };
  const before = states({ off: { on: { GO: "run" } }, run: { invoke: { src: "job", onDone: "gone" } }, gone: {} });
  const after = states({ off: {}, spin: { invoke: { src: "job", onDone: "gone" } }, gone: {} });
  const host = upgraded(before, after, { tasks, migrate: renamed({ run: "spin" }) });
  t.same(children(host), ["/~/0.pump.run#2"], "the same incarnation at the same address");
  isQuick = true;
  host.restart();
  host.recover();
  await host.tick(3);
  t.equal(host.value(), "gone");
  t.equal(keys.length, 3);
  t.equal(new Set(keys).size, 1, "the same key on every attempt");
  replays(t, host);

  const begun = upgraded(states({ off: { on: { GO: "run" } }, run: {}, gone: {} }), states({ off: {}, run: { invoke: { src: "job", onDone: "gone" } }, gone: {} }), { tasks });
  await begun.tick(3);
  t.equal(begun.value(), "gone");
  replays(t, begun);

  const stopped = upgraded(before, states({ off: {}, run: {} }), { tasks });
  t.same(children(stopped), []);
  t.same(timers(stopped), [], "the deadline of the task too");
  replays(t, stopped);
  const bare = machine({ id: "pump", initial: "off", context: { n: 0 }, states: { off: {}, run: { after: { 1000: "off" } } } });
  for (const isUnknown of [false, true]) {
    const first = actor(1, before, { tasks });
    const lost = new EntityHost(typeOf(first));
    lost.send("GO");
    lost.upgrade(typeOf(actor(2, bare, { earlier: isUnknown ? [] : [first] })));
    t.same(children(lost), []);
    lost.advance(1_000);
    t.equal(lost.value(), "off");
    t.doesNotThrow(() => lost.restart(), "nothing of it is left in the state");
  }
  t.end();
});

test("H9. another source under the same id is another child; what has ended is not begun again", async (t) => {
  const ran: string[] = [];
  const tasks = { job: () => void ran.push("job"), other: () => void ran.push("other") };
  const v1 = states({ off: { on: { GO: "run" } }, run: { invoke: { id: "work", src: "job", onDone: { guard: () => false, target: "off" } } } });
  const host = new EntityHost(typeOf(actor(1, v1, { tasks })));
  host.send("GO");
  await host.tick(3);
  host.upgrade(typeOf(actor(2, v1, { tasks, earlier: [actor(1, v1, { tasks })] })));
  await host.tick(3);
  t.same(ran, ["job"]);
  const v3 = states({ off: {}, run: { invoke: { id: "work", src: "other", onDone: "off" } } });
  host.upgrade(typeOf(actor(3, v3, { tasks, earlier: [actor(1, v1, { tasks }), actor(2, v1, { tasks })] })));
  await host.tick(3);
  t.same(ran, ["job", "other"]);
  t.equal(host.value(), "off");
  const { divergences } = restoreEntity(host.type, ROOT, { snapshot: undefined, records: host.journal() });
  t.same(divergences, [], "two upgrades run again as they ran");
  t.end();
});

test("F1. a task of class `once` that ran when its node stopped is not run again by an upgrade, and one that begins with it is run", async (t) => {
  let runs = 0;
  const tasks = { job: () => ({ run: ++runs }) };
  const shape = (state: string): AnyStateMachine =>
    machine(
      { id: "pump", initial: "off", states: { off: { on: { GO: state } }, [state]: { invoke: { src: "job", onDone: "done", onError: "unsure" } }, done: {}, unsure: {} } },
      { actors: { job: work({ class: "once" }) } },
    );
  const stuck = { job: () => (runs++, new Promise(() => undefined)) };
  const first = actor(1, shape("run"), { tasks: stuck });
  const host = new EntityHost(typeOf(first));
  host.send("GO");
  host.upgrade(typeOf(actor(2, shape("spin"), { tasks, earlier: [first], migrate: renamed({ run: "spin" }) })));
  await host.tick(3);
  t.equal(runs, 1);
  t.equal(host.value(), "unsure");
  replays(t, host);
  const fresh = new EntityHost(typeOf(first));
  fresh.upgrade(typeOf(actor(2, shape("spin"), { tasks, earlier: [first], migrate: renamed({ off: "spin" }) })));
  await fresh.tick(3);
  t.equal(runs, 2);
  t.equal(fresh.value(), "done");
  t.end();
});

test("S7. machines that machines have made are carried over as well: their timers, their invokes, their end", async (t) => {
  const kid = (state: LooseRecord): AnyStateMachine => machine({ id: "kid", initial: "on", states: { on: state, late: { type: "final" } } }, { actors: { job: work() } });
  const parent = (inner: AnyStateMachine, state: string): AnyStateMachine =>
    machine(
      {
        id: "pump",
        initial: "off",
        states: { off: { on: { GO: { target: state, actions: spawnChild("kid", { id: "spawned" }) } } }, [state]: { invoke: { src: "kid", onDone: "gone" } }, gone: {} },
      },
      { actors: { kid: inner, job: work() } },
    );
  const tasks = { job: () => 5 };
  const host = upgraded(parent(kid({ after: { 1000: "late" } }), "run"), parent(kid({ after: { 1000: "late", 300: "late" } }), "spin"), { migrate: renamed({ run: "spin" }) });
  t.same(children(host).length, 2);
  t.same(timers(host).toSorted(), ["xstate.after.1000.kid.on 1000", "xstate.after.1000.kid.on 1000", "xstate.after.300.kid.on 700", "xstate.after.300.kid.on 700"]);
  host.advance(300);
  t.equal(host.value(), "gone", "the end of a child that is called otherwise now is heard");
  replays(t, host);

  const working = upgraded(parent(kid({}), "run"), parent(kid({ invoke: { src: "job", onDone: "late" } }), "spin"), { tasks, migrate: renamed({ run: "spin" }) });
  await working.tick(3);
  t.equal(working.value(), "gone");
  t.end();
});

test("H5. a child that is made under the id that another had before the upgrade has an address of its own", (t) => {
  const kid = machine({ initial: "on", states: { on: {} } });
  const shape = (more: LooseRecord): AnyStateMachine => machine({ id: "pump", type: "parallel", states: more }, { actors: { kid } });
  const run = (name: string): LooseRecord => ({ initial: name, states: { [name]: { invoke: { src: "kid" } }, end: {} } });
  const v1 = shape({ left: run("a") });
  const v2 = shape({
    left: { initial: "b", states: { b: { invoke: { src: "kid" } }, a: { invoke: { src: "kid" } } } },
    right: { initial: "idle", states: { idle: { on: { GO: "a" } }, a: { invoke: { id: "0.pump.left.a", src: "kid" } } } },
  });
  const host = upgraded(v1, v2, { said: [], migrate: { 1: () => ({ value: { left: "b", right: "idle" }, context: {} }) } });
  t.same(children(host), ["/~/0.pump.left.a#2"]);
  host.send("GO");
  t.same(children(host), ["/~/0.pump.left.a#2", "/~/0.pump.left.a~#3"]);
  replays(t, host);
  host.restart();
  t.same(children(host), ["/~/0.pump.left.a#2", "/~/0.pump.left.a~#3"]);
  t.end();
});

test("H8. a history is kept, whether `migrate` changes the context or not, where what it remembers is still there", (t) => {
  const shape = (kept: string): AnyStateMachine =>
    machine({
      id: "pump",
      initial: "on",
      context: { n: 0 },
      states: {
        on: { initial: "a", on: { GO: "off" }, states: { a: { on: { POKE: kept } }, [kept]: {}, h: { type: "history" } } },
        off: { on: { BACK: "on.h" } },
      },
    });
  const migrate = { 1: (old: { value: unknown; context: object }) => ({ value: old.value, context: { ...old.context, more: 1 } }) };
  for (const given of [{}, { migrate }]) {
    const host = upgraded(shape("b"), shape("b"), { said: ["POKE", "GO"], ...given });
    host.send("BACK");
    t.same(host.value(), { on: "b" });
    replays(t, host);
  }
  const gone = upgraded(shape("b"), shape("c"), { said: ["POKE", "GO"], migrate });
  gone.send("BACK");
  t.same(gone.value(), { on: "a" }, "the default, where it is not");
  replays(t, gone);
  t.end();
});

test("an eventless transition that is enabled in the new state is taken, a final state ends the actor with its output", (t) => {
  const eventless = upgraded(
    states({ off: { on: { GO: "run" } }, run: {} }),
    states({ off: {}, run: { always: { guard: ({ context }: { context: { n: number } }) => context.n === 0, target: "gone" } }, gone: {} }),
  );
  t.equal(eventless.value(), "gone");
  replays(t, eventless);
  const final = upgraded(
    states({ off: { on: { GO: "run" } }, run: { after: { D: "off" } } }),
    states({ off: {}, end: { type: "final" } }, { output: ({ context }: { context: unknown }) => context }),
    {
      migrate: renamed({ run: "end" }),
    },
  );
  t.match(final.entity.view(ROOT), { status: "done", value: "end", output: { n: 0 } });
  t.same(timers(final), []);
  replays(t, final);
  t.end();
});

test("an actor that has ended strands nobody: its last state is kept as far as the new version can read it", (t) => {
  const v1 = states({ off: { on: { GO: "gone" } }, gone: { type: "final" } }, { output: { said: 1 } });
  const unknown = upgraded(v1, states({ off: {} }));
  t.match(unknown.entity.view(ROOT), { status: "done", value: null, context: { n: 0 }, output: { said: 1 }, version: 2 });
  replays(t, unknown);
  t.doesNotThrow(() => unknown.restart());
  const renamedTo = upgraded(v1, states({ off: {}, end: { type: "final" } }), { migrate: renamed({ gone: "end" }) });
  t.match(renamedTo.entity.view(ROOT), { status: "done", value: "end", output: { said: 1 } });
  replays(t, renamedTo);
  t.end();
});

test("a message that was postponed is offered again to the new version", (t) => {
  const postponing = messages({ GO: { body: {} }, LATER: { body: {}, postpone: true } });
  const made = (version: number, on: LooseRecord, earlier: readonly AnyActorType[] = []): AnyActorType =>
    actorType({ name: "pump", version, messages: postponing, behaviour: machine({ id: "pump", initial: "off", states: { off: { on }, done: {} } }) as never, earlier });
  const first = made(1, { GO: "done" });
  const host = new EntityHost(typeOf(first));
  t.match(host.send("LATER"), { kind: "accepted" });
  host.upgrade(typeOf(made(2, { LATER: "done" }, [first])));
  t.equal(host.value(), "done");
  replays(t, host);
  t.end();
});

test("T3. a child of the entity's supervisor is carried over by its own type's version, the others stay as they are", (t) => {
  const kid = (version: number, given: LooseRecord, more: Made = {}): AnyActorType =>
    actorType({ name: "kid", version, messages: protocol, behaviour: machine({ id: "kid", initial: "on", states: { on: given, late: {} } }) as never, ...(more as object) });
  const typed = (child: AnyActorType): EntityType =>
    entityType({ root: actor(1, states({ off: {} })), durability: "events", placement: "cloud", children: { part: { types: [child], strategy: "one-for-one" } } });
  const first = kid(1, {});
  const host = new EntityHost(typed(first));
  host.take({ kind: "children", specs: [{ kind: "part", id: "x", type: "kid", input: undefined }] });
  host.upgrade(typed(kid(2, { after: { 50: "late" } }, { earlier: [first] })));
  t.match(host.journal().at(-1), { versions: { kid: 2, pump: 1 }, inputs: [{ kind: "upgrade" }] });
  t.same(
    host
      .journal()
      .at(-1)
      ?.outcome.cells.map(({ address }) => address),
    [`${ROOT}/part/x`],
  );
  host.advance(50);
  t.equal(host.value(`${ROOT}/part/x` as Address), "late");
  t.end();
});

test("H11. `migrate` is pure: time, chance, promises and what cannot be kept are refused with a code, the actor and the step, and leave the state as it was", (t) => {
  const shape = states({ off: {} });
  const old = new EntityHost(typeOf(actor(1, shape))).entity.state();
  const cases: Readonly<Record<string, readonly [string, RegExp, () => unknown]>> = {
    chance: ["DROVER_IMPURE_STEP", /one: migrate\[1\] of pump: Math\.random/, () => ({ value: "off", context: { n: Math.random() } })],
    time: ["DROVER_IMPURE_STEP", /one: migrate\[1\] of pump: Date/, () => ({ value: "off", context: { n: Date.now() } })],
    "a swallowed reach": [
      "DROVER_IMPURE_STEP",
      /Date/,
      () => {
        try {
          new Date();
        } catch {
          // As if nothing had been.
        }
        return { value: "off", context: {} };
      },
    ],
    "a promise": ["DROVER_STEP_PROMISE", /one: migrate\[1\] of pump/, () => Promise.resolve({ value: "off", context: {} })],
    nothing: ["DROVER_STATE_INVALID", /migrate\[1\] of pump returned no/, () => undefined],
    "a date": ["DROVER_STATE_INVALID", /one.*context\/n is an instance of Date/, () => ({ value: "off", context: { n: new Date(5) } })],
    "a state that is none": ["DROVER_STATE_INVALID", /one.*nowhere/, () => ({ value: "nowhere", context: {} })],
  };
  for (const [name, [code, message, step]] of Object.entries(cases))
    t.throws(() => restoreEntity(typeOf(actor(2, shape, { migrate: { 1: step } })), ROOT, { snapshot: old, records: [] }), { code, message }, name);
  t.end();
});

test("a delay or an input that the new state cannot be given is such a refusal too", (t) => {
  const old = new EntityHost(typeOf(actor(1, states({ off: {} })))).entity.state();
  const refused = (off: LooseRecord): (() => unknown) => {
    const shape = machine({ id: "pump", initial: "off", states: { off } }, { actors: { job: work() } });
    return () => restoreEntity(typeOf(actor(2, shape, { tasks: { job: () => 1 } })), ROOT, { snapshot: old, records: [] });
  };
  const thrown = (): never => {
    throw new Error("boom");
  };
  const plain = machine({ id: "pump", initial: "off", states: { off: { after: { D: {} } } } }, { delays: { D: thrown } });
  t.throws(() => restoreEntity(typeOf(actor(2, plain)), ROOT, { snapshot: old, records: [] }), { code: "DROVER_STATE_INVALID", message: /one: boom/ });
  t.throws(refused({ invoke: { src: "job", input: thrown } }), { code: "DROVER_STATE_INVALID", message: /one: boom/ });
  const nan = machine({ id: "pump", initial: "off", states: { off: { after: { D: {} } } } }, { delays: { D: () => Number.NaN } });
  t.throws(() => restoreEntity(typeOf(actor(2, nan)), ROOT, { snapshot: old, records: [] }), { code: "DROVER_STATE_INVALID", message: /one: a delay of NaN/ });
  t.end();
});
