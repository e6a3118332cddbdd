// The Actor objects that XState builds for the children of a step, and their exchange for refs (hosting H4).

import { Actor } from "xstate";

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
      return cell.begin(swapped(input));
    } catch (error) {
      maker.failure ??= { from: error };
      throw error;
    }
  },
  getPersistedSnapshot: (snapshot: unknown): unknown => snapshot,
};

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
/** Objects that are searched without a note of them: most data is no more, and has no object twice. */
const UNNOTED = 64;

let searched = 0;
/** What has been searched, and what became of it. */
let noted: Map<object, unknown> | undefined;

/**
 * `value` with made actors exchanged for refs; the same object when there are none in it. Plain objects and arrays are searched, as far as they can be read; in whatever else an actor stands it becomes a ref itself
 * (`becomeRefs`).
 */
export function swapped<V>(value: V): V {
  searched = 0;
  try {
    return swapAt(value, 0) as V;
  } catch {
    // Whoever reads what throws when it is read says so.
    return value;
  } finally {
    noted = undefined;
  }
}

function swapAt(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || CellRef.is(value) || value instanceof ForeignRef) return value;
  if (value instanceof Actor) return (value as unknown as MadeActor)[HOSTED]?.cell.ref ?? value;
  if (!isSearched(value)) return value;
  if (noted?.has(value) === true) return noted.get(value);
  if (depth > MAX_DEPTH || ++searched > MAX_SEARCHED) return value;
  if (searched > UNNOTED) (noted ??= new Map()).set(value, value);
  const found = Array.isArray(value) ? swapItems(value, depth) : swapParts(value as Readonly<Record<string, unknown>>, depth);
  if (found !== value) noted?.set(value, found);
  return found;
}

function isSearched(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !("_nodes" in value);
}

function swapItems(list: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  eachItem(list, (item, at) => {
    const found = swapAt(item, depth + 1);
    if (found === item) return;
    copy ??= list.slice();
    copy[at] = found;
  });
  return copy ?? list;
}

function swapParts(parts: Readonly<Record<string, unknown>>, depth: number): Readonly<Record<string, unknown>> {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(parts)) {
    const before = parts[key];
    const found = swapAt(before, depth + 1);
    if (found === before) continue;
    copy ??= { ...parts };
    copy[key] = found;
  }
  return copy ?? parts;
}

/** To be called when the step is over: XState has no more use of them, but an author's Map, an instance of a class of his or a circle may hold them (H4). */
export function becomeRefs(actors: readonly MadeActor[]): void {
  for (const actor of actors) {
    const hosted = actor[HOSTED];
    if (hosted !== undefined) new CellRef(hosted.cell, actor);
  }
}
