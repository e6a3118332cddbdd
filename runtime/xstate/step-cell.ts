// What a step is given and what it gives: a cell as the step sees it, and its outcome as data.

import type { EffectClass, TimerPolicy } from "../entity/contract.ts";
import type { CellFace } from "./ref.ts";

export type StepAction =
  /** A custom action: declared by class, or inline with its function (H7). */
  | { readonly kind: "act"; readonly name: string; readonly params: unknown; readonly effectClass: EffectClass | undefined; readonly run: (() => unknown) | undefined }
  | { readonly kind: "log"; readonly label: string | undefined; readonly value: unknown }
  /** `spawned`: made by spawn() in an assign, which XState starts earlier than spawnChild when the parent itself is starting. */
  | { readonly kind: "start"; readonly child: StepCell; readonly spawned: boolean }
  | { readonly kind: "send"; readonly to: unknown; readonly event: StepEvent; readonly delay: number | undefined; readonly timer: string | undefined; readonly policy: TimerPolicy }
  | { readonly kind: "cancel"; readonly timer: string }
  | { readonly kind: "emit"; readonly event: StepEvent }
  | { readonly kind: "stop"; readonly child: StepCell };

export interface StepEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What XState's logics share. */
export interface LogicSnapshot {
  readonly status: "active" | "done" | "error" | "stopped";
  readonly output?: unknown;
  readonly error?: unknown;
  readonly context?: unknown;
}

export interface StepResult {
  readonly snapshot: LogicSnapshot;
  readonly actions: readonly StepAction[];
  /** Whether any transition that does something was enabled for the event. */
  readonly taken: boolean;
  /** Whether a state node was left or entered, be it the same one again; of a first step no matter. */
  readonly entered: boolean;
  /** System ids given and freed by this step. */
  readonly systemIds: ReadonlyMap<string, StepCell | undefined> | undefined;
}

export interface ChildRequest {
  readonly id: string;
  readonly src: unknown;
  readonly logic: unknown;
  readonly systemId: string | undefined;
  /** The parent hears of each of its snapshots. */
  readonly syncSnapshot: boolean;
}

/** A cell as a step needs it. */
export interface StepCell extends CellFace {
  readonly parent: StepCell | undefined;
  readonly systemId: string | undefined;
  /** It may do declared work only (hosting H7). */
  readonly isDurable: boolean;
  /** Living children made by earlier steps. */
  child(id: string): StepCell | undefined;
  /** Makes the cell of a child, staged until the step has succeeded. */
  adopt(request: ChildRequest): StepCell;
  /** Computes the first step of a cell that was adopted. */
  begin(input: unknown): LogicSnapshot;
  /** Names for what has none: counts per cell and is persisted. */
  bookId(): string;
  /** Children that are listed, living or finished. */
  listed(): readonly StepCell[];
}
