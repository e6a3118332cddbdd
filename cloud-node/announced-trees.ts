// The supervision trees that nodes announce on the bus, beside this node's own: what `/v1/tree` joins.

import { decodeEnvelope, type TreeNode } from "../runtime/index.ts";
import type { Clock, Transport } from "../runtime/ports/index.ts";

export interface AnnouncedTree {
  readonly node: string;
  /** Wall ms of its arrival. */
  readonly at: number;
  readonly tree: TreeNode;
}

const PATTERNS = ["drover/v1/v/*/*/up/tree", "drover/v1/n/*/tree"];
const MAX_TREES = 10_000;

export async function watchTrees(transport: Transport, clock: Clock): Promise<{ all(): readonly AnnouncedTree[]; close(): Promise<void> }> {
  const trees = new Map<string, AnnouncedTree>();
  const watched = await Promise.all(
    PATTERNS.map((pattern) =>
      transport.watchLast(pattern, (delivery) => {
        if (delivery.payload.byteLength === 0) {
          trees.delete(delivery.key);
          return;
        }
        const decoded = decodeEnvelope(delivery.payload);
        if (!decoded.ok || decoded.envelope.kind !== "tree" || !isTree(decoded.envelope.body, 0)) return;
        if (trees.size >= MAX_TREES && !trees.has(delivery.key)) return;
        trees.set(delivery.key, { node: decoded.envelope.sender.node, at: clock.now(), tree: decoded.envelope.body });
      }),
    ),
  );
  return {
    all: () => [...trees.values()].sort((a, b) => (a.node < b.node ? -1 : 1)),
    close: async () => {
      await Promise.all(watched.map((subscription) => subscription.close()));
    },
  };
}

function isTree(value: unknown, depth: number): value is TreeNode {
  if (typeof value !== "object" || value === null || depth > 20) return false;
  const { id, kind, state, children } = value as Partial<TreeNode>;
  return typeof id === "string" && typeof kind === "string" && typeof state === "string" && Array.isArray(children) && children.every((child) => isTree(child, depth + 1));
}
