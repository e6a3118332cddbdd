// One entity's bounded mailbox: a control lane that overtakes, and a user lane with limits (promise S5).
//
// B1. The user lane refuses when it holds its limit of messages or bytes, or when the node's mailboxes together hold theirs; nothing that was taken is lost.
// B2. The control lane (timers, results of effects and tasks, receipts) is bounded by what the entity itself has under way, so it never refuses.
//     What others decide the amount of (messages of the control lane, what sources say, a host's news) asks `hasControlRoom` first: by count and bytes as the user lane, and by the part of the
//     node's budget that is kept for control lanes.
//     Beside them is the overflow: messages on their way to the entity's shelf, bounded by the shelf (`shelf.ts`). They come after the control lane, so that no flood of them delays a timer.
// B3. Within a lane order is kept.
// B4. A message with a key takes the place of the one with the same key that waits: the older one goes, the newer one queues at the end, so that a sender's order stays
//     (a gap may appear, never a swap). After 64 replacements the one that waits stays, so that no stream of news keeps its own last word from the actor.
//     What is on its way to the shelf gives way as well; what is on it has been accepted and stays.

import type { Load } from "../entity/index.ts";
import { Lane } from "./lane.ts";
import type { MailBudget, MailLimit } from "./mail-budget.ts";
import { bytesOf, type Post } from "./post.ts";
import { Ring } from "./ring.ts";

const MAX_REPLACEMENTS = 64;

export interface MailboxLimits {
  /** User messages, > 0. */
  readonly messages: number;
  /** Of user messages, > 0. */
  readonly bytes: number;
}

const NOTHING: Load = { messages: 0, bytes: 0 };

export class Mailbox<T extends Post> {
  /** A lane that is empty is none: most mailboxes are. */
  #control: Ring<T> | undefined;
  #user: Lane<T> | undefined;
  #overflow: Lane<T> | undefined = undefined;
  readonly #limits: MailboxLimits;
  readonly #budget: MailBudget;
  /** Where a key waits: in the user lane or in the overflow. */
  #byKey: Map<string, T> | undefined = undefined;
  /** Of messages in the control lane. */
  #urgentBytes = 0;

  constructor(limits: MailboxLimits, budget: MailBudget) {
    this.#limits = limits;
    this.#budget = budget;
  }

  get length(): number {
    return (this.#control?.length ?? 0) + this.overflow.messages + this.depth;
  }

  /** User messages waiting. */
  get depth(): number {
    return this.#user?.messages ?? 0;
  }

  /** Of user messages waiting. */
  get bytes(): number {
    return this.#user?.bytes ?? 0;
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
    this.#budget.used += bytesOf(item);
    (this.#user ??= new Lane()).push(item);
    this.#noteKey(item);
  }

  /** What is on its way to the shelf. */
  get overflow(): Load {
    return this.#overflow ?? NOTHING;
  }

  /** What will be on its way there once `item` is. */
  overflowWith(item: T): Load {
    const { messages, bytes } = this.overflow;
    const replaced = this.#givesWayTo(item);
    if (replaced?.isOverflow !== true) return { messages: messages + 1, bytes: bytes + bytesOf(item) };
    return { messages, bytes: bytes + bytesOf(item) - bytesOf(replaced) };
  }

  /** @returns as `offer`; false: the node's mailboxes hold all they may */
  offerOverflow(item: T): T | boolean {
    const replaced = this.#givesWayTo(item);
    if (this.#budget.used + bytesOf(item) - (replaced === undefined ? 0 : bytesOf(replaced)) > this.#budget.limit) {
      this.#budget.refused.node++;
      return false;
    }
    if (replaced !== undefined) this.#replace(replaced, item);
    item.isOverflow = true;
    this.#budget.used += bytesOf(item);
    (this.#overflow ??= new Lane<T>()).push(item);
    this.#noteKey(item);
    return replaced ?? true;
  }

  control(item: T): void {
    (this.#control ??= new Ring()).push(item);
    if (item.isUrgent === true) this.#countUrgent(bytesOf(item));
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const lane of [this.#control, this.#user, this.#overflow]) if (lane !== undefined) yield* lane;
  }

  /** @param bytes of what is to come; undefined: that is no message */
  hasControlRoom(bytes?: number): boolean {
    const full = this.#fullControl(bytes);
    if (full !== undefined && bytes !== undefined) this.#budget.refused[full]++;
    return full === undefined;
  }

  #fullControl(bytes: number | undefined): MailLimit | undefined {
    if ((this.#control?.length ?? 0) >= this.#limits.messages) return "messages";
    if (bytes === undefined) return undefined;
    if (this.#urgentBytes > 0 && this.#urgentBytes + bytes > this.#limits.bytes) return "bytes";
    return this.#budget.hasRoomForUrgent(bytes) ? undefined : "node";
  }

  #countUrgent(bytes: number): void {
    this.#urgentBytes += bytes;
    this.#budget.urgent += bytes;
    this.#budget.used += bytes;
  }

  /** Whether a newer message of its key waits. */
  hasNewer({ key }: T): boolean {
    return key !== undefined && this.#byKey?.has(key) === true;
  }

  /** Takes out what `isMeant` says, in order. */
  remove(isMeant: (item: T) => boolean): readonly T[] {
    const removed: T[] = [];
    this.#control?.filter((item) => {
      if (!isMeant(item)) return true;
      removed.push(item);
      if (item.isUrgent === true) this.#countUrgent(-bytesOf(item));
      return false;
    });
    for (const lane of [this.#overflow, this.#user])
      lane?.remove((item) => {
        if (!isMeant(item)) return false;
        removed.push(item);
        this.#left(item);
        return true;
      });
    return removed;
  }

  /** Control first, then what is to be shelved, until `taken` has `count` items. @returns it */
  take(count: number, taken: T[] = []): T[] {
    while (taken.length < count) {
      const item = this.#nextControl() ?? this.#next(this.#overflow) ?? this.#next(this.#user);
      if (item === undefined) break;
      taken.push(item);
    }
    if (this.#control?.length === 0) this.#control = undefined;
    if (this.#overflow?.messages === 0) this.#overflow = undefined;
    if (this.#user?.messages === 0) this.#user = undefined;
    return taken;
  }

  /** Puts items back in front, in their order: a turn ended early or was rolled back. */
  putBack(items: readonly T[]): void {
    const overflow = items.filter(({ isOverflow }) => isOverflow === true);
    const others = overflow.length === 0 ? items : items.filter(({ isOverflow }) => isOverflow !== true);
    if (others.length > 0) (this.#control ??= new Ring()).unshift(others);
    for (const item of others) if (item.isUrgent === true) this.#countUrgent(bytesOf(item));
    if (overflow.length === 0) return;
    for (const item of overflow) this.#budget.used += bytesOf(item);
    (this.#overflow ??= new Lane()).unshift(overflow);
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
    if (this.bytes + bytes > this.#limits.bytes && this.depth > 0) return "bytes";
    return this.#budget.used + bytes > this.#budget.limit ? "node" : undefined;
  }

  #replace(before: T, item: T): void {
    this.#budget.used -= bytesOf(before);
    (before.isOverflow === true ? this.#overflow : this.#user)?.replaced(before);
    item.replaces = (before.replaces ?? 0) + 1;
    this.#budget.replaced++;
  }

  #noteKey(item: T): void {
    if (item.key !== undefined) (this.#byKey ??= new Map<string, T>()).set(item.key, item);
  }

  #nextControl(): T | undefined {
    const item = this.#control?.shift();
    if (item?.isUrgent === true) this.#countUrgent(-bytesOf(item));
    return item;
  }

  #next(lane: Lane<T> | undefined): T | undefined {
    const item = lane?.shift();
    if (item !== undefined) this.#left(item);
    return item;
  }

  /** It waits here no longer. */
  #left(item: T): void {
    this.#budget.used -= bytesOf(item);
    if (item.key !== undefined && this.#byKey?.get(item.key) === item) {
      this.#byKey.delete(item.key);
      if (this.#byKey.size === 0) this.#byKey = undefined;
    }
  }
}
