// What a sender learns. Values, never thrown (hosting A4; design section 5).

/** Why a guard kept a command out: which condition, on which values, how old. */
export interface GuardReport {
  /** Name of the condition in the vehicle's file. */
  readonly condition: string;
  /** Three-valued: undefined is unknown, and unknown never opens a guard (vehicle X1). */
  readonly open: boolean | undefined;
  readonly reads: readonly SignalRead[];
  /** In words, where condition and values do not say it. */
  readonly reason?: string;
}

export interface SignalRead {
  readonly signal: string;
  /** undefined: never seen, or not available. */
  readonly value: number | undefined;
  /** Age in ms when it was read; undefined when never seen. */
  readonly ageMs: number | undefined;
}

export type Refusal =
  /** The actor's present state does not take it. Final. */
  | { readonly kind: "refused"; readonly accepts: readonly string[]; readonly reason?: string; readonly guard?: GuardReport }
  /** The message is not in the actor's protocol or its body is not of the schema. Final. */
  | { readonly kind: "invalid"; readonly problems: readonly { readonly path: string; readonly message: string }[]; readonly accepts: readonly string[] }
  /** The same id was used before for another message. Final. */
  | { readonly kind: "id-reused" }
  | { readonly kind: "no-such-actor" }
  /** There is no room for it now; nothing was taken. Without a `reason` it is the actor itself that has none: its mailbox, its table of taken ids, what it postponed. */
  | { readonly kind: "full"; readonly retryAfterMs: number; readonly reason?: string }
  /** Nobody who may act can be reached; nothing was sent. `asOf` is the wall time of the last known state. With a `reason` its node runs without it: why, and what to do. */
  | { readonly kind: "owner-away"; readonly asOf?: number; readonly reason?: string }
  /** The deadline passed before it was taken: it was not and will not be acted on. */
  | { readonly kind: "deadline" }
  /** The store refused the turn that would have taken it; nothing happened. */
  | { readonly kind: "not-stored"; readonly reason: string }
  /** Its expiry passed before it arrived (rules M2). */
  | { readonly kind: "too-old" }
  /** It was sent and what became of it is not known. Ask again with the same id. `byOwner`: the owner's own word, which had the message; without it nobody has told. */
  | { readonly kind: "unknown"; readonly reason: string; readonly byOwner?: true };

export type Accepted =
  /** `revision` contains the message. `memory`: in the mailbox of a volatile actor (rules M3). */
  | { readonly kind: "accepted"; readonly durable: "memory" | "local" | "replicated"; readonly revision?: number }
  /** Kept as a request until its owner is back (rules O2). */
  | { readonly kind: "accepted"; readonly durable: "local"; readonly waiting: true };

export type Told = Accepted | Refusal;
export type Answer<R = unknown> = { readonly kind: "replied"; readonly value: R } | { readonly kind: "accepted"; readonly durable: "local"; readonly waiting: true } | Refusal;
