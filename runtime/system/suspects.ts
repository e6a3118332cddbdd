// Inputs that hung a process of this node before: each is stepped alone, after its attempt was committed, and parked at its third (rules M4).

import { inputKey, isRecorded } from "../entity/index.ts";
import type { Input, InputResult } from "../entity/contract.ts";
import type { StepWatch } from "../ports/index.ts";
import type { Mail } from "./mail.ts";

export class Suspects {
  readonly #entity: string;
  readonly #watch: StepWatch;
  /** How often each hung, and what it was. */
  readonly #byKey: Map<string, { readonly crashes: number; readonly cause: string }>;
  readonly #attempted = new WeakSet<Input>();

  /** undefined: nothing of this entity ever hung. */
  static of(entity: string, watch: StepWatch | undefined): Suspects | undefined {
    const hung = watch?.hung.filter((each) => each.entity === entity && each.key !== "") ?? [];
    return watch === undefined || hung.length === 0 ? undefined : new Suspects(entity, watch, hung);
  }

  private constructor(entity: string, watch: StepWatch, hung: StepWatch["hung"]) {
    this.#entity = entity;
    this.#watch = watch;
    const byKey = new Map<string, { readonly crashes: number; readonly cause: string }>();
    for (const { key, what, cell } of hung) byKey.set(key, { crashes: (byKey.get(key)?.crashes ?? 0) + 1, cause: `${what} hung in ${cell} and ended the process` });
    this.#byKey = byKey;
  }

  /**
   * The mails of the next turn: those before a suspect, then its attempt alone, then the suspect alone.
   * @param putBack takes mails that must wait for a later turn, in their order
   */
  cut(mails: readonly Mail[], putBack: (mails: readonly Mail[]) => void): readonly Mail[] {
    const at = mails.findIndex(({ input }) => this.#byKey.has(inputKey(input)));
    const suspect = mails[at];
    if (suspect === undefined) return mails;
    if (at > 0) {
      putBack(mails.slice(at));
      return mails.slice(0, at);
    }
    putBack(mails.slice(1));
    return [this.#attempted.has(suspect.input) ? this.#careful(suspect) : this.#attempt(suspect, putBack)];
  }

  #attempt(suspect: Mail, putBack: (mails: readonly Mail[]) => void): Mail {
    const known = this.#byKey.get(inputKey(suspect.input));
    return {
      input: { kind: "attempt", of: suspect.input, crashes: known?.crashes ?? 0, cause: known?.cause ?? "" },
      settle: (result) => {
        if (result.kind === "accepted" || result.kind === "accepted-at") {
          this.#attempted.add(suspect.input);
          putBack([suspect]);
          return;
        }
        // Of what has a record of its own (an id, a number, a timer's row) nothing comes again.
        if (isParked(result) && isRecorded(suspect.input)) this.#settled(suspect.input);
        suspect.settle?.(result);
      },
    };
  }

  /** It is a suspect until its turn has been committed. */
  #careful(suspect: Mail): Mail {
    return {
      ...suspect,
      settle: (result) => {
        this.#settled(suspect.input);
        suspect.settle?.(result);
      },
    };
  }

  #settled(input: Input): void {
    this.#byKey.delete(inputKey(input));
    this.#watch.settled(this.#entity, inputKey(input));
  }
}

function isParked(result: { readonly kind: string }): boolean {
  return result.kind === "faulted" && (result as Extract<InputResult, { kind: "faulted" }>).parked;
}
