// Cases against bare XState: regions, history, eventless transitions, wildcards.

import type { DifferentialCase } from "./case.ts";
import { kid, says } from "./child-machine.ts";
import { forwardTo, machine } from "./loose.ts";

export const statesCases: readonly DifferentialCase[] = [
  {
    name: "parallel + history deep + reenter",
    make: (trace) =>
      machine({
        type: "parallel",
        states: {
          a: {
            initial: "x",
            states: {
              x: { entry: trace("x+"), exit: trace("x-"), on: { N: "y" } },
              y: { initial: "y1", states: { y1: { on: { N: "y2" } }, y2: {} } },
              h: { type: "history", history: "deep" },
            },
            on: { BACK: ".h" },
          },
          b: { initial: "on", states: { on: { entry: trace("on+"), exit: trace("on-"), on: { T: "off", RE: { target: "on", reenter: true } } }, off: { on: { T: "on" } } } },
        },
      }),
    script: ["N", "N", "T", "RE", "T", "RE", "BACK", "N"],
  },
  {
    name: "history after leaving",
    make: (trace) =>
      machine({
        initial: "m",
        states: { m: { initial: "p", states: { p: { on: { N: "q" } }, q: { entry: trace("q+") }, hist: { type: "history" } }, on: { OUT: "off" } }, off: { on: { IN: "m.hist" } } },
      }),
    script: ["N", "OUT", "IN"],
  },
  {
    name: "forwardTo, wildcard, tags, always, meta",
    make: (trace) =>
      machine(
        {
          context: { log: [] },
          initial: "a",
          invoke: { src: "kid", id: "k" },
          states: { a: { tags: ["t"], on: { "dev.*": "b" } }, b: { always: { guard: ({ context }) => context.log.length > 0, target: "c" } }, c: {} },
          on: { TELL: { actions: forwardTo("k") }, ...says },
        },
        { actors: { kid: kid(trace) } },
      ),
    script: [{ type: "dev.x" }, "TELL"],
  },
  {
    name: "always loop guarded by maxIterations",
    make: () => machine({ initial: "i", options: { maxIterations: 1000 }, states: { i: { on: { GO: "a" } }, a: { always: "b" }, b: { always: "a" } } }),
    script: ["GO"],
    difference: "N8",
  },
];
