// The processes of a tree, as a test meets them from outside.

import type { Tree, TreeNode } from "../../runtime/index.ts";

export interface Children {
  child(id: string): TreeNode;
  /** SIGKILL, to the whole group. Returns the pid. */
  kill(id: string): number;
}

/** Those directly below the root. */
export function childrenOf(tree: Tree): Children {
  const child = (id: string): TreeNode => {
    const found = tree.describe().children.find((each) => each.id === id);
    if (found === undefined) throw new Error(`no child ${id}`);
    return found;
  };
  return {
    child,
    kill: (id) => {
      const { pid } = child(id);
      if (pid === undefined) throw new Error(`${id} has no process now`);
      process.kill(-pid, "SIGKILL");
      return pid;
    },
  };
}
