// Is a condition true now? Three values: true, false, unknown; unknown, stale or not available is never true (vehicle D3, X1).
//
// E1. A signal is known from a sample until that sample is `staleAfterMs` old; a sample without a value makes it unknown at once.
// E2. `and`, `or`, `not` are Kleene's: false and unknown is false, true or unknown is true, not unknown is unknown.
// E3. `C for D` is C over the whole window [now - D, now]: true when C was true throughout, false when it was false at some moment of it, else unknown.
//     Before the first sample, and after `forget`, the past is unknown: a vehicle that has started just now is not parked for 120 s.
// E4. Between two calls the evaluator passes through every moment at which something went stale or a window closed, so that a gap between two samples breaks
//     `for` even when nobody asked during the gap.
// E5. Time is monotonic ms and never goes back: an earlier one counts as the latest seen.
// E6. Silence is time in which one listened.
//
// Driven by samples and by a clock: whoever wants to know of changes asks again at `nextChangeMs()`.

import { createListening, type Listening } from "../../protocols/can/index.ts";
import type { GuardReport, SignalRead } from "../../runtime/index.ts";
import type { Comparison, Condition } from "./condition.ts";

export type Truth = boolean | undefined;

/** The parts of the model that it reads. */
export interface EvaluatedModel {
  /** Each after those it refers to. */
  readonly conditions: readonly { readonly name: string; readonly condition: Condition }[];
  readonly signals: readonly { readonly name: string; readonly staleAfterMs: number }[];
}

export interface ConditionEvaluator {
  /** Signals of which it wants every sample. */
  readonly signals: readonly string[];
  /** Buses and modules of which it wants to hear that a frame came. */
  readonly heardOf: readonly { readonly of: "bus" | "module"; readonly name: string }[];
  /** @param value undefined or NaN: not available; `sampledAtMs` may lie before `nowMs` (a batch), freshness counts from it */
  observe(signal: string, value: number | undefined, sampledAtMs: number, nowMs?: number): void;
  heard(of: "bus" | "module", name: string, atMs: number): void;
  /** After a start, takeover, bus-off or gap: nothing is known of the past (vehicle V1). */
  forget(nowMs: number): void;
  /** `open` is the truth; `reads` are the signals that decided it. An unknown name is unknown and reads nothing. */
  evaluate(name: string, nowMs: number): GuardReport;
  /** When the passing of time alone may change an answer, monotonic ms; undefined: not before the next sample. */
  nextChangeMs(): number | undefined;
}

interface Seen {
  readonly name: string;
  readonly staleAfterMs: number;
  value: number | undefined;
  sampledAtMs: number | undefined;
}

/** A condition with the state it needs. */
type Live =
  | { readonly kind: "compare"; readonly seen: Seen; readonly comparison: Comparison; readonly value: number }
  | { readonly kind: "silent"; readonly seen: Seen; readonly forMs: number }
  | LiveHeld
  | { readonly kind: "all" | "any"; readonly parts: readonly Live[] }
  | { readonly kind: "not"; readonly part: Live }
  | Root;

/** A named condition, judged once a moment however many others refer to it. */
interface Root {
  readonly kind: "root";
  readonly part: Live;
  moment: number;
  truth: Truth;
}

interface LiveHeld {
  readonly kind: "held";
  readonly part: Live;
  readonly forMs: number;
  now: Truth;
  /** When it was last false or unknown and had ceased to be. */
  falseUntilMs: number;
  unknownUntilMs: number;
}

/** @param startMs monotonic time of the first moment that it can know about @param listening default: one listens always */
export function createConditionEvaluator(model: EvaluatedModel, startMs: number, listening: Listening = createListening()): ConditionEvaluator {
  const staleAfter = new Map(model.signals.map((signal) => [signal.name, signal.staleAfterMs]));
  const seenByKey = new Map<string, Seen>();
  const helds: LiveHeld[] = [];
  const silents: Extract<Live, { kind: "silent" }>[] = [];
  const roots = new Map<string, Root>();
  /** Raised whenever an answer may have changed. */
  let moment = 0;
  let nowMs = startMs;
  let knownSinceMs = startMs;

  for (const { name, condition } of model.conditions) roots.set(name, { kind: "root", part: live(condition), moment: -1, truth: undefined });
  settle();

  function seen(of: "signal" | "bus" | "module", name: string): Seen {
    const key = `${of} ${name}`;
    let found = seenByKey.get(key);
    if (found === undefined) {
      found = { name, staleAfterMs: of === "signal" ? (staleAfter.get(name) ?? 0) : Number.POSITIVE_INFINITY, value: undefined, sampledAtMs: undefined };
      seenByKey.set(key, found);
    }
    return found;
  }

  function live(condition: Condition): Live {
    switch (condition.kind) {
      case "compare":
        return { kind: "compare", seen: seen("signal", condition.signal), comparison: condition.comparison, value: condition.value };
      case "silent": {
        const made = { kind: "silent", seen: seen(condition.of, condition.name), forMs: condition.forMs } as const;
        silents.push(made);
        return made;
      }
      case "held": {
        const made: LiveHeld = {
          kind: "held",
          part: live(condition.condition),
          forMs: condition.forMs,
          now: undefined,
          falseUntilMs: Number.NEGATIVE_INFINITY,
          unknownUntilMs: startMs,
        };
        helds.push(made);
        return made;
      }
      case "all":
      case "any":
        return { kind: condition.kind, parts: condition.conditions.map(live) };
      case "not":
        return { kind: "not", part: live(condition.condition) };
      case "named":
        // The model lists a condition after those it refers to; a name that is missing is unknown for ever.
        return roots.get(condition.name) ?? { kind: "any", parts: [{ kind: "compare", seen: seen("signal", condition.name), comparison: "=", value: Number.NaN }] };
    }
  }

  function truth(node: Live): Truth {
    switch (node.kind) {
      case "compare": {
        const { value, sampledAtMs, staleAfterMs } = node.seen;
        if (value === undefined || sampledAtMs === undefined || nowMs - sampledAtMs >= staleAfterMs) return undefined;
        return compare(value, node.comparison, node.value);
      }
      case "silent": {
        if (node.seen.sampledAtMs !== undefined) return listening.listenedMs(node.seen.sampledAtMs, nowMs) >= node.forMs;
        return listening.listenedMs(knownSinceMs, nowMs) >= node.forMs ? true : undefined;
      }
      case "held": {
        const from = nowMs - node.forMs;
        if (node.now === false || node.falseUntilMs > from) return false;
        return node.now === undefined || node.unknownUntilMs > from ? undefined : true;
      }
      case "all":
        return conjunction(node.parts.map(truth));
      case "any":
        return not(conjunction(node.parts.map((part) => not(truth(part)))));
      case "not":
        return not(truth(node.part));
      case "root":
        if (node.moment !== moment) {
          node.truth = truth(node.part);
          node.moment = moment;
        }
        return node.truth;
    }
  }

  /** Moves to `atMs`: what held until now held up to this moment. */
  function moveTo(atMs: number): void {
    nowMs = atMs;
    moment++;
    for (const held of helds) {
      if (held.now === false) held.falseUntilMs = atMs;
      if (held.now === undefined) held.unknownUntilMs = atMs;
    }
  }

  /** Takes over the present truth; inner ones first, as `helds` lists them. */
  function settle(): void {
    moment++;
    for (const held of helds) held.now = truth(held.part);
  }

  function nextChange(): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    const consider = (atMs: number): void => {
      if (atMs > nowMs && atMs < next) next = atMs;
    };
    for (const { sampledAtMs, staleAfterMs } of seenByKey.values()) if (sampledAtMs !== undefined) consider(sampledAtMs + staleAfterMs);
    for (const { seen: heard, forMs } of silents) consider(listening.reachedMs(heard.sampledAtMs ?? knownSinceMs, forMs));
    // While its part is false a window stays false, however long: only a value that has ceased leaves the window at a known moment.
    for (const held of helds) {
      if (held.now !== false) consider(held.falseUntilMs + held.forMs);
      if (held.now === true) consider(held.unknownUntilMs + held.forMs);
    }
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** E4. Through every moment of change before `atMs`, then to it. */
  function passTo(atMs: number): void {
    if (!(atMs > nowMs)) return;
    for (let next = nextChange(); next !== undefined && next < atMs; next = nextChange()) {
      moveTo(next);
      settle();
    }
    moveTo(atMs);
  }

  function take(target: Seen | undefined, value: number | undefined, sampledAtMs: number, atMs: number): void {
    if (target === undefined) return;
    passTo(atMs);
    moveTo(nowMs);
    target.value = value === undefined || Number.isNaN(value) ? undefined : value;
    target.sampledAtMs = Math.min(Math.max(sampledAtMs, target.sampledAtMs ?? Number.NEGATIVE_INFINITY), nowMs);
    settle();
  }

  function read(target: Seen): SignalRead {
    return { signal: target.name, value: target.value, ageMs: target.sampledAtMs === undefined ? undefined : Math.max(0, nowMs - target.sampledAtMs) };
  }

  /** The leaves that made it what it is: of a false `and` the false parts, of an unknown one the unknown parts, of a true one all. */
  function deciding(node: Live, found: Set<Seen>, visited: Set<Live>): void {
    if (visited.has(node)) return;
    visited.add(node);
    if (node.kind === "compare" || node.kind === "silent") found.add(node.seen);
    else if (node.kind === "not" || node.kind === "held" || node.kind === "root") deciding(node.part, found, visited);
    else {
      const own = truth(node);
      for (const part of node.parts) if (truth(part) === own) deciding(part, found, visited);
    }
  }

  return {
    signals: [...seenByKey.keys()].filter((key) => key.startsWith("signal ")).map((key) => key.slice("signal ".length)),
    heardOf: [...seenByKey.keys()]
      .filter((key) => !key.startsWith("signal "))
      .map((key) => ({ of: key.startsWith("bus ") ? ("bus" as const) : ("module" as const), name: key.slice(key.indexOf(" ") + 1) })),
    observe: (signal, value, sampledAtMs, atMs = sampledAtMs) => {
      take(seenByKey.get(`signal ${signal}`), value, sampledAtMs, Math.max(atMs, sampledAtMs));
    },
    heard: (of, name, atMs) => {
      take(seenByKey.get(`${of} ${name}`), undefined, atMs, atMs);
    },
    forget: (atMs) => {
      passTo(atMs);
      knownSinceMs = nowMs;
      for (const target of seenByKey.values()) {
        target.value = undefined;
        target.sampledAtMs = undefined;
      }
      for (const held of helds) {
        held.falseUntilMs = Number.NEGATIVE_INFINITY;
        held.unknownUntilMs = nowMs;
      }
      settle();
    },
    evaluate: (name, atMs) => {
      passTo(atMs);
      settle();
      const root = roots.get(name);
      if (root === undefined) return { condition: name, open: undefined, reads: [] };
      const found = new Set<Seen>();
      deciding(root, found, new Set());
      return { condition: name, open: truth(root), reads: [...found].map(read) };
    },
    nextChangeMs: nextChange,
  };
}

function compare(left: number, comparison: Comparison, right: number): boolean {
  switch (comparison) {
    case "=":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
  }
}

function not(value: Truth): Truth {
  return value === undefined ? undefined : !value;
}

function conjunction(values: readonly Truth[]): Truth {
  if (values.includes(false)) return false;
  return values.includes(undefined) ? undefined : true;
}
