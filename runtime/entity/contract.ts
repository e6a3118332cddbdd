// What an entity takes, what a turn of it yields, and what its record in the journal looks like. Data only.
//
// An entity is the unit of turn, commit, rollback, journal and replay (hosting H1, rules C1). Its core is pure: inputs and a stamp in, a turn out.
// Whoever activates it (runtime/system) owns the mailbox, the clock, the store and the performing of effects.

import type { Address } from "../address.ts";
import type { ErrorCode } from "../errors.ts";
import type { GuardReport, Refusal, SignalRead } from "../outcome.ts";

/** JSON plus what the codec carries (hosting H8). */
export type Data = unknown;

export interface EventData {
  readonly type: string;
  readonly [key: string]: Data;
}

/** Values that a command names, copied at the door, so that no value ever enters a context (vehicle V3). */
export interface DoorReads {
  readonly signals: Readonly<Record<string, SignalRead>>;
  readonly guard?: GuardReport;
}

/** Who sent a message. Outside: HTTP, CLI, another node on behalf of a person. Entity: another entity's outbox. */
export type Sender =
  | {
      readonly kind: "outside";
      readonly id: string;
      readonly author: string;
      readonly expiresAt: number;
      /** Of an id that nobody was told: for how long after it is taken its message may come again or its reply is waited for, ms; its outcome is kept no longer. Default: until `expiresAt`. */
      readonly repeatedMs?: number;
      /** Of the message as it was sent, where a door changed it since; default that of the event. */
      readonly fingerprint?: string;
    }
  | {
      readonly kind: "entity";
      readonly entity: Address;
      readonly incarnation: string;
      readonly seq: number;
      readonly epoch: number;
      readonly expiresAt?: number;
      /** The lowest number that the sender's outbox still holds for this receiver: where a line begins that the receiver does not know (any more). */
      readonly oldest?: number;
    }
  /** Node-local and without an id (watch events, presence hints): taken at most once, never deduplicated. */
  | { readonly kind: "local"; readonly name: string };

export type Input =
  /** The first turn of a history. */
  | {
      readonly kind: "start";
      readonly input: Data;
      readonly labels: Readonly<Record<string, string>>;
      /** What `getPersistedSnapshot()` of bare XState gave: the root goes on from there instead of beginning. */
      readonly bareSnapshot?: Data;
    }
  /** The children that the configuration wants now; missing ones start, surplus ones stop. */
  | { readonly kind: "children"; readonly specs: readonly ChildSpec[] }
  | {
      readonly kind: "message";
      readonly to: Address;
      readonly event: EventData;
      readonly sender: Sender;
      /** The sender waits for a reply (an ask). */
      readonly wantsReply: boolean;
      /** Wall time until which it waits, where that is known: asks that are made while this one is handled wait no longer. */
      readonly answerBy?: number;
      readonly reads?: DoorReads;
      /** Where an entity's ask wants its reply: the key of its pending ask. */
      readonly replyKey?: string;
      /** Set when this is the reply to an ask of this entity (`event` is what `reply` or `decline` made): the ask's key. Taken by its number like any message. */
      readonly answers?: string;
      /** W3C traceparent of what made the sender send it: handed on with all that this input leads to. */
      readonly trace?: string;
      /** Only this incarnation of the cell is meant: sends through a ref. */
      readonly incarnation?: number;
      /** The mailbox was full: it is kept in the entity's record instead of being stepped, and counts this much there. */
      readonly shelve?: { readonly bytes: number };
    }
  /** `missed`: its time passed while nobody watched the clock, or lies more than a period ahead since that was set back; told of timers that keep a rhythm. */
  | { readonly kind: "timer"; readonly timer: string; readonly generation: number; readonly missed?: true }
  /** A timer that was set aside is armed again, for now: by its number in the entity's history, with its key. Its author is answerable. */
  | { readonly kind: "ring"; readonly parked: string; readonly timer: string; readonly author: string }
  /** What a promise, callback, observable or transition source said (hosting H9). */
  | {
      readonly kind: "source";
      readonly cell: string;
      readonly incarnation: number;
      readonly said: SourceSaid;
      /** Of a task's: W3C traceparent of what it was begun for. Earlier versions had none. */
      readonly trace?: string;
    }
  /** How a declared effect ended (rules F1, F2). */
  | { readonly kind: "performed"; readonly key: string; readonly outcome: EffectOutcome }
  /** An undeclared (inline) action or a declared effect's implementation threw (named difference N1). */
  | {
      readonly kind: "fault";
      readonly cell: string;
      readonly incarnation: number;
      readonly error: string;
      readonly code?: ErrorCode;
      /** What threw, e.g. `action "blink"`. */
      readonly where?: string;
    }
  /** A postponed message is offered again, since its actor's state has changed. */
  | { readonly kind: "postponed"; readonly key: string }
  /** A shelved message's turn has come: the mailbox has room again. */
  | { readonly kind: "shelved"; readonly key: string }
  /**
   * `of` hung or ended its process before, `crashes` times by the node's crash file, and is about to be stepped again, alone (rules M4). At the third attempt it is parked instead,
   * as a failure of the kind `parkedAs`.
   * With a code it was stepped, and its turn could not be stored: a failure of it like any other.
   * `openedBy`, the node that steps it: nothing speaks against `of` but that processes of other nodes ended while it may have been stepped. The attempt counts for other nodes, until its step has
   * come to any end that is committed; for its own node its crash file does.
   */
  | {
      readonly kind: "attempt";
      readonly of: Input;
      readonly crashes: number;
      readonly cause: string;
      readonly code?: ErrorCode;
      readonly parkedAs?: ErrorCode;
      readonly openedBy?: string;
    }
  /** Its actor types have newer versions: what the older ones have written is carried over. The first turn of a recovery (rules T3). */
  | { readonly kind: "upgrade" }
  /** What others hold of its history is not what this copy has: from here on it is the incarnation `as` (fork.ts, rules T1). `known`: the revision that they have of `left`. The first of its turn. */
  | { readonly kind: "forked"; readonly as: string; readonly left: string; readonly known: number }
  /** The receiver's word on an outbox message (rules M1), or the answer to an ask task. `under`: of a row that was numbered under a former incarnation. */
  | { readonly kind: "delivered"; readonly receiver: Address; readonly seq: number; readonly under?: string; readonly outcome: DeliveryOutcome }
  /** The reply to an ask that this entity sent: an answer arrives as a message of its own, matched by key. */
  | {
      readonly kind: "answered";
      readonly key: string;
      readonly answer: { readonly kind: "replied"; readonly value: Data } | Refusal;
      /** Whose reply row it was: taken by its number like any message of that entity. */
      readonly sender?: Sender;
    };

export type SourceSaid =
  | { readonly kind: "done"; readonly output: Data }
  | { readonly kind: "error"; readonly error: Data }
  | { readonly kind: "next"; readonly value: Data }
  | { readonly kind: "event"; readonly event: EventData }
  | { readonly kind: "emit"; readonly event: EventData };

export type EffectOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: string }
  /** Refused where it was handed over: guard or freshness checked again outside the machine (vehicle V3), deadline passed, bus closed. */
  | { readonly kind: "refused"; readonly reason: string; readonly guard?: GuardReport }
  /** It may or may not have happened: the node stopped between the commit and the confirmation. */
  | { readonly kind: "unknown"; readonly reason?: string }
  /** Not done and not to be done: a `state` effect found unconfirmed at recovery (rules F1). Its actor is not told. */
  | { readonly kind: "dropped" };

export type DeliveryOutcome = { readonly kind: "accepted" } | Refusal;

/**
 * By which clock a timer counts, and what becomes of it when its time has passed unwatched (rules K1):
 * `remaining` counts hosted time and so waits out what remains; the others count wall time. `absolute` fires once, late. `skip` does not fire for a time that was missed and goes on with
 * the next of its rhythm. `each` fires for each missed time, at most so many of them, then goes on. Where the wall clock was set back, both go on with the next time of their rhythm by what it shows now.
 * Default `remaining`.
 */
export type TimerPolicy = "remaining" | "absolute" | "skip" | { readonly each: number };

export type EffectClass = "idempotent" | "once" | "state";

/** A child that the entity's supervisor keeps (hosting H12): restarted by its type's rule, never by its parent. */
export interface ChildSpec {
  /** Pair under the entity's address, e.g. kind `module`, id `torrent-0`. */
  readonly kind: string;
  readonly id: string;
  /** Actor type name. */
  readonly type: string;
  readonly input: Data;
}

/** When a turn happens; part of its journal record (rules R1). */
export interface TurnStamp {
  /** Wall time, ms since 1970. */
  readonly now: number;
  /** Hosted time of the node, ms: grows only while it runs, kept across restarts; `elapsed` timers count on it (rules K1). */
  readonly elapsed: number;
  /** Seed of random(self) in this turn, unsigned 32 bit. */
  readonly seed: number;
}

export type InputResult =
  | { readonly kind: "accepted" }
  | Refusal
  /** Taken before under the same id or seq; `entry` is what became of it then. */
  | { readonly kind: "duplicate"; readonly entry: TakenEntry | undefined }
  /** Nobody was there for it (late source, stale timer, stopped child): counted as a dead letter. */
  | { readonly kind: "dropped"; readonly reason: string }
  /** The input made its cell fail; all that it did was dropped (savepoint) and the supervisor acted. */
  | {
      readonly kind: "faulted";
      readonly error: string;
      readonly code: ErrorCode;
      /** The actor, its state, the event, and where in the machine it failed, as far as that is known. */
      readonly place: string;
      /** How often this input has made its cell fail, this time included. */
      readonly attempt: number;
      /** The host may offer the same input again, after the others that wait: the restarted cell may take it now. */
      readonly again: boolean;
      /** It was set aside for good; its sender has `outcome` as its last word (hosting H13). */
      readonly parked: boolean;
      readonly outcome?: Refusal;
    };

/** Outcome, and reply once there is one, of a message from outside, kept until it expires (rules M2). */
export interface TakenEntry {
  readonly id: string;
  readonly expiresAt: number;
  /** Hosted time until which it is known whatever becomes of the wall clock, ms; undefined in what an earlier version wrote. */
  readonly keptUntil?: number;
  /** Tells a reused id from a repeated message: hash of address, event and author. */
  readonly fingerprint: string;
  readonly to: Address;
  readonly outcome: { readonly kind: "accepted"; readonly revision: number } | Refusal;
  readonly wantsReply: boolean;
  readonly answer?: { readonly kind: "replied"; readonly value: Data } | Refusal;
}

export interface OutboxRow {
  readonly receiver: Address;
  /** Address of the cell that is meant. */
  readonly to: Address;
  /** Per (sender entity, receiver entity) within the sender's incarnation, from 1 (rules M1). */
  readonly seq: number;
  /** The former incarnation that it was numbered under, and the how manieth the entity has left; left out: the present one (fork.ts). */
  readonly under?: { readonly incarnation: string; readonly nth: number };
  readonly event: EventData;
  readonly wantsReply: boolean;
  readonly replyKey?: string;
  /** Reply rows answer `replyKey` of the receiver; their event is what `reply` or `decline` made. */
  readonly answers?: string;
  readonly expiresAt?: number;
  /** W3C traceparent of the input that made it. */
  readonly trace?: string;
}

/** What must happen after the commit, in this order. */
export type Effect =
  /** A custom action. `declared` ones are looked up in the node's effects; others carry their function (volatile types only, H7). */
  | {
      readonly kind: "act";
      readonly cell: Address;
      readonly incarnation: number;
      readonly key: string;
      readonly name: string;
      readonly params: Data;
      readonly declared: EffectClass | undefined;
      readonly run?: () => unknown;
      readonly cause: EffectCause;
    }
  | { readonly kind: "source.start"; readonly cell: Address; readonly incarnation: number; readonly key: string }
  | { readonly kind: "source.send"; readonly cell: Address; readonly incarnation: number; readonly event: EventData }
  | { readonly kind: "source.stop"; readonly cell: Address; readonly incarnation: number }
  | { readonly kind: "emit"; readonly cell: Address; readonly event: EventData }
  | { readonly kind: "log"; readonly cell: Address; readonly label: string | undefined; readonly value: Data }
  | { readonly kind: "answer"; readonly id: string; readonly answer: { readonly kind: "replied"; readonly value: Data } | Refusal }
  | { readonly kind: "send"; readonly row: OutboxRow }
  /** All rows that wait and say of no incarnation are of this one. */
  | { readonly kind: "forked"; readonly under: NonNullable<OutboxRow["under"]> }
  | { readonly kind: "supervision"; readonly report: SupervisionReport };

/** Why an effect happens: recorded with every sent frame (vehicle X1). */
export interface EffectCause {
  readonly author: string | undefined;
  readonly messageId: string | undefined;
  /** W3C traceparent. */
  readonly trace?: string;
}

export interface SupervisionReport {
  readonly context: "child_started" | "child_terminated" | "child_restarted" | "context_large" | "machine_changed" | "parked" | "degraded" | "entity_failed";
  readonly offender: Address;
  readonly reason: string;
  /** Of a fault: what kind it was, and where. */
  readonly code?: ErrorCode;
  readonly place?: string;
  /** Restarts of this child so far in this history. */
  readonly restarts: number;
  /** Number of what was set aside, in the entity's history. */
  readonly parked?: string;
}

export interface Turn {
  readonly revision: number;
  /** Inputs consumed, from the front; a fault ends the turn early and the rest stay in the mailbox. */
  readonly consumed: number;
  /** One for each consumed input. */
  readonly results: readonly InputResult[];
  /** undefined when nothing changed and nothing needs to be kept (only duplicates, say): nothing is committed then. */
  readonly record: JournalRecord | undefined;
  readonly effects: readonly Effect[];
  /** Postponed messages are on their way again: what waits comes behind them. */
  readonly hasReleased: boolean;
}

/** One committed turn. Everything needed to run it again, and what came of it (rules R1, T3). */
export interface JournalRecord {
  readonly v: 1;
  readonly entity: Address;
  readonly incarnation: string;
  readonly revision: number;
  readonly stamp: TurnStamp;
  /** Versions of the actor types that took part, e.g. `{ vehicle: 1, module: 1 }`. */
  readonly versions: Readonly<Record<string, number>>;
  readonly inputs: readonly Input[];
  readonly results: readonly InputResult[];
  readonly outcome: TurnOutcome;
  /** Cells that this record names by their incarnation alone, in the keys of timers, where `outcome.cells` does not tell whose it is. Records of older versions have none. */
  readonly owners?: readonly (readonly [incarnation: number, owner: Address])[];
  /** Fingerprint of `MadeBy`: which machines, shapes and XState made it (rules R1). Records of older versions have none. */
  readonly made?: string;
  /** Of the state after this turn, in every 32nd revision, of a large state less often (rules H2). */
  readonly hash?: StateHash;
  /** Hash of the bytes of the record before it, chain.ts (rules T1). The first record of a history has none, and records of older versions. */
  readonly prev?: string;
}

/** Hashes of an entity's state: of its cells and labels, which replicas hold too, and of the rest. */
export interface StateHash {
  readonly cells: string;
  readonly rest: string;
}

/** What a state was made by (rules R1). */
export interface MadeBy {
  readonly xstate: string;
  /** By actor type: its version, its machine's id, and a hash of the shape of its state. */
  readonly types: Readonly<Record<string, { readonly version: number; readonly machine?: string; readonly schema: string }>>;
}

export interface TurnOutcome {
  /** Full record of every cell that changed. */
  readonly cells: readonly CellRecord[];
  /** Cells that are gone. */
  readonly ended: readonly string[];
  /** Everything of the entity beside its cells that changed: timers, outbox, taken, system ids, counters. Opaque outside runtime/entity, but for the timers: a history tells them. */
  readonly rest: Data;
  readonly emitted: readonly { readonly cell: Address; readonly event: EventData }[];
}

/** One cell in the entity's own codec (hosting H8). */
export interface CellRecord {
  readonly address: Address;
  readonly incarnation: number;
  /** Actor type name and version; child machines of a machine carry their parent's with their source. */
  readonly type: string;
  readonly version: number;
  readonly status: "active" | "done" | "error" | "stopped";
  /** XState state value; undefined for reducers and sources. */
  readonly value: Data;
  readonly context: Data;
  readonly output?: Data;
  readonly error?: Data;
  /** Messages that the state takes, before guards: for replicas, which run no machine (rules T3). Only of cells that have a door. */
  readonly accepts?: readonly string[];
  /** What the codec needs beside that. Opaque outside runtime/entity and runtime/xstate. */
  readonly inner: Data;
}

/** How an incarnation came about whose entity had come back from an older copy of its store (rules T1). */
export interface Fork {
  /** The incarnation that it opened. */
  readonly as: string;
  /** What it goes on from: the turns of this copy up to there are its past. */
  readonly left: { readonly incarnation: string; readonly revision: number };
  /** The revision of `left` that others had of it, as far as was known: among these are turns that this copy does not have. Where both parted is not known. */
  readonly known: number;
  /** Wall ms. */
  readonly at: number;
  /** The how manieth of the entity. */
  readonly nth: number;
}

export type PastHistories = readonly (readonly [incarnation: string, known: number])[];

/** Full state of an entity: a snapshot in the store, and what opens a stream (rules T3). */
export interface EntityState {
  readonly v: 1;
  readonly entity: Address;
  readonly type: string;
  readonly incarnation: string;
  readonly revision: number;
  readonly stamp: TurnStamp;
  readonly labels: Readonly<Record<string, string>>;
  readonly cells: readonly CellRecord[];
  readonly rest: Data;
  /** Of a replica's own state and of older versions: none. */
  readonly madeBy?: MadeBy;
  /** Hash of the bytes of its last record (rules T1). Of older versions: none. */
  readonly head?: string;
  /** Where its incarnation comes from, when that was a fork. */
  readonly fork?: Fork;
  /** Of a replica's own state: the incarnations that were replaced here of late, and how far each was known. */
  readonly past?: PastHistories;
}
