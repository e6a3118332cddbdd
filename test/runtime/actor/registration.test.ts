// What is refused when a type is registered, with its place and advice (hosting H7, H9, H11; named difference N9).

import { cpSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "tap";
import { assign, createMachine, fromPromise, fromTransition, not, raise, sendTo, setup, spawnChild } from "xstate";

import { type AnyActorType, actorType, effect, entityType, messages, reducer, task } from "../../../runtime/actor/index.ts";
import { DroverError } from "../../../runtime/errors.ts";
import { root } from "../../project/checkout.ts";

const none = messages({});

function register(behaviour: object): AnyActorType {
  return actorType({ name: "thing", version: 1, messages: none, behaviour: behaviour as never });
}

function refusal(behaviour: object, durability?: "volatile" | "events"): string {
  try {
    const type = register(behaviour);
    if (durability !== undefined) entityType({ root: type, durability, placement: "cloud" });
    return "";
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== "DROVER_TYPE_INVALID") throw error;
    return error.message;
  }
}

test("a machine of another copy of XState is refused with what to do", async (t) => {
  const copy = join(t.testdir(), "xstate");
  cpSync(join(root, "node_modules/xstate"), copy, { recursive: true, dereference: true });
  const other = (await import(pathToFileURL(join(copy, "dist/xstate.esm.js")).href)) as { readonly createMachine: typeof createMachine };
  t.match(refusal(other.createMachine({})), /another copy of XState.*npm ls xstate/);
});

test("N9. names that the machine does not have are refused, with those that it has", (t) => {
  t.match(refusal(createMachine({ entry: "blink" })), /#\(machine\) entry: names the action "blink".*setup\(\{ actions \}\)/);
  t.match(refusal(setup({ actions: { blink: effect({ class: "once" }) } }).createMachine({ id: "m", entry: "blonk" as never })), /names the action "blonk".*it has "blink"/);
  t.match(refusal(createMachine({ initial: "a", states: { a: { on: { GO: { guard: "open", target: "b" } } }, b: {} } })), /a on "GO": names the guard "open"/);
  t.match(refusal(createMachine({ on: { GO: { guard: not("open") as never } } })), /names the guard "open"/);
  t.match(refusal(createMachine({ initial: "a", states: { a: { after: { LATER: "b" } }, b: {} } })), /names the delay "LATER"/);
  t.match(refusal(createMachine({ entry: raise({ type: "X" }, { delay: "LATER" as never }) })), /names the delay "LATER"/);
  t.match(refusal(createMachine({ invoke: { src: "upload" } })), /names the actor "upload"/);
  t.match(refusal(createMachine({ entry: spawnChild("upload" as never, { id: "u" }) })), /names the actor "upload"/);
  t.match(refusal(setup({ actors: { kid: createMachine({ entry: "blink" }) } }).createMachine({ invoke: { src: "kid" } })), /kid > #\(machine\) entry: names the action "blink"/);
  t.end();
});

test("N9. spawnChild needs an id", (t) => {
  const kid = createMachine({});
  t.match(refusal(setup({ actors: { kid } }).createMachine({ entry: spawnChild("kid") })), /spawnChild without an id/);
  t.equal(refusal(setup({ actors: { kid } }).createMachine({ entry: spawnChild("kid", { id: "k" }) })), "");
  t.end();
});

test("H7. inline functions and sources, and effects without a class, are for volatile types only", (t) => {
  const inline = createMachine({ entry: () => undefined });
  t.equal(refusal(inline, "volatile"), "");
  t.match(refusal(inline, "events"), /has the inline action/);
  const unclassed = setup({ actions: { transmit: () => undefined } }).createMachine({ entry: "transmit" });
  t.equal(refusal(unclassed, "volatile"), "");
  t.match(refusal(unclassed, "events"), /action "transmit": is a function without a class/);
  const source = createMachine({ invoke: { src: fromPromise(() => Promise.resolve(1)) } });
  t.equal(refusal(source, "volatile"), "");
  t.match(refusal(source, "events"), /has an inline source/);
  const fine = setup({ actions: { transmit: effect({ class: "once" }), count: assign({}) }, actors: { p: fromPromise(() => Promise.resolve(1)), u: task() } });
  t.equal(
    refusal(fine.createMachine({ entry: ["transmit", "count", raise({ type: "X" }), sendTo(({ self }) => self, { type: "Y" })], invoke: [{ src: "p" }, { src: "u" }] }), "events"),
    "",
  );
  t.end();
});

test("H9. hand-written logic with start is refused, fromTransition and logic without start are not", (t) => {
  const handWritten = {
    transition: (state: unknown) => state,
    getInitialSnapshot: () => ({ status: "active" }),
    getPersistedSnapshot: (state: unknown) => state,
    start: () => undefined,
  };
  t.match(refusal(setup({ actors: { h: handWritten as never } }).createMachine({ invoke: { src: "h" as never } })), /hand-written logic with start\(\)/);
  t.equal(refusal(setup({ actors: { t: fromTransition((state: number) => state, 0) } }).createMachine({ invoke: { src: "t" } })), "");
  t.match(refusal(setup({ actors: { n: {} as never } }).createMachine({ invoke: { src: "n" as never } })), /is no actor logic/);
  t.end();
});

test("names, versions and wall delays are checked", (t) => {
  const machine = setup({ delays: { NIGHT: 5 } }).createMachine({});
  const make =
    (more: object): (() => unknown) =>
    () =>
      actorType({ name: "thing", version: 1, messages: none, behaviour: machine as never, ...more });
  t.throws(make({ name: "Thing" }), { code: "DROVER_TYPE_INVALID" });
  t.throws(make({ name: "a/b" }), { code: "DROVER_TYPE_INVALID" });
  t.throws(make({ version: 0 }), { code: "DROVER_TYPE_INVALID" });
  t.throws(make({ version: 1.5 }), { code: "DROVER_TYPE_INVALID" });
  t.throws(make({ timers: { DAY: "absolute" } }), { code: "DROVER_TYPE_INVALID", message: /"DAY"/ });
  t.doesNotThrow(make({ timers: { NIGHT: "absolute" } }));
  const type = register(machine);
  t.throws(() => entityType({ root: type, durability: "events", placement: "cloud", children: { Module: { types: [], strategy: "one-for-one" } } }), {
    code: "DROVER_TYPE_INVALID",
  });
  t.throws(() => entityType({ root: type, durability: "events", placement: "cloud", children: { module: { types: [register(createMachine({}))], strategy: "one-for-one" } } }), {
    code: "DROVER_TYPE_INVALID",
    message: /two actor types/,
  });
  t.end();
});

test("with() takes what the machine declares, all of it and nothing else", (t) => {
  const kid = setup({ actions: { beep: effect({ class: "state" }) } }).createMachine({ entry: "beep" });
  const machine = setup({ actions: { transmit: effect({ class: "once" }), count: assign({}) }, actors: { upload: task(), kid } }).createMachine({
    entry: "transmit",
    invoke: [{ src: "upload" }, { src: "kid" }],
  });
  const type = actorType({ name: "thing", version: 1, messages: none, behaviour: machine });
  const upload = (): Promise<never> => Promise.reject(new Error("no"));
  const transmit = (): undefined => undefined;
  t.throws(() => type.with({ effects: {}, tasks: { upload } }), { code: "DROVER_TYPE_INVALID", message: /does not supply the effect "transmit", "beep"/ });
  t.throws(() => type.with({ effects: { transmit }, tasks: {} as never, inner: { effects: { beep: transmit } } }), { message: /does not supply the task "upload"/ });
  t.throws(() => type.with({ effects: { transmit, count: transmit }, tasks: { upload }, inner: { effects: { beep: transmit } } }), {
    message: /supplies the effect "count", which the machine does not declare/,
  });
  const ready = type.with({ effects: { transmit }, tasks: { upload }, inner: { effects: { beep: transmit } } });
  t.same(Object.keys(ready.effects).sort(), ["beep", "transmit"]);
  t.same(Object.keys(type.effects), [], "the declared type stays as it was");
  const entity = entityType({ root: type, durability: "events", placement: "cloud" });
  t.equal(entity.using(ready).root, ready);
  t.equal(entity.using(ready).types.get("thing"), ready);
  t.end();
});

test("a task's deadline is a positive number", (t) => {
  for (const withinMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) t.throws(() => task({ withinMs }), { code: "DROVER_TYPE_INVALID" });
  t.end();
});

test("a reducer's effects are those declared with a class; any other is refused", (t) => {
  const parts = { initial: () => 0, step: (state: number) => state };
  const behaviour = reducer({ ...parts, effects: { beep: effect({ class: "once" }) } });
  t.same(behaviour.effects, { beep: { class: "once", withinMs: 60_000 } });
  const refused = [
    [{ ...parts, effects: { beep: () => undefined } }, /^reducer: effects\.beep: a function stands here \(expected a declared effect: what effect\(\) gave\)$/],
    [{ ...parts, effect: {} }, /^reducer: effect: the key "effect" is not known here .*did you mean "effects"/],
    [{ initial: 0, step: parts.step }, /^reducer: initial: the number 0 stands here \(expected a function\)$/],
    [undefined, /^reducer: nothing stands here/],
  ] as const;
  for (const [given, message] of refused) t.throws(() => reducer(given as never), { code: "DROVER_TYPE_INVALID", message });
  t.end();
});

test("F1. an effect or a task of a class that is none is refused when it is declared", (t) => {
  const refused = [
    [() => effect({ class: "idempotant" } as never), /^effect: class: the text "idempotant" stands here \(expected one of idempotent, once, state; did you mean "idempotent"\?\)$/],
    [() => effect({} as never), /^effect: the key "class" is missing/],
    [() => effect(undefined as never), /^effect: nothing stands here/],
    [() => effect({ class: "once", withinMS: 5 } as never), /^effect: withinMS: the key "withinMS" is not known here .*did you mean "withinMs"/],
    [() => effect({ class: "once", withinMs: "5" } as never), /^effect: withinMs: the text "5" stands here \(expected a number\)$/],
    [() => task({ class: "onse" } as never), /^task: class: the text "onse" stands here \(expected one of idempotent, once; did you mean "once"\?\)$/],
    [() => task({ class: "state" } as never), /^task: class: the text "state" stands here/],
    [() => task({ within: 5 } as never), /^task: within: the key "within" is not known here/],
  ] as const;
  for (const [declare, message] of refused) t.throws(declare, { code: "DROVER_TYPE_INVALID", message });
  for (const declared of ["idempotent", "once", "state"] as const) t.ok(effect({ class: declared }));
  for (const declared of ["idempotent", "once", undefined] as const) t.ok(task(declared === undefined ? {} : { class: declared }));
  t.end();
});

test("what with() does not know is refused", (t) => {
  const type = actorType({ name: "thing", version: 1, messages: messages({}), behaviour: reducer({ initial: () => 0, step: (state: number) => state }) });
  t.throws(() => type.with({ efects: {} } as never), {
    code: "DROVER_TYPE_INVALID",
    message: /^actor type "thing": with\(\): efects: the key "efects" is not known here .*did you mean "effects"/,
  });
  t.throws(() => type.with({ inner: { task: {} } } as never), { code: "DROVER_TYPE_INVALID", message: /inner\.task: .*did you mean "tasks"/ });
  t.throws(() => type.with(undefined as never), { code: "DROVER_TYPE_INVALID" });
  t.end();
});
