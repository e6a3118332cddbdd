// The cells that the entity's supervisor keeps: its root, and the children of its configuration (hosting H12; rules C1).

import { isA } from "../is-a.ts";
import type { AnyActorType } from "../actor/index.ts";
import type { LogicSnapshot } from "../xstate/index.ts";
import type { Cell, Supervision } from "./cell.ts";
import type { ChildSpec, InputResult } from "./contract.ts";
import { degrade, isFailingTooLong, ofLate } from "./failing.ts";
import { codeOf, shortened, SupervisedFault } from "./fault.ts";
import { messageOf } from "../message-of.ts";
import { addressOf, heldBack, type IsHeldBack, isHeldBack, isHeldFromStarting, rowsInOrder } from "./held-back.ts";
import { awaitRestart, suspend, turnOff } from "./holding.ts";
import { type Interior, MAX_CHILDREN } from "./interior.ts";
import { moveIn } from "./moving-in.ts";
import { planOf } from "./plan.ts";
import { sealStart } from "./recording.ts";
import { countRestart, report } from "./report.ts";
import type { ChildRow } from "./rest-tables.ts";
import { bytesOfData } from "./row-weight.ts";
import { hasRoomFor, MAX_CHILDREN_BYTES } from "./table-limits.ts";

const THE_ROOT: Supervision = { kind: "root" };

/**
 * @param bare of bare XState, to begin from instead of the machine's own beginning
 * @throws SupervisedFault when the first step fails
 */
export function startRoot(interior: Interior, input: unknown, bare?: unknown): void {
  const plan = planOf(interior.type.root);
  const root = interior.makeCell({ plan, parent: undefined, id: plan.actor.name, address: interior.address, supervision: THE_ROOT });
  root.input = input;
  if (bare === undefined) begin(interior, root, input);
  else moveIn(interior, root, bare);
}

function begin(interior: Interior, cell: Cell, input: unknown): void {
  interior.enter(cell);
  interior.begin(cell, input);
  interior.start(cell);
}

/** Starts what is missing and stops what is surplus. */
export function reconcile(interior: Interior, specs: readonly ChildSpec[]): InputResult {
  const problems = problemsOf(interior, specs);
  if (problems.length > 0) return { kind: "invalid", problems, accepts: [] };
  const wasHeld = heldBack(interior);
  const wanted = new Map(specs.map((spec) => [specKey(spec), spec]));
  const had = [...interior.rest.entries("children")].sort(([, a], [, b]) => b.order - a.order);
  for (const [key, row] of had) {
    if (wanted.get(key)?.type === row.type) continue;
    stopSpec(interior, row);
    interior.rest.delete("children", key);
  }
  for (const [key, spec] of wanted) {
    const row = interior.rest.get("children", key);
    if (row === undefined) interior.rest.put("children", key, { ...spec, order: interior.rest.next("child") });
    else if (JSON.stringify(row.input) !== JSON.stringify(spec.input)) interior.rest.put("children", key, { ...row, input: spec.input });
  }
  for (const row of rowsInOrder(interior, () => true)) {
    const cell = interior.cells.get(addressOf(interior, row));
    if (cell === undefined || cell.snapshot.status === "error") startSpec(interior, row, undefined);
    else if (wasHeld(row) || isHeldFromStarting(cell)) letGo(interior, row, cell);
  }
  return { kind: "accepted" };
}

/** Of the children that it has, what a list which names them again would be refused for. */
export function misplacedChildren(interior: Interior): readonly string[] {
  return [...interior.rest.entries("children")].flatMap(([, row]) => problemsOf(interior, [row]).map(({ message }) => `${addressOf(interior, row)}: ${message}`)).sort();
}

interface Problem {
  readonly path: string;
  readonly message: string;
}

/** What an earlier version has let in stays, as long as nothing is added to it. */
function tooManyOf(interior: Interior, specs: readonly ChildSpec[]): Problem | undefined {
  if (specs.length > MAX_CHILDREN) return { path: "", message: `${String(specs.length)} children are wanted, an entity has at most ${String(MAX_CHILDREN)}` };
  const made = [...interior.cells.values()].filter(({ supervision }) => supervision === undefined).length;
  if (specs.length + made > MAX_CHILDREN && specs.some((spec) => !interior.rest.has("children", specKey(spec))))
    return { path: "", message: `${String(specs.length)} children are wanted beside ${String(made)} that its actors have made, an entity has at most ${String(MAX_CHILDREN)}` };
  const bytes = specs.reduce((sum, { input }) => sum + bytesOfData(input), 0);
  const had = interior.rest.heavyIn("children");
  if (bytes > Math.max(MAX_CHILDREN_BYTES, had))
    return { path: "", message: `their inputs have about ${String(bytes)} bytes together, at most ${String(MAX_CHILDREN_BYTES)} are kept` };
  if (bytes > had && !hasRoomFor(interior, bytes - had))
    return { path: "", message: `there is no room for their inputs of about ${String(bytes)} bytes: the entity's tables are full` };
  return undefined;
}

function problemsOf(interior: Interior, specs: readonly ChildSpec[]): readonly Problem[] {
  const tooMany = tooManyOf(interior, specs);
  if (tooMany !== undefined) return [tooMany];
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [index, spec] of specs.entries()) {
    const kind = interior.type.children[spec.kind];
    if (kind === undefined) problems.push({ path: `/${String(index)}/kind`, message: `"${spec.kind}" is no kind of child of ${interior.type.name}` });
    else if (!kind.types.some((type) => type.name === spec.type))
      problems.push({ path: `/${String(index)}/type`, message: `a ${spec.kind} is one of ${kind.types.map((type) => type.name).join(", ")}, not "${spec.type}"` });
    if (seen.has(specKey(spec))) problems.push({ path: `/${String(index)}/id`, message: `"${specKey(spec)}" is listed twice` });
    seen.add(specKey(spec));
    try {
      addressOf(interior, spec);
    } catch (error) {
      problems.push({ path: `/${String(index)}/id`, message: messageOf(error) });
    }
  }
  return problems;
}

function specKey(spec: { readonly kind: string; readonly id: string }): string {
  return `${spec.kind}/${spec.id}`;
}

/**
 * A child that cannot start is reported and does not take its siblings with it. Unless it is `temporary` it is tried again, at once and then by backoff, and is degraded after ten minutes (hosting H14);
 * listing it anew tries it too.
 */
export function startSpec(interior: Interior, row: ChildRow, restarted: string | undefined): void {
  const actor = interior.type.types.get(row.type);
  if (actor === undefined) return;
  const address = addressOf(interior, row);
  const before = interior.savepoint();
  const { failure: earlier } = interior;
  if (isHeldBack(interior, row)) {
    placeEnded(interior, row, { status: "stopped", output: undefined, error: undefined });
    return;
  }
  const cell = interior.makeCell({ plan: planOf(actor), parent: interior.root, id: row.id, address, supervision: { kind: "child", spec: specKey(row) } });
  try {
    cell.input = row.input;
    begin(interior, cell, row.input);
    // Its start may have ended one that comes before it.
    if (isHeldBack(interior, row)) turnOff(interior, cell);
    if (interior.durable) sealStart(interior, cell, before);
    report(interior, restarted === undefined ? "child_started" : "child_restarted", address, restarted ?? "configured");
  } catch (error) {
    interior.takeBack(before);
    const cause: unknown = isA(error, SupervisedFault) ? error.reason : error;
    const { failure } = interior;
    const fault = failure === undefined || failure === earlier ? { code: codeOf(cause), place: `${address}: its start` } : failure;
    interior.faults++;
    const failed = placeEnded(interior, row, { status: "error", output: undefined, error: interior.keep(cause) });
    const reason = `did not start: ${shortened(messageOf(cause))}`;
    countRestart(interior, address, reason, fault);
    report(interior, "child_terminated", address, reason, fault);
    if (interior.type.children[row.kind]?.restart !== "temporary") tryAgain(interior, failed, reason);
  }
}

/** It stands there, and does not run. */
function placeEnded(interior: Interior, row: ChildRow, snapshot: LogicSnapshot): Cell {
  const plan = planOf(interior.type.types.get(row.type) as AnyActorType);
  const cell = interior.makeCell({ plan, parent: interior.root, id: row.id, address: addressOf(interior, row), supervision: { kind: "child", spec: specKey(row) } });
  cell.input = row.input;
  cell.life = "ended";
  cell.snapshot = snapshot;
  interior.enter(cell);
  return cell;
}

/** Of those that were held back: who is not any more goes on. */
export function letGoAll(interior: Interior, wasHeld: IsHeldBack): void {
  for (const row of rowsInOrder(interior, () => true)) {
    const cell = interior.cells.get(addressOf(interior, row));
    if (cell !== undefined && (wasHeld(row) || isHeldFromStarting(cell))) letGo(interior, row, cell);
  }
}

function letGo(interior: Interior, row: ChildRow, cell: Cell): void {
  if (isHeldBack(interior, row)) return;
  if (isHeldFromStarting(cell)) {
    interior.forget(cell);
    startSpec(interior, row, undefined);
  } else suspend(interior, cell, "no sibling holds it back any more")();
}

/** It came to its end in its start. */
export function tryAgain(interior: Interior, failed: Cell, reason: string): void {
  const before = ofLate(interior, failed);
  if (isFailingTooLong(interior, before)) degrade(interior, failed, before, reason);
  awaitRestart(interior, failed, reason, before === undefined ? 0 : Math.max(0, before.notBefore - interior.stamp.elapsed));
}

function stopSpec(interior: Interior, row: ChildRow): void {
  const cell = interior.cells.get(addressOf(interior, row));
  if (cell === undefined) return;
  interior.stopChild(cell);
  interior.forget(cell);
  report(interior, "child_terminated", cell.address, "no longer configured");
}
