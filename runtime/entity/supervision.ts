// The entity as a supervisor: its root cell and the children of its configuration (hosting H12, H13).
//
// V1. A fault takes back all that its input did. The cell goes on from the last committed state; the input is set aside and offered again, and parked at
//     its third failure.
// V2. A source that failed is started again; at its third failure the cell starts from the beginning, and its state is kept as an artefact.
// V3. A cell that had to start from the beginning more than three times within ten minutes stays ended, so that nothing restarts for ever.

import { childAddress, type Address } from "../address.ts";
import type { Refusal } from "../outcome.ts";
import { acceptedBy } from "./accepted.ts";
import { fingerprintOf } from "./admission.ts";
import type { Cell } from "./cell.ts";
import { encodeCell } from "./cell-record.ts";
import type { ChildSpec, Input, InputResult, SupervisionReport } from "./contract.ts";
import { messageOf, SupervisedFault } from "./fault.ts";
import { type Interior, supervisedOf } from "./interior.ts";
import { planOf } from "./plan.ts";
import type { ChildRow } from "./rest.ts";

const MAX_ATTEMPTS = 3;
export const MAX_CHILDREN = 1_000;
const MAX_ESCALATIONS = 3;
const ESCALATION_WINDOW_MS = 600_000;
const MAX_PARKED = 100;
const MAX_TRACKED = 1_000;

type FaultedResult = Extract<InputResult, { kind: "faulted" }>;

// ---- start and children

/** @throws SupervisedFault when the first step fails */
export function startRoot(interior: Interior, input: unknown): void {
  const plan = planOf(interior.type.root);
  const root = interior.makeCell({ plan, parent: undefined, id: plan.actor.name, address: interior.address, supervision: { kind: "root" } });
  root.input = input;
  begin(interior, root, input);
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
    const cell = interior.cells.get(addressOf(interior, spec));
    if (cell === undefined || cell.snapshot.status === "error") startSpec(interior, interior.rest.get("children", key) as ChildRow, undefined);
  }
  return { kind: "accepted" };
}

function problemsOf(interior: Interior, specs: readonly ChildSpec[]): readonly { readonly path: string; readonly message: string }[] {
  if (specs.length > MAX_CHILDREN) return [{ path: "", message: `${String(specs.length)} children are wanted, an entity has at most ${String(MAX_CHILDREN)}` }];
  const problems: { path: string; message: string }[] = [];
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

function addressOf(interior: Interior, spec: { readonly kind: string; readonly id: string }): Address {
  return childAddress(interior.address, spec.kind, spec.id);
}

/** A child that cannot start is reported and left out; it does not take its siblings with it. */
function startSpec(interior: Interior, row: ChildRow, restarted: string | undefined): void {
  const actor = interior.type.types.get(row.type);
  if (actor === undefined) return;
  const address = addressOf(interior, row);
  const mark = interior.undo.mark();
  const effects = interior.effects.length;
  const emitted = interior.emitted.length;
  const cell = interior.makeCell({ plan: planOf(actor), parent: interior.root, id: row.id, address, supervision: { kind: "child", spec: specKey(row) } });
  try {
    cell.input = row.input;
    begin(interior, cell, row.input);
    report(interior, restarted === undefined ? "child_started" : "child_restarted", address, restarted ?? "configured");
  } catch (error) {
    if (!(error instanceof SupervisedFault) || error.cell !== cell) throw error;
    interior.undo.backTo(mark);
    interior.effects.length = effects;
    interior.emitted.length = emitted;
    interior.faults++;
    const failed = interior.makeCell({ plan: planOf(actor), parent: interior.root, id: row.id, address, supervision: { kind: "child", spec: specKey(row) } });
    failed.input = row.input;
    failed.life = "ended";
    failed.snapshot = { status: "error", output: undefined, error: interior.keep(error.reason) };
    interior.enter(failed);
    report(interior, "child_terminated", address, `did not start: ${error.message}`);
  }
}

function stopSpec(interior: Interior, row: ChildRow): void {
  const cell = interior.cells.get(addressOf(interior, row));
  if (cell === undefined) return;
  interior.stopChild(cell);
  interior.forget(cell);
  report(interior, "child_terminated", cell.address, "no longer configured");
}

/** A supervised cell came to its end by itself. */
export function ended(interior: Interior, cell: Cell): void {
  if (cell.supervision?.kind !== "child") return;
  const row = interior.rest.get("children", cell.supervision.spec);
  const kind = row === undefined ? undefined : interior.type.children[row.kind];
  report(interior, "child_terminated", cell.address, "normal");
  // One that ends while it starts would do so for ever.
  if (row !== undefined && kind?.restart === "permanent" && interior.isSettled(cell)) {
    count(interior, cell.address, "normal");
    replace(interior, cell, "normal");
  }
}

// ---- faults

/** What a fault leaves, after all that its input did was taken back. `thrown` is what unwound it. */
export function handleFault(interior: Interior, input: Input, thrown: unknown): FaultedResult {
  interior.faults++;
  const offender = offenderOf(interior, input, thrown);
  const error = messageOf(thrown instanceof SupervisedFault ? thrown.reason : thrown);
  const key = keyOf(input);
  const attempt = (interior.rest.get("attempts", key) ?? 0) + 1;
  const address = offender?.address ?? interior.address;
  count(interior, address, error);
  report(interior, "child_terminated", address, error);
  if (offender === undefined) {
    track(interior, key, attempt);
    if (attempt >= MAX_ATTEMPTS) report(interior, "entity_failed", address, `did not start: ${error}`);
    return { kind: "faulted", error, attempt, again: attempt < MAX_ATTEMPTS, parked: false };
  }
  const rule = ruleOf(interior, offender);
  if (rule.restart === "temporary") {
    giveUp(interior, offender, error);
    return { kind: "faulted", error, attempt, again: false, parked: true, outcome: { kind: "no-such-actor" } };
  }
  const parked = attempt >= MAX_ATTEMPTS;
  track(interior, key, parked ? undefined : attempt);
  const result = setAside(interior, input, offender, error, attempt, parked);
  if (rule.restartFrom === "initial") restartFromInitial(interior, offender, error);
  else if ((interior.cells.get(offender.address)?.life ?? "ended") !== "ended") report(interior, "child_restarted", offender.address, error);
  return result;
}

function setAside(interior: Interior, input: Input, offender: Cell, error: string, attempt: number, parked: boolean): FaultedResult {
  const base = { kind: "faulted", error, attempt } as const;
  if (parked) {
    park(interior, input, offender.address, error);
    report(interior, "parked", offender.address, `${input.kind}: ${error}`);
  }
  switch (input.kind) {
    case "message": {
      if (!parked) return { ...base, again: true, parked };
      const outcome: Refusal = { kind: "refused", accepts: acceptedBy(offender), reason: `set aside after ${String(attempt)} failures: ${error}` };
      recordParked(interior, input, outcome);
      return { ...base, again: false, parked, outcome };
    }
    case "timer":
      // Not parked: it is still armed and due, so that it fires again.
      if (parked) interior.rest.delete("timers", input.timer);
      return { ...base, again: false, parked };
    case "source": {
      const source = interior.cells.get(input.cell);
      if (source?.incarnation !== input.incarnation) return { ...base, again: false, parked };
      if (input.said.kind !== "done" && input.said.kind !== "error") return { ...base, again: !parked, parked };
      if (parked) restartFromInitial(interior, offender, error);
      else interior.effects.push({ kind: "source.start", cell: source.address, incarnation: source.incarnation, key: source.key as string });
      return { ...base, again: false, parked };
    }
    case "performed":
      if (parked) interior.rest.delete("pending", input.key);
      return { ...base, again: !parked, parked };
    case "answered":
      if (parked) interior.rest.delete("asks", input.key);
      return { ...base, again: !parked, parked };
    case "start":
    case "children":
    case "delivered":
      return { ...base, again: !parked, parked };
    case "fault":
      return { ...base, again: false, parked };
  }
}

/** The parked message's last word, so that its id or number is answered and skipped. */
function recordParked(interior: Interior, input: Extract<Input, { kind: "message" }>, outcome: Refusal): void {
  const { sender } = input;
  if (sender.kind === "outside") {
    interior.rest.put("taken", sender.id, {
      id: sender.id,
      expiresAt: sender.expiresAt,
      fingerprint: sender.fingerprint ?? fingerprintOf(input.to, input.event, sender.author),
      to: input.to,
      outcome,
      wantsReply: input.wantsReply,
    });
  } else if (sender.kind === "entity") {
    const row = interior.rest.get("senders", sender.entity);
    interior.rest.put("senders", sender.entity, {
      incarnation: sender.incarnation,
      seq: sender.seq,
      epoch: Math.max(sender.epoch, row?.epoch ?? 0),
      past: row?.past ?? [],
      refusals: [...(row?.refusals ?? []).slice(-15), [sender.seq, outcome]],
    });
  }
}

function ruleOf(
  interior: Interior,
  cell: Cell,
): { readonly restart: "permanent" | "transient" | "temporary"; readonly restartFrom: "committed" | "initial"; readonly strategy: string } {
  if (cell.supervision?.kind !== "child") return { restart: "permanent", restartFrom: interior.type.restartFrom, strategy: "one-for-one" };
  const kind = interior.type.children[interior.rest.get("children", cell.supervision.spec)?.kind ?? ""];
  return kind ?? { restart: "transient", restartFrom: "committed", strategy: "one-for-one" };
}

function restartFromInitial(interior: Interior, cell: Cell, reason: string): void {
  const present = interior.cells.get(cell.address);
  if (present === undefined) return;
  const { strategy } = ruleOf(interior, present);
  for (const other of togetherWith(interior, present, strategy)) escalate(interior, other, reason);
}

/** In their order of starting. */
function togetherWith(interior: Interior, cell: Cell, strategy: string): readonly Cell[] {
  if (cell.supervision?.kind !== "child" || strategy === "one-for-one") return [cell];
  const own = interior.rest.get("children", cell.supervision.spec);
  if (own === undefined) return [cell];
  return [...interior.rest.entries("children")]
    .map(([, row]) => row)
    .filter((row) => row.kind === own.kind && (strategy === "one-for-all" || row.order >= own.order))
    .sort((a, b) => a.order - b.order)
    .map((row) => interior.cells.get(addressOf(interior, row)))
    .filter((found): found is Cell => found !== undefined);
}

function escalate(interior: Interior, cell: Cell, reason: string): void {
  const row = interior.rest.get("restarts", cell.address);
  const recent = (row?.escalations ?? []).filter((at) => at > interior.stamp.now - ESCALATION_WINDOW_MS);
  if (recent.length >= MAX_ESCALATIONS) {
    giveUp(interior, cell, reason);
    return;
  }
  interior.rest.put("restarts", cell.address, { count: row?.count ?? 1, reason, at: interior.stamp.now, escalations: [...recent, interior.stamp.now] });
  replace(interior, cell, reason);
}

function giveUp(interior: Interior, cell: Cell, reason: string): void {
  interior.stopCell(cell, "stopped");
  interior.setSnapshot(cell, { ...cell.snapshot, status: "error", error: interior.keep(new Error(reason)) });
  if (cell.supervision?.kind === "root") report(interior, "entity_failed", cell.address, reason);
}

/** A new incarnation from the beginning; the old state is kept as an artefact. */
function replace(interior: Interior, cell: Cell, reason: string): void {
  const { supervision } = cell;
  if (supervision === undefined) return;
  if (interior.durable && cell.committed !== undefined) park(interior, undefined, cell.address, reason, cell);
  const { input } = cell;
  interior.stopChild(cell);
  if (supervision.kind === "root") {
    const children = [...interior.cells.values()].filter((other) => other.supervision?.kind === "child" && other.parent === cell);
    interior.forget(cell);
    try {
      startRoot(interior, input);
      report(interior, "child_restarted", cell.address, reason);
    } catch (error) {
      if (!(error instanceof SupervisedFault)) throw error;
      report(interior, "entity_failed", cell.address, error.message);
      return;
    }
    // The children speak to the new root from now on.
    for (const child of children) {
      const row = interior.rest.get("children", (child.supervision as { readonly spec: string }).spec);
      if (row === undefined) continue;
      interior.stopChild(child);
      interior.forget(child);
      startSpec(interior, row, reason);
    }
    return;
  }
  const row = interior.rest.get("children", supervision.spec);
  interior.forget(cell);
  if (row !== undefined) startSpec(interior, row, reason);
}

function park(interior: Interior, input: Input | undefined, offender: Address, reason: string, state?: Cell): void {
  const at = interior.rest.next("parked");
  interior.rest.put("parked", String(at), {
    at: interior.stamp.now,
    offender,
    reason,
    input: input ?? null,
    ...(state === undefined ? {} : { state: safeRecord(state, interior) }),
  });
  if (at > MAX_PARKED) interior.rest.delete("parked", String(at - MAX_PARKED));
}

function safeRecord(cell: Cell, interior: Interior): unknown {
  try {
    return encodeCell(cell, interior);
  } catch {
    return null;
  }
}

function count(interior: Interior, address: Address, reason: string): void {
  const row = interior.rest.get("restarts", address);
  interior.rest.put("restarts", address, { count: (row?.count ?? 0) + 1, reason, at: interior.stamp.now, escalations: row?.escalations ?? [] });
}

function report(interior: Interior, context: SupervisionReport["context"], offender: Address, reason: string): void {
  interior.effects.push({ kind: "supervision", report: { context, offender, reason, restarts: interior.rest.get("restarts", offender)?.count ?? 0 } });
}

/** Which input it was, over all its attempts. */
function keyOf(input: Input): string {
  switch (input.kind) {
    case "start":
    case "children":
      return input.kind;
    case "message":
      if (input.sender.kind === "outside") return `outside ${input.sender.id}`;
      if (input.sender.kind === "entity") return `entity ${input.sender.entity} ${input.sender.incarnation} ${String(input.sender.seq)}`;
      return `local ${input.to} ${JSON.stringify(input.event).slice(0, 512)}`;
    case "timer":
      return `timer ${input.timer} ${String(input.generation)}`;
    case "source":
      return `source ${input.cell} ${String(input.incarnation)}`;
    case "performed":
      return `performed ${input.key}`;
    case "fault":
      return `fault ${input.cell}`;
    case "delivered":
      return `delivered ${input.receiver} ${String(input.seq)}`;
    case "answered":
      return `answered ${input.key}`;
  }
}

/** An input that was taken after all has no failures any more. */
export function forgive(interior: Interior, input: Input): void {
  if (interior.rest.size("attempts") > 0) interior.rest.delete("attempts", keyOf(input));
}

function track(interior: Interior, key: string, attempt: number | undefined): void {
  if (attempt === undefined) interior.rest.delete("attempts", key);
  else if (interior.rest.size("attempts") < MAX_TRACKED || interior.rest.has("attempts", key)) interior.rest.put("attempts", key, attempt);
}

function offenderOf(interior: Interior, input: Input, thrown: unknown): Cell | undefined {
  const named = thrown instanceof SupervisedFault ? thrown.cell : cellMeant(interior, input);
  const present = named === undefined ? interior.root : interior.cells.get(supervisedOf(named).address);
  return present ?? interior.root;
}

function cellMeant(interior: Interior, input: Input): Cell | undefined {
  switch (input.kind) {
    case "message":
      return interior.cells.get(input.to);
    case "source":
    case "fault":
      return interior.cells.get(input.cell);
    case "timer":
      return interior.cells.get(interior.rest.get("timers", input.timer)?.owner ?? "");
    default:
      return interior.root;
  }
}
