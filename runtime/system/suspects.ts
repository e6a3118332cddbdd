// Inputs that hung or ended a process of this node before: each is stepped alone, after its attempt was committed, and parked at its third (rules M4).
//
// P1. While its attempt is committed a suspect waits in the mailbox, at its place: what comes meanwhile queues behind it, on its way to the shelf too, and its deadline is kept.
// P2. An attempt that a store did not take is made again, alone: nothing that waits behind its suspect rides on it.

import { type Entity, isRecorded } from "../entity/index.ts";
import type { Input, InputResult } from "../entity/contract.ts";
import type { HungStep, StepWatch } from "../ports/index.ts";
import { CleanSlate } from "./kept-out.ts";
import type { Mail } from "./mail.ts";
import type { Mailbox } from "./mailbox.ts";

export class Suspects {
  readonly #entity: Entity;
  readonly #watch: StepWatch;
  /** How often each did, and what it was. */
  readonly #byKey: Map<string, { readonly crashes: number; readonly cause: string }>;
  readonly #attempted = new WeakSet<Input>();
  #slate: CleanSlate | undefined;

  /** undefined: nothing of this entity ever did. @param now monotonic time, ms */
  static of(entity: Entity, watch: StepWatch | undefined, now: number): Suspects | undefined {
    const hung = watch?.hung.filter((each) => each.entity === entity.address) ?? [];
    return watch === undefined || hung.length === 0 ? undefined : new Suspects(entity, watch, hung, now);
  }

  private constructor(entity: Entity, watch: StepWatch, hung: StepWatch["hung"], now: number) {
    this.#entity = entity;
    this.#watch = watch;
    this.#slate = new CleanSlate(watch, entity.address, now);
    const byKey = new Map<string, { readonly crashes: number; readonly cause: string }>();
    for (const each of hung) if (each.key !== "") byKey.set(each.key, { crashes: (byKey.get(each.key)?.crashes ?? 0) + 1, cause: causeOf(each) });
    this.#byKey = byKey;
  }

  /** The mails of the next turn: those before a suspect, then its attempt alone, then the suspect alone. What must wait for a later turn goes back into the mailbox, in its order. */
  cut(mails: readonly Mail[], mailbox: Mailbox<Mail>): readonly Mail[] {
    const at = mails.findIndex(({ input }) => input.kind === "attempt" || this.#byKey.has(this.#entity.keyOf(input)));
    const suspect = mails[at];
    if (suspect === undefined) return mails;
    if (at > 0) {
      mailbox.putBack(mails.slice(at));
      return mails.slice(0, at);
    }
    const isNext = suspect.input.kind === "attempt" || this.#attempted.has(suspect.input);
    mailbox.putBack(isNext ? mails.slice(1) : mails);
    if (suspect.input.kind === "attempt") return [suspect];
    return [isNext ? this.#careful(suspect) : this.#attempt(suspect, mailbox)];
  }

  /** A turn is committed. @param now monotonic time, ms */
  turned(now: number): void {
    if (this.#slate?.turned(now) !== true) return;
    this.#slate = undefined;
    for (const key of this.#byKey.keys()) if (!this.#watch.hung.some((each) => each.entity === this.#entity.address && each.key === key)) this.#byKey.delete(key);
  }

  /** P1. Whatever else becomes of it is the suspect's own affair, which waits. */
  #attempt(suspect: Mail, mailbox: Mailbox<Mail>): Mail {
    const key = this.#entity.keyOf(suspect.input);
    const known = this.#byKey.get(key);
    return {
      input: { kind: "attempt", of: suspect.input, crashes: known?.crashes ?? 0, cause: known?.cause ?? "", parkedAs: "DROVER_ACTOR_HUNG" },
      settle: (result) => {
        if (result.kind === "accepted" || result.kind === "accepted-at") this.#attempted.add(suspect.input);
        if (!isParked(result)) return;
        mailbox.remove((mail) => mail === suspect);
        // Of what has a record of its own (an id, a number, a timer's row) nothing comes again.
        if (isRecorded(suspect.input)) this.#settled(key);
        suspect.settle?.(result);
      },
    };
  }

  /** It is a suspect until its turn has been committed. */
  #careful(suspect: Mail): Mail {
    const key = this.#entity.keyOf(suspect.input);
    return {
      ...suspect,
      settle: (result) => {
        this.#settled(key);
        suspect.settle?.(result);
      },
    };
  }

  #settled(key: string): void {
    this.#byKey.delete(key);
    this.#watch.settled(this.#entity.address, key);
  }
}

function causeOf({ what, cell, how }: HungStep): string {
  return `${what} ${how === "ended" ? "ended the process at once" : "hung"} in ${cell}${how === "ended" ? "" : " and ended the process"}`;
}

function isParked(result: { readonly kind: string }): boolean {
  return result.kind === "faulted" && (result as Extract<InputResult, { kind: "faulted" }>).parked;
}
