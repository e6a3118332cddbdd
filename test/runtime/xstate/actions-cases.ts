// Cases against bare XState: actions, sends, delays, emits, and their order.

import type { DifferentialCase } from "./case.ts";
import { kid, says } from "./child-machine.ts";
import { assign, cancel, emit, machine, raise, sendTo } from "./loose.ts";

export const actionsCases: readonly DifferentialCase[] = [
  {
    name: "sendTo delay + cancel + same id twice",
    make: (trace) =>
      machine(
        {
          context: { log: [] },
          invoke: { src: "kid", id: "k" },
          on: {
            LATER: { actions: sendTo("k", { type: "ADD", n: 1 }, { delay: 100, id: "L" }) },
            NO: { actions: cancel("L") },
            ASK: { actions: sendTo("k", { type: "TELL" }) },
            ...says,
          },
        },
        { actors: { kid: kid(trace) } },
      ),
    difference: "N4",
    script: ["LATER", { adv: 50 }, "NO", { adv: 100 }, "ASK", "LATER", "LATER", { adv: 100 }, "ASK", "LATER", "LATER", "NO", { adv: 200 }, "ASK"],
  },
  {
    name: "raise delay, after, named delay fn, cancel on exit",
    make: (trace) =>
      machine(
        {
          context: { ms: 30 },
          initial: "a",
          states: {
            a: { entry: raise({ type: "R" }, { delay: 10, id: "r" }), on: { R: { actions: trace("R") }, X: "b" }, after: { d: { target: "b", actions: trace("after") } } },
            b: { after: { 5: "a" } },
          },
        },
        { delays: { d: ({ context }) => context.ms } },
      ),
    difference: "N4",
    script: [{ adv: 10 }, { adv: 20 }, { adv: 5 }, "X", { adv: 5 }, { adv: 40 }],
  },
  {
    name: "delay 0 and order among equal deadlines",
    make: (trace) =>
      machine({
        on: {
          X: { actions: [raise({ type: "A" }, { delay: 0 }), raise({ type: "B" }, { delay: 0 }), raise({ type: "C" })] },
          A: { actions: trace("A") },
          B: { actions: trace("B") },
          C: { actions: trace("C") },
        },
      }),
    script: ["X", { adv: 0 }],
  },
  {
    name: "emit order with custom actions",
    make: (trace) => machine({ on: { X: { actions: [emit({ type: "e1" }), trace("c1"), emit({ type: "e2" }), trace("c2")] } } }),
    script: ["X"],
  },
  {
    name: "custom action calls self.send",
    make: () => machine({ context: { n: 0 }, on: { X: { actions: ({ self }) => self.send({ type: "Y" }) }, Y: { actions: assign({ n: ({ context }) => context.n + 1 }) } } }),
    script: ["X"],
  },
  {
    name: "custom action reads self.getSnapshot",
    make: (trace) => machine({ initial: "a", states: { a: { on: { X: { target: "b", actions: ({ self }) => trace("at " + self.getSnapshot().value)() } } }, b: {} } }),
    difference: "N1",
    script: ["X"],
  },
  {
    name: "action throws",
    make: () =>
      machine({
        initial: "a",
        states: {
          a: {
            on: {
              GO: {
                target: "b",
                actions: () => {
                  throw new Error("act");
                },
              },
            },
          },
          b: {},
        },
      }),
    script: ["GO"],
    difference: "N8",
  },
];
