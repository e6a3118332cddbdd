// `drover nodes ls`: which nodes there are and whether they are linked.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

export const addNodesLs: AddVerb = (parent, run) => {
  const command = connected(parent.command("ls").description("list nodes")).action(async (options: ConnectedOptions) => {
    await run(command, async (call) => {
      const { listNodes } = await import("../nodes/index.ts");
      return listNodes(options, call);
    });
  });
  examples(command, [["drover nodes ls", "cloud and vehicles' nodes, and whether they are linked"]]);
};
