// The four kinds of machine that the goals name. Each counts what it takes in a guard, at its receiver, the same way under every host.
// Inline guards and the outer counter are for volatile types and for benches; an author's machine has neither.

import { type AnyStateMachine, assign, setup } from "xstate";

export type MachineKind = "assign" | "toggle" | "parallel" | "after";
export const MACHINE_KINDS: readonly MachineKind[] = ["assign", "toggle", "parallel", "after"];

/** Far enough that none fires: what is measured is arming and cancelling. */
const FAR_MS = 3_600_000;

/** @param took called once for each event that was taken */
export function machineOf(kind: MachineKind, took: () => void): AnyStateMachine {
  const parts = setup({
    types: { context: {} as { readonly total: number }, events: {} as { readonly type: "go" } },
    guards: {
      counted: () => {
        took();
        return true;
      },
    },
    actions: { add: assign({ total: ({ context }) => context.total + 1 }) },
    delays: { FAR: FAR_MS },
  });
  const context = { total: 0 };
  switch (kind) {
    case "assign":
      return parts.createMachine({ context, initial: "on", states: { on: { on: { go: { guard: "counted", actions: "add" } } } } });
    case "toggle":
      return parts.createMachine({ context, initial: "a", states: { a: { on: { go: { guard: "counted", target: "b" } } }, b: { on: { go: { guard: "counted", target: "a" } } } } });
    case "parallel":
      return parts.createMachine({
        context,
        type: "parallel",
        states: {
          first: { initial: "a", states: { a: { on: { go: { guard: "counted", target: "b" } } }, b: { on: { go: { guard: "counted", target: "a" } } } } },
          second: { initial: "a", states: { a: { on: { go: "b" } }, b: { on: { go: "a" } } } },
          third: { initial: "a", states: { a: { on: { go: "b" } }, b: { on: { go: "a" } } } },
        },
      });
    case "after":
      return parts.createMachine({
        context,
        initial: "a",
        states: {
          a: { after: { FAR: "late" }, on: { go: { guard: "counted", target: "b" } } },
          b: { after: { FAR: "late" }, on: { go: { guard: "counted", target: "a" } } },
          late: {},
        },
      });
  }
}
