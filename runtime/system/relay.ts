// Carries an entity's outbox to its receivers, one line per receiver (rules M1).
//
// M1. A line sends its rows in order, one at a time. A refusal that may pass stops the line and is tried again with backoff; a final one is handed back and the line goes on.
//     The row stays in the outbox until the entity has committed the receipt, so a crash in between sends it again under the same seq and the receiver takes it once.
//     Each row says where its line begins (`oldest`): what had its last word before it reached the receiver is skipped there.
// M2. A row past its expiry is sent all the same: the receiver's refusal is what skips its number.

import type { Address } from "../address.ts";
import type { DeliveryOutcome, OutboxRow } from "../entity/contract.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Clock, Random } from "../ports/index.ts";
import { Retry } from "../retry.ts";
import type { RemoteMessage } from "./contract.ts";

const RETRY = { firstMs: 250, longestMs: 30_000 };
const TAKEN_WITHIN_MS = 10_000;

interface Line {
  readonly rows: OutboxRow[];
  readonly retry: Retry;
  sending: boolean;
}

export interface RelayOwner {
  readonly entity: Address;
  /** Of the entity's committed history; another one after `leave`. */
  readonly incarnation: string;
  readonly epoch: number;
  /** The receiver's final word on a row; queued as an input of the entity. */
  settled(row: OutboxRow, outcome: DeliveryOutcome): void;
  /** Delivers to wherever the receiver lives; settles in bounded time. */
  deliver(message: RemoteMessage): Promise<Told | Answer>;
}

/** May the same row be taken later? Then the line waits (rules M1). */
function mayPass(outcome: Told | Answer): boolean {
  return outcome.kind === "full" || outcome.kind === "owner-away" || outcome.kind === "unknown" || outcome.kind === "not-stored" || outcome.kind === "deadline";
}

export class Relay {
  readonly #owner: RelayOwner;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lines = new Map<Address, Line>();
  #incarnation: string;
  #stopped = false;

  constructor(owner: RelayOwner, clock: Clock, random: Random) {
    this.#owner = owner;
    this.#incarnation = owner.incarnation;
    this.#clock = clock;
    this.#random = random;
  }

  /** Rows must come in the order of their seq per receiver. */
  enqueue(row: OutboxRow): void {
    if (this.#stopped) return;
    const line = this.#lines.get(row.receiver) ?? { rows: [], retry: new Retry(this.#clock, () => this.#random.next(), RETRY), sending: false };
    this.#lines.set(row.receiver, line);
    line.rows.push(row);
    this.#pump(line);
  }

  /** Tries the line to this receiver, by default every line, at once if it waits: receivers have come into reach. */
  wake(receiver?: Address): void {
    const lines = receiver === undefined ? [...this.#lines.values()] : [this.#lines.get(receiver)];
    for (const line of lines) {
      if (line?.retry.isWaiting !== true) continue;
      line.retry.reset();
      this.#pump(line);
    }
  }

  /** The entity is another incarnation now: what waits keeps the number and the incarnation that it has (rules T1). */
  leave(under: NonNullable<OutboxRow["under"]>, incarnation: string): void {
    this.#incarnation = incarnation;
    for (const { rows } of this.#lines.values()) for (const [at, row] of rows.entries()) if (row.under === undefined) rows[at] = { ...row, under };
  }

  /** Nothing is sent any more; what is under way is not heard. The rows are the entity's and are sent again after its recovery. */
  stop(): void {
    this.#stopped = true;
    for (const line of this.#lines.values()) line.retry.cancel();
  }

  /** Nothing is being sent: each line waits for its next try. */
  get isPausing(): boolean {
    for (const { retry } of this.#lines.values()) if (!retry.isWaiting) return false;
    return true;
  }

  get waiting(): number {
    let rows = 0;
    for (const line of this.#lines.values()) rows += line.rows.length;
    return rows;
  }

  #pump(line: Line): void {
    const [row] = line.rows;
    if (this.#stopped || line.sending || line.retry.isWaiting || row === undefined) return;
    line.sending = true;
    void this.#owner
      .deliver(this.#message(row))
      .catch((cause: unknown): Told => ({ kind: "unknown", reason: String(cause) }))
      .then((outcome) => {
        line.sending = false;
        if (this.#stopped) return;
        if (mayPass(outcome)) {
          line.retry.later(() => {
            this.#pump(line);
          });
        } else this.#settle(line, outcome.kind === "accepted" || outcome.kind === "replied" ? { kind: "accepted" } : outcome);
      });
  }

  #message(row: OutboxRow): RemoteMessage {
    const { entity, epoch } = this.#owner;
    const incarnation = row.under?.incarnation ?? this.#incarnation;
    return {
      to: row.to,
      event: row.event,
      // Rows before this one had their last word: the line begins here.
      sender: { kind: "entity", entity, incarnation, seq: row.seq, epoch, oldest: row.seq, ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }) },
      ask: false,
      ...(row.replyKey === undefined ? {} : { replyKey: row.replyKey }),
      ...(row.answers === undefined ? {} : { answers: row.answers }),
      ...(row.trace === undefined ? {} : { trace: row.trace }),
      withinMs: TAKEN_WITHIN_MS,
    };
  }

  /** Of the row that was sent: the first of its line. */
  #settle(line: Line, outcome: DeliveryOutcome): void {
    const row = line.rows.shift() as OutboxRow;
    line.retry.reset();
    if (line.rows.length === 0) this.#lines.delete(row.receiver);
    this.#owner.settled(row, outcome);
    this.#pump(line);
  }
}
