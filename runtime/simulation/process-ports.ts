// What a simulated process is handed in place of the real ports.

import type { Registered } from "../actor/index.ts";
import type { Clock, Log, Random, StepWatch, Store, Transport } from "../ports/index.ts";
import type { System } from "../system/index.ts";
import type { EffectFact } from "./history.ts";

export interface ProcessPorts {
  readonly node: string;
  /** Counts the runs of this node from 1. */
  readonly run: number;
  /** Under which it owns what it hosts (rules E1); raised by every takeover. */
  readonly epoch: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** See SystemOptions.defer. */
  readonly defer: (run: () => void) => void;
  /** Not yet open. The one of the node's database; call it once. */
  readonly store: Store;
  /** Not yet started. Its presence and its inbox are the node's name; call it once. */
  readonly transport: Transport;
  /** Something that outlives the process, as a file does; made at the first call of this name, the same for all runs of the node. */
  readonly kept: <T>(name: string, make: () => T) => T;
  /** Names what is under way to the next process of the node; see SystemOptions.stepWatch. */
  readonly stepWatch: StepWatch;
  /** Ends the process here and now, in the middle of a step too, as `process.exit` does; the node is started again. Throws, so that nothing more of the step is done. */
  readonly exit: (reason: string) => never;
  /** Something outside as this process holds it: nothing comes through when the process has ended, everything waits while it is paused. */
  readonly hold: <T extends object>(port: T) => T;
  /** Notes what became of a declared effect, for the checkers. */
  readonly noteEffect: (said: EffectSaid) => void;
  /** Other nodes by the entities that they host at the beginning: where a message for an entity goes. */
  readonly homeOf: (entity: string) => string | undefined;
}

/** What a node runs: a program that is started anew for each run of its process. */
export interface NodeProgram {
  /** Resolves when the node has started; what it throws is a failed start, which is tried again. */
  start(ports: ProcessPorts): Promise<RunningNode>;
  /** Entities that this node hosts from the beginning. */
  readonly hosts: readonly string[];
  /** What it hosts, so that journals can be replayed. */
  readonly types: readonly Registered[];
}

export type EffectSaid = Pick<EffectFact, "what" | "key" | "name" | "actor">;

export interface RunningNode {
  /** What tells and asks of a script go to, and what is compared at the end. */
  readonly system: System;
  /** Settles when it has ended by itself; then it is started again. Default: it never does. */
  readonly exited?: Promise<unknown>;
  /** Nothing that the program alone knows of is under way. Default: always. */
  isQuiet?(): boolean;
  /** Stops in order; resolves when nothing is held any more. */
  stop(): Promise<void>;
}
