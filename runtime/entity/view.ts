// What everyone may see of a cell: its committed state (rules C4).

import type { Address } from "../address.ts";
import type { ErrorCode } from "../errors.ts";
import { encodeData, type LogicSnapshot, shownData } from "../xstate/index.ts";
import { acceptedBy } from "./accepted.ts";
import type { Cell } from "./cell.ts";
import { messageOf } from "../message-of.ts";
import type { Interior } from "./interior.ts";
import { isTemporary } from "./report.ts";
import type { RestartRow } from "./rest-tables.ts";

export interface CellView {
  readonly address: Address;
  /** `inner` ones were made by a machine: they have no door. */
  readonly role: "root" | "child" | "inner";
  readonly type: string;
  readonly version: number;
  readonly incarnation: number;
  readonly status: "active" | "done" | "error" | "stopped";
  /** null for what is no machine. */
  readonly value: unknown;
  /** Plain data. */
  readonly context: unknown;
  readonly output: unknown;
  /** Message of the error, if it has failed. */
  readonly error: string | undefined;
  /** Messages that the state takes, before guards. */
  readonly accepts: readonly string[];
  readonly restarts: number;
  /** Why it was restarted, or failed, last; without a code it had ended normally. */
  readonly lastFault: { readonly reason: string; readonly code?: ErrorCode; readonly place?: string; readonly at: number } | undefined;
}

export function viewOf(interior: Interior, cell: Cell, snapshot: LogicSnapshot): CellView {
  const restarts = interior.rest.committed("restarts", cell.address);
  return {
    address: cell.address,
    role: cell.supervision?.kind ?? "inner",
    type: cell.plan.type,
    version: cell.plan.actor.version,
    incarnation: cell.incarnation,
    status: snapshot.status,
    value: "_nodes" in snapshot ? (snapshot as { readonly value?: unknown }).value : null,
    context: shownData(encodeData(snapshot.context, interior)),
    output: shownData(encodeData(snapshot.output, interior)),
    error: snapshot.status === "error" ? messageOf(snapshot.error) : undefined,
    accepts: cell.supervision === undefined ? [] : shownAccepts(interior, cell, snapshot),
    restarts: isTemporary(interior, cell) ? 0 : (restarts?.count ?? 0),
    lastFault: restarts === undefined ? undefined : faultOf(restarts),
  };
}

/** What fails to say what it offers is shown all the same, and offers nothing. */
function shownAccepts(interior: Interior, cell: Cell, snapshot: LogicSnapshot): readonly string[] {
  if (cell.plan.actor.offers === undefined) return acceptedBy(cell, snapshot);
  try {
    return interior.outside(cell.address, "offers", () => acceptedBy(cell, snapshot));
  } catch {
    return [];
  }
}

function faultOf({ reason, code, place, at }: RestartRow): NonNullable<CellView["lastFault"]> {
  return { reason, ...(code === undefined ? {} : { code }), ...(place === undefined ? {} : { place }), at };
}

const ROLES = { root: 0, child: 1, inner: 2 } as const;

/** Root, then children by address, then what machines made. */
export function byRole(a: CellView, b: CellView): number {
  return ROLES[a.role] - ROLES[b.role] || (a.address < b.address ? -1 : 1);
}
