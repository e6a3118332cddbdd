// The Actor objects that XState builds for the children of a step, and their exchange for refs (hosting H4).

import { Actor } from "xstate";

import { DroverError } from "../errors.ts";
import { messageOf } from "../message-of.ts";
import { eachItem } from "./list-items.ts";
import { CellRef, ForeignRef } from "./ref.ts";
import type { LogicSnapshot, StepCell } from "./step-cell.ts";

const HOSTED = Symbol("cell of a made actor");

export interface MadeActor {
  readonly id: string;
  readonly src: unknown;
  readonly _parent: unknown;
  readonly _syncSnapshot: boolean | undefined;
  readonly options: { readonly systemId?: string; readonly input?: unknown };
  logic: unknown;
  [HOSTED]?: Hosted;
}

/** The step that makes an actor. */
export interface Maker {
  /** What kept a child from its beginning: a fault of this step. XState takes it for a state of the child, of which nobody hears. */
  failure: { readonly from: unknown } | undefined;
}

interface Hosted {
  readonly cell: StepCell;
  readonly maker: Maker;
}

/** Takes the place of an actor's logic: computes its cell's first step where XState would compute the actor's. */
const stub = {
  transition: (snapshot: unknown): unknown => snapshot,
  getInitialSnapshot: (scope: { readonly self: { [HOSTED]?: Hosted } }, input: unknown): unknown => {
    const { cell, maker } = scope.self[HOSTED] as Hosted;
    try {
      return cell.begin(inputOf(cell, input));
    } catch (error) {
      maker.failure ??= { from: error };
      throw error;
    }
  },
  getPersistedSnapshot: (snapshot: unknown): unknown => snapshot,
};

/** @throws DROVER_DATA_NOT_KEPT for what cannot be searched */
function inputOf(cell: StepCell, input: unknown): unknown {
  try {
    return swapped(input);
  } catch (error) {
    throw new DroverError("DROVER_DATA_NOT_KEPT", `the input of child '${cell.id}' cannot be kept: ${messageOf(error)}`, { cause: error });
  }
}

export function host(actor: MadeActor, cell: StepCell, maker: Maker): void {
  actor[HOSTED] = { cell, maker };
  actor.logic = stub;
}

export function hostedBy(actor: MadeActor): StepCell | undefined {
  return actor[HOSTED]?.cell;
}

/** The cell behind a ref or behind a made actor. */
export function stepCellOf(value: unknown): StepCell | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (CellRef.is(value)) return CellRef.cellOf(value) as StepCell;
  return value instanceof Actor ? (value as unknown as MadeActor)[HOSTED]?.cell : undefined;
}

/** Exchanges made actors in a snapshot that a step has just made. */
export function swapSnapshot(snapshot: LogicSnapshot): void {
  const writable = snapshot as { children?: Record<string, unknown>; context?: unknown; output?: unknown; error?: unknown };
  if (writable.children !== undefined) {
    const listed = Object.entries(writable.children).map(([id, child]) => [id, stepCellOf(child)?.ref] as const);
    writable.children = Object.fromEntries(listed.filter(([, ref]) => ref !== undefined));
  }
  writable.context = swapped(writable.context);
  if (writable.output !== undefined) writable.output = swapped(writable.output);
  if (writable.error !== undefined) writable.error = swapped(writable.error);
}

const MAX_DEPTH = 200;
const MAX_SEARCHED = 1_000_000;

let searched = 0;

/** `value` with made actors exchanged for refs; the same object when there are none in it. Plain objects and arrays are searched. */
export function swapped<V>(value: V): V {
  return swapAt(value, 0) as V;
}

function swapAt(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || CellRef.is(value) || value instanceof ForeignRef) return value;
  if (value instanceof Actor) return (value as unknown as MadeActor)[HOSTED]?.cell.ref ?? value;
  if (depth > MAX_DEPTH) throw new Error(`data is nested deeper than ${String(MAX_DEPTH)} levels, or contains itself`);
  if (depth === 0) searched = 0;
  if (++searched > MAX_SEARCHED) throw new Error(`data has more than ${String(MAX_SEARCHED)} objects`);
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    eachItem(value, (item, at) => {
      const found = swapAt(item, depth + 1);
      if (found === item) return;
      copy ??= value.slice() as unknown[];
      copy[at] = found;
    });
    return copy ?? value;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || "_nodes" in value) return value;
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const before = (value as Record<string, unknown>)[key];
    const found = swapAt(before, depth + 1);
    if (found !== before) {
      copy ??= { ...(value as Record<string, unknown>) };
      copy[key] = found;
    }
  }
  return copy ?? value;
}
