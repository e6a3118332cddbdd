// Which signal selects which. SG_MUL_VAL_ says it fully where it stands; else `mN` belongs to the message's `M`. Ranges are kept, never expanded (0-4294967295 occurs).
// Broken files: a lone `m` that SG_MUL_VAL_ names as a switch is one; a child without any switch, or in a circle, is always there; each with a diagnostic.

import type { MuxCondition, MuxRange } from "./database.ts";
import { type DiagnosticLog, quote } from "./dbc-diagnostics.ts";
import type { At, SignalSyntax } from "./dbc-syntax.ts";

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
    log.add("error", `SG_MUL_VAL_ names ${quote(first?.switchName ?? "")} as the switch of ${quote(signal.name)}, which is no signal of this message; read as always there`, first?.at ?? signal.at);
    return undefined;
  }
  const same = entries.filter((entry) => entry.switchName === first.switchName);
  if (same.length < entries.length) log.add("error", `${quote(signal.name)} has two switches; ${quote(first.switchName)}, the first, is used`, first.at);
  return { switchIndex, ranges: same.flatMap((entry) => entry.ranges) };
}

function plainCondition(signal: SignalSyntax, index: number, roots: readonly number[], switches: ReadonlySet<number>, log: DiagnosticLog): MuxCondition | undefined {
  const { isChild, value } = signal.muxMark;
  if (!isChild || (value === undefined && switches.has(index))) return undefined;
  const candidates = roots.filter((root) => root !== index);
  const switchIndex = candidates[0];
  if (switchIndex === undefined || value === undefined) {
    log.add("warning", `${quote(signal.name)} is marked as multiplexed but ${value === undefined ? "has no switch value" : "the message has no switch"}; read as always there`, signal.at);
    return undefined;
  }
  if (candidates.length > 1) log.add("warning", `${quote(signal.name)} does not say which of ${String(candidates.length)} switches selects it; the first is used`, signal.at);
  return { switchIndex, ranges: [{ low: value, high: value }] };
}

function breakCircles(signals: readonly SignalSyntax[], conditions: (MuxCondition | undefined)[], log: DiagnosticLog): void {
  const settled = new Set<number>();
  signals.forEach((signal, index) => {
    const chain = new Set<number>();
    for (let at: number | undefined = index; at !== undefined && !settled.has(at); at = conditions[at]?.switchIndex) {
      if (chain.has(at)) {
        log.add("error", `the multiplexers of ${quote(signal.name)} select each other in a circle; read as always there`, signal.at);
        conditions[at] = undefined;
        break;
      }
      chain.add(at);
    }
    for (const at of chain) settled.add(at);
  });
}
