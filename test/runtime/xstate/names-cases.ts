// Names of Object.prototype as whatever an author may name: ids, system ids, timers, actions, guards, delays, sources, events, states, fields (hosting H3, H8).

import type { DifferentialCase, Trace } from "./case.ts";
import { assign, cancel, emit, machine, raise, sendTo, spawnChild, stopChild } from "./loose.ts";

export const NAMES = ["constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "__defineGetter__", "__proto__"] as const;

const kid = (trace: Trace): ReturnType<typeof machine> => machine({ entry: trace("kid"), exit: trace("kid-"), on: { P: { actions: trace("P") } } });

/** As a property of its own, whatever it is. */
const under = <V>(name: string, value: V): Readonly<Record<string, V>> => Object.fromEntries([[name, value]]);

function casesOf(name: string): readonly DifferentialCase[] {
  return [
    {
      name: `the id of a spawned child: ${name}`,
      make: (trace) =>
        machine(
          {
            on: {
              A: { actions: spawnChild("kid", { id: name }) },
              B: { actions: sendTo(name, { type: "P" }) },
              C: { actions: stopChild(name) },
            },
          },
          { actors: { kid: kid(trace) } },
        ),
      script: ["A", "B", "B", "C", "A", "B"],
    },
    {
      name: `the id of a child that an assign makes: ${name}`,
      make: (trace) =>
        machine(
          {
            context: { k: null },
            on: { A: { actions: assign({ k: ({ spawn }) => spawn("kid", { id: name }) }) }, B: { actions: sendTo(({ context }) => context.k, { type: "P" }) } },
          },
          { actors: { kid: kid(trace) } },
        ),
      script: ["A", "B", "B"],
    },
    {
      name: `the id of an invoke: ${name}`,
      make: (trace) =>
        machine(
          { initial: "a", states: { a: { invoke: { src: "kid", id: name }, on: { B: { actions: sendTo(name, { type: "P" }) }, N: "b" } }, b: { on: { N: "a" } } } },
          { actors: { kid: kid(trace) } },
        ),
      script: ["B", "B", "N", "N", "B"],
    },
    {
      name: `the id of a child that says its end: ${name}`,
      make: (trace) =>
        machine(
          {
            context: { got: null },
            invoke: { src: "kid", id: name, onDone: { actions: assign({ got: ({ event }) => event.output }) } },
            on: { B: { actions: sendTo(name, { type: "END" }) } },
          },
          { actors: { kid: machine({ initial: "a", output: 5, entry: trace("kid"), states: { a: { on: { END: "b" } }, b: { type: "final" } } }) } },
        ),
      script: ["B"],
    },
    {
      name: `a system id: ${name}`,
      make: (trace) =>
        machine(
          {
            initial: "a",
            context: { all: [] },
            states: {
              a: {
                invoke: { src: "kid", id: "k", systemId: name },
                on: {
                  B: { actions: sendTo(({ system }) => system.get(name), { type: "P" }) },
                  ALL: { actions: assign({ all: ({ system }) => Object.keys(system.getAll()) }) },
                  N: "b",
                },
              },
              b: { on: { N: "a" } },
            },
          },
          { actors: { kid: kid(trace) } },
        ),
      script: ["B", "ALL", "N", "N", "B"],
    },
    {
      name: `a timer: ${name}`,
      make: (trace) =>
        machine({
          on: { A: { actions: raise({ type: "X" }, { delay: 5, id: name }) }, X: { actions: trace("X") }, C: { actions: cancel(name) } },
        }),
      script: ["A", { adv: 6 }, "A", "C", { adv: 6 }],
    },
    {
      name: `a delay: ${name}`,
      make: (trace) => machine({ initial: "a", states: { a: { after: under(name, "b") as never }, b: { entry: trace("b"), on: { N: "a" } } } }, { delays: under(name, 5) }),
      script: [{ adv: 6 }, "N", { adv: 6 }],
    },
    { name: `an action: ${name}`, make: (trace) => machine({ on: { N: { actions: name } } }, { actions: under(name, trace("act")) }), script: ["N", "N"] },
    {
      name: `an action of XState's: ${name}`,
      make: () => machine({ context: { n: 0 }, on: { N: { actions: name } } }, { actions: under(name, assign({ n: ({ context }) => context.n + 1 })) as never }),
      script: ["N", "N"],
    },
    {
      name: `a guard: ${name}`,
      make: (trace) =>
        machine(
          { context: { n: 0 }, on: { N: { guard: name, actions: [trace("yes"), assign({ n: ({ context }) => context.n + 1 })] } } },
          { guards: under(name, ({ context }: { readonly context: { readonly n: number } }) => context.n < 1) as never },
        ),
      script: ["N", "N"],
    },
    {
      name: `a source: ${name}`,
      make: (trace) => machine({ invoke: { src: name, id: "k" }, on: { B: { actions: sendTo("k", { type: "P" }) } } }, { actors: under(name, kid(trace)) }),
      script: ["B", "B"],
    },
    { name: `an event: ${name}`, make: (trace) => machine({ on: under(name, { actions: trace("heard") }) as never }), script: [name, name] },
    {
      name: `an emitted event and its field: ${name}`,
      make: () => machine({ on: { N: { actions: emit({ type: name }) } } }),
      script: ["N", "N"],
    },
    ...(name === "__proto__" ? [] : statesOf(name)),
  ];
}

function statesOf(name: string): readonly DifferentialCase[] {
  return [
    {
      name: `a state: ${name}`,
      make: (trace) => machine({ initial: "a", states: { a: { on: { N: name } }, [name]: { entry: trace("in"), on: { N: "a" } } } }),
      script: ["N", "N", "N"],
    },
    {
      name: `a region and the states in it: ${name}`,
      make: (trace) =>
        machine({
          type: "parallel",
          states: { [name]: { initial: name, states: { [name]: { on: { N: "b" } }, b: { entry: trace("b"), on: { N: name } } } }, other: { initial: "x", states: { x: {} } } },
        }),
      script: ["N", "N", "N"],
    },
    {
      name: `a history and what it remembers: ${name}`,
      make: (trace) =>
        machine({
          initial: "p",
          states: {
            p: { initial: "x", on: { OUT: "q" }, states: { [name]: { entry: trace("in") }, x: { on: { N: name } }, h: { id: name, type: "history" } } },
            q: { on: { BACK: `#${name}` } },
          },
        }),
      script: ["N", "OUT", "BACK"],
    },
    {
      name: `a field of a context and of an event: ${name}`,
      make: () => machine({ context: { [name]: 1 }, on: { N: { actions: assign({ [name]: ({ event }) => event[name] + 1 }) } } }),
      script: [
        { type: "N", [name]: 1 },
        { type: "N", [name]: 5 },
      ],
    },
  ];
}

export const namesCases: readonly DifferentialCase[] = NAMES.flatMap(casesOf);
