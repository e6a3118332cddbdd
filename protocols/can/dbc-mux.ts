// Which signal selects which. SG_MUL_VAL_ says it fully where it stands; else `mN` belongs to the message's `M`. Ranges are kept, never expanded (0-4294967295 occurs).
// Broken files: a lone `m` that SG_MUL_VAL_ names as a switch is one; a child without any switch, or in a circle, is always there; each with a diagnostic.

import type { MuxCondition, MuxRange } from "./database.ts";
import { type DiagnosticLog, quote } from "./dbc-diagnostics.ts";
import type { At, SignalSyntax } from "./dbc-syntax.ts";

const MAX_LEVELS = 32;

export interface MuxRangesOfSignal {
  readonly at: At;
  readonly switchName: string;
  readonly ranges: readonly MuxRange[];
}

export interface Multiplexing {
  /** By index of the signal. */
  readonly conditions: readonly (MuxCondition | undefined)[];
  readonly switches: ReadonlySet<number>;
}

/** @param extended SG_MUL_VAL_ statements by the child's name */
export function resolveMultiplexing(signals: readonly SignalSyntax[], extended: ReadonlyMap<string, readonly MuxRangesOfSignal[]>, log: DiagnosticLog): Multiplexing {
  const conditions: (MuxCondition | undefined)[] = signals.map(() => undefined);
  if (extended.size === 0 && !signals.some((signal) => signal.muxMark.isSwitch || signal.muxMark.isChild)) return { conditions, switches: new Set() };
  const indexByName = new Map(signals.map((signal, index) => [signal.name, index] as const).toReversed());
  const named = new Set([...extended.values()].flat().map((entry) => entry.switchName));
  const switches = new Set(signals.flatMap((signal, index) => (signal.muxMark.isSwitch || named.has(signal.name) ? [index] : [])));
  const roots = [...switches].filter((index) => signals[index]?.muxMark.isChild !== true || signals[index].muxMark.value === undefined);

  signals.forEach((signal, index) => {
    const entries = indexByName.get(signal.name) === index ? (extended.get(signal.name) ?? []) : [];
    conditions[index] = entries.length > 0 ? extendedCondition(signal, entries, indexByName, log) : plainCondition(signal, index, roots, switches, log);
  });
  breakCircles(signals, conditions, log);
  return { conditions, switches };
}

function extendedCondition(signal: SignalSyntax, entries: readonly MuxRangesOfSignal[], indexByName: ReadonlyMap<string, number>, log: DiagnosticLog): MuxCondition | undefined {
  const first = entries[0];
  const switchIndex = first === undefined ? undefined : indexByName.get(first.switchName);
  if (first === undefined || switchIndex === undefined) {
    log.add(
      "error",
      `SG_MUL_VAL_ names ${quote(first?.switchName ?? "")} as the switch of ${quote(signal.name)}, which is no signal of this message; read as always there`,
      first?.at ?? signal.at,
    );
    return undefined;
  }
  const same = entries.filter((entry) => entry.switchName === first.switchName);
  if (same.length < entries.length) log.add("error", `${quote(signal.name)} has two switches; ${quote(first.switchName)}, the first, is used`, first.at);
  return { switchIndex, ranges: same.flatMap((entry) => entry.ranges) };
}

function plainCondition(signal: SignalSyntax, index: number, roots: readonly number[], switches: ReadonlySet<number>, log: DiagnosticLog): MuxCondition | undefined {
  const { isChild, value } = signal.muxMark;
  if (!isChild || (value === undefined && switches.has(index))) return undefined;
  const switchIndex = roots[0] === index ? roots[1] : roots[0];
  if (switchIndex === undefined || value === undefined) {
    log.add(
      "warning",
      `${quote(signal.name)} is marked as multiplexed but ${value === undefined ? "has no switch value" : "the message has no switch"}; read as always there`,
      signal.at,
    );
    return undefined;
  }
  if (roots.length > (switches.has(index) ? 2 : 1))
    log.add("warning", `${quote(signal.name)} does not say which of ${String(roots.length)} switches selects it; the first is used`, signal.at);
  return { switchIndex, ranges: [{ low: value, high: value }] };
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
        log.add("error", `the multiplexers of ${quote(signal.name)} ${circle ? "select each other in a circle" : "are nested too deep"}; read as always there`, signal.at);
        conditions[link] = undefined;
        level = -1;
      }
      level++;
      levels.set(link, level);
    }
  });
}
