// An actor that ran with bare XState becomes the root of a new entity: its state, its children and their states are placed, nothing of them is entered again.

import { DroverError } from "../errors.ts";
import { afterTimers, type BareSnapshot, bareProblem, type CellRef, resolveSource, restoreBare } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import { setEntered } from "./entering.ts";
import { messageOf } from "../message-of.ts";
import type { Interior } from "./interior.ts";

/**
 * Places a bare snapshot into a root that has been made and not begun.
 * @throws DROVER_STATE_INVALID when it does not fit the machine
 * @throws SupervisedFault when it is of an actor that has failed, or an author's delay throws
 */
export function moveIn(interior: Interior, root: Cell, bare: unknown): void {
  const problem = bareProblem(bare);
  if (problem !== undefined) throw unfit(root, problem);
  const placed: Cell[] = [];
  place(interior, root, bare as BareSnapshot, placed);
  for (const cell of placed) arm(interior, cell);
  if (root.snapshot.status === "active") interior.resume(root);
}

function unfit(cell: Cell, problem: string): DroverError {
  return new DroverError("DROVER_STATE_INVALID", `the snapshot of bare XState does not fit ${cell.address}: ${problem}`);
}

/** Parents before their children. */
function place(interior: Interior, cell: Cell, bare: BareSnapshot, placed: Cell[]): void {
  interior.enter(cell);
  // When its state was entered, the snapshot does not tell.
  setEntered(cell, undefined, 0, 0);
  placed.push(cell);
  const { logic } = cell.plan;
  const { status, context, output, error, input } = bare;
  if (logic.kind !== "machine") {
    cell.input = input;
    cell.snapshot = { status, output, error, context, ...(logic.kind === "source" ? { input } : {}) };
    return;
  }
  const children: [string, CellRef][] = [];
  for (const [id, child] of Object.entries(bare.children ?? {})) {
    const source = resolveSource(logic.machine, child.src);
    if (source === undefined) throw unfit(cell, `it has a child "${id}" of the source "${child.src}", which the machine does not have`);
    const made = interior.adopt(cell, { id, src: child.src, logic: source, systemId: child.systemId, syncSnapshot: child.syncSnapshot === true });
    place(interior, made, child.snapshot, placed);
    children.push([id, made.ref]);
  }
  try {
    cell.snapshot = restoreBare(logic.machine, bare, Object.fromEntries(children));
  } catch (cause) {
    throw unfit(cell, messageOf(cause));
  }
}

/** What is beside the snapshots: system ids and timers; what has ended is marked so. */
function arm(interior: Interior, cell: Cell): void {
  const { logic } = cell.plan;
  if (cell.snapshot.status === "error" && cell.supervision !== undefined) {
    interior.noteFailure(cell, undefined, cell.snapshot.error);
    interior.fail(cell, interior.keep(cell.snapshot.error));
  }
  if (cell.snapshot.status !== "active") {
    cell.life = "ended";
    return;
  }
  if (cell.systemId !== undefined) {
    if (interior.rest.has("systemIds", cell.systemId)) throw unfit(cell, `the system id "${cell.systemId}" is there twice`);
    interior.rest.put("systemIds", cell.systemId, cell.ref);
  }
  if (logic.kind !== "machine") return;
  for (const { event, delay, policy } of afterTimers(cell, logic.machine, cell.snapshot))
    interior.outward.arm(interior, cell, { kind: "send", to: cell.ref, event, delay, timer: event.type, policy });
}
