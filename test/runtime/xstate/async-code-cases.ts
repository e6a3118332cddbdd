// Every place of a machine where XState asks an author's code for a value at once, each with code that answers with a promise.

import type { AnyStateMachine } from "xstate";

import { and, not, or } from "xstate";

import type { BadInput } from "./bad-input-cases.ts";
import {
  assign,
  cancel,
  emit,
  enqueueActions,
  forwardTo,
  fromPromise,
  fromTransition,
  log,
  type LooseFunction,
  machine,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stopChild,
} from "./loose.ts";

const GOOD = { actions: assign({ n: ({ context }) => context.n + 1 }) };
const kid = machine({ id: "kid" });
const p = fromPromise(() => new Promise(() => undefined));
const parts = { actors: { kid, p } };

/** `BAD` leads from a to b and does it; `GOOD` counts. */
const does = (actions: unknown, more: object = parts): AnyStateMachine =>
  machine({ id: "m", context: { n: 0 }, initial: "a", on: { GOOD }, states: { a: { on: { BAD: { target: "b", actions: actions as never } } }, b: {} } }, more as never);
const under = (guard: unknown, more: object = parts): AnyStateMachine =>
  machine({ id: "m", context: { n: 0 }, initial: "a", on: { GOOD }, states: { a: { on: { BAD: { target: "b", guard: guard as never } } }, b: {} } }, more as never);
const into = (b: object, more: object = parts): AnyStateMachine =>
  machine({ id: "m", context: { n: 0 }, initial: "a", on: { GOOD }, states: { a: { on: { BAD: "b" } }, b: b as never, c: {} } }, more as never);
const queues = (queue: (enqueue: LooseFunction & Record<string, LooseFunction>, check: LooseFunction) => unknown, more: object = parts): AnyStateMachine =>
  does(
    enqueueActions(({ enqueue, check }) => {
      queue(enqueue, check);
    }),
    more,
  );
const note = assign((_: unknown, given: unknown) => ({ n: given }));

/** @param code what an author has made async; `of`: a promise that it has made in a step */
export function asyncCode(code: () => Promise<unknown>): readonly BadInput[] {
  const field = (): object => ({ type: "X", n: code() });
  const places: readonly (readonly [string, AnyStateMachine, RegExp])[] = [
    // ---- guards
    ["a guard", under(code), /#m\.a on "BAD" guard$/],
    ["a named guard", under("ready", { guards: { ready: code } }), /: guard "ready"$/],
    ["a guard by the name of another", under("ready", { guards: { ready: "other", other: code } }), /: guard "other"$/],
    ["a guard within not", under(not(code as never)), /BAD" guard$/],
    ["a guard within and, or", under(or([and([() => true, code as never])])), /BAD" guard$/],
    ["a named guard within and", under("both", { guards: { both: and([() => true, "ready"]), ready: code } }), /: guard "ready"$/],
    ["the params of a guard", under({ type: "ready", params: code }, { guards: { ready: () => true } }), /BAD" guard params of "ready"$/],
    ["a field of the params of a guard", under({ type: "ready", params: field }, { guards: { ready: () => true } }), /BAD" guard params of "ready"$/],
    ["the params of a guard within not", under(not({ type: "ready", params: code } as never), { guards: { ready: () => false } }), /guard params of "ready"$/],
    [
      "the params of a guard that stands for another",
      under("ready", { guards: { ready: { type: "other", params: code }, other: () => true } }),
      /: guard "ready" params of "other"$/,
    ],
    ["a guard of always", into({ always: { target: "c", guard: code } }), /#m\.b on "always" guard$/],
    ["a check", queues((_, check) => check(code)), /enqueueActions check$/],
    ["the params of a check", queues((_, check) => check({ type: "ready", params: code }), { guards: { ready: () => true } }), /enqueueActions check params of "ready"$/],
    ["a promise that is checked", queues((_, check) => check(code())), /enqueueActions$/],
    // ---- assigns
    ["an assign", does(assign(code)), /BAD" assign$/],
    ["an assign of a key", does(assign({ n: code })), /BAD" assign of "n"$/],
    ["one field of an update", does(assign(field)), /BAD" assign$/],
    ["a named assign", does("set", { actions: { set: assign({ n: code }) } }), /: action "set" assign of "n"$/],
    ["an assign at the entry", into({ entry: assign(code) }), /#m\.b entry assign$/],
    [
      "an assign at the exit",
      machine({ id: "m", context: { n: 0 }, initial: "a", on: { GOOD }, states: { a: { exit: assign(code), on: { BAD: "b" } }, b: {} } }),
      /#m\.a exit assign$/,
    ],
    ["an assign of a first state", into({ initial: { target: "c", actions: assign(code) }, states: { c: {} } }), /#m\.b initial assign$/],
    ["an assign of a parallel state's first", into({ type: "parallel", initial: { target: "c", actions: assign(code) }, states: { c: {} } }), /#m\.b initial assign$/],
    ["an enqueued assign", queues((enqueue) => enqueue["assign"]?.(code)), /enqueueActions assign$/],
    ["an enqueued assign of a key", queues((enqueue) => enqueue["assign"]?.({ n: code })), /enqueueActions assign of "n"$/],
    ["an enqueued assign that is made before", queues((enqueue) => enqueue(assign(code))), /enqueueActions assign$/],
    ["an enqueued assign to a promise", queues((enqueue) => enqueue["assign"]?.({ n: code() })), /enqueueActions$/],
    ["enqueueActions", does(enqueueActions(code)), /enqueueActions$/],
    ["enqueueActions within enqueueActions", queues((enqueue) => enqueue(enqueueActions(code))), /enqueueActions enqueueActions$/],
    ["a promise that is enqueued", queues((enqueue) => enqueue(code())), /enqueueActions$/],
    // ---- children
    ["the input of an invoke", into({ invoke: { src: "kid", id: "k", input: code } }), /#m\.b invoke "k" input$/],
    ["a field of the input of an invoke", into({ invoke: { src: "kid", id: "k", input: field } }), /#m\.b invoke "k" input$/],
    ["the input of one of several invokes", into({ invoke: [{ src: "kid" }, { src: "p", input: code }] }), /#m\.b invoke "1\.m\.b" input$/],
    ["the id of an invoke", into({ invoke: { src: "kid", id: code } }), /#m\.b invoke id$/],
    ["the input of spawnChild", does(spawnChild("kid", { id: "k", input: code })), /BAD" spawnChild input$/],
    ["a field of the input of spawnChild", does(spawnChild("kid", { id: "k", input: field })), /BAD" spawnChild input$/],
    ["the id of spawnChild", does(spawnChild("kid", { id: code as never })), /BAD" spawnChild id$/],
    ["the input of a named spawnChild", does("begin", { ...parts, actions: { begin: spawnChild("kid", { id: "k", input: code }) } }), /: action "begin" spawnChild input$/],
    ["the input of an enqueued child", queues((enqueue) => enqueue["spawnChild"]?.("kid", { id: "k", input: code })), /enqueueActions spawnChild input$/],
    ["a promise as the input of an enqueued child", queues((enqueue) => enqueue["spawnChild"]?.("kid", { id: "k", input: code() })), /enqueueActions$/],
    ["a promise in an action that is enqueued", queues((enqueue) => enqueue(spawnChild("kid", { id: "k", input: code() as never }))), /enqueueActions$/],
    ["the input of spawn", does(assign(({ spawn }) => void spawn("kid", { id: "k", input: code }))), /BAD" assign$/],
    ["a promise as the input of spawn", does(assign({ n: ({ spawn }) => spawn("kid", { id: "k", input: code() }).id })), /BAD" assign of "n"$/],
    ["a field of the input of spawn", does(assign(({ spawn }) => void spawn("p", { id: "k", input: field }))), /BAD" assign$/],
    ["the id of spawn", does(assign(({ spawn }) => void spawn("kid", { id: code() }))), /BAD" assign$/],
    ["the system id of spawn", does(assign(({ spawn }) => void spawn("kid", { id: "k", systemId: code() }))), /BAD" assign$/],
    ["a source of spawn", does(assign(({ spawn }) => void spawn(code(), { id: "k" }))), /BAD" assign$/],
    ["a child's first context", does(spawnChild("kid", { id: "k" }), { actors: { kid: machine({ id: "kid", context: code }) } }), /\/~\/k in {}: the first context$/],
    [
      "the input of a spawn in a child's first context",
      does(spawnChild("o", { id: "o" }), {
        actors: { o: machine({ id: "o", context: ({ spawn }: { spawn: LooseFunction }) => ({ k: spawn("kid", { id: "k", input: code() }).id }) }, { actors: { kid } }) },
      }),
      /\/~\/o in {}: the first context$/,
    ],
    ["what stopChild stops", does(stopChild(code as never)), /BAD" stopChild$/],
    ["what an enqueued stopChild stops", queues((enqueue) => enqueue["stopChild"]?.(code)), /enqueueActions stopChild$/],
    ["a promise that is to be stopped", queues((enqueue) => enqueue["stopChild"]?.(code())), /enqueueActions$/],
    // ---- params of actions
    ["the params of an action", does({ type: "note", params: code }, { actions: { note } }), /BAD" params of "note"$/],
    ["a field of the params of an action", does({ type: "note", params: field }, { actions: { note } }), /BAD" params of "note"$/],
    ["the params of an entry action", into({ entry: [{ type: "note", params: code }] }, { actions: { note } }), /#m\.b entry params of "note"$/],
    ["the params of an enqueued action", queues((enqueue) => enqueue({ type: "note", params: code }), { actions: { note } }), /enqueueActions params of "note"$/],
    ["a promise in the params of an enqueued action", queues((enqueue) => enqueue({ type: "note", params: { of: code() } })), /enqueueActions$/],
    // ---- sends
    ["the event of a raise", does(raise(code)), /BAD" raise$/],
    ["a field of the event of a raise", does(raise(field)), /BAD" raise$/],
    ["the delay of a raise", does(raise({ type: "X" }, { delay: code })), /BAD" delay$/],
    ["a named delay", does(raise({ type: "X" }, { delay: "wait" }), { delays: { wait: code } }), /: delay "wait"$/],
    ["the delay of after", into({ after: { wait: "c" } }, { delays: { wait: code } }), /: delay "wait"$/],
    ["the event of a send", does(sendTo(({ self }) => self, code)), /BAD" sendTo$/],
    ["the target of a send", does(sendTo(code as never, { type: "X" })), /BAD" sendTo to$/],
    ["the delay of a send", does(sendTo(({ self }) => self, { type: "X" }, { delay: code })), /BAD" delay$/],
    ["the target of forwardTo", does(forwardTo(code as never)), /BAD" sendTo to$/],
    ["the event of sendParent", does(spawnChild("kid", { id: "k" }), { actors: { kid: machine({ id: "kid", entry: sendParent(code) }) } }), /~\/k.*: #kid entry sendTo$/],
    ["an emitted event", does(emit(code)), /BAD" emit$/],
    ["a field of an emitted event", does(emit(field)), /BAD" emit$/],
    ["what cancel cancels", does(cancel(code as never)), /BAD" cancel$/],
    ["what is logged", does(log(code)), /BAD" log$/],
    ["a named log", does("tell", { actions: { tell: log(code) } }), /: action "tell" log$/],
    ...(["raise", "emit", "sendParent", "cancel"] as const).flatMap((name): (readonly [string, AnyStateMachine, RegExp])[] => [
      [`an enqueued ${name}`, queues((enqueue) => enqueue[name]?.(code)), name === "sendParent" ? /enqueueActions sendTo$/ : new RegExp(`enqueueActions ${name}$`)],
      [`an enqueued ${name} of a promise`, queues((enqueue) => enqueue[name]?.(code())), /enqueueActions$/],
    ]),
    ["an enqueued raise with a promise in it", queues((enqueue) => enqueue["raise"]?.({ type: "X", n: code() })), /enqueueActions$/],
    ["the delay of an enqueued raise", queues((enqueue) => enqueue["raise"]?.({ type: "X" }, { delay: code })), /enqueueActions delay$/],
    ["the target of an enqueued send", queues((enqueue) => enqueue["sendTo"]?.(code, { type: "X" })), /enqueueActions sendTo to$/],
    ["the event of an enqueued send", queues((enqueue) => enqueue["sendTo"]?.("k", code)), /enqueueActions sendTo$/],
    // ---- transitions of what a machine waits for
    [
      "an assign of onDone",
      into({ initial: "in", states: { in: { type: "final" } }, onDone: { target: "c", actions: assign(code) } }),
      /#m\.b on "xstate\.done\.state\.m\.b" assign$/,
    ],
    [
      "a guard of an invoke's onDone",
      into(
        { invoke: { src: "kid", id: "k", onDone: { target: "c", guard: code } } },
        { actors: { kid: machine({ id: "kid", initial: "end", states: { end: { type: "final" } } }) } },
      ),
      /#m\.b on "xstate\.done\.actor\.k" guard$/,
    ],
    [
      "an assign of an invoke's onSnapshot",
      into(
        { entry: sendTo("k", { type: "X" }), invoke: { src: "kid", id: "k", onSnapshot: { actions: assign(code) } } },
        { actors: { kid: machine({ id: "kid", on: { X: { actions: assign({ n: 1 }) } } }) } },
      ),
      /#m\.b on "xstate\.snapshot\.k" assign$/,
    ],
    // ---- outputs
    ["an output", machine({ id: "m", context: { n: 0 }, initial: "a", on: { GOOD }, output: code, states: { a: { on: { BAD: "b" } }, b: { type: "final" } } }), /#m output$/],
    [
      "a field of an output",
      machine({ id: "m", context: { n: 0 }, initial: "a", on: { GOOD }, output: field, states: { a: { on: { BAD: "b" } }, b: { type: "final" } } }),
      /#m output$/,
    ],
    ["an output of a final state within", into({ initial: "in", states: { in: { type: "final", output: code } } }), /#m\.b\.in output$/],
    // ---- transition functions
    [
      "an event that a transition function emits",
      does([spawnChild("t", { id: "k" }), sendTo("k", { type: "X" })], {
        actors: { t: fromTransition((_: unknown, __: unknown, { emit: tell }: { emit: LooseFunction }) => tell(code()) ?? 0, 0) },
      }),
      /\/~\/k on "X"$/,
    ],
    // ---- throws
    [
      "a promise that is thrown",
      does(
        assign(() => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- an author may throw anything
          throw code();
        }),
      ),
      /BAD" assign$/,
    ],
  ];
  return places.map(([name, made, place]) => ({ name: `a promise: ${name}`, machine: made, code: "DROVER_STEP_PROMISE", error: /a promise/, place }));
}

/** Promises further down, which a volatile actor may hold: in all that a step hands over. */
export function promisesWithin(code: () => Promise<unknown>): readonly (readonly [string, AnyStateMachine])[] {
  const deep = (): object => ({ type: "X", more: { list: [1, code(), { last: code() }] } });
  return [
    ["an input", does(spawnChild("kid", { id: "k", input: deep }))],
    ["an input of an invoke", into({ invoke: { src: "kid", id: "k", input: deep } })],
    ["an input of spawn", does(assign(({ spawn }) => void spawn("kid", { id: "k", input: deep() })))],
    ["params", does({ type: "note", params: deep }, { actions: { note: log((_: unknown, given: unknown) => given) } })],
    ["params of an enqueued action", queues((enqueue) => enqueue({ type: "note", params: deep() }), { actions: { note: log("noted") } })],
    ["an event", does(sendTo(({ self }) => self, deep))],
    ["a delayed event", does(raise(deep, { delay: 1 }))],
    ["an emitted event", does(emit(deep))],
    ["what is logged", does(log(deep))],
    ["a list of a context", does(assign({ list: () => [1, code(), code()] }))],
    ["a field of a context", does(assign({ job: () => ({ id: 1, ends: code() }) }))],
    ["a field of a context's field", does(assign(() => ({ job: { id: 1, ends: code() } })))],
    ["an output", into({ initial: "in", states: { in: { type: "final", output: deep } }, onDone: "c" })],
  ];
}
