// Carries an entity's outbox to its receivers, one line per receiver (rules M1).
//
// M1. A line sends its rows in order, one at a time. A refusal that may pass stops the line and is tried again with backoff; a final one is handed back and the line goes on.
// The row stays in the outbox until the entity has committed the receipt, so a crash in between sends it again under the same seq and the receiver takes it once.

import type { Address } from "../address.ts";
import type { DeliveryOutcome, OutboxRow } from "../entity/contract.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Clock, Random, TimeoutHandle } from "../ports/index.ts";
import type { RemoteMessage } from "./contract.ts";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;
const TAKEN_WITHIN_MS = 10_000;

interface Line {
  readonly rows: OutboxRow[];
  sending: boolean;
  failures: number;
  retry: TimeoutHandle | undefined;
}

export interface RelayOwner {
  readonly entity: Address;
  readonly incarnation: string;
  readonly epoch: number;
  /** The receiver's final word on a row; queued as an input of the entity. */
  settled(receiver: Address, seq: number, outcome: DeliveryOutcome): void;
  /** Delivers to wherever the receiver lives. */
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
  #stopped = false;

  constructor(owner: RelayOwner, clock: Clock, random: Random) {
    this.#owner = owner;
    this.#clock = clock;
    this.#random = random;
  }

  /** Rows must come in the order of their seq per receiver. */
  enqueue(row: OutboxRow): void {
    const line = this.#lines.get(row.receiver) ?? { rows: [], sending: false, failures: 0, retry: undefined };
    this.#lines.set(row.receiver, line);
    line.rows.push(row);
    this.#pump(row.receiver, line);
  }

  /** Tries a line that waits at once: its receiver has come into reach. */
  wake(): void {
    for (const [receiver, line] of this.#lines) {
      if (line.retry === undefined) continue;
      this.#clock.clearTimeout(line.retry);
      line.retry = undefined;
      this.#pump(receiver, line);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const line of this.#lines.values()) this.#clock.clearTimeout(line.retry);
  }

  get waiting(): number {
    let rows = 0;
    for (const line of this.#lines.values()) rows += line.rows.length;
    return rows;
  }

  #pump(receiver: Address, line: Line): void {
    const row = line.rows[0];
    if (this.#stopped || line.sending || line.retry !== undefined || row === undefined) return;
    if (row.expiresAt !== undefined && row.expiresAt <= this.#clock.now()) {
      this.#settle(receiver, line, row, { kind: "too-old" });
      return;
    }
    line.sending = true;
    void this.#owner.deliver(this.#message(row)).then(
      (outcome) => {
        line.sending = false;
        if (this.#stopped) return;
        if (mayPass(outcome)) this.#waitAndRetry(receiver, line);
        else this.#settle(receiver, line, row, outcome.kind === "accepted" || outcome.kind === "replied" ? { kind: "accepted" } : outcome);
      },
      () => {
        line.sending = false;
        this.#waitAndRetry(receiver, line);
      },
    );
  }

  #message(row: OutboxRow): RemoteMessage {
    const { entity, incarnation, epoch } = this.#owner;
    return {
      to: row.to,
      event: row.event,
      sender: { kind: "entity", entity, incarnation, seq: row.seq, epoch, ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }) },
      ask: false,
      ...(row.replyKey === undefined ? {} : { replyKey: row.replyKey }),
      ...(row.answers === undefined ? {} : { answers: row.answers }),
      withinMs: TAKEN_WITHIN_MS,
    };
  }

  #settle(receiver: Address, line: Line, row: OutboxRow, outcome: DeliveryOutcome): void {
    line.rows.shift();
    line.failures = 0;
    if (line.rows.length === 0) this.#lines.delete(receiver);
    this.#owner.settled(receiver, row.seq, outcome);
    this.#pump(receiver, line);
  }

  #waitAndRetry(receiver: Address, line: Line): void {
    const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(line.failures, 10));
    line.failures++;
    line.retry = this.#clock.setTimeout(
      () => {
        line.retry = undefined;
        this.#pump(receiver, line);
      },
      ceiling * (0.5 + this.#random.next() / 2),
      { unref: true },
    );
  }
}
