// Messages that reached nobody: all are counted, the last ones are kept to be looked at and, where somebody sent them, to be sent again (promise S5).
//
// D1. Kept are the last 1,000, of them at most 100 for one actor and one reason, so that a flood at one does not take the others' place; and 4 MiB of what they said.
// D2. One that is sent again goes under an id of its own, so that it acts once however often that is tried (rules M2); after it was taken it is not sent again.

import type { Answer, Told } from "../outcome.ts";
import type { Clock } from "../ports/index.ts";
import type { EventData } from "../entity/contract.ts";
import type { DeadLetter, DeadLetterQuery } from "./views.ts";

const KEPT = 1_000;
const KEPT_ALIKE = 100;
const KEPT_BYTES = 4 * 1_048_576;

/** What is said of a letter; `event` where it may be sent again. */
export interface Undelivered {
  readonly to: string;
  readonly type: string;
  readonly from: string;
  readonly reason: string;
  readonly event?: EventData;
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
  readonly event: EventData | undefined;
  readonly bytes: number;
}
/** Of each text: a stranger's words must not fill the memory. */
const MAX_CHARACTERS = 512;

export class DeadLetters {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #kept = new Map<number, Kept>();
  readonly #alike = new Map<string, number[]>();
  readonly #byReason = new Map<string, number>();
  #number = 0;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ event, to, type, from, reason }: Undelivered): void {
    const said = { to: to.slice(0, MAX_CHARACTERS), type: type.slice(0, MAX_CHARACTERS), from: from.slice(0, MAX_CHARACTERS), reason };
    const number = ++this.#number;
    this.#byReason.set(said.reason, (this.#byReason.get(said.reason) ?? 0) + 1);
    const text = event === undefined ? undefined : textOf(event);
    const bytes = text?.length ?? 0;
    const isKept = text !== undefined && bytes <= KEPT_BYTES / 16;
    this.#kept.set(number, { letter: { number, at: this.#clock.now(), ...said, isKept }, event: isKept ? event : undefined, bytes: isKept ? bytes : 0 });
    this.#bytes += isKept ? bytes : 0;
    const alike = this.#alike.get(likeness(said)) ?? [];
    this.#alike.set(likeness(said), alike);
    alike.push(number);
    if (alike.length > KEPT_ALIKE) this.#drop(alike[0] ?? 0);
    while (this.#kept.size > KEPT || this.#bytes > KEPT_BYTES) this.#drop(this.#kept.keys().next().value ?? 0);
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

  /** D2. @param send sends an event under an id that is the letter's own */
  async redeliver(number: number, send: (to: string, event: EventData) => Promise<Told | Answer>): Promise<Redelivery> {
    const kept = this.#kept.get(number);
    if (kept === undefined) return { kind: "no-such-letter" };
    const { letter, event } = kept;
    if (letter.sentAgainAt !== undefined) return { kind: "sent-before", at: letter.sentAgainAt };
    if (event === undefined) return { kind: "not-kept" };
    const outcome = await send(letter.to, event);
    if (outcome.kind === "accepted") kept.letter = { ...letter, sentAgainAt: this.#clock.now() };
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
    this.#bytes -= kept.bytes;
    const key = likeness(kept.letter);
    const alike = this.#alike.get(key) ?? [];
    alike.splice(alike.indexOf(number), 1);
    if (alike.length === 0) this.#alike.delete(key);
  }
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
