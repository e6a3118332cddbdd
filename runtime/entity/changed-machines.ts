// Actors whose machine is another one than that which kept their state, under the same version (made-by.ts, M2): most changes only add, so that nobody is refused for it, and everybody is told.
//
// C1. A changed shape is known from the snapshot that says what it was made by; where the journal alone is read, from a turn that comes out otherwise.
// C2. What a state waits for and the machine does not have is named, with what becomes of it when it is due: a fault, or a dead letter. What the machine took in no state when it was armed either is nobody's business.

import type { Address } from "../address.ts";
import { CellRef, isAfterTimer, type StepEvent } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import type { EntityState, JournalRecord, MadeBy, SupervisionReport } from "./contract.ts";
import type { Interior } from "./interior.ts";
import { fingerprintOfMade, madeByOf } from "./made-by.ts";
import { isHeardBy } from "./outward.ts";

type Made = MadeBy["types"][string];

/** @param hasDiverged a turn that was made by the same versions came out otherwise when it was run again */
export function changedMachines(
  interior: Interior,
  { snapshot, records }: { readonly snapshot: EntityState | undefined; readonly records: readonly JournalRecord[] },
  hasDiverged: boolean,
): readonly SupervisionReport[] {
  const { madeBy: now, fingerprint } = madeByOf(interior.type);
  const made = records.at(-1)?.made ?? (snapshot?.madeBy === undefined ? undefined : fingerprintOfMade(snapshot.madeBy));
  const isChanged = made !== undefined && made !== fingerprint;
  const lost = lostTimers(interior);
  const reports: SupervisionReport[] = [];
  const told = new Set<string>();
  for (const { address, plan, supervision } of interior.cells.values()) {
    const { name, version } = plan.actor;
    if (supervision === undefined || told.has(name)) continue;
    const before = snapshot?.madeBy?.types[name];
    const after = now.types[name];
    const timers = lost.get(name) ?? [];
    const isOther = isChanged && before !== undefined && after !== undefined && before.version === version && shown(before) !== shown(after);
    const isOtherwise = isChanged && hasDiverged && snapshot?.madeBy === undefined && address === interior.address;
    if (!isOther && !isOtherwise && timers.length === 0) continue;
    told.add(name);
    const registered = `version ${String(version)} of "${name}"`;
    const reason =
      isOther || (isChanged && before === undefined)
        ? `${registered} has kept this state as ${isOther ? shown(before) : `fingerprint ${made}`}; what is registered as that version is ${isOther ? shown(after) : `fingerprint ${fingerprint}`}`
        : `what is registered as ${registered} does not take what was armed for it`;
    reports.push(reportOf(address, reason, timers));
  }
  return reports;
}

function reportOf(offender: Address, reason: string, timers: readonly string[]): SupervisionReport {
  const waits = timers.length === 0 ? "" : `. Timers that mean nothing to it: ${timers.join("; ")}`;
  return {
    context: "machine_changed",
    offender,
    reason: `${reason}. Raise the version; \`drover doctor --machine\` tells what becomes of stored actors${waits}`,
    code: "DROVER_MACHINE_CHANGED",
    place: offender,
    restarts: 0,
  };
}

function shown({ machine, schema }: Made): string {
  return `${machine === undefined ? "a reducer" : `machine "${machine}"`} with the shape ${schema}`;
}

/** C2. With their actors, by actor type. */
function lostTimers(interior: Interior): ReadonlyMap<string, readonly string[]> {
  const lost = new Map<string, string[]>();
  for (const [, row] of interior.rest.entries("timers")) {
    const cell = interior.cells.get(row.owner);
    if (cell?.incarnation !== row.incarnation || !isTo(row.to, cell) || row.isForNobody === true || isHeardBy(cell, row.event as StepEvent)) continue;
    const { name } = cell.plan.actor;
    const names = lost.get(name) ?? [];
    names.push(`${row.name} of ${cell.address}, ${isAfterTimer((row.event as StepEvent).type) ? "a fault" : "a dead letter"} when it is due`);
    lost.set(name, names);
  }
  return lost;
}

function isTo(to: unknown, cell: Cell): boolean {
  return typeof to === "object" && to !== null && CellRef.is(to) && CellRef.cellOf(to) === cell;
}
