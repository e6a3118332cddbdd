// A turn run once more, or tried out, with all that happens inside it: for a debugger and for the question why a message was refused. Nothing of it stays.

import type { Address } from "../address.ts";
import { messageOf } from "../message-of.ts";
import { encodeTold, shownData, type StepWatcher, type TakenTransition, watchSteps } from "../xstate/index.ts";
import type { Data, Effect, EventData, Input, InputResult, TurnOutcome, TurnStamp } from "./contract.ts";
import { forgetUnrecorded } from "./entering.ts";
import type { HostedEntity } from "./entity.ts";
import type { Interior } from "./interior.ts";
import { outcomeOf } from "./recording.ts";
import { takeTurn } from "./turn.ts";

/** What happened in a turn, in its order. Data is shown as everywhere else: JSON without the codec's marks. */
export type TraceEntry =
  | { readonly kind: "input"; readonly index: number; readonly input: Data }
  | { readonly kind: "guard"; readonly cell: Address; readonly guard: string; readonly params: Data /** null: it threw. */; readonly passed: boolean | null }
  | {
      readonly kind: "transition";
      readonly cell: Address;
      readonly event: EventData;
      readonly transitions: readonly TakenTransition[];
      readonly state: Data;
      readonly context: Data;
    }
  /** A reducer or a transition function took an event. */
  | { readonly kind: "step"; readonly cell: Address; readonly event: EventData; readonly context: Data }
  | { readonly kind: "result"; readonly index: number; readonly result: InputResult }
  /** Would leave after the commit. */
  | { readonly kind: "effect"; readonly effect: Data };

export interface TracedTurn {
  readonly entries: readonly TraceEntry[];
  readonly results: readonly InputResult[];
  readonly outcome: TurnOutcome;
}

/**
 * @param recorded what the turn came to, where it is one of the journal
 * @throws Error what is this room's own fault, as a turn does; the entity is as it was in any case
 */
export function traceTurn(entity: HostedEntity, inputs: readonly Input[], stamp: TurnStamp, recorded?: TurnOutcome): TracedTurn {
  const { interior } = entity;
  const entries: TraceEntry[] = [];
  const begin = (index: number): void => {
    if (index < inputs.length) entries.push({ kind: "input", index, input: shown(interior, inputs[index]) });
  };
  try {
    let taken = 0;
    /** Where the result of each input belongs. */
    const ends: number[] = [];
    const turn = watchSteps(watcherOf(interior, entries), () =>
      takeTurn(interior, inputs, stamp, {
        begins: () => {
          if (taken > 0) ends.push(entries.length);
          begin(taken++);
        },
        isOver: () => false,
      }),
    );
    const { results } = turn;
    // No input begins after the last.
    for (let index = ends.length; index < results.length; index++) ends.push(entries.length);
    const traced: TraceEntry[] = [];
    let from = 0;
    results.forEach((result, index) => {
      traced.push(...entries.slice(from, ends[index]), { kind: "result", index, result: shown(interior, result) as InputResult });
      from = ends[index] as number;
    });
    for (const effect of turn.effects) traced.push({ kind: "effect", effect: shown(interior, plainEffect(effect)) });
    if (recorded !== undefined) forgetUnrecorded(recorded, (address) => interior.cells.get(address));
    return { entries: traced, results, outcome: outcomeOf(interior, undefined) };
  } finally {
    interior.undo.backTo(0);
    interior.settle();
  }
}

function watcherOf(interior: Interior, entries: TraceEntry[]): StepWatcher {
  return {
    guard: (cell, guard, params, passed) => {
      entries.push({ kind: "guard", cell: cell.address as Address, guard, params: shown(interior, params ?? null), passed: passed ?? null });
    },
    transitions: (cell, event, transitions, after) => {
      const state = (after as { readonly value?: unknown }).value;
      entries.push({
        kind: "transition",
        cell: cell.address as Address,
        event: shown(interior, event) as EventData,
        transitions,
        state: shown(interior, state ?? null),
        context: shown(interior, after.context),
      });
    },
    stepped: (cell, event, after) => {
      entries.push({ kind: "step", cell: cell.address as Address, event: shown(interior, event) as EventData, context: shown(interior, after.context) });
    },
  };
}

/** In the middle of a step there may be what no codec carries: it is named, not refused. */
function shown(interior: Interior, value: unknown): Data {
  try {
    return shownData(encodeTold(value, interior));
  } catch (cause) {
    return `(not shown: ${messageOf(cause)})`;
  }
}

function plainEffect(effect: Effect): Data {
  if (effect.kind !== "act") return effect;
  const { kind, cell, key, name, params, declared } = effect;
  return { kind, cell, key, name, params, class: declared ?? "undeclared" };
}
