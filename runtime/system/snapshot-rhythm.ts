// When a full state is stored beside a turn: often enough that recovery replays few turns, seldom enough that a small change stays a small write (rules L4).

import type { Durability } from "../actor/index.ts";

export interface SnapshotPolicy {
  /** A full state is stored after this many turns... */
  readonly everyTurns: number;
  /** ...and this many journal bytes. */
  readonly everyBytes: number;
}

const DEFAULT_POLICY: SnapshotPolicy = { everyTurns: 100, everyBytes: 32_768 };
/** A type that keeps states writes one with every turn. */
const EVERY_TURN: SnapshotPolicy = { everyTurns: 1, everyBytes: 0 };

export function policyOf(durability: Durability): SnapshotPolicy {
  return durability === "snapshot" ? EVERY_TURN : DEFAULT_POLICY;
}

/** What stands in the journal after the newest snapshot. */
export interface SinceSnapshot {
  readonly turns: number;
  readonly bytes: number;
  /** The state is of another version than its snapshot (rules T3), or its newest snapshot is damaged: the next turn brings a new one. */
  readonly isOutdated: boolean;
}

export class SnapshotRhythm {
  readonly #policy: SnapshotPolicy;
  #turns: number;
  #bytes: number;
  #forced: boolean;

  constructor(since: SinceSnapshot, policy: SnapshotPolicy) {
    this.#policy = policy;
    this.#turns = since.turns;
    this.#bytes = since.bytes;
    this.#forced = since.isOutdated;
  }

  /** Whether a turn with a record of `bytes` brings a snapshot. A history opens with one. */
  isDue(revision: number, bytes: number): boolean {
    return revision === 1 || this.#forced || (this.#turns + 1 >= this.#policy.everyTurns && this.#bytes + bytes >= this.#policy.everyBytes);
  }

  /** The turn was committed. */
  committed(bytes: number, withSnapshot: boolean): void {
    this.#turns = withSnapshot ? 0 : this.#turns + 1;
    this.#bytes = withSnapshot ? 0 : this.#bytes + bytes;
    if (withSnapshot) this.#forced = false;
  }
}
