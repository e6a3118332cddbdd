// A child that most of the cases use: it counts, tells its parent, ends by itself after a while, and can be made to throw.

import type { AnyStateMachine } from "xstate";

import type { Trace } from "./case.ts";
import { assign, machine, sendParent } from "./loose.ts";

export const kid = (trace: Trace): AnyStateMachine =>
  machine({
    id: "kid",
    context: ({ input }) => ({ v: input?.v ?? 0 }),
    initial: "run",
    states: {
      run: {
        entry: trace("kid+"),
        exit: trace("kid-"),
        on: {
          ADD: { actions: [trace("add"), assign({ v: ({ context, event }) => context.v + event.n })] },
          TELL: { actions: sendParent(({ context }) => ({ type: "SAYS", v: context.v })) },
          END: "fin",
          BOOM: {
            actions: assign(() => {
              throw new Error("kidboom");
            }),
          },
        },
        after: { 500: "fin" },
      },
      fin: { type: "final" },
    },
    output: ({ context }) => ({ total: context.v }),
  });

/** What a parent does with what the child says: it keeps a log. */
export const says = { SAYS: { actions: assign({ log: ({ context, event }) => [...context.log, ["says", event.v]] }) } };
