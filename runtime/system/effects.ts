// Performs declared effects after their commit, by class (rules F1, F2).
//
// F1. `idempotent` is repeated with backoff until its implementation confirms it; `once` and `state` are tried once: a throw is `failed`, and what a crash left
//     open is settled by recovery (`once` becomes unknown, `state` is computed anew from fresh values).
// F2. Every performed effect is answered to its entity by an input, so that nothing that awaits an answer meets silence.

import type { Effect, EffectOutcome } from "../entity/contract.ts";
import type { AnyActorType, EffectWord } from "../actor/index.ts";
import type { Clock, Log, Random, TimeoutHandle } from "../ports/index.ts";

type Act = Extract<Effect, { kind: "act" }>;

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 30_000;

export interface EffectsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The actor type of a cell, with the effects that this node supplies. */
  readonly typeOf: (cell: string) => AnyActorType | undefined;
  readonly performed: (key: string, outcome: EffectOutcome) => void;
  readonly faulted: (act: Act, error: string) => void;
}

export class Effects {
  readonly #options: EffectsOptions;
  readonly #abort = new AbortController();
  readonly #retries = new Set<TimeoutHandle>();
  readonly counters = { performed: 0, failed: 0, retried: 0 };

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  perform(act: Act): void {
    if (act.declared === undefined) this.#runInline(act);
    else this.#attempt(act, 0);
  }

  /** No further attempts; what is under way is told by its signal. */
  stop(): void {
    this.#abort.abort();
    for (const handle of this.#retries) this.#options.clock.clearTimeout(handle);
  }

  /** Inline actions exist in volatile types only (hosting H7, N1). */
  #runInline(act: Act): void {
    try {
      act.run?.();
      this.counters.performed++;
    } catch (cause) {
      this.counters.failed++;
      this.#options.faulted(act, describe(cause));
    }
  }

  #attempt(act: Act, failures: number): void {
    const implementation = this.#options.typeOf(act.cell)?.effects[act.name];
    if (implementation === undefined) {
      this.#options.performed(act.key, { kind: "failed", error: `this node does not supply the effect "${act.name}"` });
      return;
    }
    const work = { key: act.key, signal: this.#abort.signal, actor: act.cell, cause: act.cause };
    // A synchronous throw and a rejection are one thing.
    void new Promise<EffectWord | void>((resolve) => {
      resolve(implementation(act.params as never, work));
    }).then(
      (word) => {
        this.#confirmed(act, word ?? undefined);
      },
      (cause: unknown) => {
        this.#threw(act, cause, failures);
      },
    );
  }

  #confirmed(act: Act, word: EffectWord): void {
    this.counters.performed++;
    this.#options.performed(act.key, outcomeOf(word));
  }

  #threw(act: Act, cause: unknown, failures: number): void {
    this.counters.failed++;
    const { clock, random, log } = this.#options;
    if (act.declared !== "idempotent") {
      this.#options.performed(act.key, { kind: "failed", error: describe(cause) });
      return;
    }
    if (this.#abort.signal.aborted) return;
    const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10));
    if (failures === 2) log.warn({ err: cause, cell: act.cell, effect: act.name }, "an idempotent effect keeps failing; it is repeated until confirmed");
    this.counters.retried++;
    const handle = clock.setTimeout(
      () => {
        this.#retries.delete(handle);
        this.#attempt(act, failures + 1);
      },
      ceiling * (0.5 + random.next() / 2),
      { unref: true },
    );
    this.#retries.add(handle);
  }
}

function outcomeOf(word: EffectWord): EffectOutcome {
  switch (word?.kind) {
    case "refused":
      return { kind: "refused", reason: word.reason ?? "refused", ...(word.guard === undefined ? {} : { guard: word.guard }) };
    case "deadline":
      return { kind: "refused", reason: "its deadline passed before it could be done" };
    case "unknown":
      return { kind: "unknown" };
    default:
      return { kind: "done" };
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
