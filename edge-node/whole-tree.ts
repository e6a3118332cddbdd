// The node's supervision tree with the actors of its entities in it, with which of its buses are down and what its disk does not take, as it is shown and announced.

import type { EntityNode, System, Tree, TreeNode, WatchedStore } from "../runtime/index.ts";
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
  /** What the store does not take (`storeTroubles`). */
  readonly troubles: readonly string[];
}

/** What the store does not take now, in words: for its note in the tree, and for whoever asks whether the node is ready. */
export function storeTroubles({ trouble: refusing }: Pick<WatchedStore, "trouble">, { trouble: losing }: Pick<KeptTelemetry, "trouble">): readonly string[] {
  const lost = losing === undefined ? undefined : `telemetry is not kept since ${new Date(losing.since).toISOString()}: ${losing.reason}`;
  return [refusing, lost].filter((text) => text !== undefined);
}

export function wholeTree({ tree, system, pipeline, troubles }: TreeParts): TreeNode {
  const entities = new Map(system.describeEntities().map((entity) => [entity.id, entity]));
  const joined = (node: TreeNode): TreeNode => {
    const entity = entities.get(node.id);
    const note = noteOf(node, pipeline, troubles) ?? outNote(entity);
    return { ...node, ...(note === undefined ? {} : { note }), children: [...node.children.map(joined), ...(entity === undefined ? [] : entity.children.map(actorNode))] };
  };
  return joined(tree.describe());
}

function noteOf({ id, kind }: TreeNode, pipeline: TreeParts["pipeline"], troubles: readonly string[]): string | undefined {
  if (id === STORE && troubles.length > 0) return `degraded: ${troubles.join("; ")}`;
  const bus = kind === BUS ? pipeline.condition(id) : undefined;
  return bus?.kind === "down" ? downText(bus) : undefined;
}

/** Of an entity that the node runs without (rules M4). */
function outNote(entity: EntityNode | undefined): string | undefined {
  return entity?.state === "failed" && entity.lastExit?.error !== undefined ? `degraded: ${entity.lastExit.error}` : undefined;
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
