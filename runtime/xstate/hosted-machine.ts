// An author's machine as the host steps it: a copy with a limit on microsteps (named difference N14), delays that say what becomes of them (rules K1), and watched code.

import type { AnyStateMachine } from "xstate";

import type { TimerPolicy } from "../entity/contract.ts";
import { copyOfParts, freezeParts } from "./context-parts.ts";
import { watchMachine } from "./watched-code.ts";

/** Microsteps that one event may cause in one machine. */
const MAX_MICROSTEPS = 1_000;

const copies = new WeakMap<AnyStateMachine, AnyStateMachine>();
const timedCopies = new WeakMap<AnyStateMachine, { readonly policies: string; readonly machine: AnyStateMachine }>();

let resolved: TimerPolicy = "remaining";

/** The policy of the delay that was resolved since the last call: asked for each delayed action right after XState resolved it. */
export function takeTimerPolicy(): TimerPolicy {
  const found = resolved;
  resolved = "remaining";
  return found;
}

/** @param timers policies by the names of delays */
export function hostedMachine(machine: AnyStateMachine, timers: Readonly<Record<string, TimerPolicy>> = {}): AnyStateMachine {
  if (Object.keys(timers).length === 0) {
    const known = copies.get(machine);
    if (known !== undefined) return known;
    const made = copyOf(machine, {});
    copies.set(machine, made);
    return made;
  }
  const policies = JSON.stringify(timers);
  const known = timedCopies.get(machine);
  if (known?.policies === policies) return known.machine;
  const delays = Object.fromEntries(
    Object.entries(timers).map(([name, policy]) => {
      const delay = (machine.implementations.delays as Record<string, unknown>)[name];
      const withPolicy = (...args: readonly unknown[]): unknown => {
        resolved = policy;
        return typeof delay === "function" ? (delay as (...args: readonly unknown[]) => unknown)(...args) : delay;
      };
      return [name, withPolicy];
    }),
  );
  const made = copyOf(machine, delays);
  timedCopies.set(machine, { policies, machine: made });
  return made;
}

function copyOf(machine: AnyStateMachine, delays: Readonly<Record<string, unknown>>): AnyStateMachine {
  const copy = machine.provide({ delays } as never) as AnyStateMachine;
  const asked = machine.options.maxIterations;
  copy.options = { ...machine.options, maxIterations: typeof asked === "number" && asked < MAX_MICROSTEPS ? asked : MAX_MICROSTEPS };
  copy.config = withOwnContext(copy.config);
  watchMachine(copy);
  return copy;
}

/** All actors of the machine begin with the same object: what one of them writes into it in place must throw, and not reach the others (hosting H11). */
function withOwnContext(config: AnyStateMachine["config"]): AnyStateMachine["config"] {
  const context: unknown = config.context;
  if (typeof context !== "object" || context === null) return config;
  const own = copyOfParts(context);
  freezeParts(own);
  return { ...config, context: own } as AnyStateMachine["config"];
}
