// An author's machine as the host steps it: a copy with a limit on microsteps (named difference N14), delays that say on which clock they count, and watched code.

import type { AnyStateMachine } from "xstate";

import { watchMachine } from "./watched-code.ts";

/** Microsteps that one event may cause in one machine. */
const MAX_MICROSTEPS = 1_000;

const copies = new WeakMap<AnyStateMachine, AnyStateMachine>();
const wallCopies = new WeakMap<AnyStateMachine, { readonly names: string; readonly machine: AnyStateMachine }>();

let wallDelayResolved = false;

/** Whether a delay of the wall clock was resolved since the last call: asked for each delayed action right after XState resolved it. */
export function takeWallDelay(): boolean {
  const found = wallDelayResolved;
  wallDelayResolved = false;
  return found;
}

/** @param wallDelays names of delays that count on the wall clock */
export function hostedMachine(machine: AnyStateMachine, wallDelays: ReadonlySet<string> = new Set()): AnyStateMachine {
  if (wallDelays.size === 0) {
    const known = copies.get(machine);
    if (known !== undefined) return known;
    const made = copyOf(machine, {});
    copies.set(machine, made);
    return made;
  }
  const names = [...wallDelays].sort().join(" ");
  const known = wallCopies.get(machine);
  if (known?.names === names) return known.machine;
  const delays: Record<string, unknown> = {};
  for (const name of wallDelays) {
    const delay = (machine.implementations.delays as Record<string, unknown>)[name];
    delays[name] = (...args: readonly unknown[]): unknown => {
      wallDelayResolved = true;
      return typeof delay === "function" ? (delay as (...args: readonly unknown[]) => unknown)(...args) : delay;
    };
  }
  const made = copyOf(machine, delays);
  wallCopies.set(machine, { names, machine: made });
  return made;
}

function copyOf(machine: AnyStateMachine, delays: Readonly<Record<string, unknown>>): AnyStateMachine {
  const copy = machine.provide({ delays } as never) as AnyStateMachine;
  const asked = machine.options.maxIterations;
  copy.options = { ...machine.options, maxIterations: typeof asked === "number" && asked < MAX_MICROSTEPS ? asked : MAX_MICROSTEPS };
  watchMachine(copy);
  return copy;
}
