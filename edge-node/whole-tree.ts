// The node's supervision tree with the actors of its entities in it, and with which of its buses are down, as it is shown and announced.

import type { EntityNode, System, Tree, TreeNode } from "../runtime/index.ts";
import { downText, type Pipeline } from "./pipeline.ts";

/** Kind of a bus in the tree. */
export const BUS = "bus";

export function wholeTree(tree: Pick<Tree, "describe">, system: Pick<System, "describeEntities">, pipeline: Pick<Pipeline, "condition">): TreeNode {
  const entities = new Map(system.describeEntities().map((entity) => [entity.id, entity]));
  const joined = (node: TreeNode): TreeNode => {
    const entity = entities.get(node.id);
    const bus = node.kind === BUS ? pipeline.condition(node.id) : undefined;
    const note = bus?.kind === "down" ? { note: downText(bus) } : {};
    return { ...node, ...note, children: [...node.children.map(joined), ...(entity === undefined ? [] : entity.children.map(actorNode))] };
  };
  return joined(tree.describe());
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
