// XState's makers without their types: the cases build machines of every kind, and what is under test is how they run.

import * as xstate from "xstate";

import type { AnyStateMachine } from "xstate";

/* eslint-disable @typescript-eslint/no-explicit-any -- see above */
export type LooseFunction = (...args: any[]) => any;
type Loose = LooseRecord | LooseFunction | AnyStateMachine | Error | string | number | boolean | null | undefined;
export interface LooseRecord {
  readonly [key: string]: Loose | readonly (Loose | readonly Loose[])[];
}
type Maker = (...args: Loose[]) => any;
/* eslint-enable @typescript-eslint/no-explicit-any */

/** setup(parts).createMachine(config) */
export function machine(config: LooseRecord, parts: LooseRecord = {}): AnyStateMachine {
  return xstate.setup(parts as never).createMachine(config as never) as unknown as AnyStateMachine;
}

export const assign = xstate.assign as unknown as Maker;
export const cancel = xstate.cancel as unknown as Maker;
export const emit = xstate.emit as unknown as Maker;
export const enqueueActions = xstate.enqueueActions as unknown as Maker;
export const forwardTo = xstate.forwardTo as unknown as Maker;
export const fromCallback = xstate.fromCallback as unknown as Maker;
export const fromEventObservable = xstate.fromEventObservable as unknown as Maker;
export const fromObservable = xstate.fromObservable as unknown as Maker;
export const fromPromise = xstate.fromPromise as unknown as Maker;
export const fromTransition = xstate.fromTransition as unknown as Maker;
export const log = xstate.log as unknown as Maker;
export const raise = xstate.raise as unknown as Maker;
export const sendParent = xstate.sendParent as unknown as Maker;
export const sendTo = xstate.sendTo as unknown as Maker;
export const spawnChild = xstate.spawnChild as unknown as Maker;
export const stopChild = xstate.stopChild as unknown as Maker;
