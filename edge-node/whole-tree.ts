// The node's supervision tree with the actors of its entities in it, with which of its buses are down and that its disk takes no telemetry, as it is shown and announced.

import type { EntityNode, System, Tree, TreeNode } from "../runtime/index.ts";
import type { KeptTelemetry } from "./kept-telemetry.ts";
import { downText, type Pipeline } from "./pipeline.ts";

/** The store's id in the tree. */
export const STORE = "store";
/** Kind of a bus in the tree. */
export const BUS = "bus";

export interface TreeParts {
  readonly tree: Pick<Tree, "describe">;
  readonly system: Pick<System, "describeEntities">;
  readonly pipeline: Pick<Pipeline, "condition">;
  readonly kept: Pick<KeptTelemetry, "trouble">;
}

export function wholeTree({ tree, system, pipeline, kept }: TreeParts): TreeNode {
  const entities = new Map(system.describeEntities().map((entity) => [entity.id, entity]));
  const joined = (node: TreeNode): TreeNode => {
    const entity = entities.get(node.id);
    const note = noteOf(node, pipeline, kept);
    return { ...node, ...(note === undefined ? {} : { note }), children: [...node.children.map(joined), ...(entity === undefined ? [] : entity.children.map(actorNode))] };
  };
  return joined(tree.describe());
}

function noteOf({ id, kind }: TreeNode, pipeline: TreeParts["pipeline"], { trouble }: TreeParts["kept"]): string | undefined {
  if (id === STORE && trouble !== undefined) return `degraded: telemetry is not kept since ${new Date(trouble.since).toISOString()}: ${trouble.reason}`;
  const bus = kind === BUS ? pipeline.condition(id) : undefined;
  return bus?.kind === "down" ? downText(bus) : undefined;
}

function actorNode(actor: EntityNode): TreeNode {
  const { lastExit } = actor;
  return {
    id: actor.id,
    kind: actor.kind,
    state: actor.state === "stopped" ? "stopped" : actor.state === "error" ? "failed" : "running",
    restarts: actor.restarts,
    since: actor.since,
    ...(lastExit === undefined ? {} : { lastExit: { reason: lastExit.reason, at: lastExit.at, ...(lastExit.error === undefined ? {} : { error: lastExit.error }) } }),
    children: actor.children.map(actorNode),
  };
}
