// What all mailboxes of a node hold together (promise S5): one entity's limit bounds that entity, this bounds the process.

/** Of all messages that wait on a node, in mailboxes and for their entity to come; a refusal beyond it is `full` like one by the mailbox itself. */
export const DEFAULT_MAIL_BUDGET_BYTES = 64 * 1_048_576;

export type MailLimit = "messages" | "bytes" | "node" | "shelf";

/** The part of it that messages of control lanes may take up, beyond it where it is full: a flood of others keeps no urgent word out. */
const URGENT_SHARE = 0.25;

export class MailBudget {
  readonly limit: number;
  used = 0;
  /** Of `used`: what waits in control lanes. */
  urgent = 0;
  /** Messages turned away, by what was full. */
  readonly refused: Record<MailLimit, number> = { messages: 0, bytes: 0, node: 0, shelf: 0 };
  /** Messages that found their mailbox full and were to be shelved. */
  shelved = 0;
  /** Queued messages that a newer one took the place of. */
  replaced = 0;

  /** @param limit bytes, > 0 */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Whether a message of so many bytes has room in a control lane. */
  hasRoomForUrgent(bytes: number): boolean {
    return this.urgent + bytes <= this.limit * URGENT_SHARE;
  }

  /** Counts a message that waits for its entity, until `work` has settled. @returns undefined where there is no room for it, and nothing was begun */
  async holding<R>(bytes: number, work: () => Promise<R>): Promise<R | undefined> {
    if (this.used + bytes > this.limit) {
      this.refused.node++;
      return undefined;
    }
    this.used += bytes;
    try {
      return await work();
    } finally {
      this.used -= bytes;
    }
  }
}
