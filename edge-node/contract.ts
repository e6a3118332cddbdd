// What a vehicle's node is to who embeds it.

import type { SignalSource } from "../protocols/uplink/index.ts";
import type { Address, System, Tree, TreeNode } from "../runtime/index.ts";

export interface EdgeNode {
  readonly vehicle: Address;
  readonly system: System;
  readonly tree: Tree;
  readonly signals: SignalSource;
  /** The tree with the vehicle's actors in it. */
  describe(): TreeNode;
  counters(): EdgeCounters;
  /** Where the vehicle's own API listens, if one is configured and started. */
  readonly apiUrl: string | undefined;
  /** The first admin token of that API, at the first start only: shown once. */
  readonly firstToken: string | undefined;
  /** Resolves when the vehicle's actors run. @throws what could not start */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface EdgeCounters {
  /** Frames taken since the start, over all buses. */
  readonly frames: number;
  /** Signals whose value is known and fresh, of all. */
  readonly signals: { readonly fresh: number; readonly all: number };
  readonly sentFrames: number;
  readonly refusedFrames: number;
}
