// Which signal selects which. SG_MUL_VAL_ says it fully where it stands; else `mN` belongs to the message's `M`. Ranges are kept, never expanded (0-4294967295 occurs).
// Broken files: a lone `m` that SG_MUL_VAL_ names as a switch is one; a child without any switch, or in a circle, is always there; each with a diagnostic.
//
// M1. What a switch selects that cannot be read itself is left out, and all below it: no frame tells when it is there.

import type { MuxCondition, MuxRange } from "../model/index.ts";
import { type DiagnosticLog, quote } from "./diagnostics.ts";
import type { At, LostSignal, SignalSyntax } from "./syntax.ts";

const MAX_LEVELS = 32;
const NO_SWITCHES: ReadonlySet<number> = new Set();

export interface MuxRangesOfSignal {
  readonly at: At;
  readonly switchName: string;
  readonly ranges: readonly MuxRange[];
}

export interface Multiplexing {
  /** The given signals without those that a lost switch selects. */
  readonly usable: readonly SignalSyntax[];
  /** By index in `usable`; undefined or absent: always there. */
  readonly conditions: readonly (MuxCondition | undefined)[];
  readonly switches: ReadonlySet<number>;
}

/** What selects a signal; "lost": a switch that cannot be read; undefined: nothing. */
type Selection = MuxCondition | "lost" | undefined;

interface Message {
  readonly signals: readonly SignalSyntax[];
  readonly lost: readonly LostSignal[];
  readonly lostNames: ReadonlySet<string>;
  readonly indexByName: ReadonlyMap<string, number>;
  readonly switches: ReadonlySet<number>;
  /** Switches that an `mN` without SG_MUL_VAL_ may mean. */
  readonly roots: readonly number[];
  readonly log: DiagnosticLog;
}

/** @param lost signals of the message that are not among `signals` @param extended SG_MUL_VAL_ statements by the child's name */
export function resolveMultiplexing(
  signals: readonly SignalSyntax[],
  lost: readonly LostSignal[],
  extended: ReadonlyMap<string, readonly MuxRangesOfSignal[]>,
  log: DiagnosticLog,
): Multiplexing {
  if (extended.size === 0 && !signals.some((signal) => signal.muxMark.isSwitch || signal.muxMark.isChild)) return { usable: signals, conditions: [], switches: NO_SWITCHES };
  const indexByName = new Map(signals.map((signal, index) => [signal.name, index] as const).toReversed());
  const named = new Set([...extended.values()].flat().map((entry) => entry.switchName));
  const switches = new Set(signals.flatMap((signal, index) => (signal.muxMark.isSwitch || named.has(signal.name) ? [index] : [])));
  const roots = [...switches].filter((index) => signals[index]?.muxMark.isChild !== true || signals[index].muxMark.value === undefined);
  const lostNames = new Set(lost.map((signal) => signal.name).filter((name) => name !== "" && !indexByName.has(name)));
  const message: Message = { signals, lost, lostNames, indexByName, switches, roots, log };
  const selections = signals.map((signal, index): Selection => {
    const entries = indexByName.get(signal.name) === index ? (extended.get(signal.name) ?? []) : [];
    return entries.length > 0 ? extendedSelection(signal, entries, message) : plainSelection(signal, index, message);
  });
  signals.forEach((signal, index) => {
    const selection = selections[index];
    if (selection === undefined || selection === "lost" || !isInexact(selection, signals)) return;
    log.add("error", "switch-inexact", `${quote(signal.name)} is selected by values beyond 2^53 of its switch, which cannot be told from their neighbours`, signal.at);
  });
  const conditions = selections.map((selection) => (selection === "lost" ? undefined : selection));
  breakCircles(signals, conditions, log);
  return withoutLost(selections, conditions, message);
}

/** A switch's raw value is compared as a double. The end of all values of its bits is no harm. */
function isInexact({ switchIndex, ranges }: MuxCondition, signals: readonly SignalSyntax[]): boolean {
  const end = 2 ** (signals[switchIndex]?.size ?? 0);
  return ranges.some(({ low, high }) => low > Number.MAX_SAFE_INTEGER || (high > Number.MAX_SAFE_INTEGER && high < end));
}

function extendedSelection(signal: SignalSyntax, entries: readonly MuxRangesOfSignal[], { indexByName, lostNames, log }: Message): Selection {
  const first = entries[0];
  const switchIndex = first === undefined ? undefined : indexByName.get(first.switchName);
  if (first === undefined || switchIndex === undefined) {
    if (first !== undefined && lostNames.has(first.switchName)) return "lost";
    log.add(
      "error",
      "switch-unknown",
      `SG_MUL_VAL_ names ${quote(first?.switchName ?? "")} as the switch of ${quote(signal.name)}, which is no signal of this message; read as always there`,
      first?.at ?? signal.at,
    );
    return undefined;
  }
  const same = entries.filter((entry) => entry.switchName === first.switchName);
  if (same.length < entries.length) log.add("error", "switch-contradicted", `${quote(signal.name)} has two switches; ${quote(first.switchName)}, the first, is used`, first.at);
  return { switchIndex, ranges: inOrder(same.flatMap((entry) => entry.ranges)) };
}

function plainSelection(signal: SignalSyntax, index: number, { lost, roots, switches, log }: Message): Selection {
  const { isChild, value } = signal.muxMark;
  if (!isChild || (value === undefined && switches.has(index))) return undefined;
  const candidates = roots.length - (roots.includes(index) ? 1 : 0);
  // Where a switch is there, a line that broke off before its mark is taken for an ordinary signal.
  if (lost.some((other) => other.isSwitch ?? candidates === 0)) return "lost";
  const switchIndex = roots[0] === index ? roots[1] : roots[0];
  if (switchIndex === undefined || value === undefined) {
    const reason = value === undefined ? "has no switch value" : "the message has no switch";
    log.add("error", "switch-missing", `${quote(signal.name)} is marked as multiplexed but ${reason}; read as always there`, signal.at);
    return undefined;
  }
  if (candidates > 1) log.add("error", "switch-ambiguous", `${quote(signal.name)} does not say which of ${String(candidates)} switches selects it; the first is used`, signal.at);
  return { switchIndex, ranges: [{ low: value, high: value }] };
}

/** Ascending and disjoint, so that a value is found by halves. */
function inOrder(ranges: readonly MuxRange[]): readonly MuxRange[] {
  const merged: MuxRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.low - b.low)) {
    const last = merged.at(-1);
    if (last === undefined || range.low > last.high) merged.push(range);
    else if (range.high > last.high) merged[merged.length - 1] = { low: last.low, high: range.high };
  }
  return merged;
}

/** Also cuts chains of more than 32 switches: the code of a signal holds one condition a level. */
function breakCircles(signals: readonly SignalSyntax[], conditions: (MuxCondition | undefined)[], log: DiagnosticLog): void {
  const levels = new Map<number, number>();
  signals.forEach((_, index) => {
    const chain = new Set<number>();
    let at: number | undefined = index;
    for (; at !== undefined && !levels.has(at) && !chain.has(at); at = conditions[at]?.switchIndex) chain.add(at);
    const circle = at !== undefined && chain.has(at);
    let level = at === undefined || circle ? -1 : (levels.get(at) ?? -1);
    for (const link of [...chain].toReversed()) {
      const signal = signals[link];
      if (signal !== undefined && ((circle && link === at) || level + 1 > MAX_LEVELS)) {
        log.add(
          "error",
          circle ? "switch-circle" : "switch-too-deep",
          `the multiplexers of ${quote(signal.name)} ${circle ? "select each other in a circle" : "are nested too deep"}; read as always there`,
          signal.at,
        );
        conditions[link] = undefined;
        level = -1;
      }
      level++;
      levels.set(link, level);
    }
  });
}

function withoutLost(selections: readonly Selection[], conditions: readonly (MuxCondition | undefined)[], { signals, switches, log }: Message): Multiplexing {
  if (!selections.includes("lost")) return { usable: signals, conditions, switches };
  const isLost = (index: number): boolean => {
    for (let at: number | undefined = index; at !== undefined; at = conditions[at]?.switchIndex) if (selections[at] === "lost") return true;
    return false;
  };
  const kept = signals.flatMap((signal, index) => {
    if (!isLost(index)) return [index];
    log.add("error", "switch-lost", `${quote(signal.name)} is left out: the switch that selects it cannot be read`, signal.at);
    return [];
  });
  const movedTo = new Map(kept.map((index, at) => [index, at] as const));
  return {
    usable: kept.flatMap((index) => signals[index] ?? []),
    conditions: kept.map((index) => {
      const condition = conditions[index];
      return condition === undefined ? undefined : { ...condition, switchIndex: movedTo.get(condition.switchIndex) ?? 0 };
    }),
    switches: new Set([...switches].flatMap((index) => movedTo.get(index) ?? [])),
  };
}
