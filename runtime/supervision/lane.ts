// Children whose fates are joined: all of a rest-for-one or one-for-all supervisor, each alone of a one-for-one.
//
// A lane does one thing: it makes what is wanted run, in order. Whatever happens (an exit, a failed start, a request) only notes what is wanted and when,
// and wakes the one loop that acts; so a stop, a restart and a second failure cannot cross each other.
//
// L1. Children start in order, each ready before the next begins; they stop in reverse order.
// L2. While an earlier child is down no later one runs (rest-for-one); one-for-all brings all down when one fails.
// L3. A group restart ends running temporary children for good; transient ones that had ended normally come back with the group (OTP).
// L4. A failure of an earlier child breaks off the start of a later one; nobody waits out a backoff or a slow start of what must go down anyway.
// L5. An end that is expected (the group goes down, the supervisor stops) is not counted as a failure. What goes down with a failure is expected to from the moment it is
//     judged: of two that end together in a group the second one is restarted with the first, and the rule hears of one failure (OTP).
// L6. Frozen, a lane starts nothing any more; one that was told to come down cannot be begun again: its children get another lane.
// L7. Whoever asked for a start is told how it went, however many asked: a request that joins a start under way shares its outcome.
// L8. A start that was asked for and fails is an error for who asked and nothing else (OTP): no failure is counted, the child stays down, its siblings come up again.
//     Under backoff, which goes on trying, and where a failure of a sibling takes it along before it runs, it is a start as any other.

import type { Clock } from "../ports/index.ts";
import { errorOf, isAbnormal, reasonOf, type Exit } from "../workers/index.ts";
import type { ChildSlot } from "./child-slot.ts";
import type { Verdict } from "./restart-rule.ts";

export type PassOutcome =
  | { readonly kind: "up" }
  /** A child could not start. `retrying`: the lane goes on trying; otherwise it is frozen. */
  | { readonly kind: "failed"; readonly child: string; readonly error: Error; readonly retrying: boolean }
  | { readonly kind: "stopped" };

export interface LaneOwner {
  readonly clock: Clock;
  /** Its rule's word on a failure; after `give-up` the lane is about to be frozen. */
  judge(slot: ChildSlot, ranMs: number, cause: Error | undefined): Verdict;
  /** A child ended for good. `byItself`: not as the supervisor did what it was asked for. */
  ended(lane: Lane, slot: ChildSlot, byItself: boolean): void;
  /** A temporary child has lost its place. */
  left(slot: ChildSlot): void;
}

type Why = "after-failure" | "by-request" | "for-good";

interface Pass {
  /** Who was to be restarted; undefined: everybody starts. */
  readonly child?: string;
  readonly onStartFailure: "escalate" | "retry";
  readonly resolve: (outcome: PassOutcome) => void;
}

export class Lane {
  readonly #owner: LaneOwner;
  readonly #allForOne: boolean;
  #slots: readonly ChildSlot[];
  #frozen = true;
  /** What stands from this index on must come down before anything starts. */
  #bringDown: { readonly from: number; readonly why: Why } | undefined;
  #driving: Promise<void> | undefined;
  #wakeLoop: (() => void) | undefined;
  /** L7. */
  #passes: readonly Pass[] = [];
  /** L8. */
  readonly #onRequest = new Set<ChildSlot>();
  #goingDown: Promise<void> | undefined;
  #hurry = new AbortController();

  constructor(owner: LaneOwner, slots: readonly ChildSlot[], allForOne: boolean) {
    this.#owner = owner;
    this.#slots = slots;
    this.#allForOne = allForOne;
  }

  get slots(): readonly ChildSlot[] {
    return this.#slots;
  }

  /** Starts everything, once. Resolves when all run, or at the first start failure of a child that had not run before. */
  begin(onStartFailure: "escalate" | "retry"): Promise<PassOutcome> {
    if (this.#goingDown !== undefined) return Promise.resolve({ kind: "stopped" });
    this.#frozen = false;
    this.#bringDown = undefined;
    this.#hurry = new AbortController();
    this.#onRequest.clear();
    for (const slot of this.#slots) {
      slot.startedOnce = false;
      this.#want(slot, 0);
    }
    return this.#nextPass({ onStartFailure });
  }

  /** Stops a child, with the siblings that go with it, and starts them again; not counted as a failure. `retry`: nor is it over where it cannot start (L8). */
  restart(id: string, onStartFailure: "stay-down" | "retry"): Promise<PassOutcome> {
    if (this.#frozen) return Promise.resolve({ kind: "stopped" });
    const from = this.#allForOne ? 0 : this.#slots.findIndex((slot) => slot.id === id);
    for (const slot of this.#slots.slice(from)) {
      slot.abortStart();
      // L5
      slot.expectStop();
      this.#want(slot, 0);
    }
    const asked = this.#slots.find((slot) => slot.id === id);
    if (asked !== undefined && onStartFailure === "stay-down") this.#onRequest.add(asked);
    this.#mustComeDown(from, "by-request");
    return this.#nextPass({ child: id, onStartFailure: "retry" });
  }

  /** No start and no restart from now on; what runs is expected to end. */
  freeze(): void {
    this.#frozen = true;
    for (const slot of this.#slots) {
      slot.wanted = false;
      slot.abortStart();
      slot.expectStop();
    }
    this.#wakeLoop?.();
    this.#settlePasses({ kind: "stopped" });
  }

  /** Stops what runs, in reverse order. Whoever asks again waits for the same end. */
  down(hurry: AbortSignal): Promise<void> {
    this.freeze();
    this.#goingDown ??= this.#goDown(hurry);
    return this.#goingDown;
  }

  async #goDown(hurry: AbortSignal): Promise<void> {
    const pass = (): void => {
      this.#hurry.abort();
    };
    hurry.addEventListener("abort", pass);
    if (hurry.aborted) pass();
    await this.#driving;
    await this.#stopFrom(0, "for-good");
    hurry.removeEventListener("abort", pass);
  }

  /** An end that nobody asked for: the slot's `onExit`. */
  exited(slot: ChildSlot, exit: Exit, ranMs: number): void {
    if (this.#frozen) return;
    const abnormal = isAbnormal(exit);
    slot.tell("child_terminated", reasonOf(exit), errorOf(exit));
    if (slot.restartType === "temporary" || (slot.restartType === "transient" && !abnormal)) {
      this.#endedForGood(slot, true);
      return;
    }
    this.#failed(slot, ranMs, errorOf(exit));
  }

  #failed(slot: ChildSlot, ranMs: number, cause: Error | undefined): void {
    const verdict = this.#owner.judge(slot, ranMs, cause);
    if (verdict.kind === "give-up") return;
    this.#want(slot, verdict.delayMs);
    // L3: those that go down with it come back with it, even if they had ended.
    const from = this.#allForOne ? 0 : this.#slots.indexOf(slot) + 1;
    for (const other of this.#slots.slice(from)) if (!other.wanted) this.#want(other, 0);
    const taken = this.#slots.slice(from).filter((other) => other !== slot);
    if (taken.length > 0) this.#mustComeDown(from, "after-failure");
    // L5
    for (const other of taken) {
      other.expectStop();
      // L8
      this.#onRequest.delete(other);
    }
    if (this.#allForOne) {
      const [first] = this.#slots;
      if (first !== undefined) first.dueAt = Math.max(first.dueAt, slot.dueAt);
    }
    // L4: only a later one can be starting while this one ran.
    for (const other of this.#slots) if (other !== slot) other.abortStart();
    this.#wake();
  }

  #mustComeDown(from: number, why: Why): void {
    this.#bringDown = { from: Math.min(from, this.#bringDown?.from ?? from), why };
  }

  #endedForGood(slot: ChildSlot, byItself: boolean): void {
    slot.retire();
    if (slot.restartType === "temporary") this.#takeOut(new Set([slot]));
    this.#owner.ended(this, slot, byItself);
  }

  #want(slot: ChildSlot, delayMs: number): void {
    slot.wanted = true;
    slot.dueAt = this.#owner.clock.monotonic() + delayMs;
    slot.show();
  }

  #nextPass(asked: Omit<Pass, "resolve">): Promise<PassOutcome> {
    return new Promise((resolve) => {
      this.#passes = [...this.#passes, { ...asked, resolve }];
      this.#wake();
    });
  }

  #settlePasses(outcome: PassOutcome, isMeant: (pass: Pass) => boolean = () => true): void {
    const told = this.#passes.filter(isMeant);
    this.#passes = this.#passes.filter((pass) => !told.includes(pass));
    for (const pass of told) pass.resolve(outcome);
  }

  #wake(): void {
    if (this.#driving === undefined) this.#driving = this.#drive();
    else this.#wakeLoop?.();
  }

  /** The loop. It leaves only in the same turn in which it saw that nothing is to be done. */
  async #drive(): Promise<void> {
    // Whoever woke it has something to finish first.
    await Promise.resolve();
    while (!this.#frozen) {
      const down = this.#bringDown;
      if (down !== undefined) {
        this.#bringDown = undefined;
        await this.#stopFrom(down.from, down.why);
        continue;
      }
      const index = this.#slots.findIndex((slot) => slot.wanted && !slot.isUp);
      const slot = this.#slots[index];
      if (slot === undefined) {
        this.#settlePasses({ kind: "up" });
        break;
      }
      if (this.#slots.some((other, at) => at > index && other.isUp)) {
        await this.#stopFrom(index + 1, "after-failure");
        continue;
      }
      const waitMs = slot.dueAt - this.#owner.clock.monotonic();
      if (waitMs > 0) await this.#sleep(waitMs);
      else await this.#start(slot);
    }
    this.#driving = undefined;
  }

  async #start(slot: ChildSlot): Promise<void> {
    const outcome = await slot.start(this.#hurry.signal);
    const wasAskedFor = outcome.kind !== "aborted" && this.#onRequest.delete(slot);
    if (outcome.kind !== "failed" || this.#frozen) return;
    const { error } = outcome;
    const escalates = !slot.startedOnce && this.#passes.some(({ onStartFailure }) => onStartFailure === "escalate");
    if (escalates) this.#frozen = true;
    const failed = { kind: "failed", child: slot.id, error } as const;
    if (wasAskedFor && !escalates) {
      // L8
      this.#settlePasses({ ...failed, retrying: false }, ({ child = slot.id }) => child === slot.id);
      this.#endedForGood(slot, false);
      return;
    }
    this.#settlePasses({ ...failed, retrying: !escalates });
    if (escalates) return;
    if (slot.restartType === "temporary") this.#endedForGood(slot, true);
    else this.#failed(slot, 0, error);
  }

  async #stopFrom(index: number, why: Why): Promise<void> {
    const leaving = this.#slots.slice(index);
    const forgotten = new Set(why === "after-failure" ? leaving.filter((slot) => slot.stands && slot.restartType === "temporary") : []);
    // L5: all of them at once, since the first to stop may take the next one with it.
    for (const slot of leaving) slot.expectStop();
    for (const slot of leaving.toReversed()) await slot.stop(this.#hurry.signal);
    this.#takeOut(forgotten);
  }

  /** What must come down stays the same children. */
  #takeOut(gone: ReadonlySet<ChildSlot>): void {
    const down = this.#bringDown;
    if (down !== undefined) this.#bringDown = { ...down, from: down.from - this.#slots.slice(0, down.from).filter((slot) => gone.has(slot)).length };
    this.#slots = this.#slots.filter((slot) => !gone.has(slot));
    for (const slot of gone) this.#owner.left(slot);
  }

  #sleep(ms: number): Promise<void> {
    const { clock } = this.#owner;
    return new Promise((resolve) => {
      const wake = (): void => {
        clock.clearTimeout(timer);
        this.#wakeLoop = undefined;
        resolve();
      };
      const timer = clock.setTimeout(wake, ms);
      this.#wakeLoop = wake;
    });
  }
}
