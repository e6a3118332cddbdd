// `drover versions raise`: newer versions of actor types run and write from now on.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, durationMs, examples } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly timeout?: number;
}

export const addVersionsRaise: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("raise")
      .description("make newer versions the active ones, all that are named together; it cannot be taken back")
      .argument("<types...>", "actor types, e.g. pot for the newest version that the node knows, pot@2 for this one")
      .option("--timeout <time>", "longest wait, e.g. 10s or 5m; the node goes on with it in any case; default 2m", durationMs),
  ).action(async (types: readonly string[], options: Options) => {
    await run(command, async (call) => {
      const { raiseVersions } = await import("../nodes/index.ts");
      return raiseVersions(types, options, call);
    });
  });
  examples(command, [
    ["drover versions raise pot", "pots run and write the newest version; a release without it cannot come back"],
    ["drover versions raise pot@2 kitchen", "both at once"],
  ]);
};
