// Machines that do what no machine may: what each of them gets (issue "Bad input").

import type { AnyStateMachine } from "xstate";

import { and, not } from "xstate";

import { actorType, task } from "../../../runtime/actor/index.ts";
import { words } from "../entity-host.ts";
import { assign, emit, enqueueActions, machine, raise, sendTo, spawnChild } from "./loose.ts";

export interface BadInput {
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly code: string;
  readonly error: RegExp;
  /** After the address. */
  readonly place: RegExp;
  /** Inline work is for volatile types only. */
  readonly volatile?: true;
  /** How many messages come before the one that is refused. */
  readonly before?: number;
}

const boom = (): never => {
  throw new Error("boom");
};
const later = async (): Promise<unknown> => Promise.reject(new Error("nobody waits for this"));

const itself: { own?: unknown } = {};
itself.own = itself;
const unreadable = (): object => ({
  get n() {
    return boom();
  },
});
const inputs: readonly (readonly [name: string, input: () => unknown, what: RegExp])[] = [
  ["contains itself", () => itself, /nested deeper than 200 levels, or contains itself/],
  ["throws when it is read", unreadable, /throws when it is read/],
];
const workers = { asks: task() } as never;
/** It begins anew within its own beginning. */
const endless = machine({ id: "endless", invoke: { src: "again", id: "again" } }, { actors: { again: machine({}) } });
(endless.implementations.actors as Record<string, unknown>)["again"] = endless;

/** `BAD` does it; `GOOD` counts. */
const bad = (actions: unknown, parts = {}, { on = {}, ...more }: { readonly on?: object; readonly [key: string]: unknown } = {}): AnyStateMachine =>
  machine(
    {
      id: "m",
      context: { n: 0, list: [] },
      initial: "a",
      on: { GOOD: { actions: assign({ n: ({ context }) => context.n + 1 }) }, ...on },
      states: { a: { on: { BAD: { target: "b", actions: actions as never } } }, b: {} },
      ...(more as object),
    },
    parts,
  );
const under = (guard: unknown, parts = {}): AnyStateMachine => bad([], parts, { states: { a: { on: { BAD: { target: "b", guard: guard as never } } }, b: {} } });
const into = (b: object, parts = {}): AnyStateMachine => bad([], parts, { states: { a: { on: { BAD: "b" } }, b, c: {} } });

const other = actorType({ name: "other", version: 1, messages: words("HELLO"), behaviour: machine({}) as never });
const kid = machine({});
const FAILED = "DROVER_ACTOR_FAILED";
const PROMISE = "DROVER_STEP_PROMISE";
const waits = /returned a promise/;

export const badInputs: readonly BadInput[] = [
  // ---- throws
  { name: "an assign throws", machine: bad(assign({ n: boom })), code: FAILED, error: /^boom$/, place: / in "a" on "BAD": #m\.a on "BAD" assign of "n"$/ },
  { name: "a named assign throws", machine: bad("add", { actions: { add: assign(boom) } }), code: FAILED, error: /^boom$/, place: / in "a" on "BAD": action "add" assign$/ },
  { name: "a guard throws", machine: under(boom), code: FAILED, error: /boom$/, place: /: #m\.a on "BAD" guard$/ },
  { name: "a named guard throws", machine: under("ready", { guards: { ready: boom } }), code: FAILED, error: /'ready'.*\n?boom$/s, place: /: guard "ready"$/ },
  { name: "a guard within not(and()) throws", machine: under(not(and([() => true, boom]))), code: FAILED, error: /boom$/, place: /: #m\.a on "BAD" guard$/ },
  { name: "an entry throws", machine: into({ entry: assign({ n: boom }) }), code: FAILED, error: /^boom$/, place: /: #m\.b entry assign of "n"$/ },
  {
    name: "an exit throws",
    machine: bad([], {}, { states: { a: { exit: assign(boom), on: { BAD: "b" } }, b: {} } }),
    code: FAILED,
    error: /^boom$/,
    place: /: #m\.a exit assign$/,
  },
  { name: "enqueueActions throws", machine: bad(enqueueActions(boom)), code: FAILED, error: /^boom$/, place: /enqueueActions$/ },
  { name: "a delay throws", machine: into({ after: { wait: "c" } }, { delays: { wait: boom } }), code: FAILED, error: /^boom$/, place: /: delay "wait"$/ },
  { name: "the event of an emit throws", machine: bad(emit(boom)), code: FAILED, error: /^boom$/, place: /emit$/ },
  {
    name: "the input of a child throws",
    machine: bad(spawnChild("kid", { id: "k", input: boom }), { actors: { kid } }),
    code: FAILED,
    error: /^boom$/,
    place: / in "a" on "BAD": #m\.a on "BAD" spawnChild input$/,
  },
  {
    name: "an output throws",
    machine: bad([], {}, { output: boom, states: { a: { on: { BAD: "b" } }, b: { type: "final" } } }),
    code: FAILED,
    error: /^boom$/,
    place: /: #m output$/,
  },
  {
    name: "a child throws, and its parent does not handle it",
    machine: bad(sendTo("k", { type: "X" }), { actors: { kid: machine({ id: "kid", on: { X: { actions: assign(boom) } } }) } }, { invoke: { src: "kid", id: "k" } }),
    code: FAILED,
    error: /^boom$/,
    place: /\/~\/k in {} on "X": #kid on "X" assign$/,
  },
  { name: "an always' assign throws", machine: into({ always: { target: "c", actions: assign(boom) } }), code: FAILED, error: /^boom$/, place: /#m\.b on "always" assign$/ },
  // ---- promises
  { name: "a guard returns a promise", machine: under(later), code: PROMISE, error: waits, place: /: #m\.a on "BAD" guard$/ },
  { name: "a named guard returns a promise", machine: under("ready", { guards: { ready: later } }), code: PROMISE, error: waits, place: /: guard "ready"$/ },
  { name: "a guard within not() returns a promise", machine: under(not(later as never)), code: PROMISE, error: waits, place: /guard$/ },
  { name: "an assign returns a promise", machine: bad(assign(later)), code: PROMISE, error: waits, place: /assign$/ },
  { name: "an assign of a key returns a promise", machine: bad(assign({ n: later })), code: PROMISE, error: waits, place: /assign of "n"$/ },
  { name: "enqueueActions returns a promise", machine: bad(enqueueActions(later)), code: PROMISE, error: waits, place: /enqueueActions$/ },
  {
    name: "an enqueued assign returns a promise",
    machine: bad(enqueueActions(({ enqueue }) => enqueue.assign(later))),
    code: PROMISE,
    error: waits,
    place: /enqueueActions assign$/,
  },
  { name: "an enqueued check returns a promise", machine: bad(enqueueActions(({ check }) => void check(later))), code: PROMISE, error: waits, place: /enqueueActions check$/ },
  { name: "a delay is a promise", machine: bad(raise({ type: "GOOD" }, { delay: later })), code: PROMISE, error: waits, place: /delay$/ },
  { name: "an event is a promise", machine: bad(sendTo(({ self }) => self, later)), code: PROMISE, error: waits, place: /sendTo$/ },
  {
    name: "an output is a promise",
    machine: bad([], {}, { output: later, states: { a: { on: { BAD: "b" } }, b: { type: "final" } } }),
    code: PROMISE,
    error: waits,
    place: /#m output$/,
  },
  // ---- loops (N14)
  {
    name: "always without end",
    machine: bad([], {}, { states: { a: { on: { BAD: "b" } }, b: { always: "c" }, c: { always: "b" } } }),
    code: "DROVER_MACHINE_RUNAWAY",
    error: /more than 1000 microsteps/,
    place: / in "a" on "BAD"$/,
  },
  {
    name: "raise without end",
    machine: bad(raise({ type: "R" }), {}, { on: { R: { actions: raise({ type: "R" }) } } }),
    code: "DROVER_MACHINE_RUNAWAY",
    error: /more than 1000 microsteps/,
    place: / in "a" on "BAD"$/,
  },
  {
    name: "two machines that answer each other without end",
    machine: bad(
      sendTo("k", { type: "PING" }),
      { actors: { kid: machine({ on: { PING: { actions: sendTo(({ self }) => self._parent, { type: "PONG" }) } } }) } },
      { invoke: { src: "kid", id: "k" }, on: { PONG: { actions: sendTo("k", { type: "PING" }) } } },
    ),
    code: "DROVER_MACHINE_RUNAWAY",
    error: /deliveries/,
    place: /: its message$/,
  },
  // ---- sends
  {
    name: "a send to a child that is not there",
    machine: bad(sendTo("nobody", { type: "X" })),
    code: "DROVER_SEND_INVALID",
    error: /Unable to send event to actor 'nobody'/,
    place: / in "a" on "BAD"$/,
  },
  {
    name: "a send to a text",
    machine: bad(sendTo(() => "acme/other/one", { type: "X" })),
    code: "DROVER_SEND_INVALID",
    error: /Unable to send event to actor/,
    place: / in "a" on "BAD"$/,
  },
  {
    name: "a send to an address that is none",
    machine: bad(sendTo(() => other.at("not an address"), { type: "HELLO" })),
    code: "DROVER_ADDRESS_INVALID",
    error: /address/,
    place: / on "BAD"/,
  },
  { name: "an event that is none", machine: bad(sendTo(({ self }) => self, { kind: "X" })), code: "DROVER_SEND_INVALID", error: /an object with a type/, place: / on "BAD"$/ },
  {
    name: "an event that no message can carry",
    machine: bad(sendTo(() => other.at("acme/other/one"), { type: "HELLO", f: () => 1 })),
    code: "DROVER_SEND_INVALID",
    error: /\/f is a function/,
    place: / in "b"$/,
  },
  { name: "an emitted event that is none", machine: bad(emit(() => 5)), code: "DROVER_SEND_INVALID", error: /an object with a type/, place: / on "BAD"$/ },
  // ---- delays
  { name: "a delay of NaN", machine: bad(raise({ type: "GOOD" }, { delay: Number.NaN })), code: "DROVER_DELAY_INVALID", error: /a delay of NaN ms/, place: / in "b"$/ },
  {
    name: "a delay without end",
    machine: into({ after: { wait: "c" } }, { delays: { wait: () => Number.POSITIVE_INFINITY } }),
    code: "DROVER_DELAY_INVALID",
    error: /a delay of Infinity ms/,
    place: / in "b"$/,
  },
  {
    name: "a delay in words",
    machine: bad(sendTo(({ self }) => self, { type: "GOOD" }, { delay: () => "soon" })),
    code: "DROVER_DELAY_INVALID",
    error: /is a string, not a number/,
    place: / on "BAD"$/,
  },
  // ---- names
  {
    name: "an id twice",
    machine: bad([spawnChild("kid", { id: "k" }), spawnChild("kid", { id: "k" })], { actors: { kid } }),
    code: "DROVER_CHILD_ID_TAKEN",
    error: /'k' still lives/,
    place: / on "BAD"/,
  },
  {
    name: "an id twice, by spawn",
    machine: bad(
      assign(({ spawn }) => ({ list: [spawn("kid", { id: "k" }), spawn("kid", { id: "k" })] })),
      { actors: { kid } },
    ),
    code: "DROVER_CHILD_ID_TAKEN",
    error: /'k' still lives/,
    place: /assign$/,
  },
  {
    name: "an id that lives",
    machine: bad(spawnChild("kid", { id: "k" }), { actors: { kid } }, { invoke: { src: "kid", id: "k" } }),
    code: "DROVER_CHILD_ID_TAKEN",
    error: /'k' still lives/,
    place: / on "BAD"/,
  },
  {
    name: "a system id twice",
    machine: bad([spawnChild("kid", { id: "k", systemId: "s" }), spawnChild("kid", { id: "l", systemId: "s" })], { actors: { kid } }),
    code: "DROVER_CHILD_ID_TAKEN",
    error: /system ID 's' already exists/,
    place: / on "BAD"/,
  },
  {
    name: "a child that makes itself anew",
    machine: into({ invoke: { src: "endless", id: "k" } }, { actors: { endless } }),
    code: "DROVER_MACHINE_RUNAWAY",
    error: /more than 100 generations of children begin in one step/,
    place: /one/,
  },
  // ---- what cannot be kept
  {
    name: "a Map in the context",
    machine: bad(assign({ list: () => ({ inner: [new Map()] }) })),
    code: "DROVER_DATA_NOT_KEPT",
    error: /^context\/list\/inner\/0 is an instance of Map/,
    place: / in "b"$/,
  },
  {
    name: "a function in an output",
    machine: bad([], {}, { output: { f: boom }, states: { a: { on: { BAD: "b" } }, b: { type: "final" } } }),
    code: "DROVER_DATA_NOT_KEPT",
    error: /^output\/f is a function/,
    place: / in "b"$/,
  },
  {
    name: "a Date in an emitted event",
    machine: bad(emit({ type: "SEEN", at: [new Date(0)] } as never)),
    code: "DROVER_DATA_NOT_KEPT",
    error: /^the emitted "SEEN"\/at\/0 is an instance of Date/,
    place: /one in "b"$/,
  },
  {
    name: "a function in an event that a child emits at its start",
    machine: bad(spawnChild("kid", { id: "k" }), { actors: { kid: machine({ entry: emit(() => ({ type: "SEEN", f: boom })) }) } }),
    code: "DROVER_DATA_NOT_KEPT",
    error: /^the emitted "SEEN"\/f is a function/,
    place: /one\/~\/k in {}$/,
  },
  {
    name: "a getter that throws in an emitted event",
    machine: bad(
      emit(() => ({
        type: "SEEN",
        get n() {
          return boom();
        },
      })),
    ),
    code: "DROVER_DATA_NOT_KEPT",
    error: /^the emitted "SEEN" is something that throws when it is read/,
    place: /one in "b"$/,
  },
  {
    name: "an id of a child that is no text",
    machine: bad(spawnChild("kid", { id: () => Symbol("k") as never }), { actors: { kid } }),
    code: "DROVER_DATA_NOT_KEPT",
    error: /the id of a child is a symbol, a text is expected/,
    place: / in "a" on "BAD"$/,
  },
  {
    name: "an id of a delayed event that is no text",
    machine: bad(raise({ type: "GOOD" }, { delay: 1, id: "\ud800" })),
    code: "DROVER_SEND_INVALID",
    error: /^the id of a delayed event is no text/,
    place: / in "b"$/,
  },
  ...inputs.flatMap(([name, input, error]): readonly BadInput[] => [
    {
      name: `the input of an invoked task ${name}`,
      machine: into({ invoke: { src: "asks", id: "k", input } }, { actors: workers }),
      code: "DROVER_DATA_NOT_KEPT",
      error,
      place: /one/,
    },
    {
      name: `the input of a spawned task ${name}`,
      machine: bad(spawnChild("asks", { id: "k", input }), { actors: workers }),
      code: "DROVER_DATA_NOT_KEPT",
      error,
      place: /one/,
    },
  ]),
  // ---- reach
  {
    name: "the clock of the machine that it runs on",
    machine: bad(assign({ n: () => Date.now() })),
    code: "DROVER_IMPURE_STEP",
    error: /use now\(self\)/,
    place: /assign of "n"$/,
  },
  // ---- inline actions, which run after the commit
  { name: "an action throws", machine: bad(boom), code: FAILED, error: /^boom$/, place: / in "b": action "boom"$/, volatile: true },
  { name: "an action is async", machine: bad(later), code: PROMISE, error: /action "later" returned a promise/, place: / in "b": action "later"$/, volatile: true },
];

/** Machines that cannot start. */
export const badStarts: readonly BadInput[] = [
  { name: "the first context throws", machine: machine({ id: "m", context: boom }), code: FAILED, error: /^boom$/, place: /one in {}: the first context$/ },
  { name: "the first context is a promise", machine: machine({ id: "m", context: later }), code: PROMISE, error: waits, place: /one in {}: the first context$/ },
  { name: "an entry throws", machine: machine({ id: "m", entry: assign(boom) }), code: FAILED, error: /^boom$/, place: /one.*: #m entry assign$/ },
  {
    name: "an entry reaches for chance",
    machine: machine({ id: "m", entry: assign({ n: () => Math.random() }) }),
    code: "DROVER_IMPURE_STEP",
    error: /use random\(self\)/,
    place: /#m entry assign of "n"$/,
  },
  {
    name: "a loop",
    machine: machine({ id: "m", initial: "a", states: { a: { always: "b" }, b: { always: "a" } } }),
    code: "DROVER_MACHINE_RUNAWAY",
    error: /more than 1000 microsteps/,
    place: /one/,
  },
  { name: "a first delay of NaN", machine: machine({ id: "m", entry: raise({ type: "X" }, { delay: Number.NaN }) }), code: "DROVER_DELAY_INVALID", error: /NaN/, place: /one/ },
  {
    name: "a function in a first event",
    machine: machine({ id: "m", entry: emit(() => ({ type: "SEEN", f: boom })) }),
    code: "DROVER_DATA_NOT_KEPT",
    error: /^the emitted "SEEN"\/f is a function/,
    place: /one in {}$/,
  },
  { name: "a first event that is none", machine: machine({ id: "m", entry: emit(() => undefined) }), code: "DROVER_SEND_INVALID", error: /an object with a type/, place: /one/ },
];
