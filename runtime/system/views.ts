// What may be seen of actors: committed state only (rules C4), with its age, whoever holds it.
// A system answers for the entities that it hosts; a mounted directory answers for others (a cloud node's replicas of vehicles).

import type { Address } from "../address.ts";
import type { CellRecord, Data, EventData, JournalRecord } from "../entity/contract.ts";

export interface ActorView {
  readonly address: Address;
  readonly entity: Address;
  /** Last pair's type, e.g. `vehicle`, `module`. */
  readonly kind: string;
  /** Actor type and machine version. */
  readonly type: string;
  readonly version: number;
  readonly status: CellRecord["status"] | "parked";
  /** XState state value; undefined for a plain reducer. */
  readonly state: Data;
  readonly context: Data;
  /** Event types that the present state would take, from the protocol; undefined when that is not known here. */
  readonly accepts: readonly string[] | undefined;
  readonly durability: "volatile" | "snapshot" | "events";
  /** The entity's revision and history: revision is the ETag. */
  readonly revision: number;
  readonly incarnation: string;
  /** Node that owns the entity, and under which epoch. */
  readonly owner: { readonly node: string; readonly epoch: number };
  /** Node that answered. */
  readonly node: string;
  /** Wall time of this state at its owner, ms. */
  readonly asOf: number;
  /** Set when this is a replica: how long ago its owner was last heard, ms. */
  readonly staleMs?: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Set when its entity is not in memory: this state was read from the store. */
  readonly absent?: Absence;
}

/** Why an entity that is known is not in memory. `passivated`: it was idle, and comes back when it is called; `away`: it was deactivated, or cannot go on, and is called in vain. */
export type Absence = "passivated" | "away";

/** An entity that is known and not in memory, as far as the store's index tells: it stands for all its actors. `look` reads the state of each. */
export interface AbsentEntity extends Pick<ActorView, "address" | "entity" | "kind" | "type" | "durability" | "revision" | "incarnation" | "owner" | "node"> {
  readonly status: Absence;
}

export type ListedActor = ActorView | AbsentEntity;

/** A page of what is known. */
export interface Listing {
  /** Ascending by address. May be fewer than were asked for, and none, while there is a next page. */
  readonly items: readonly ListedActor[];
  /** Pass as `after` for the next page; undefined at the end. */
  readonly next: string | undefined;
  /** Absent entities of this page's range that were left out because only their state tells whether they, or actors of theirs, match. */
  readonly unread: number;
}

export interface ActorQuery {
  readonly kind?: string;
  /** Matches a state value that contains this state, e.g. `moving` or `motion.moving`. Absent entities are left out and counted (`unread`). */
  readonly state?: string;
  readonly node?: string;
  /** `key=value` pairs that must all hold. Absent entities are left out and counted (`unread`). */
  readonly labels?: Readonly<Record<string, string>>;
  /** Part of the address, case-insensitive; of an absent entity its own alone. */
  readonly text?: string;
  /** Only addresses greater than this. */
  readonly after?: string;
  /** 1 to 1000. */
  readonly limit: number;
}

/** What an actor was given in a turn. */
export interface HistoryInput {
  readonly type: string;
  readonly author: string | undefined;
  readonly id: string | undefined;
  /** W3C traceparent. */
  readonly trace?: string;
  readonly result: string;
}

/** One committed turn as seen from one actor. */
export interface HistoryEntry {
  readonly revision: number;
  readonly at: number;
  readonly inputs: readonly HistoryInput[];
  /** State value after the turn; undefined when this actor did not change. */
  readonly state: Data;
  /** Timers of this actor that the turn has armed (anew) or done away with without their firing; one that fired is an input. */
  readonly timers: readonly { readonly id: string; readonly change: "armed" | "cancelled" }[];
  readonly emitted: readonly EventData[];
}

export interface HistoryQuery {
  /** Only revisions greater than this. */
  readonly after?: number;
  /** Only revisions smaller than this. */
  readonly before?: number;
  /** From 1. */
  readonly limit: number;
  readonly order: "oldest-first" | "newest-first";
}

/** Turns of an entity that cannot be read: trimmed, damaged, lost before they came here, or never kept (a volatile entity has no journal). */
export interface MissingTurns {
  /** From the revision that follows this one... */
  readonly after: number;
  /** ...up to and including this one. */
  readonly upTo: number;
  /** The entity came back from an older copy of its store: these are of a history that it has left (rules T1). */
  readonly forked?: {
    /** What was left, and the last revision that the copy had of it. */
    readonly incarnation: string;
    readonly revision: number;
    /** The last revision of it that was known elsewhere: among these are turns that the copy did not have. */
    readonly known: number;
    /** Wall ms. */
    readonly at: number;
  };
}

/** Turns of one actor, out of those of its whole entity. */
export interface HistoryPage {
  /** In the order that was asked for. May be fewer than `limit`, and none, while there is a `next`: one answer reads a bounded number of the entity's turns. */
  readonly items: readonly HistoryEntry[];
  /** Revision to go on from: as `before` newest first, as `after` oldest first. undefined: all that is kept of what was asked for has been read. */
  readonly next: number | undefined;
  /** Ascending, of what was asked for and has been read over. Whether they concerned this actor nobody can tell. */
  readonly missing: readonly MissingTurns[];
}

/** A committed turn, told to whoever watches: a copy of the actors' data, one for all who do, whose parts are made when somebody looks at them. */
export interface Change {
  readonly entity: Address;
  readonly incarnation: string;
  readonly revision: number;
  readonly at: number;
  /** Cells that changed, and those that ended. */
  readonly cells: readonly CellRecord[];
  readonly ended: readonly Address[];
  readonly emitted: readonly { readonly cell: Address; readonly event: EventData }[];
  /** undefined for volatile entities, and where a replica took over a full state: the turns up to it are not told. */
  readonly record: JournalRecord | undefined;
}

export interface Directory {
  /** Addresses of all actors that `read` shows, in any order: cheap, where a view is not. */
  addresses(): Iterable<Address>;
  /** The actor, where this directory holds it in memory. What `read` of a system gives is its reader's own. */
  read(address: Address): ActorView | undefined;
  /** @throws DROVER_CONFIG_INVALID of a system, for a query that cannot be meant */
  history(address: Address, query: HistoryQuery): Promise<HistoryPage>;
  /** Calls back after every commit; synchronously, so a listener must only take note. */
  watch(listener: (change: Change) => void): () => void;
}

export interface DeadLetter {
  /** Grows by one with each letter since the start of the node. */
  readonly number: number;
  readonly at: number;
  readonly to: string;
  readonly type: string;
  readonly from: string;
  readonly reason: string;
  /** What made its actor fail, where it was set aside for that. */
  readonly cause?: string;
  /** What it said is kept too: it can be sent again. */
  readonly isKept: boolean;
  /** Wall time at which it was taken after all. */
  readonly sentAgainAt?: number;
}

export interface DeadLetterQuery {
  /** Only letters with a greater number. A whole number from 0. */
  readonly after?: number;
  /** From 1. */
  readonly limit: number;
  /** This actor, or one below it. */
  readonly to?: string;
  readonly type?: string;
  readonly from?: string;
  readonly reason?: string;
}
