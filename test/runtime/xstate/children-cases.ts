// Cases against bare XState: invoked and spawned machines, their order, ends, errors, and system ids.

import type { DifferentialCase } from "./case.ts";
import { kid, says } from "./child-machine.ts";
import { assign, enqueueActions, machine, sendParent, sendTo, stopChild } from "./loose.ts";

export const childrenCases: readonly DifferentialCase[] = [
  {
    name: "invoke machine: sendTo, sendParent, onDone, input, output",
    make: (trace) =>
      machine(
        {
          context: { log: [] },
          initial: "w",
          states: {
            w: {
              entry: trace("w+"),
              invoke: { src: "kid", id: "k", input: { v: 5 }, onDone: { target: "d", actions: assign({ log: ({ context, event }) => [...context.log, event.output] }) } },
              on: {
                FWD: { actions: sendTo("k", { type: "ADD", n: 2 }) },
                ASK: { actions: sendTo("k", { type: "TELL" }) },
                FIN: { actions: sendTo("k", { type: "END" }) },
                ...says,
              },
            },
            d: { entry: trace("d+") },
          },
        },
        { actors: { kid: kid(trace) } },
      ),
    script: ["FWD", "ASK", "FIN"],
  },
  {
    name: "invoke machine entered at start: order child entry / parent entry",
    make: (trace) => machine({ entry: trace("root+"), invoke: { src: "kid", id: "k" } }, { actors: { kid: kid(trace) } }),
    script: [],
  },
  {
    name: "invoke machine entered later: order",
    make: (trace) => machine({ initial: "i", states: { i: { on: { GO: "w" } }, w: { entry: trace("w+"), invoke: { src: "kid", id: "k" } } } }, { actors: { kid: kid(trace) } }),
    script: ["GO"],
  },
  {
    name: "child after-timer finishes it",
    make: (trace) => machine({ initial: "w", states: { w: { invoke: { src: "kid", id: "k", onDone: "d" } }, d: {} } }, { actors: { kid: kid(trace) } }),
    script: [{ adv: 499 }, { adv: 1 }],
  },
  {
    name: "child throws, unhandled: parent in error, sibling stopped",
    make: (trace) =>
      machine(
        {
          initial: "w",
          states: {
            w: {
              invoke: [
                { src: "kid", id: "k" },
                { src: "kid", id: "k2" },
              ],
              on: { B: { actions: sendTo("k", { type: "BOOM" }) } },
            },
          },
        },
        { actors: { kid: kid(trace) } },
      ),
    script: ["B"],
    difference: "N8",
  },
  {
    name: "child throws, onError",
    make: (trace) =>
      machine(
        {
          initial: "w",
          states: { w: { invoke: { src: "kid", id: "k", onError: "caught" }, on: { B: { actions: sendTo("k", { type: "BOOM" }) } } }, caught: { entry: trace("caught") } },
        },
        { actors: { kid: kid(trace) } },
      ),
    script: ["B"],
  },
  {
    name: "escalate: child sends xstate.error to parent",
    make: (trace) =>
      machine(
        {
          initial: "w",
          states: {
            w: {
              invoke: { src: "k", id: "k", onError: { target: "c", actions: ({ event }) => trace("err " + event.error?.message)() } },
              on: { E: { actions: sendTo("k", { type: "E" }) } },
            },
            c: {},
          },
        },
        { actors: { k: machine({ on: { E: { actions: sendParent({ type: "xstate.error", data: new Error("esc") }) } } }) } },
      ),
    script: ["E"],
  },
  {
    name: "spawn inside assign + refs in context + sendTo ref",
    make: (trace) =>
      machine(
        {
          context: { list: [], log: [] },
          on: {
            NEW: { actions: assign({ list: ({ context, spawn, event }) => [...context.list, spawn("kid", { id: "k" + context.list.length, input: { v: event.v } })] }) },
            ALL: {
              actions: enqueueActions(({ context, enqueue }) => {
                for (const r of context.list) enqueue.sendTo(r, { type: "TELL" });
              }),
            },
            ...says,
            DROP: { actions: [stopChild(({ context }) => context.list[0]), assign({ list: ({ context }) => context.list.slice(1) })] },
          },
        },
        { actors: { kid: kid(trace) } },
      ),
    script: [{ type: "NEW", v: 1 }, { type: "NEW", v: 2 }, "ALL", "DROP", "ALL"],
  },
  {
    name: "spawn in initial context",
    make: (trace) =>
      machine(
        { context: ({ spawn }) => ({ k: spawn("kid", { id: "k", input: { v: 3 } }), log: [] }), entry: [trace("root+"), sendTo("k", { type: "TELL" })], on: says },
        { actors: { kid: kid(trace) } },
      ),
    script: [],
  },
  {
    name: "spawn without id (order of two)",
    make: (trace) =>
      machine(
        {
          context: ({ spawn }) => ({ a: spawn("kid"), b: spawn("kid"), log: [] }),
          on: { ...says, P: { actions: [sendTo(({ context }) => context.b, { type: "TELL" }), sendTo(({ context }) => context.a, { type: "ADD", n: 1 })] } },
        },
        { actors: { kid: kid(trace) } },
      ),
    script: ["P"],
    automaticIds: true,
  },
  {
    name: "spawn and stop in one step: never starts",
    make: (trace) =>
      machine(
        { initial: "i", states: { i: { on: { GO: "w" } }, w: { invoke: { src: "kid", id: "k" }, always: "o" }, o: { entry: trace("o+") } } },
        { actors: { kid: kid(trace) } },
      ),
    script: ["GO"],
  },
  {
    name: "reenter restarts the invoked child",
    make: (trace) =>
      machine(
        {
          context: { log: [] },
          initial: "w",
          states: {
            w: {
              invoke: { src: "kid", id: "k", input: { v: 1 } },
              on: { AGAIN: { target: "w", reenter: true }, FWD: { actions: sendTo("k", { type: "ADD", n: 2 }) }, ASK: { actions: sendTo("k", { type: "TELL" }) }, ...says },
            },
          },
        },
        { actors: { kid: kid(trace) } },
      ),
    script: ["FWD", "ASK", "AGAIN", "ASK"],
  },
  {
    name: "systemId + reenter + system.get",
    make: (trace) =>
      machine(
        {
          context: { log: [] },
          initial: "w",
          states: {
            w: {
              invoke: { src: "kid", id: "k", systemId: "sk", input: { v: 4 } },
              on: { AGAIN: { target: "w", reenter: true }, ASK: { actions: sendTo(({ system }) => system.get("sk"), { type: "TELL" }) }, OUT: "o", ...says },
            },
            o: { on: { LOOK: { actions: assign({ log: ({ context, system }) => [...context.log, system.get("sk") === undefined ? "gone" : "there"] }) } } },
          },
        },
        { actors: { kid: kid(trace) } },
      ),
    script: ["ASK", "AGAIN", "ASK", "OUT", "LOOK"],
  },
  {
    name: "system.get from a child to a sibling",
    make: (trace) =>
      machine(
        {
          initial: "w",
          states: {
            w: {
              invoke: [
                { src: "a", id: "a" },
                { src: "b", id: "b", systemId: "B" },
              ],
              on: { GO: { actions: sendTo("a", { type: "GO" }) }, BACK: "ok" },
            },
            ok: {},
          },
        },
        {
          actors: {
            a: machine({ on: { GO: { actions: sendTo(({ system }) => system.get("B"), { type: "X" }) } } }),
            b: machine({ on: { X: { actions: [trace("b got X"), sendParent({ type: "BACK" })] } } }),
          },
        },
      ),
    script: ["GO"],
  },
  {
    name: "enqueueActions: check, raise, spawnChild, cancel, emit",
    make: (trace) =>
      machine(
        {
          context: { n: 0 },
          on: {
            X: {
              actions: enqueueActions(({ enqueue, check, context }) => {
                enqueue.assign({ n: context.n + 1 });
                enqueue(trace("inline"));
                if (check("big")) {
                  enqueue.raise({ type: "BIG" });
                  enqueue.spawnChild("kid", { id: "k" + context.n });
                  enqueue.emit({ type: "big", n: context.n });
                }
              }),
            },
            BIG: { actions: trace("BIG") },
          },
        },
        { actors: { kid: kid(trace) }, guards: { big: ({ context }) => context.n > 1 } },
      ),
    script: ["X", "X", "X"],
  },
  {
    name: "custom action after sendTo child with custom action",
    make: (trace) =>
      machine({ invoke: { src: "kid", id: "k" }, on: { X: { actions: [sendTo("k", { type: "ADD", n: 1 }), trace("parent after send")] } } }, { actors: { kid: kid(trace) } }),
    script: ["X"],
  },
  {
    name: "depth-first: grandchild answers before second child",
    make: (trace) => {
      const leaf = (n: number) => machine({ on: { Q: { actions: [trace("leaf" + n), sendParent({ type: "A", n })] } } });
      const mid = machine(
        { invoke: { src: "leaf", id: "l" }, on: { Q: { actions: sendTo("l", { type: "Q" }) }, A: { actions: sendParent({ type: "A", n: 1 }) } } },
        { actors: { leaf: leaf(1) } },
      );
      return machine(
        {
          context: { log: [] },
          invoke: [
            { src: "mid", id: "m" },
            { src: "leaf", id: "l2" },
          ],
          on: { GO: { actions: [sendTo("m", { type: "Q" }), sendTo("l2", { type: "Q" })] }, A: { actions: assign({ log: ({ context, event }) => [...context.log, event.n] }) } },
        },
        { actors: { mid, leaf: leaf(2) } },
      );
    },
    script: ["GO"],
  },
  {
    name: "done during initial (final at once) as child",
    make: () =>
      machine(
        { context: { o: 0 }, initial: "w", states: { w: { invoke: { src: "k", onDone: { target: "d", actions: assign({ o: ({ event }) => event.output }) } } }, d: {} } },
        { actors: { k: machine({ initial: "f", states: { f: { type: "final" } }, output: 5 }) } },
      ),
    script: [],
  },
  {
    name: "child fails in initial context",
    make: (trace) =>
      machine(
        { initial: "w", states: { w: { invoke: { src: "k", onError: { target: "c", actions: ({ event }) => trace(event.error.message)() } } }, c: {} } },
        {
          actors: {
            k: machine({
              context: () => {
                throw new Error("init");
              },
            }),
          },
        },
      ),
    script: [],
  },
  {
    name: "root final output stops children",
    make: (trace) =>
      machine(
        {
          initial: "w",
          invoke: { src: "kid", id: "k" },
          states: { w: { on: { F: "f" }, exit: trace("w-") }, f: { type: "final", entry: trace("f+") } },
          exit: trace("root-"),
          output: 42,
        },
        { actors: { kid: kid(trace) } },
      ),
    script: ["F"],
  },
  {
    name: "machine onSnapshot of a child machine",
    make: (trace) =>
      machine(
        {
          context: { seen: [] },
          initial: "w",
          states: {
            w: {
              invoke: { src: "kid", id: "k", onSnapshot: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.snapshot.context.v] }) }, onDone: "d" },
              on: { FWD: { actions: sendTo("k", { type: "ADD", n: 2 }) }, FIN: { actions: sendTo("k", { type: "END" }) } },
            },
            d: {},
          },
        },
        { actors: { kid: kid(trace) } },
      ),
    script: ["FWD", "FWD", "FIN"],
  },
  {
    name: "self in event (replyTo), answer through it",
    make: () =>
      machine(
        { initial: "w", invoke: { src: "k", id: "k" }, states: { w: { on: { GO: { actions: sendTo("k", ({ self }) => ({ type: "ASK", from: self })) }, ANS: "ok" } }, ok: {} } },
        { actors: { k: machine({ on: { ASK: { actions: sendTo(({ event }) => event.from, { type: "ANS" }) } } }) } },
      ),
    script: ["GO"],
  },
  {
    name: "guard reads child snapshot through context ref",
    make: () =>
      machine(
        {
          context: ({ spawn }) => ({ k: spawn("kid", { id: "k" }) }),
          initial: "a",
          on: { POKE: { actions: sendTo("k", { type: "GO" }) } },
          states: { a: { on: { CHECK: { guard: ({ context }) => context.k.getSnapshot().matches("b"), target: "ok" } } }, ok: {} },
        },
        { actors: { kid: machine({ initial: "a", states: { a: { on: { GO: "b" } }, b: {} } }) } },
      ),
    script: ["CHECK", "POKE", "CHECK"],
  },
  {
    name: "child throws behind a custom action, onError",
    make: (trace) =>
      machine(
        {
          initial: "w",
          states: { w: { invoke: { src: "kid", id: "k", onError: "caught" }, on: { B: { actions: sendTo("k", { type: "BOOM" }) } } }, caught: { entry: trace("caught") } },
        },
        {
          actors: {
            kid: machine({
              on: {
                BOOM: {
                  actions: [
                    trace("before"),
                    assign(() => {
                      throw new Error("boom");
                    }),
                    trace("behind"),
                  ],
                },
              },
            }),
          },
        },
      ),
    script: ["B"],
    difference: "N19",
  },
  { name: "send to a missing child", make: () => machine({ on: { X: { actions: sendTo("nobody", { type: "Y" }) } } }), script: ["X"], difference: "N8" },
];
