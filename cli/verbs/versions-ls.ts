// `drover versions`, `drover versions ls`: which versions of actor types a node knows, and which of them its actors run.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

export const addVersionsLs: AddVerb = (parent, run) => {
  const command = connected(parent.command("ls", { isDefault: true }).description("list known and active versions of actor types")).action(async (options: ConnectedOptions) => {
    await run(command, async (call) => {
      const { listVersions } = await import("../nodes/index.ts");
      return listVersions(options, call);
    });
  });
  examples(command, [["drover versions ls", "what may be raised"]]);
};
