// The supervision trees that nodes announce on the bus, beside this node's own: what `/v1/tree` joins.

import { decodeEnvelope, LimitedLog, type TreeNode } from "../runtime/index.ts";
import type { Clock, Log, Transport } from "../runtime/ports/index.ts";
import { treeProblem } from "./tree-check.ts";

export interface AnnouncedTree {
  readonly node: string;
  /** Wall ms of its arrival. */
  readonly at: number;
  readonly tree: TreeNode;
}

const PATTERNS = ["drover/v1/v/*/*/up/tree", "drover/v1/n/*/tree"];
const MAX_TREES = 10_000;

export interface AnnouncedTrees {
  all(): readonly AnnouncedTree[];
  /** Announcements that did not fit: what was shown before stays. */
  readonly counters: { readonly bad: number };
  close(): Promise<void>;
}

export async function watchTrees(transport: Transport, clock: Clock, log: Log): Promise<AnnouncedTrees> {
  const trees = new Map<string, AnnouncedTree>();
  const counters = { bad: 0 };
  const limitedLog = new LimitedLog(log, clock);
  const watched = await Promise.all(
    PATTERNS.map((pattern) =>
      transport.watchLast(pattern, (delivery) => {
        if (delivery.payload.byteLength === 0) {
          trees.delete(delivery.key);
          return;
        }
        const decoded = decodeEnvelope(delivery.payload);
        const full = trees.size >= MAX_TREES && !trees.has(delivery.key) ? `there are ${String(MAX_TREES)} already` : undefined;
        const problem = full ?? (decoded.ok ? (decoded.envelope.kind === "tree" ? treeProblem(decoded.envelope.body) : `kind ${decoded.envelope.kind}`) : decoded.detail);
        if (!decoded.ok || problem !== undefined) {
          counters.bad++;
          limitedLog.warn({ reason: "bad-tree", key: delivery.key, detail: problem }, "an announced tree could not be taken");
          return;
        }
        trees.set(delivery.key, { node: decoded.envelope.sender.node, at: clock.now(), tree: decoded.envelope.body as TreeNode });
      }),
    ),
  );
  return {
    counters,
    all: () => [...trees.values()].sort((a, b) => (a.node < b.node ? -1 : 1)),
    close: async () => {
      await Promise.all(watched.map((subscription) => subscription.close()));
    },
  };
}
