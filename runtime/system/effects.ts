// Performs declared effects after their commit, by class (rules F1, F2).
//
// F1. `idempotent` is repeated with backoff until its implementation confirms it; `once` and `state` are tried once: a throw is `failed`, and what a crash or a stop
//     left open is settled by recovery (`once` becomes unknown, `state` is computed anew from fresh values).
// F2. Every performed effect is answered to its entity by an input, so that nothing that awaits an answer meets silence: a `once` or `state` effect whose
//     implementation says nothing within its time (a minute, or `withinMs` of its declaration) is `unknown`; an `idempotent` one is tried again under its key, and whichever attempt is confirmed first counts.
// F3. One that hung its process twice is not tried again, of whichever class: it has failed (rules M4).

import type { EffectImplementation, EffectWord } from "../actor/index.ts";
import type { Effect, EffectOutcome } from "../entity/contract.ts";
import { messageOf } from "../message-of.ts";
import type { Clock, Log, Random, TimeoutHandle } from "../ports/index.ts";
import { guardedSignal } from "../guarded-signal.ts";
import { Retry } from "../retry.ts";
import type { ErrorCode } from "../errors.ts";
import { asItIsNow, isPromise } from "../xstate/index.ts";
import { isHung } from "./watched.ts";

type Act = Extract<Effect, { kind: "act" }>;

const RETRY = { firstMs: 200, longestMs: 30_000 };
/** Of an effect that nobody supplies. */
const ANSWERED_WITHIN_MS = 60_000;
/** Failures of one idempotent effect before it is logged. */
const WARN_AT = 3;

/** An idempotent effect over its attempts. */
interface Repeated {
  isOver: boolean;
  retry: Retry | undefined;
}

export interface EffectsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What this node supplies for an effect of a cell. */
  readonly implementation: (cell: string, name: string) => EffectImplementation | undefined;
  /** How long an attempt of it has to answer, ms. */
  readonly withinMs: (cell: string, name: string) => number | undefined;
  /** Runs what the author wrote. @param input which made it happen */
  readonly watched: <V>(act: Act, input: string, run: () => V) => V;
  readonly performed: (key: string, outcome: EffectOutcome) => void;
  readonly faulted: (act: Act, fault: { readonly error: string; readonly code?: ErrorCode }) => void;
}

export class Effects {
  readonly #options: EffectsOptions;
  readonly #abort = new AbortController();
  readonly #retries = new Set<Retry>();
  readonly #timeouts = new Set<TimeoutHandle>();
  /** Effects that this node does not supply, told. */
  readonly #missing = new Set<string>();
  /** The incarnation and the turn of the inline action that threw last. */
  #thrown: { readonly incarnation: number; readonly turn: string } | undefined;

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  /** @param input key of the one that made it happen, where that is known */
  perform(act: Act, input: string): void {
    if (this.#abort.signal.aborted) return;
    if (act.declared === undefined) this.#runInline(act, input);
    else if (act.declared === "idempotent") this.#untilConfirmed(act, input);
    else this.#once(act, input);
  }

  /** No attempt is under way: what is not confirmed waits for its next one. */
  get isPausing(): boolean {
    return this.#timeouts.size === 0;
  }

  /** No further attempts, and no further word: what is under way is told by its signal and stays unconfirmed, for recovery to settle. */
  stop(): void {
    this.#abort.abort();
    for (const retry of this.#retries) retry.cancel();
    this.#retries.clear();
    for (const timeout of this.#timeouts) this.#options.clock.clearTimeout(timeout);
    this.#timeouts.clear();
  }

  /** Inline actions exist in volatile types only (hosting H7). After one that throws, the later ones of its cell and turn are not performed (named difference N1). */
  #runInline(act: Act, input: string): void {
    const turn = turnOf(act);
    if (this.#thrown?.incarnation === act.incarnation && this.#thrown.turn === turn) return;
    const fault = runInline(act, (run) => this.#options.watched(act, input, run));
    if (fault === undefined) return;
    this.#thrown = { incarnation: act.incarnation, turn };
    this.#options.faulted(act, fault);
  }

  #once(act: Act, input: string): void {
    const close = this.#deadline(act, (reason) => {
      this.#told(act, { kind: "unknown", reason: `it was not confirmed ${reason}` });
    });
    const settle = (outcome: EffectOutcome): void => {
      if (close()) this.#told(act, outcome);
    };
    void this.#attempt(act, input).then(settle, (cause: unknown) => {
      settle({ kind: "failed", error: messageOf(cause) });
    });
  }

  #untilConfirmed(act: Act, input: string, repeated: Repeated = { isOver: false, retry: undefined }): void {
    const close = this.#deadline(act, (reason) => {
      this.#again(act, input, repeated, new Error(`it did not answer ${reason}`));
    });
    void this.#attempt(act, input).then(
      (outcome) => {
        close();
        this.#confirmed(act, repeated, outcome);
      },
      (cause: unknown) => {
        if (!close()) return;
        if (isHung(cause)) this.#confirmed(act, repeated, { kind: "failed", error: cause.message });
        else this.#again(act, input, repeated, cause);
      },
    );
  }

  /** Of one attempt. @returns ends it; false: it is over already */
  #deadline(act: Act, late: (reason: string) => void): () => boolean {
    const { clock } = this.#options;
    const withinMs = this.#withinMs(act);
    const close = (): boolean => {
      clock.clearTimeout(timeout);
      return this.#timeouts.delete(timeout);
    };
    const timeout = clock.setTimeout(
      () => {
        if (close()) late(`within ${String(withinMs / 1_000)} s`);
      },
      withinMs,
      { unref: true },
    );
    this.#timeouts.add(timeout);
    return close;
  }

  #told({ key }: Act, outcome: EffectOutcome): void {
    if (!this.#abort.signal.aborted) this.#options.performed(key, outcome);
  }

  /** The first word counts, of whichever attempt. */
  #confirmed(act: Act, repeated: Repeated, outcome: EffectOutcome): void {
    if (repeated.isOver) return;
    repeated.isOver = true;
    const { retry } = repeated;
    retry?.cancel();
    if (retry !== undefined) this.#retries.delete(retry);
    this.#told(act, outcome);
  }

  #again(act: Act, input: string, repeated: Repeated, cause: unknown): void {
    if (repeated.isOver || this.#abort.signal.aborted) return;
    const { clock, random, log } = this.#options;
    const retry = (repeated.retry ??= new Retry(clock, () => random.next(), RETRY));
    this.#retries.add(retry);
    retry.later(() => {
      this.#untilConfirmed(act, input, repeated);
    });
    if (retry.failures === WARN_AT) log.warn({ err: cause, cell: act.cell, effect: act.name }, "an idempotent effect keeps failing; it is repeated until confirmed");
  }

  #withinMs({ cell, name }: Act): number {
    return this.#options.withinMs(cell, name) ?? ANSWERED_WITHIN_MS;
  }

  /** A synchronous throw and a rejection are one thing. */
  async #attempt(act: Act, input: string): Promise<EffectOutcome> {
    const implementation = this.#options.implementation(act.cell, act.name);
    if (implementation === undefined) return this.#notSupplied(act);
    const signal = guardedSignal(this.#abort.signal, (cause) => {
      this.#options.log.warn({ err: cause }, "what listens to the signal of an effect failed");
    });
    const given = { key: act.key, signal, actor: act.cell, cause: asItIsNow(act.cause) };
    return outcomeOf(asItIsNow((await this.#options.watched(act, input, () => implementation(asItIsNow(act.params) as never, given))) as EffectWord));
  }

  /** Few actors listen to `effect.failed`, so that whoever forgot it learns it from the log. */
  #notSupplied({ cell, name }: Act): EffectOutcome {
    const error = `this node does not supply the effect "${name}"`;
    if (!this.#missing.has(name)) this.#options.log.warn({ cell, effect: name }, `${error}: give the node its actor type with({ effects: { ${name} } })`);
    this.#missing.add(name);
    return { kind: "failed", error };
  }
}

/** Its key without the number within the turn. */
function turnOf(act: Act): string {
  return act.key.slice(act.key.indexOf("#"), act.key.lastIndexOf("."));
}

/** Runs an inline action. @returns what its actor's fault is, if it threw or returned a promise, which nobody would wait for */
export function runInline(act: Act, watched: (run: () => unknown) => unknown = (run) => run()): { readonly error: string; readonly code?: ErrorCode } | undefined {
  try {
    if (!isPromise(watched(() => act.run?.()))) return undefined;
    return { error: `action "${act.name}" returned a promise, for which nobody waits; invoke it as a source, or declare it as an effect`, code: "DROVER_STEP_PROMISE" };
  } catch (cause) {
    return { error: messageOf(cause), ...(isHung(cause) ? { code: cause.code } : {}) };
  }
}

function outcomeOf(word: EffectWord): EffectOutcome {
  switch (word?.kind) {
    case "refused":
      return { kind: "refused", reason: word.reason ?? "refused", ...(word.guard === undefined ? {} : { guard: word.guard }) };
    case "deadline":
      return { kind: "refused", reason: "its deadline passed before it could be done" };
    case "unknown":
      return { kind: "unknown", reason: word.reason };
    default:
      return { kind: "done" };
  }
}
