// The attempts of one effect and the words on it, on a clock that moves when told: how rarely it is repeated, and that one word counts, whenever the others come.

import { test } from "tap";
import type { EffectClass, EffectOutcome } from "../../../runtime/entity/contract.ts";
import type { Log } from "../../../runtime/ports/index.ts";
import { ManualClock, SeededRandom, settle } from "../../../runtime/simulation/index.ts";
import { Effects, type EffectsOptions } from "../../../runtime/system/effects.ts";

const CELL = "acme/lamp/a";
const WITHIN_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

interface Attempt {
  readonly atMs: number;
  readonly key: string;
  readonly isStopped: () => boolean;
  confirm(word?: unknown): void;
  fail(): void;
}

interface Stand {
  readonly clock: ManualClock;
  readonly effects: Effects;
  readonly attempts: Attempt[];
  readonly words: EffectOutcome[];
  readonly warnings: string[];
  perform(declared: EffectClass): void;
}

/** @param withinMs of each attempt */
function stand(withinMs = WITHIN_MS): Stand {
  const clock = new ManualClock();
  const attempts: Attempt[] = [];
  const words: EffectOutcome[] = [];
  const warnings: string[] = [];
  const log: Log = { debug: () => undefined, info: () => undefined, warn: (_, message) => void warnings.push(message), error: () => undefined, child: () => log };
  const implementation: EffectsOptions["implementation"] =
    () =>
    (_, { key, signal }) =>
      new Promise((resolve, reject) => {
        const fail = (): void => {
          reject(new Error("no light"));
        };
        attempts.push({ atMs: clock.monotonic(), key, isStopped: () => signal.aborted, confirm: resolve, fail });
      });
  const effects = new Effects({
    clock,
    random: new SeededRandom(1),
    log,
    implementation,
    withinMs: () => withinMs,
    watched: (_act, _input, run) => run(),
    performed: (_key, outcome) => void words.push(outcome),
    faulted: () => undefined,
  });
  const perform = (declared: EffectClass): void => {
    const cause = { author: undefined, messageId: undefined };
    effects.perform({ kind: "act", cell: CELL as never, incarnation: 1, key: `${CELL}#1.0`, name: "light", params: {}, declared, cause } as never, "");
  };
  return { clock, effects, attempts, words, warnings, perform };
}

const last = ({ attempts }: Stand): Attempt => attempts.at(-1) as Attempt;

test("F1, S5. an idempotent effect that fails for hours is tried ever more rarely, and at least every 30 s; its log says so once, at the third failure", async (t) => {
  const one = stand(LONGEST_WAIT_MS * 2);
  one.perform("idempotent");
  for (let failures = 1; failures <= 30; failures++) {
    await settle();
    t.equal(one.attempts.length, failures);
    last(one).fail();
    await settle();
    t.equal(one.warnings.length, failures < 3 ? 0 : 1);
    await one.clock.advance(LONGEST_WAIT_MS);
  }
  const waits = one.attempts.slice(1).map(({ atMs }, at) => atMs - (one.attempts[at]?.atMs ?? 0));
  t.ok((waits[0] ?? 0) <= LONGEST_WAIT_MS);
  t.match(one.warnings, [/repeated until confirmed/]);
  t.equal(new Set(one.attempts.map(({ key }) => key)).size, 1, "under one key");
  t.same(one.words, [], "nobody is told before it is confirmed");
  last(one).confirm();
  await one.clock.advance(LONGEST_WAIT_MS * 2);
  t.same(one.words, [{ kind: "done" }]);
  t.equal(one.attempts.length, 31);
});

test("F1. the wait after failure n of an idempotent effect is within the half and the whole of 200 ms times 2^n, of 30 s at most", async (t) => {
  const one = stand(LONGEST_WAIT_MS * 2);
  one.perform("idempotent");
  for (let failure = 0; failure < 12; failure++) {
    const failedAt = one.clock.monotonic();
    last(one).fail();
    await settle();
    while (one.attempts.length < failure + 2) await one.clock.advance(10);
    const whole = Math.min(LONGEST_WAIT_MS, 200 * 2 ** failure);
    const ms = last(one).atMs - failedAt;
    t.ok(ms >= whole / 2 && ms <= whole, `${String(ms)} of ${String(whole)} ms`);
  }
  one.effects.stop();
});

test("F1. an attempt that fails after its time is over begins no further one beside the one that is under way", async (t) => {
  const one = stand();
  one.perform("idempotent");
  await one.clock.advance(WITHIN_MS + 200);
  t.equal(one.attempts.length, 2, "it did not answer, so that there is a second");
  one.attempts[0]?.fail();
  await one.clock.advance(WITHIN_MS - 201);
  t.equal(one.attempts.length, 2, "the second still has its time");
  one.attempts[1]?.confirm();
  await one.clock.advance(LONGEST_WAIT_MS);
  t.same(one.words, [{ kind: "done" }]);
  t.equal(one.attempts.length, 2);
});

test("F1. once one attempt of an idempotent effect is confirmed it is over: what another one says, or throws, tells nobody and begins nothing", async (t) => {
  for (const later of ["confirm", "fail"] as const) {
    const one = stand();
    one.perform("idempotent");
    await one.clock.advance(WITHIN_MS + 200);
    t.equal(one.attempts.length, 2);
    one.attempts[0]?.confirm();
    await settle();
    t.same(one.words, [{ kind: "done" }]);
    one.attempts[1]?.[later]();
    await one.clock.advance(LONGEST_WAIT_MS * 2);
    t.same(one.words, [{ kind: "done" }], later);
    t.equal(one.attempts.length, 2, later);
    t.equal(one.clock.pending, 0, later);
  }
});

test("F1, F2. a once or state effect is tried once and has one word: what comes after `unknown` is not told", async (t) => {
  for (const declared of ["once", "state"] as const)
    for (const later of ["confirm", "fail"] as const) {
      const one = stand();
      one.perform(declared);
      await one.clock.advance(WITHIN_MS - 1);
      t.same(one.words, []);
      await one.clock.advance(1);
      const unknown = { kind: "unknown", reason: "it was not confirmed within 1 s" } as const;
      t.same(one.words, [unknown]);
      one.attempts[0]?.[later]();
      await one.clock.advance(LONGEST_WAIT_MS * 2);
      t.same(one.words, [unknown], `${declared}, ${later}`);
      t.equal(one.attempts.length, 1, "and it is not repeated");
    }
  const failed = stand();
  failed.perform("state");
  last(failed).fail();
  await failed.clock.advance(LONGEST_WAIT_MS * 2);
  t.same(failed.words, [{ kind: "failed", error: "no light" }]);
  t.equal(failed.attempts.length, 1);
});

test("F1, F2. after a stop nothing is begun and nobody is told: what is under way is told to stop, and stays open for the recovery", async (t) => {
  for (const declared of ["idempotent", "once", "state"] as const)
    for (const end of ["confirm", "fail", undefined] as const) {
      const one = stand();
      one.perform(declared);
      t.equal(last(one).isStopped(), false);
      one.effects.stop();
      t.equal(last(one).isStopped(), true);
      if (end !== undefined) last(one)[end]();
      await one.clock.advance(LONGEST_WAIT_MS * 2);
      one.perform(declared);
      await settle();
      t.same(one.words, [], `${declared}, ${String(end)}`);
      t.equal(one.attempts.length, 1);
      t.equal(one.clock.pending, 0);
    }
  const waiting = stand();
  waiting.perform("idempotent");
  last(waiting).fail();
  await settle();
  waiting.effects.stop();
  await waiting.clock.advance(LONGEST_WAIT_MS * 2);
  t.equal(waiting.attempts.length, 1, "nor is what waited for its next attempt");
});

test("F1. what an implementation says becomes the effect's outcome, word by word", async (t) => {
  const guard = { name: "isParked", value: false } as const;
  for (const [word, outcome] of [
    [undefined, { kind: "done" }],
    [
      { kind: "refused", reason: "the bus is closed", guard },
      { kind: "refused", reason: "the bus is closed", guard },
    ],
    [{ kind: "refused" }, { kind: "refused", reason: "refused" }],
    [{ kind: "deadline" }, { kind: "refused", reason: "its deadline passed before it could be done" }],
    [
      { kind: "unknown", reason: "no echo" },
      { kind: "unknown", reason: "no echo" },
    ],
  ] as const)
    for (const declared of ["idempotent", "once", "state"] as const) {
      const one = stand();
      one.perform(declared);
      last(one).confirm(word);
      await one.clock.advance(LONGEST_WAIT_MS * 2);
      t.same(one.words, [outcome], `${declared}: ${JSON.stringify(word)}`);
      t.equal(one.attempts.length, 1, "and an idempotent one is not repeated either");
    }
});
