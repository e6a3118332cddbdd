// When a condition is true: freshness, three values, windows of time; and the same answers as a naive evaluator that walks every millisecond.

import { test } from "tap";
import { type Condition, type ConditionEvaluator, createConditionEvaluator, type Truth } from "../../../actors/vehicle-file/index.ts";
import { createListening } from "../../../protocols/can/index.ts";
import { mulberry32 } from "../../../runtime/simulation/seeded-random.ts";

const slow: Condition = { kind: "compare", signal: "Speed", comparison: "<", value: 3 };
const unplugged: Condition = { kind: "compare", signal: "Tow", comparison: "=", value: 0 };
const signals = [
  { name: "Speed", staleAfterMs: 1000 },
  { name: "Tow", staleAfterMs: 5000 },
];

function evaluatorOf(condition: Condition, startMs = 0): ConditionEvaluator {
  return createConditionEvaluator({ conditions: [{ name: "it", condition }], signals }, startMs);
}

test("D3, X1. Unknown, stale or not available is never true", (t) => {
  const it = evaluatorOf(slow);
  t.same(it.evaluate("it", 0), { condition: "it", open: undefined, reads: [{ signal: "Speed", value: undefined, ageMs: undefined }] });
  it.observe("Speed", 2, 100);
  t.same(it.evaluate("it", 350), { condition: "it", open: true, reads: [{ signal: "Speed", value: 2, ageMs: 250 }] });
  t.equal(it.evaluate("it", 1099).open, true);
  t.same(it.evaluate("it", 1100), { condition: "it", open: undefined, reads: [{ signal: "Speed", value: 2, ageMs: 1000 }] });
  it.observe("Speed", undefined, 1200);
  t.equal(it.evaluate("it", 1200).open, undefined);
  it.observe("Speed", Number.NaN, 1300);
  t.equal(it.evaluate("it", 1300).open, undefined);
  it.observe("Speed", 5, 1400);
  t.equal(it.evaluate("it", 1400).open, false);
  t.equal(it.evaluate("nobody", 1400).open, undefined);
  t.end();
});

test("D3. not, and, or are three-valued: not unknown opens nothing", (t) => {
  const values: readonly Truth[] = [true, false, undefined];
  const set = (it: ConditionEvaluator, signal: string, value: Truth, yes: number, no: number): void => {
    if (value !== undefined) it.observe(signal, value ? yes : no, 10);
  };
  for (const a of values) {
    for (const b of values) {
      for (const kind of ["all", "any"] as const) {
        const it = evaluatorOf({ kind, conditions: [slow, unplugged] });
        set(it, "Speed", a, 0, 9);
        set(it, "Tow", b, 0, 1);
        const short = kind === "any";
        t.equal(it.evaluate("it", 10).open, a === short || b === short ? short : a === undefined || b === undefined ? undefined : !short, `${String(a)} ${kind} ${String(b)}`);
      }
    }
    const it = evaluatorOf({ kind: "not", condition: slow });
    set(it, "Speed", a, 0, 9);
    t.equal(it.evaluate("it", 10).open, a === undefined ? undefined : !a, `not ${String(a)}`);
  }
  t.end();
});

test("D3. for is true without a break: a vehicle that has started just now is not parked", (t) => {
  const it = evaluatorOf({ kind: "held", condition: slow, forMs: 120_000 }, 1000);
  let now = 1000;
  const run = (untilMs: number, value: number | undefined): void => {
    for (; now < untilMs; now += 500) it.observe("Speed", value, now);
  };
  run(60_000, 0);
  t.equal(it.evaluate("it", now).open, undefined, "nothing is known of the time before the start");
  run(121_000, 0);
  t.equal(it.evaluate("it", 120_999).open, undefined);
  t.equal(it.evaluate("it", 121_000).open, true);
  now = 121_000;
  it.observe("Speed", 4, now);
  t.equal(it.evaluate("it", now).open, false);
  now += 1;
  run(200_000, 0);
  t.equal(it.evaluate("it", now).open, false, "it moved less than 120 s ago");
  run(245_000, 0);
  t.equal(it.evaluate("it", now).open, true);
  t.end();
});

test("D3. A gap in the signal breaks for, even when nobody asked during the gap", (t) => {
  const it = evaluatorOf({ kind: "held", condition: slow, forMs: 3000 });
  for (let now = 0; now <= 4000; now += 500) it.observe("Speed", 0, now);
  t.equal(it.evaluate("it", 4000).open, true);
  it.observe("Speed", 0, 6000);
  t.equal(it.evaluate("it", 6000).open, undefined, "from 5000 to 6000 it was stale");
  for (let now = 6500; now < 9000; now += 500) it.observe("Speed", 0, now);
  t.equal(it.evaluate("it", 8999).open, undefined);
  t.equal(it.evaluate("it", 9000).open, true);
  t.end();
});

test("X1, V1. After a gap, a bus-off or a takeover nothing is known: forget shuts every guard", (t) => {
  const it = evaluatorOf({ kind: "held", condition: slow, forMs: 1000 });
  for (let now = 0; now <= 2000; now += 500) it.observe("Speed", 0, now);
  t.equal(it.evaluate("it", 2000).open, true);
  it.forget(2100);
  t.equal(it.evaluate("it", 2100).open, undefined);
  it.observe("Speed", 0, 2200);
  t.equal(it.evaluate("it", 2900).open, undefined);
  it.observe("Speed", 0, 3100);
  t.equal(it.evaluate("it", 3200).open, true);
  t.end();
});

test("D3. silent for counts from the last frame, and from the start where none came", (t) => {
  const it = createConditionEvaluator({ conditions: [{ name: "asleep", condition: { kind: "silent", of: "bus", name: "can0", forMs: 5000 } }], signals: [] }, 0);
  t.same(it.heardOf, [{ of: "bus", name: "can0" }]);
  t.equal(it.evaluate("asleep", 4999).open, undefined);
  t.equal(it.evaluate("asleep", 5000).open, true);
  it.heard("bus", "can0", 6000);
  t.equal(it.evaluate("asleep", 10_999).open, false);
  t.same(it.evaluate("asleep", 11_000), { condition: "asleep", open: true, reads: [{ signal: "can0", value: undefined, ageMs: 5000 }] });
  t.end();
});

test("X1, D3. A silence during which nobody listened opens no guard: silent for counts the time in which one did", (t) => {
  const listening = createListening();
  const silent = { kind: "silent", of: "bus", name: "can0", forMs: 5000 } as const;
  const it = createConditionEvaluator({ conditions: [{ name: "asleep", condition: silent }], signals: [] }, 0, listening);
  it.heard("bus", "can0", 1000);
  listening.deaf(2000, 9000);
  t.equal(it.evaluate("asleep", 9000).open, false);
  t.equal(it.nextChangeMs(), 13_000);
  t.equal(it.evaluate("asleep", 12_999).open, false);
  t.equal(it.evaluate("asleep", 13_000).open, true);
  t.end();
});

test("X1. The report names the values that decided, and only those", (t) => {
  const it = evaluatorOf({ kind: "all", conditions: [slow, unplugged] });
  it.observe("Speed", 2, 0);
  it.observe("Tow", 1, 100);
  t.same(it.evaluate("it", 150), { condition: "it", open: false, reads: [{ signal: "Tow", value: 1, ageMs: 50 }] });
  it.observe("Tow", 0, 200);
  t.same(
    it.evaluate("it", 200).reads.map((read) => read.signal),
    ["Speed", "Tow"],
  );
  t.same(it.evaluate("it", 1100), { condition: "it", open: undefined, reads: [{ signal: "Speed", value: 2, ageMs: 1100 }] });
  t.end();
});

test("the next change says when time alone may change an answer", (t) => {
  const it = evaluatorOf({ kind: "held", condition: slow, forMs: 700 });
  t.equal(it.nextChangeMs(), undefined);
  it.observe("Speed", 0, 0);
  t.equal(it.nextChangeMs(), 700);
  t.equal(it.evaluate("it", 700).open, true);
  t.equal(it.nextChangeMs(), 1000);
  t.equal(it.evaluate("it", 1000).open, undefined);
  t.equal(it.nextChangeMs(), undefined);
  t.end();
});

test("a long pause is passed in few steps", (t) => {
  const it = evaluatorOf({ kind: "held", condition: slow, forMs: 1 });
  it.observe("Speed", 9, 0);
  it.observe("Tow", 9, 0);
  t.equal(it.evaluate("it", 10 * 365 * 86_400_000).open, undefined);
  it.observe("Speed", 9, 1e15);
  it.evaluate("it", 1e15 + 999);
  t.end();
});

test("conditions that refer to each other twice are judged once each", (t) => {
  const named = (name: string): Condition => ({ kind: "named", name });
  const conditions: { name: string; condition: Condition }[] = [{ name: "c0", condition: slow }];
  for (let index = 0; index < 31; index++) {
    const twice: readonly Condition[] = [named(`c${String(index)}`), { kind: "held", condition: named(`c${String(index)}`), forMs: 1 }];
    conditions.push({ name: `c${String(index + 1)}`, condition: { kind: index % 2 === 0 ? "all" : "any", conditions: twice } });
  }
  const it = createConditionEvaluator({ conditions, signals }, 0);
  it.observe("Speed", 0, 10);
  t.equal(it.evaluate("c31", 100).open, true);
  t.same(
    it.evaluate("c31", 100).reads.map((read) => read.signal),
    ["Speed"],
  );
  t.end();
});

test("time that goes back counts as the latest seen, and a late sample is as old as it is", (t) => {
  const it = evaluatorOf(slow);
  it.observe("Speed", 0, 500, 900);
  t.equal(it.evaluate("it", 100).reads[0]?.ageMs, 400);
  t.equal(it.evaluate("it", 1499).open, true);
  t.equal(it.evaluate("it", 1500).open, undefined);
  t.end();
});

// The naive evaluator: every moment is a point (millisecond, how many events of it have happened); every window is walked point by point.

type Happening = { readonly atMs: number } & (
  | { readonly kind: "sample"; readonly signal: string; readonly value: number | undefined }
  | { readonly kind: "heard"; readonly name: string }
  | { readonly kind: "ask" }
);

class NaiveEvaluator {
  readonly #happenings: readonly Happening[];
  readonly #staleAfterMs: ReadonlyMap<string, number>;
  readonly #known = new Map<string, Truth>();

  constructor(happenings: readonly Happening[], staleAfterMs: ReadonlyMap<string, number>) {
    this.#happenings = happenings;
    this.#staleAfterMs = staleAfterMs;
  }

  /** Truth at `atMs` after the first `count` happenings. */
  truth(condition: Condition, id: string, atMs: number, count: number): Truth {
    const key = `${id} ${String(atMs)} ${String(count)}`;
    if (!this.#known.has(key)) this.#known.set(key, this.#compute(condition, id, atMs, count));
    return this.#known.get(key);
  }

  #compute(condition: Condition, id: string, atMs: number, count: number): Truth {
    if (atMs < 0) return undefined;
    const past = this.#happenings.slice(0, count);
    switch (condition.kind) {
      case "compare": {
        const last = past.findLast((happening) => happening.kind === "sample" && happening.signal === condition.signal);
        if (last?.kind !== "sample" || last.value === undefined || atMs - last.atMs >= (this.#staleAfterMs.get(condition.signal) ?? 0)) return undefined;
        return condition.comparison === "<" ? last.value < condition.value : last.value !== condition.value;
      }
      case "silent": {
        const last = past.findLast((happening) => happening.kind === "heard" && happening.name === condition.name);
        return last === undefined ? (atMs >= condition.forMs ? true : undefined) : atMs - last.atMs >= condition.forMs;
      }
      case "not": {
        const inner = this.truth(condition.condition, `${id}n`, atMs, count);
        return inner === undefined ? undefined : !inner;
      }
      case "all":
      case "any": {
        const found = condition.conditions.map((part, index) => this.truth(part, `${id}${String(index)}`, atMs, count));
        const short = condition.kind === "any";
        return found.includes(short) ? short : found.includes(undefined) ? undefined : !short;
      }
      case "held": {
        let isUnknown = false;
        for (const [ms, happened] of this.#pointsOf(atMs - condition.forMs, atMs, count)) {
          const inner = this.truth(condition.condition, `${id}h`, ms, happened);
          if (inner === false) return false;
          isUnknown ||= inner === undefined;
        }
        return isUnknown ? undefined : true;
      }
      case "named":
        throw new Error("not used");
    }
  }

  /** The last point of the first millisecond, and every point of the others. */
  *#pointsOf(fromMs: number, toMs: number, count: number): Iterable<readonly [number, number]> {
    for (let ms = fromMs; ms <= toMs; ms++) {
      const before = this.#happenings.slice(0, count).filter((happening) => happening.atMs < ms).length;
      const within = this.#happenings.slice(0, count).filter((happening) => happening.atMs === ms).length;
      if (within === 0) yield [ms, before];
      else for (let taken = ms === fromMs ? within : 1; taken <= within; taken++) yield [ms, before + taken];
    }
  }
}

test("D3. Any condition over any samples answers as a naive evaluator that walks every millisecond", (t) => {
  const draw = mulberry32(7);
  const pick = (below: number): number => draw() % below;
  const stale = new Map([
    ["X", 7],
    ["Y", 15],
  ]);
  const make = (depth: number): Condition => {
    const kind = depth === 0 ? pick(3) : pick(9);
    if (kind < 2) return { kind: "compare", signal: kind === 0 ? "X" : "Y", comparison: pick(2) === 0 ? "<" : "!=", value: pick(3) };
    if (kind === 2) return { kind: "silent", of: "bus", name: "can0", forMs: 1 + pick(12) };
    if (kind < 6) return { kind: "held", condition: make(depth - 1), forMs: 1 + pick(12) };
    if (kind === 6) return { kind: "not", condition: make(depth - 1) };
    return { kind: kind === 7 ? "all" : "any", conditions: [make(depth - 1), make(depth - 1)] };
  };
  let asked = 0;
  const seen = new Map<Truth, number>();
  for (let round = 0; round < 400; round++) {
    const condition = make(3);
    const happenings: Happening[] = [];
    for (let atMs = 0; atMs < 45; atMs += pick(5)) {
      const kind = pick(8);
      if (kind < 4) happenings.push({ kind: "sample", atMs, signal: pick(2) === 0 ? "X" : "Y", value: pick(6) === 0 ? undefined : pick(3) });
      else if (kind === 4) happenings.push({ kind: "heard", atMs, name: "can0" });
      else happenings.push({ kind: "ask", atMs });
    }
    const naive = new NaiveEvaluator(happenings, stale);
    const it = createConditionEvaluator({ conditions: [{ name: "it", condition }], signals: [...stale].map(([name, staleAfterMs]) => ({ name, staleAfterMs })) }, 0);
    for (const [index, happening] of happenings.entries()) {
      if (happening.kind === "sample") it.observe(happening.signal, happening.value, happening.atMs);
      else if (happening.kind === "heard") it.heard("bus", happening.name, happening.atMs);
      else {
        const expected = naive.truth(condition, "", happening.atMs, index + 1);
        const { open } = it.evaluate("it", happening.atMs);
        asked++;
        seen.set(open, (seen.get(open) ?? 0) + 1);
        if (open !== expected) {
          t.equal(open, expected, `round ${String(round)} at ${String(happening.atMs)}: ${JSON.stringify(condition)} over ${JSON.stringify(happenings.slice(0, index + 1))}`);
          t.end();
          return;
        }
      }
    }
  }
  t.ok(asked > 1000, `${String(asked)} answers compared`);
  for (const value of [true, false, undefined]) t.ok((seen.get(value) ?? 0) > 100, `${String(value)} ${String(seen.get(value))} times`);
  t.end();
});
