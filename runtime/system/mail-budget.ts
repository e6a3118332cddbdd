// What all mailboxes of a node hold together (promise S5): one entity's limit bounds that entity, this bounds the process.

/** Of all waiting user messages of a node; a refusal beyond it is `full` like one by the mailbox itself. */
export const DEFAULT_MAIL_BUDGET_BYTES = 64 * 1_048_576;

export type MailLimit = "messages" | "bytes" | "node" | "shelf";

export class MailBudget {
  readonly limit: number;
  used = 0;
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
}
