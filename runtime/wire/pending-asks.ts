// Asks that were sent and are not settled yet. Every one settles by its deadline, whatever the link does (research/transports.md 7.5, 3).
//
// A1. Each peer has a bound of its own, so that one that is frozen hurts only who asks it; what all may have together is far more than one peer can take.

import type { AskOutcome, Clock, TimeoutHandle } from "../ports/index.ts";
import { peerOf } from "./names.ts";

/** Asks of one peer that are open at a time: as many as a node serves at a time. */
export const MOST_TO_ONE_PEER = 256;

export interface AskBounds {
  /** Open at a time to one peer (`peerOf`). Default 256. */
  readonly toOnePeer?: number;
  /** Open at a time in all. Default 8,192: each holds a timer and whoever waits for it, no payload. */
  readonly inAll?: number;
}

interface Pending {
  readonly peer: string;
  readonly replyKey: string;
  readonly deadline: TimeoutHandle;
  readonly settle: (outcome: AskOutcome) => void;
}

export class PendingAsks {
  readonly #clock: Clock;
  readonly #bounds: Required<AskBounds>;
  readonly #pending = new Map<string, Pending>();
  /** Their correlations, by peer; none is empty. */
  readonly #ofPeer = new Map<string, Set<string>>();

  constructor(clock: Clock, { toOnePeer = MOST_TO_ONE_PEER, inAll = 8_192 }: AskBounds = {}) {
    this.#clock = clock;
    this.#bounds = { toOnePeer, inAll };
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Why no further ask for `key` may be sent now, or undefined. */
  refusal(key: string): string | undefined {
    const peer = peerOf(key);
    const open = this.#ofPeer.get(peer)?.size ?? 0;
    if (open >= this.#bounds.toOnePeer) return `${String(open)} requests to ${peer} are still without an answer`;
    if (this.size >= this.#bounds.inAll) return `${String(this.size)} requests of this node are still without an answer`;
    return undefined;
  }

  /** Call before the request is handed to the link. `correlation` must be fresh. */
  open(correlation: string, key: string, replyKey: string, withinMs: number): Promise<AskOutcome> {
    return new Promise((resolve) => {
      const deadline = this.#clock.setTimeout(() => {
        this.#take(correlation)?.settle({ kind: "unknown", reason: `no answer within ${String(Math.round(withinMs))} ms` });
      }, withinMs);
      const peer = peerOf(key);
      this.#pending.set(correlation, { peer, replyKey, deadline, settle: resolve });
      const open = this.#ofPeer.get(peer);
      if (open === undefined) this.#ofPeer.set(peer, new Set([correlation]));
      else open.add(correlation);
    });
  }

  /** False for a late, repeated or foreign answer: the caller counts it. */
  settle(correlation: string, replyKey: string, outcome: AskOutcome): boolean {
    if (this.#pending.get(correlation)?.replyKey !== replyKey) return false;
    this.#take(correlation)?.settle(outcome);
    return true;
  }

  /** Whoever serves `key` is gone, and with it every answer: whether they were acted on is not known. */
  losePeer(key: string, reason: string): void {
    this.#lose([...(this.#ofPeer.get(peerOf(key)) ?? [])], reason);
  }

  /** The link is gone. */
  loseAll(reason: string): void {
    this.#lose([...this.#pending.keys()], reason);
  }

  /** First all are taken out, so that whoever hears of one finds room for the next. */
  #lose(correlations: readonly string[], reason: string): void {
    const lost = correlations.map((correlation) => this.#take(correlation));
    for (const pending of lost) pending?.settle({ kind: "unknown", reason });
  }

  #take(correlation: string): Pending | undefined {
    const pending = this.#pending.get(correlation);
    if (pending === undefined) return undefined;
    this.#pending.delete(correlation);
    this.#clock.clearTimeout(pending.deadline);
    const open = this.#ofPeer.get(pending.peer);
    open?.delete(correlation);
    if (open?.size === 0) this.#ofPeer.delete(pending.peer);
    return pending;
  }
}
