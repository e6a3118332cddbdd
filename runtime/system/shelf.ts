// The overflow of a mailbox whose type says `shelve`: what finds no room is put into the entity's record, and comes back when there is room (promise S5).
//
// H1. While anything is shelved, or on its way there, all that comes later goes the same way: no message overtakes an earlier one, its sender's or another's, and none is starved.
//     Messages of the control lane overtake, as ever. News of a key coalesce on their way; what is on the shelf has been accepted, and stays (mailbox B4).
// H2. When less than half of what the mailbox holds waits in it, the next of the shelf fill that half. What is on its way to its turn stays on the shelf until that turn is committed:
//     a crash before that finds it there (rules M3).
// H3. What is shelved takes up the node's budget too, and none of the mailbox's own bytes.

import type { Entity } from "../entity/index.ts";
import type { Clock } from "../ports/index.ts";
import type { MailBudget } from "./mail-budget.ts";
import { lossOf, type LostMessage, type Mail } from "./mail.ts";
import type { Mailbox } from "./mailbox.ts";
import { bytesOf } from "./post.ts";

export interface ShelfPorts {
  readonly entity: Entity;
  readonly mailbox: Mailbox<Mail>;
  readonly budget: MailBudget;
  readonly clock: Clock;
  /** A message that was accepted and came to nothing. */
  readonly lost: (message: LostMessage, reason: string) => void;
}

export class Shelf {
  readonly #ports: ShelfPorts;
  readonly #half: number;
  /** Number of the last one that was brought back; undefined before the first. */
  #upTo: number | undefined = undefined;
  /** What the node's budget knows of. */
  #bytes = 0;

  constructor(ports: ShelfPorts) {
    this.#ports = ports;
    this.#half = Math.ceil(ports.entity.type.root.mailbox.messages / 2);
  }

  /** H1. */
  isNeededFor(mail: Mail): boolean {
    const { entity, mailbox } = this.#ports;
    return entity.shelved.messages > 0 || mailbox.overflow.messages > 0 || !mailbox.hasRoom(mail);
  }

  /** @returns as `Mailbox.offer`; false: there is no room on the shelf either */
  offer(mail: Mail): Mail | boolean {
    const { entity, mailbox, budget } = this.#ports;
    const { input } = mail;
    // Values that were read at the door would be old when it is acted on.
    const isFit = input.kind === "message" && input.reads === undefined;
    if (!isFit || !entity.hasShelfRoom(mailbox.overflowWith(mail))) {
      budget.refused.shelf++;
      return false;
    }
    const taken = mailbox.offerOverflow({ ...mail, input: { ...input, shelve: { bytes: bytesOf(mail) } }, settle: (result) => mail.settle?.(result) });
    if (taken === true) budget.shelved++;
    return taken;
  }

  /** H2. Only while no turn is open. */
  fill(): void {
    this.#account(this.#ports.entity.shelved.bytes);
    const { entity, mailbox, clock } = this.#ports;
    if (entity.shelved.messages === 0 || mailbox.depth >= this.#half) return;
    for (const { number, input, at } of entity.shelvedAfter(this.#upTo, this.#half - mailbox.depth)) {
      this.#upTo = number;
      const message = entity.messageOf(input);
      mailbox.enter({
        input,
        bytes: 0,
        at: clock.monotonic() - Math.max(0, clock.now() - at),
        settle: lossOf(message, this.#ports.lost),
      });
    }
  }

  /** The entity is hosted here no longer. */
  end(): void {
    this.#account(0);
  }

  /** H3. */
  #account(bytes: number): void {
    this.#ports.budget.used += bytes - this.#bytes;
    this.#bytes = bytes;
  }
}
