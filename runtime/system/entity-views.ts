// An entity's actors as they are shown: committed state only (rules C4); what machines made by themselves is not shown.

import { entityOf, kindOf } from "../address.ts";
import type { CellView, Entity } from "../entity/index.ts";
import type { EntityNode } from "./contract.ts";
import type { ActorView } from "./views.ts";

/** What is the same for all actors of an entity. */
export interface Hosting {
  readonly node: string;
  readonly epoch: number;
  /** Wall time of the last change, ms. */
  readonly asOf: number;
  readonly since: number;
  readonly isRunning: boolean;
}

export function viewOf(cell: CellView, entity: Entity, { node, epoch, asOf }: Hosting): ActorView {
  return {
    address: cell.address,
    entity: entityOf(cell.address),
    kind: kindOf(cell.address),
    type: cell.type,
    version: cell.version,
    status: cell.status,
    state: cell.value,
    context: cell.context,
    accepts: cell.accepts,
    durability: entity.type.durability,
    revision: entity.revision,
    incarnation: entity.incarnation,
    owner: { node, epoch },
    node,
    asOf,
    labels: entity.labels,
  };
}

/**
 * The entity as a supervisor with its children: restarts and the last failure are part of its committed state, so that they survive a restart of the node.
 * @param recoveries how often the entity as a whole was recovered on this node after it could not go on, and why last
 */
export function describeEntity(entity: Entity, hosting: Hosting, recoveries: { readonly count: number; readonly last?: EntityNode["lastExit"] }): EntityNode {
  const root = entity.view(entity.address);
  const children = entity.views().filter((view) => view.role === "child");
  const own = root === undefined ? undefined : lastExitOf(root);
  const last = recoveries.last === undefined || (own !== undefined && own.at > recoveries.last.at) ? own : recoveries.last;
  return {
    id: entity.address,
    kind: "entity",
    state: hosting.isRunning ? (root?.status === "error" ? "error" : "running") : "stopped",
    restarts: (root?.restarts ?? 0) + recoveries.count,
    since: hosting.since,
    ...(last === undefined ? {} : { lastExit: last }),
    children: children.map((view) => {
      const lastExit = lastExitOf(view);
      return { id: view.address, kind: "actor", state: view.status, restarts: view.restarts, since: hosting.since, ...(lastExit === undefined ? {} : { lastExit }), children: [] };
    }),
  };
}

/** A fault has a code; a normal end has none, whatever a fault's reason says. */
function lastExitOf({ lastFault }: CellView): EntityNode["lastExit"] {
  if (lastFault === undefined) return undefined;
  const { reason, code, at } = lastFault;
  return code === undefined && reason === "normal" ? { reason, at } : { reason: "failed", error: reason, at };
}
