// The node's supervision tree with the actors of its entities in it, as it is shown and announced.

import type { EntityNode, System, Tree, TreeNode } from "../runtime/index.ts";

export function wholeTree(tree: Pick<Tree, "describe">, system: Pick<System, "describeEntities">): TreeNode {
  const entities = new Map(system.describeEntities().map((entity) => [entity.id, entity]));
  const joined = (node: TreeNode): TreeNode => {
    const entity = entities.get(node.id);
    return { ...node, children: [...node.children.map(joined), ...(entity === undefined ? [] : entity.children.map(actorNode))] };
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
