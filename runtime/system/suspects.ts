// Inputs that hung or ended a process of this node before, and after a takeover all that may have ended another node's: each is stepped alone, after its attempt was committed, and parked at
// its third (rules M4).
//
// P1. While its attempt is committed a suspect waits in the mailbox, at its place: what comes meanwhile queues behind it, on its way to the shelf too, and its deadline is kept.
// P2. An attempt that a store did not take is made again, alone: nothing that waits behind its suspect rides on it.
// P3. Of a node whose store was taken over nobody knows here what it was in when it ended. So whatever may come again is a suspect, for as long as the system is careful (holder.ts); its attempt
//     counts only for other nodes, and until its step has come to an end that is committed. For the node itself its own crash file tells.
// P4. Where such an attempt was left open, the process may have ended in the step of another that was open as well. From then on each of those is stepped when no other of the node is:
//     an innocent one is open for the time of two commits alone, and no poison is meanwhile.

import { type Entity, isRecorded } from "../entity/index.ts";
import type { Input, InputResult } from "../entity/contract.ts";
import type { Clock, HungStep, StepWatch } from "../ports/index.ts";
import type { HostedClock } from "./hosted-clock.ts";
import { CleanSlate } from "./kept-out.ts";
import type { Mail } from "./mail.ts";
import type { Mailbox } from "./mailbox.ts";
import type { OneByOne, Place } from "./one-by-one.ts";
import { nameOf } from "./watched.ts";

export interface SuspectsPorts {
  readonly node: string;
  readonly clock: Clock;
  readonly stepWatch: StepWatch | undefined;
  readonly hosted: HostedClock;
  /** P4. The node's. */
  readonly suspectsWay: OneByOne;
}

export class Suspects {
  readonly #entity: Entity;
  readonly #watch: StepWatch;
  readonly #ports: SuspectsPorts;
  readonly #resume: () => void;
  /** How often each did, and what it was. */
  readonly #byKey: Map<string, { readonly crashes: number; readonly cause: string }>;
  readonly #attempted = new WeakSet<Input>();
  #slate: CleanSlate | undefined;
  /** P4. Of the suspect that waits to be stepped, or is. */
  #place: Place | undefined;
  #isStepping = false;

  /** undefined: nothing of this entity ever did, and nobody is careful. @param resume called when a suspect that had to wait need not wait any more */
  static of(entity: Entity, ports: SuspectsPorts, resume: () => void): Suspects | undefined {
    const { stepWatch: watch, hosted } = ports;
    const hung = watch?.hung.filter((each) => each.entity === entity.address) ?? [];
    const isCareful = entity.type.durability !== "volatile" && hosted.isCareful();
    return watch === undefined || (hung.length === 0 && !isCareful) ? undefined : new Suspects(entity, watch, hung, ports, resume);
  }

  private constructor(entity: Entity, watch: StepWatch, hung: StepWatch["hung"], ports: SuspectsPorts, resume: () => void) {
    this.#entity = entity;
    this.#watch = watch;
    this.#ports = ports;
    this.#resume = resume;
    if (hung.length > 0) this.#slate = new CleanSlate(watch, entity.address, ports.clock.monotonic());
    const byKey = new Map<string, { readonly crashes: number; readonly cause: string }>();
    for (const each of hung) if (each.key !== "") byKey.set(each.key, { crashes: (byKey.get(each.key)?.crashes ?? 0) + 1, cause: causeOf(each) });
    this.#byKey = byKey;
  }

  /**
   * The mails of the next turn: those before a suspect, then its attempt alone, then the suspect alone. What must wait for a later turn goes back into the mailbox, in its order.
   * undefined: everything waits for suspects of others (P4), and `resume` tells its end.
   */
  cut(mails: readonly Mail[], mailbox: Mailbox<Mail>): readonly Mail[] | undefined {
    const isCareful = this.#isCareful;
    const at = mails.findIndex(({ input }) => input.kind === "attempt" || this.#isSuspect(input, isCareful));
    const suspect = mails[at];
    if (suspect === undefined) return mails;
    if (at > 0) {
      mailbox.putBack(mails.slice(at));
      return mails.slice(0, at);
    }
    const isNext = suspect.input.kind === "attempt" || this.#attempted.has(suspect.input);
    if (isNext) {
      mailbox.putBack(mails.slice(1));
      return [suspect.input.kind === "attempt" ? suspect : this.#careful(suspect)];
    }
    const waiting = isCareful && this.#place === undefined && this.#entity.openedByOthers(suspect.input, this.#ports.node) > 0 ? this.#inItsTurn(suspect) : suspect;
    mailbox.putBack([waiting, ...mails.slice(1)]);
    return this.#place?.isIn === false ? undefined : [this.#attempt(waiting, mailbox)];
  }

  /** P3. Of a volatile entity nothing is. */
  get #isCareful(): boolean {
    return this.#entity.type.durability !== "volatile" && this.#ports.hosted.isCareful();
  }

  #isSuspect(input: Input, isCareful: boolean): boolean {
    return (isCareful && comesAgain(input)) || this.#attempted.has(input) || (this.#byKey.size > 0 && this.#byKey.has(this.#entity.keyOf(input)));
  }

  /** P4. Whatever becomes of it leaves its place. */
  #inItsTurn(suspect: Mail): Mail {
    const place = this.#ports.suspectsWay.enter(this.#resume);
    this.#place = place;
    return {
      ...suspect,
      settle: (result) => {
        this.#leave(place);
        suspect.settle?.(result);
      },
    };
  }

  #leave(place: Place | undefined): void {
    if (place === undefined || this.#place !== place) return;
    this.#place = undefined;
    this.#isStepping = false;
    const hadToWait = !place.isIn;
    place.leave();
    if (hadToWait) this.#resume();
  }

  /** A turn is committed. @param now monotonic time, ms */
  turned(now: number): void {
    if (this.#isStepping) this.#leave(this.#place);
    if (this.#slate?.turned(now) !== true) return;
    this.#slate = undefined;
    for (const key of this.#byKey.keys()) if (!this.#watch.hung.some((each) => each.entity === this.#entity.address && each.key === key)) this.#byKey.delete(key);
  }

  /** P1. Whatever else becomes of it is the suspect's own affair, which waits. */
  #attempt(suspect: Mail, mailbox: Mailbox<Mail>): Mail {
    const key = this.#entity.keyOf(suspect.input);
    const known = this.#byKey.get(key);
    return {
      input: {
        kind: "attempt",
        of: suspect.input,
        crashes: known?.crashes ?? 0,
        cause: known?.cause ?? this.#causeElsewhere(suspect.input),
        parkedAs: "DROVER_ACTOR_HUNG",
        ...(this.#isCareful ? { openedBy: this.#ports.node } : {}),
      },
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

  #causeElsewhere(input: Input): string {
    const message = this.#entity.messageOf(input);
    const what = message === undefined ? `(${input.kind})` : nameOf(message.event, message.sender);
    return `${what} was being stepped in ${message?.to ?? this.#entity.cellOf(input)} when its process ended, each time it was tried`;
  }

  /** It is a suspect until its turn has been committed. */
  #careful(suspect: Mail): Mail {
    this.#isStepping = true;
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
    if (this.#byKey.delete(key)) this.#watch.settled(this.#entity.address, key);
  }
}

/** Who takes the entity over finds it again, or may be sent it again; and it runs code of the actor. */
function comesAgain(input: Input): boolean {
  switch (input.kind) {
    case "message":
      return input.shelve === undefined && (input.sender.kind === "outside" ? input.sender.repeatedMs !== 0 : isRecorded(input));
    case "performed":
      return input.outcome.kind !== "done" && input.outcome.kind !== "dropped";
    case "start":
    case "children":
      return true;
    default:
      return isRecorded(input);
  }
}

function causeOf({ what, cell, how }: HungStep): string {
  return `${what} ${how === "ended" ? "ended the process at once" : "hung"} in ${cell}${how === "ended" ? "" : " and ended the process"}`;
}

function isParked(result: { readonly kind: string }): boolean {
  return result.kind === "faulted" && (result as Extract<InputResult, { kind: "faulted" }>).parked;
}
