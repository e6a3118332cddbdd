// `drover tree`: what runs under which supervisor, on all nodes that say so.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly node?: string;
}

export const addTree: AddVerb = (parent, run) => {
  const command = connected(
    parent.command("tree").description("what runs under which supervisor, with restarts and their causes").option("--node <node>", "of this node only"),
  ).action(async (options: Options) => {
    await run(command, async (call) => {
      const { showTree } = await import("../nodes/index.ts");
      return showTree(options, call);
    });
  });
  examples(command, [
    ["drover tree", "the trees of all nodes"],
    ["drover tree --node demo", "the demo's own processes, with restarts and their causes"],
  ]);
};
