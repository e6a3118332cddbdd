// The conditions of a vehicle, kept true by its signal table: every sample that a condition reads, and every frame that breaks a silence.
//
// Times are ms on the clock of the frames, which is the one that the table and the presence tracker count on.

import type { Listening, PresenceTracker, SignalTable } from "../../protocols/can/index.ts";
import type { GuardReport } from "../../runtime/index.ts";
import { createConditionEvaluator, type EvaluatedModel } from "./condition-evaluator.ts";

export interface ConditionsOverTable {
  /** Call after each batch that the table was fed, so that no silence is seen where frames came. */
  listen(nowMs: number): void;
  /** Judged on what the table was fed until now. */
  evaluate(name: string, nowMs: number): GuardReport;
  /** When time alone may change an answer; undefined: not before the next frame. */
  nextChangeMs(): number | undefined;
  /** After a gap, a takeover or a bus that was down (vehicle V1). The table is told by itself. */
  forget(nowMs: number): void;
  stop(): void;
}

export function conditionsOver(model: EvaluatedModel, table: SignalTable, presence: PresenceTracker | undefined, startMs: number, listening?: Listening): ConditionsOverTable {
  const evaluator = createConditionEvaluator(model, startMs, listening);
  const stop = table.onSamples(evaluator.signals, (index, value, timeMs, nowMs) => {
    const signal = table.signals[index];
    if (signal !== undefined) evaluator.observe(signal.name, value, timeMs, nowMs);
  });
  const listen = (nowMs: number): void => {
    for (const { of, name } of evaluator.heardOf) {
      const lastMs = of === "bus" ? table.lastFrameMs(name) : presence?.stateOf(name, nowMs)?.lastHeardMs;
      if (lastMs !== undefined && lastMs >= startMs) evaluator.heard(of, name, lastMs);
    }
  };
  return {
    listen,
    evaluate: (name, nowMs) => {
      listen(nowMs);
      return evaluator.evaluate(name, nowMs);
    },
    nextChangeMs: () => evaluator.nextChangeMs(),
    forget: (nowMs) => {
      evaluator.forget(nowMs);
    },
    stop,
  };
}
