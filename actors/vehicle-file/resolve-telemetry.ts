// What leaves the vehicle and what wakes an actor: only what is listed (vehicle D5).

import type { CheckedFile } from "./checked-file.ts";
import type { ModelFile } from "./file-schemas.ts";
import { fitsPattern, isPattern } from "./name-pattern.ts";
import { budgetBytesPerMonth, durationMs } from "./quantities.ts";
import type { CheckedSignals } from "./resolve-signals.ts";
import type { ModelTelemetry, ModelWatch } from "./vehicle-model.ts";

/** One event per 5 s per signal (vehicle V3), and one state record per 5 s. */
const DEFAULT_AT_MOST_MS = 5_000;
/** A watch faster than this would turn a bus into mail. */
const MIN_AT_MOST_MS = 10;

export function resolveWatches(file: CheckedFile, data: Partial<ModelFile>, signals: CheckedSignals): readonly ModelWatch[] {
  const watches: ModelWatch[] = [];
  for (const [signal, written] of Object.entries(data.watches ?? {})) {
    const path = ["watches", signal];
    if (!signals.has(signal)) {
      file.complain(path, { message: `there is no signal "${signal}"`, suggestion: file.suggest(signal, signals.keys()) }, { key: true });
      continue;
    }
    if (written.above !== undefined && written.below !== undefined && written.above < written.below) {
      const message = `above ${String(written.above)} and below ${String(written.below)} make every value one of them, and some both`;
      file.complain([...path, "above"], { message, expected: "at least the value of below" });
    }
    watches.push({ signal, deadband: written.deadband ?? 0, atMostMs: atMost(file, path, written.at_most), above: written.above, below: written.below });
  }
  return watches;
}

export function resolveTelemetry(file: CheckedFile, data: Partial<ModelFile>, signals: CheckedSignals): ModelTelemetry {
  const { telemetry } = data;
  const budget = telemetry?.budget === undefined ? undefined : budgetBytesPerMonth(telemetry.budget);
  if (telemetry?.state === undefined) return { budgetBytesPerMonth: budget, state: undefined };
  const chosen = new Set<string>();
  for (const [index, name] of telemetry.state.on_change.entries()) {
    const found = isPattern(name) ? [...signals.keys()].filter((known) => fitsPattern(known, name)) : signals.has(name) ? [name] : [];
    if (found.length === 0) {
      file.complain(["telemetry", "state", "on_change", String(index)], {
        message: isPattern(name) ? `no signal fits "${name}"` : `there is no signal "${name}"`,
        suggestion: isPattern(name) ? file.suggestPattern(name, signals.keys()) : file.suggest(name, signals.keys()),
      });
    }
    for (const one of found) chosen.add(one);
  }
  return { budgetBytesPerMonth: budget, state: { atMostMs: atMost(file, ["telemetry", "state"], telemetry.state.at_most), signals: [...chosen] } };
}

function atMost(file: CheckedFile, path: readonly string[], text: string | undefined): number {
  const ms = text === undefined ? DEFAULT_AT_MOST_MS : (durationMs(text) ?? DEFAULT_AT_MOST_MS);
  if (ms < MIN_AT_MOST_MS) file.complain([...path, "at_most"], { message: `${text ?? ""} is too often`, expected: `at least ${String(MIN_AT_MOST_MS)}ms` });
  return ms;
}
