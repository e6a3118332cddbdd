// When a full state is stored beside a turn: often enough that recovery replays few turns, seldom enough that a small change stays a small write (rules L4).
// What stands after the older of two of them cannot be forgotten: where turns are heavy they come sooner, so that it is bounded by bytes too (promise S5).

import type { Durability } from "../actor/index.ts";
import type { EntityState } from "../entity/contract.ts";
import { encodeState } from "../entity/index.ts";
import { type Log, MAX_RECORD_BYTES } from "../ports/index.ts";

export interface SnapshotPolicy {
  /** A full state is stored after this many turns... */
  readonly everyTurns: number;
  /** ...and this many journal bytes. */
  readonly everyBytes: number;
  /** Where turns are heavy, after so many bytes, however few turns those were beyond `fewestTurns`. */
  readonly atMostBytes: number;
  readonly fewestTurns: number;
}

const DEFAULT_POLICY: SnapshotPolicy = { everyTurns: 100, everyBytes: 32_768, atMostBytes: 1_048_576, fewestTurns: 8 };
/** A type that keeps states writes one with every turn. */
const EVERY_TURN: SnapshotPolicy = { everyTurns: 1, everyBytes: 0, atMostBytes: 0, fewestTurns: 1 };

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
    if (revision === 1 || this.#forced) return true;
    const { everyTurns, everyBytes, atMostBytes, fewestTurns } = this.#isSkipping ? DEFAULT_POLICY : this.#policy;
    const turns = this.#turns + 1;
    const gathered = this.#bytes + bytes;
    return (turns >= everyTurns && gathered >= everyBytes) || (turns >= fewestTurns && gathered >= atMostBytes);
  }

  /** The state that is due cannot be stored: it costs much to find that out, so that the next one is tried after some turns, whatever the policy. */
  skip(): void {
    this.#isSkipping = true;
    this.#forced = false;
    this.#turns = 0;
    this.#bytes = 0;
  }

  /** The turn was committed. @returns with a snapshot, what a turn since the one before it weighed on average, bytes */
  committed(bytes: number, withSnapshot: boolean): number | undefined {
    const mean = (this.#bytes + bytes) / (this.#turns + 1);
    this.#turns = withSnapshot ? 0 : this.#turns + 1;
    this.#bytes = withSnapshot ? 0 : this.#bytes + bytes;
    if (!withSnapshot) return undefined;
    this.#forced = this.#isSkipping = false;
    return mean;
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
