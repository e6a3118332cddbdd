// One entity's bounded mailbox: a control lane that overtakes, and a user lane with limits (promise S5).
//
// B1. The user lane refuses when it holds its limit of messages or bytes, or when the node's mailboxes together hold theirs; nothing that was taken is lost.
// B2. The control lane (timers, results of effects and tasks, receipts) is bounded by what the entity itself has under way, so it never refuses.
//     What others decide the amount of (messages of the control lane, what sources say, a host's news) asks `hasControlRoom` first.
//     Beside them is the overflow: messages on their way to the entity's shelf, bounded by the shelf (`shelf.ts`). They come after the control lane, so that no flood of them delays a timer.
// B3. Within a lane order is kept.
// B4. A message with a key takes the place of the one with the same key that waits: the older one goes, the newer one queues at the end, so that a sender's order stays
//     (a gap may appear, never a swap). After 64 replacements the one that waits stays, so that no stream of news keeps its own last word from the actor.

import type { MailBudget, MailLimit } from "./mail-budget.ts";
import { Ring } from "./ring.ts";

/** Of a message that came over no wire: what an event of a few fields takes in memory. */
const LOCAL_MAIL_BYTES = 256;
const MAX_REPLACEMENTS = 64;

export interface Post {
  /** Default 256. */
  readonly bytes?: number;
  /** B4. */
  readonly key?: string;
  /** How many before it had its key; kept here by the mailbox. */
  replaces?: number;
  isReplaced?: true;
  /** On its way to the shelf. */
  isOverflow?: true;
}

export interface MailboxLimits {
  /** User messages, > 0. */
  readonly messages: number;
  /** Of user messages, > 0. */
  readonly bytes: number;
}

export class Mailbox<T extends Post> {
  /** A lane that is empty has no ring: most mailboxes are. */
  #control: Ring<T> | undefined;
  #user: Ring<T> | undefined;
  #overflow: Ring<T> | undefined = undefined;
  #overflowBytes = 0;
  readonly #limits: MailboxLimits;
  readonly #budget: MailBudget;
  #bytes = 0;
  /** Replaced ones that are still in the ring. */
  #holes = 0;
  #byKey: Map<string, T> | undefined = undefined;

  constructor(limits: MailboxLimits, budget: MailBudget) {
    this.#limits = limits;
    this.#budget = budget;
  }

  get length(): number {
    return lengthOf(this.#control) + lengthOf(this.#overflow) + this.depth;
  }

  /** User messages waiting. */
  get depth(): number {
    return lengthOf(this.#user) - this.#holes;
  }

  /** Of user messages waiting. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether `offer` would take it. */
  hasRoom(item: T): boolean {
    return this.#isFull(item, this.#givesWayTo(item)) === undefined;
  }

  /** @returns the message whose place it took, true when it took none, false when it was turned away */
  offer(item: T): T | boolean {
    const replaced = this.#givesWayTo(item);
    const full = this.#isFull(item, replaced);
    if (full !== undefined) {
      this.#budget.refused[full]++;
      return false;
    }
    if (replaced !== undefined) this.#replace(replaced, item);
    this.enter(item);
    return replaced ?? true;
  }

  /** Into the user lane, whatever it holds: for what the entity has taken already. */
  enter(item: T): void {
    this.#count(bytesOf(item));
    (this.#user ??= new Ring()).push(item);
    if (item.key !== undefined) (this.#byKey ??= new Map<string, T>()).set(item.key, item);
  }

  /** What is on its way to the shelf. */
  get overflow(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#overflow?.length ?? 0, bytes: this.#overflowBytes };
  }

  /** false: the node's mailboxes hold all they may. */
  offerOverflow(item: T): boolean {
    const bytes = bytesOf(item);
    if (this.#budget.used + bytes > this.#budget.limit) {
      this.#budget.refused.node++;
      return false;
    }
    item.isOverflow = true;
    this.#countOverflow(bytes);
    (this.#overflow ??= new Ring<T>()).push(item);
    return true;
  }

  control(item: T): void {
    (this.#control ??= new Ring()).push(item);
  }

  *[Symbol.iterator](): Iterator<T> {
    if (this.#control !== undefined) yield* this.#control;
    for (const item of this.#user ?? []) if (item.isReplaced !== true) yield item;
    if (this.#overflow !== undefined) yield* this.#overflow;
  }

  get hasControlRoom(): boolean {
    return lengthOf(this.#control) < this.#limits.messages;
  }

  /** Takes out what `isMeant` says, in order. */
  remove(isMeant: (item: T) => boolean): readonly T[] {
    const removed: T[] = [];
    const isKept = (item: T): boolean => {
      if (!isMeant(item)) return true;
      removed.push(item);
      return false;
    };
    this.#control?.filter(isKept);
    this.#overflow?.filter((item) => {
      if (isKept(item)) return true;
      this.#countOverflow(-bytesOf(item));
      return false;
    });
    this.#compact((item) => {
      if (isKept(item)) return true;
      this.#left(item);
      return false;
    });
    return removed;
  }

  /** Control first, then what is to be shelved, until `taken` has `count` items. @returns it */
  take(count: number, taken: T[] = []): T[] {
    while (taken.length < count) {
      const item = this.#control?.shift() ?? this.#nextOverflow() ?? this.#nextUser();
      if (item === undefined) break;
      taken.push(item);
    }
    if (lengthOf(this.#control) === 0) this.#control = undefined;
    if (lengthOf(this.#user) === 0) this.#user = undefined;
    return taken;
  }

  /** Puts items back in front, in their order: a turn ended early or was rolled back. */
  putBack(items: readonly T[]): void {
    const overflow = items.filter(({ isOverflow }) => isOverflow === true);
    for (const item of overflow) this.#countOverflow(bytesOf(item));
    this.#overflow?.unshift(overflow);
    const others = overflow.length === 0 ? items : items.filter(({ isOverflow }) => isOverflow !== true);
    if (others.length > 0) (this.#control ??= new Ring()).unshift(others);
  }

  /** Empties it. */
  drain(): readonly T[] {
    return this.take(Number.POSITIVE_INFINITY);
  }

  /** B4. */
  #givesWayTo(item: T): T | undefined {
    const before = item.key === undefined ? undefined : this.#byKey?.get(item.key);
    return before !== undefined && (before.replaces ?? 0) < MAX_REPLACEMENTS ? before : undefined;
  }

  #isFull(item: T, replaced: T | undefined): MailLimit | undefined {
    const more = replaced === undefined ? 1 : 0;
    const bytes = bytesOf(item) - (replaced === undefined ? 0 : bytesOf(replaced));
    if (this.depth + more > this.#limits.messages) return "messages";
    if (this.#bytes + bytes > this.#limits.bytes && this.depth > 0) return "bytes";
    return this.#budget.used + bytes > this.#budget.limit ? "node" : undefined;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.used += bytes;
  }

  #countOverflow(bytes: number): void {
    this.#overflowBytes += bytes;
    this.#budget.used += bytes;
  }

  #replace(before: T, item: T): void {
    this.#count(-bytesOf(before));
    before.isReplaced = true;
    item.replaces = (before.replaces ?? 0) + 1;
    this.#budget.replaced++;
    this.#holes++;
    if (this.#holes > 32 && this.#holes * 2 > lengthOf(this.#user)) this.#compact(() => true);
  }

  /** Without what was replaced. */
  #compact(isKept: (item: T) => boolean): void {
    this.#user?.filter((item) => item.isReplaced !== true && isKept(item));
    this.#holes = 0;
  }

  #nextOverflow(): T | undefined {
    const item = this.#overflow?.shift();
    if (item !== undefined) this.#countOverflow(-bytesOf(item));
    return item;
  }

  #nextUser(): T | undefined {
    const user = this.#user;
    for (let item = user?.shift(); item !== undefined; item = user?.shift()) {
      if (item.isReplaced === true) this.#holes--;
      else {
        this.#left(item);
        return item;
      }
    }
    return undefined;
  }

  /** It waits here no longer. */
  #left(item: T): void {
    this.#count(-bytesOf(item));
    if (item.key !== undefined && this.#byKey?.get(item.key) === item) {
      this.#byKey.delete(item.key);
      if (this.#byKey.size === 0) this.#byKey = undefined;
    }
  }
}

/** What it counts against a limit. */
export function bytesOf(item: Post): number {
  return item.bytes ?? LOCAL_MAIL_BYTES;
}

function lengthOf(ring: Ring<object> | undefined): number {
  return ring === undefined ? 0 : ring.length;
}
