// Messages that reached nobody, and timers that were set aside: all are counted, the last ones are kept to be looked at and, where somebody sent them, to be sent again (promise S5).
//
// D1. Kept are the last 1,000, of them at most 100 for one actor and one reason, so that a flood at one does not take the others' place; and 4 MiB of what they said.
// D2. One that is sent again goes under an id of its own, made of what names the message: it acts once however often that is tried, by whomever, and from whichever node's letters (rules M2). After it was
//     taken it is not sent again. As long as it came to nothing it is judged anew each time (entity/sent-again.ts), also where it waited first and came to nothing then.
// D3. A message has one letter, though it reaches nobody again and again: when its sender repeats it, when it is sent again, and where several notice it.
// D4. A timer that was set aside is kept by its entity, in its journal: its letter comes back with the entity after a restart of the node, and it is armed again once, whoever asks for that and from whichever letter.

import { createHash } from "node:crypto";
import { type Address, entityOf } from "../address.ts";
import type { EventData, Sender } from "../entity/contract.ts";
import { messageSentAgain, type ParkedTimer, sentAgainId } from "../entity/index.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Clock } from "../ports/index.ts";
import type { DeadLetter, DeadLetterQuery } from "./views.ts";

const KEPT = 1_000;
const KEPT_ALIKE = 100;
const KEPT_BYTES = 4 * 1_048_576;

/** Who sent it, as far as that names the message. */
export type LetterSender =
  | Pick<Extract<Sender, { readonly kind: "outside" }>, "kind" | "id" | "author">
  | Pick<Extract<Sender, { readonly kind: "entity" }>, "kind" | "entity" | "incarnation" | "seq">
  | { readonly kind: "local" };

/** A message that can be sent again where somebody sent it. */
export interface UndeliveredMessage {
  readonly to: Address;
  readonly event: EventData;
  readonly sender: LetterSender;
  readonly reason: string;
}

/** What can only be told of. */
export interface UndeliveredNews {
  readonly to: string;
  readonly type: string;
  readonly from: string;
  readonly reason: string;
}

/** A timer that its entity has set aside (D4). */
export interface SetAsideTimer extends ParkedTimer {
  readonly entity: Address;
  /** Of the entity's history. */
  readonly incarnation: string;
}

export type Redelivery =
  /** Sent again: what its receiver says of it. */
  | { readonly kind: "sent"; readonly outcome: Told | Answer }
  /** It was taken the last time: never twice. */
  | { readonly kind: "sent-before"; readonly at: number }
  /** News of this node or of a source: nobody's to send again. */
  | { readonly kind: "not-kept" }
  | { readonly kind: "no-such-letter" };

interface Kept {
  letter: DeadLetter;
  /** What names its message, where something does. */
  readonly message: string | undefined;
  readonly event: EventData | undefined;
  readonly timer?: SetAsideTimer;
  readonly bytes: number;
}

/** Why a timer has a letter. */
const SET_ASIDE = "set aside";
/** Of each text: a stranger's words must not fill the memory. */
const MAX_CHARACTERS = 512;

export class DeadLetters {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #kept = new Map<number, Kept>();
  readonly #alike = new Map<string, number[]>();
  readonly #byMessage = new Map<string, number>();
  readonly #byReason = new Map<string, number>();
  #number = 0;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** D3. */
  addMessage({ to, event, sender, reason }: UndeliveredMessage): void {
    const message = messageOf(to, sender);
    if (message !== undefined && this.#byMessage.has(message)) {
      this.#count(reason);
      return;
    }
    const from = sender.kind === "outside" ? sender.author : sender.kind === "entity" ? sender.entity : sender.kind;
    this.#add({ to, type: event.type, from, reason }, message === undefined ? undefined : event, message);
  }

  /** D2. One that was accepted, waited, and came to nothing. */
  addLost(lost: UndeliveredMessage): void {
    const message = lost.sender.kind === "outside" ? messageSentAgain(lost.sender.id) : undefined;
    const kept = this.#kept.get(message === undefined ? 0 : (this.#byMessage.get(message) ?? 0));
    if (kept !== undefined) {
      const { sentAgainAt: _, ...letter } = kept.letter;
      kept.letter = letter;
    }
    this.addMessage(lost);
  }

  /** D4. @param isNew it was set aside just now: it has no letter yet, and counts */
  addTimer(timer: SetAsideTimer, isNew: boolean): void {
    const { entity, incarnation, parked, at, owner, event, reason } = timer;
    const message = createHash("sha256")
      .update(JSON.stringify([entity, incarnation, "parked", parked]))
      .digest("hex")
      .slice(0, 32);
    if (this.#byMessage.has(message)) return;
    if (isNew) this.#count(SET_ASIDE);
    const said = { to: clipped(owner), type: clipped(event), from: "timer", reason: SET_ASIDE, cause: clipped(reason) };
    this.#keep({ letter: { number: ++this.#number, at, ...said, isKept: true }, message, event: undefined, timer, bytes: 0 });
  }

  add(news: UndeliveredNews): void {
    this.#add(news, undefined, undefined);
  }

  #add({ to, type, from, reason }: UndeliveredNews, event: EventData | undefined, message: string | undefined): void {
    const said = { to: clipped(to), type: clipped(type), from: clipped(from), reason };
    this.#count(reason);
    const text = event === undefined ? undefined : textOf(event);
    const size = text?.length ?? 0;
    const isKept = text !== undefined && size <= KEPT_BYTES / 16;
    const bytes = isKept ? size : 0;
    this.#keep({ letter: { number: ++this.#number, at: this.#clock.now(), ...said, isKept }, message, event: isKept ? event : undefined, bytes });
  }

  #keep(kept: Kept): void {
    const { letter, message, bytes } = kept;
    const { number } = letter;
    this.#kept.set(number, kept);
    if (message !== undefined) this.#byMessage.set(message, number);
    this.#bytes += bytes;
    const alike = this.#alike.get(likeness(letter)) ?? [];
    this.#alike.set(likeness(letter), alike);
    alike.push(number);
    if (alike.length > KEPT_ALIKE) this.#drop(alike[0] ?? 0);
    while (this.#kept.size > KEPT || this.#bytes > KEPT_BYTES) this.#drop(this.#kept.keys().next().value ?? 0);
  }

  #count(reason: string): void {
    this.#byReason.set(reason, (this.#byReason.get(reason) ?? 0) + 1);
  }

  /** Oldest first. */
  list({ after = 0, limit, to, type, from, reason }: DeadLetterQuery): readonly DeadLetter[] {
    const found: DeadLetter[] = [];
    for (const [number, { letter }] of this.#kept) {
      if (found.length >= limit) break;
      const matches =
        number > after &&
        (to === undefined || letter.to === to || letter.to.startsWith(`${to}/`)) &&
        (type === undefined || letter.type === type) &&
        (from === undefined || letter.from === from) &&
        (reason === undefined || letter.reason === reason);
      if (matches) found.push(letter);
    }
    return found;
  }

  /** D2, D4. @param send sends an event under an id that is the letter's own  @param ring arms a timer that was set aside again */
  async redeliver(number: number, send: (to: string, event: EventData, id: string) => Promise<Told | Answer>, ring: (timer: SetAsideTimer) => Promise<Told>): Promise<Redelivery> {
    const kept = this.#kept.get(number);
    if (kept === undefined) return { kind: "no-such-letter" };
    const { letter, event, message, timer } = kept;
    if (letter.sentAgainAt !== undefined) return { kind: "sent-before", at: letter.sentAgainAt };
    if (timer === undefined && (event === undefined || message === undefined)) return { kind: "not-kept" };
    const outcome = timer === undefined ? await send(letter.to, event as EventData, sentAgainId(message as string)) : await ring(timer);
    // What waits for its owner was not taken yet.
    if (outcome.kind === "accepted" && !("waiting" in outcome)) kept.letter = { ...letter, sentAgainAt: this.#clock.now() };
    return { kind: "sent", outcome };
  }

  /** Count by reason; reasons are few and fixed words. */
  get counts(): ReadonlyMap<string, number> {
    return this.#byReason;
  }

  #drop(number: number): void {
    const kept = this.#kept.get(number);
    if (kept === undefined) return;
    this.#kept.delete(number);
    if (kept.message !== undefined) this.#byMessage.delete(kept.message);
    this.#bytes -= kept.bytes;
    const key = likeness(kept.letter);
    const alike = this.#alike.get(key) ?? [];
    alike.splice(alike.indexOf(number), 1);
    if (alike.length === 0) this.#alike.delete(key);
  }
}

/** What names a message wherever it is met; one that is sent again is named as it was the first time. */
function messageOf(to: Address, sender: LetterSender): string | undefined {
  if (sender.kind === "local") return undefined;
  const again = sender.kind === "outside" ? messageSentAgain(sender.id) : undefined;
  if (again !== undefined) return again;
  const names = sender.kind === "outside" ? [sender.author, sender.id] : [sender.entity, sender.incarnation, sender.seq];
  return createHash("sha256")
    .update(JSON.stringify([entityOf(to), ...names]))
    .digest("hex")
    .slice(0, 32);
}

function clipped(text: string): string {
  return text.slice(0, MAX_CHARACTERS);
}

function likeness({ to, reason }: { readonly to: string; readonly reason: string }): string {
  return `${reason} ${to}`;
}

/** Of what is no JSON nothing is kept. */
function textOf(event: EventData): string | undefined {
  try {
    return JSON.stringify(event);
  } catch {
    return undefined;
  }
}
