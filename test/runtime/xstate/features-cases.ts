// Cases against bare XState: guards of all kinds, delays that are cancelled, children of all kinds made by actions, what reaches actions and inputs, emits and logs of all of them.

import { and, not, or, stateIn } from "xstate";

import { of, throwError } from "rxjs";

import type { DifferentialCase } from "./case.ts";
import {
  assign,
  cancel,
  emit,
  enqueueActions,
  forwardTo,
  fromCallback,
  fromObservable,
  fromPromise,
  fromTransition,
  log,
  machine,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stopChild,
} from "./loose.ts";

const bump = assign({ n: ({ context }) => context.n + 1 });

export const featuresCases: readonly DifferentialCase[] = [
  {
    name: "guards: and, or, not, stateIn, params, named within named",
    make: (trace) =>
      machine(
        {
          context: { n: 0 },
          type: "parallel",
          on: {
            N: { actions: bump },
            A: { guard: and(["isOdd", not("isBig")]) as never, actions: trace("odd and not big") },
            O: { guard: or([{ type: "isOver", params: { limit: 2 } } as never, stateIn("#lit") as never]) as never, actions: trace("over or lit") },
            P: { guard: { type: "isOver", params: ({ context }) => ({ limit: context.n - 1 }) }, actions: trace("over itself") },
            Q: [{ guard: "both", actions: trace("both") }, { actions: trace("otherwise") }],
          },
          states: {
            lamp: { initial: "off", states: { off: { on: { L: "on" } }, on: { id: "lit" } } },
            other: {
              always: { guard: stateIn({ lamp: "on" }) as never, actions: assign({ n: () => 10 }), target: ".seen" },
              initial: "wait",
              states: { wait: {}, seen: { type: "final" } },
              on: {},
            },
          },
          options: { maxIterations: 50 },
        },
        {
          guards: {
            isOdd: ({ context }) => context.n % 2 === 1,
            isBig: ({ context }) => context.n > 4,
            isOver: ({ context }, { limit }) => context.n > limit,
            both: and(["isOdd", "isBig"]) as never,
          },
        },
      ),
    script: ["A", "N", "A", "O", "P", "N", "N", "O", "Q", "N", "N", "A", "Q"],
  },
  {
    name: "a raise that is delayed, cancelled, and cancelled by a name that is computed",
    make: (trace) =>
      machine({
        context: { name: "one" },
        on: {
          ARM: {
            actions: [
              raise({ type: "R", n: 1 }, { delay: 20, id: "one" }),
              raise({ type: "R", n: 2 }, {
                delay: ({ event }: { event: { ms: number } }) => event.ms,
                id: ({ context }: { context: { name: string } }) => `${context.name}-late`,
              } as never),
            ],
          },
          STOP: { actions: cancel(({ context }) => context.name) },
          R: { actions: ({ event }) => trace(`R${event.n}`)() },
        },
      }),
    script: [{ type: "ARM", ms: 30 }, { adv: 10 }, "STOP", { adv: 30 }, { type: "ARM", ms: 5 }, { adv: 6 }, { adv: 20 }],
  },
  {
    name: "a delayed send to a child that has ended by then",
    make: (trace) =>
      machine(
        {
          initial: "w",
          states: { w: { invoke: { src: "kid", id: "k" }, on: { LATER: { actions: sendTo("k", { type: "HI" }, { delay: 20 }) }, OUT: "o" } }, o: { entry: trace("o") } },
        },
        { actors: { kid: machine({ on: { HI: { actions: trace("hi") } } }) } },
      ),
    script: ["LATER", { adv: 20 }, "LATER", "OUT", { adv: 50 }],
  },
  {
    name: "spawnChild of transition logic, callback and machine by enqueueActions, and stopChild",
    make: (trace) =>
      machine(
        {
          context: { log: [] },
          on: {
            GO: {
              actions: enqueueActions(({ enqueue }) => {
                enqueue.spawnChild("count", { id: "c", input: 5, syncSnapshot: true });
                enqueue.spawnChild("call", { id: "cb" });
                enqueue.spawnChild("kid", { id: "k", input: { v: 2 } });
                enqueue.sendTo("c", { type: "UP" });
              }),
            },
            UP: { actions: [forwardTo("c"), forwardTo("k")] },
            END: { actions: [stopChild("cb"), stopChild("c"), stopChild(({ self }) => self.getSnapshot().children.k)] },
            "xstate.snapshot.c": { actions: assign({ log: ({ context, event }) => [...context.log, event.snapshot.context] }) },
            SAYS: { actions: assign({ log: ({ context, event }) => [...context.log, event.v] }) },
          },
        },
        {
          actors: {
            count: fromTransition(
              (state, event) => (event.type === "UP" ? state + 1 : state),
              ({ input }) => input,
            ),
            call: fromCallback(() => trace("closed")),
            kid: machine({
              context: ({ input }) => ({ v: input.v }),
              exit: trace("kid-"),
              on: { UP: { actions: [assign({ v: ({ context }) => context.v * 2 }), sendParent(({ context }) => ({ type: "SAYS", v: context.v }))] } },
            }),
          },
        },
      ),
    script: ["GO", "UP", "UP", "END", "UP"],
    difference: "N8",
  },
  {
    name: "observables: values, an error that is handled, an end",
    make: () =>
      machine(
        {
          context: { log: [] },
          initial: "a",
          states: {
            a: { invoke: { src: "good", onSnapshot: { actions: assign({ log: ({ context, event }) => [...context.log, event.snapshot.context ?? null] }) }, onDone: "b" } },
            b: { invoke: { src: "bad", onError: { target: "c", actions: assign({ log: ({ context, event }) => [...context.log, event.error.message] }) } } },
            c: {},
          },
        },
        { actors: { good: fromObservable(() => of("x", "y")), bad: fromObservable(() => throwError(() => new Error("bad"))) } },
      ),
    script: [{ tick: 4 }],
  },
  {
    name: "self and system in actions, inputs and delays; ids of sessions stay out of it",
    make: (trace) =>
      machine(
        {
          id: "top",
          context: { n: 0 },
          invoke: { src: "kid", id: "k", systemId: "K", input: ({ self, context }) => ({ boss: self, n: context.n }) },
          on: {
            GO: {
              actions: [({ system }) => trace(`${system.get("K").id} ${String(system.get("none"))}`)(), sendTo(({ system }) => system.get("K"), { type: "ASK" })],
            },
            ANS: { actions: assign({ n: ({ context, event }) => context.n + event.n }) },
          },
        },
        {
          actors: {
            kid: machine({
              context: ({ input }) => input,
              on: {
                ASK: {
                  actions: sendTo(
                    ({ context }) => context.boss,
                    ({ self }) => ({ type: "ANS", n: self.id.length }),
                  ),
                },
              },
            }),
          },
        },
      ),
    script: ["GO", "GO"],
  },
  {
    name: "reenter: from a child state, of a parallel region, with after and invoke",
    make: (trace) =>
      machine(
        {
          type: "parallel",
          states: {
            a: {
              initial: "x",
              entry: trace("a+"),
              exit: trace("a-"),
              on: { RE: { target: ".y", reenter: true }, IN: ".y" },
              states: { x: { entry: trace("x+"), exit: trace("x-"), after: { 30: "y" } }, y: { entry: trace("y+"), exit: trace("y-") } },
            },
            b: { entry: trace("b+"), invoke: { src: "kid", id: "k" }, on: { AGAIN: { target: "b", reenter: true } } },
          },
        },
        { actors: { kid: machine({ entry: trace("kid+"), exit: trace("kid-") }) } },
      ),
    script: ["IN", "RE", "AGAIN", { adv: 40 }, "RE"],
  },
  {
    name: "output of parallel and nested final states, onDone with its data",
    make: (trace) =>
      machine({
        context: { got: [] },
        initial: "p",
        states: {
          p: {
            type: "parallel",
            onDone: { target: "end", actions: trace("p is done") },
            states: {
              l: {
                initial: "x",
                onDone: { actions: assign({ got: ({ context, event }) => [...context.got, event.output] }) },
                states: { x: { on: { L: "y" } }, y: { type: "final", output: ({ event }: { event: { type: string } }) => event.type } },
              },
              r: { initial: "x", states: { x: { on: { R: "y" } }, y: { type: "final" } } },
            },
          },
          end: { type: "final" },
        },
        output: ({ context }) => ({ got: context.got }),
      }),
    script: ["L", "L", "R", "R"],
  },
  {
    name: "emits and logs of a child and of a promise's parent stay in their order",
    make: (trace) =>
      machine(
        {
          context: { n: 0 },
          invoke: [
            { src: "kid", id: "k" },
            { src: "p", onDone: { actions: [emit(({ event }) => ({ type: "got", output: event.output })), trace("got")] } },
          ],
          on: {
            GO: {
              actions: [
                log("one"),
                emit({ type: "e1" }),
                sendTo("k", { type: "GO" }),
                log(({ context }) => `n ${String(context.n)}`),
                bump,
                emit(({ context }) => ({ type: "e2", n: context.n })),
              ],
            },
          },
        },
        { actors: { kid: machine({ on: { GO: { actions: [emit({ type: "of the child" }), log("kid")] } } }), p: fromPromise(async () => "v") } },
      ),
    script: ["GO", { tick: 3 }, "GO"],
  },
  {
    name: "a spawned actor in an array of the context is replaced, and its old ref is stopped",
    make: (trace) =>
      machine(
        {
          context: ({ spawn }) => ({ all: [spawn("kid", { id: "k0" })], made: 1 }),
          on: {
            SWAP: {
              actions: [
                stopChild(({ context }) => context.all[0]),
                assign({ all: ({ context, spawn }) => [spawn("kid", { id: `k${String(context.made)}` })], made: ({ context }) => context.made + 1 }),
              ],
            },
            PING: { actions: sendTo(({ context }) => context.all[0], { type: "PING" }) },
            AGAIN: { actions: [stopChild("s"), spawnChild("kid", { id: "s" })] },
          },
        },
        { actors: { kid: machine({ entry: trace("+"), exit: trace("-"), on: { PING: { actions: trace("ping") } } }) } },
      ),
    script: ["PING", "SWAP", "PING", "AGAIN", "AGAIN", "SWAP", "PING"],
  },
];
