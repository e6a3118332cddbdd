// What the entity's supervisor says and counts.

import type { Address } from "../address.ts";
import type { Cell } from "./cell.ts";
import type { SupervisionReport } from "./contract.ts";
import type { FaultPlace } from "./fault.ts";
import type { Interior } from "./interior.ts";

export function report(interior: Interior, context: SupervisionReport["context"], offender: Address, reason: string, fault?: FaultPlace & Pick<SupervisionReport, "parked">): void {
  const counted = interior.rest.get("restarts", offender)?.count ?? 0;
  interior.effects.push({ kind: "supervision", report: { context, offender, reason, ...fault, restarts: isTemporary(interior, interior.cells.get(offender)) ? 0 : counted } });
}

/** It is never restarted: what is counted of it is its failure. */
export function isTemporary({ rest, type }: Interior, cell: Cell | undefined): boolean {
  if (cell?.supervision?.kind !== "child") return false;
  return type.children[rest.get("children", cell.supervision.spec)?.kind ?? ""]?.restart === "temporary";
}

/** Notes a fault or restart of a child. */
export function countRestart(interior: Interior, address: Address, reason: string, fault?: FaultPlace): void {
  const row = interior.rest.get("restarts", address);
  interior.rest.put("restarts", address, { count: (row?.count ?? 0) + 1, reason, ...fault, at: interior.stamp.now, ...(row?.anew === undefined ? {} : { anew: row.anew }) });
}
