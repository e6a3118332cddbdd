// When a full state is stored beside a turn: often enough that recovery replays few turns, seldom enough that a small change stays a small write (rules L4).

import type { Durability } from "../actor/index.ts";
import type { EntityState } from "../entity/contract.ts";
import { encodeState } from "../entity/index.ts";
import { type Log, MAX_RECORD_BYTES } from "../ports/index.ts";

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
  #isSkipping = false;

  constructor(since: SinceSnapshot, policy: SnapshotPolicy) {
    this.#policy = policy;
    this.#turns = since.turns;
    this.#bytes = since.bytes;
    this.#forced = since.isOutdated;
  }

  /** The last state that was due could not be stored. */
  get isSkipping(): boolean {
    return this.#isSkipping;
  }

  /** Whether a turn with a record of `bytes` brings a snapshot. A history opens with one. */
  isDue(revision: number, bytes: number): boolean {
    const { everyTurns, everyBytes } = this.#isSkipping ? DEFAULT_POLICY : this.#policy;
    return revision === 1 || this.#forced || (this.#turns + 1 >= everyTurns && this.#bytes + bytes >= everyBytes);
  }

  /** The state that is due cannot be stored: it costs much to find that out, so that the next one is tried after some turns, whatever the policy. */
  skip(): void {
    this.#isSkipping = true;
    this.#forced = false;
    this.#turns = 0;
    this.#bytes = 0;
  }

  /** The turn was committed. */
  committed(bytes: number, withSnapshot: boolean): void {
    this.#turns = withSnapshot ? 0 : this.#turns + 1;
    this.#bytes = withSnapshot ? 0 : this.#bytes + bytes;
    if (withSnapshot) this.#forced = this.#isSkipping = false;
  }
}

/** A full state as bytes, unless no store takes so many: then it stays with the journal and an older state, and its log says so. */
export function storableState(state: EntityState, log: Log): Uint8Array | undefined {
  const bytes = encodeState(state);
  if (bytes.byteLength <= MAX_RECORD_BYTES) return bytes;
  log.error(
    { entity: state.entity, bytes: bytes.byteLength, limit: MAX_RECORD_BYTES },
    "its full state is too large to be stored; its turns are stored without one until it has shrunk, and recovery takes longer",
  );
  return undefined;
}
