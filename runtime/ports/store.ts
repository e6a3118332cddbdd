// Where entities' histories are kept. One transaction per commit batch; each entity in it succeeds or is refused by itself (rules C1 to C3).

/** What one entity's turn adds to its history. */
export interface EntityCommit {
  /** Address of the entity, e.g. `acme/vehicle/rav4-01`. */
  readonly entity: string;
  /** Entity type name. */
  readonly type: string;
  /** Name of this history: random, replaced whenever it may have gone back (rules T1). */
  readonly incarnation: string;
  /** The entity's next revision, from 1; unique per incarnation. */
  readonly revision: number;
  /** Epoch of the owner that commits, a whole number from 0; below that of the entity's newest record it is refused (rules E1). */
  readonly epoch: number;
  /** Wall time of the turn, ms since 1970. */
  readonly at: number;
  /** Encoded journal record; copied before `commit` returns, so its memory may be used again. */
  readonly record: Uint8Array;
  /** Encoded full state after this turn; the store keeps the newest two, and recovery starts from the newest one that is whole. */
  readonly snapshot?: Uint8Array;
  /** With a snapshot: records that neither of the two kept snapshots needs are forgotten in the same transaction. For types that keep states and no history. */
  readonly forgetsOlder?: boolean;
  /**
   * Set on the commit that opens a new incarnation over an existing history: the incarnation that it ends (rules T1). The old records and snapshot are forgotten
   * in the same transaction. Without it, and when it names another one, a commit of a foreign incarnation is refused: a late commit of a former activation
   * can therefore never end a living history. What opens a history needs revision 1 or a snapshot, or it could not be recovered.
   */
  readonly replaces?: string;
  /** Written in the same transaction when this commit is, as `values.set` writes it: what must be as durable as the turn, and is worth no write of its own. */
  readonly value?: NamedValue;
}

/** A small value beside the journal. */
export interface NamedValue {
  readonly key: string;
  /** Copied before `commit` returns. */
  readonly value: Uint8Array;
}

export type CommitOutcome =
  | { readonly kind: "committed" }
  /** This entity's turn was not written and never will be; the others of the batch were. */
  | {
      readonly kind: "refused";
      readonly reason: string;
      /** The store has no room now, on its disk or among what waits for it, and nothing is wrong with the history: its entity may go on from what is committed. */
      readonly passing?: true;
    }
  /** Whether it was written is not known: ask `revisionOf` before anything else (rules C2). */
  | { readonly kind: "unknown"; readonly reason: string };

export interface StoredRecord {
  readonly revision: number;
  readonly at: number;
  readonly record: Uint8Array;
}

export interface StoredEntity {
  readonly entity: string;
  readonly type: string;
  readonly incarnation: string;
  readonly revision: number;
  /** The newest snapshot that matches its checksum. */
  readonly snapshot: { readonly revision: number; readonly state: Uint8Array } | undefined;
  /** Journal records after the snapshot, ascending, without holes. */
  readonly records: readonly StoredRecord[];
  /** The store was put back from an older copy since this history began: it may have gone back, and goes on as a new incarnation before anything else (rules T1). */
  readonly isRestored?: true;
  /** Revisions of newer snapshots that do not match their checksum and were passed over, newest first; left out when there are none. */
  readonly damaged?: readonly number[];
}

/** What the index of a store tells of an entity. */
export interface EntityHead {
  readonly entity: string;
  readonly type: string;
  readonly incarnation: string;
  readonly revision: number;
}

export interface StoreOpened {
  /** True when there was nothing before. */
  readonly created: boolean;
  /** Set when a damaged store was moved aside as a whole (rules L2): where it is now, and what was wrong. */
  readonly movedAside?: { readonly path: string; readonly reason: string };
  /** Set where it is known that the store was put back from a copy, until something was committed to it: its histories are `isRestored` (rules T1). */
  readonly restored?: { readonly reason: string };
}

export interface JournalQuery {
  readonly entity: string;
  /** Only revisions greater than this. */
  readonly after?: number;
  /** Only revisions smaller than this. */
  readonly before?: number;
  readonly limit: number;
  readonly order: "oldest-first" | "newest-first";
}

export interface ValuesPage {
  readonly after?: string;
  readonly limit: number;
}

/** What becomes of one named value. */
export interface ValueChange {
  readonly key: string;
  /** undefined: it is forgotten. */
  readonly value: Uint8Array | undefined;
}

export interface Store {
  /** @throws DROVER_STORE_NEWER when the file was written by a newer version, DROVER_STORE_LOCKED when another process holds it */
  open(): Promise<StoreOpened>;
  /** Never rejects for a reason that concerns one entity; outcomes are in the order of the batch. At most 256 entries (rules C3). */
  commit(batch: readonly EntityCommit[]): Promise<readonly CommitOutcome[]>;
  /** The newest revision of an entity's present incarnation, or undefined. Settles an `unknown` commit. */
  revisionOf(entity: string): Promise<{ readonly incarnation: string; readonly revision: number } | undefined>;
  /** @throws DROVER_STORE_FAILED when what recovery needs is damaged or missing: no whole snapshot with every record after it, and not all records from the first */
  load(entity: string): Promise<StoredEntity | undefined>;
  /** All entities, ascending by address (by code point), after `after`; as of their last commit. `limit` from 1, as in all pages. */
  entities(after: string | undefined, limit: number): Promise<readonly EntityHead[]>;
  /** As many as `limit` where there are so many. Records that do not match their checksum are left out: a reader sees a hole, never wrong bytes. */
  journal(query: JournalQuery): Promise<readonly StoredRecord[]>;
  /** Forgets journal records up to and including `revision`, never beyond the older of the two kept snapshots, and nothing while there is only one. */
  trim(entity: string, revision: number): Promise<void>;
  /** Small named values beside the journal (offsets, identities): last write wins, durable when the promise resolves. */
  readonly values: {
    get(key: string): Promise<Uint8Array | undefined>;
    set(key: string, value: Uint8Array): Promise<void>;
    /** Ascending by key (by code point): those that begin with `prefix`; of a page only those greater than `after`, as many as `limit` where there are so many. */
    entries(prefix: string, page?: ValuesPage): Promise<readonly { readonly key: string; readonly value: Uint8Array }[]>;
    delete(key: string): Promise<void>;
    /** Many in one transaction and one flush: in their order, all of them or none. At most 256, together as many bytes as a record may have. */
    write(changes: readonly ValueChange[]): Promise<void>;
  };
  /** Why the next opening would not find what is written now: its files were removed, or others stand in their place; undefined: they are where they were opened. Cheap. Absent where a store cannot tell. */
  missing?(): Promise<string | undefined>;
  close(): Promise<void>;
}
