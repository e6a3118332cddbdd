// `drover lint`: what a supervision tree says about its own failure handling, read without running it.

import { type AddVerb, durationMs, examples, wholeNumber } from "./verb.ts";

interface Options {
  readonly config?: string;
  readonly stopWithin?: number;
  readonly maxStarts?: number;
}

export const addLint: AddVerb = (parent, run) => {
  const command = parent
    .command("lint")
    .description("look for mistakes in a supervision tree, without running it; exit code 3 where there is a warning")
    .argument("<tree>", "edge, cloud or demo, or a JavaScript module that exports what supervisor(…) returns")
    .option("--config <file>", "configuration of the edge or cloud node")
    .option("--stop-within <time>", "what the whole tree has for its stop, e.g. 4s; default: no bound", durationMs)
    .option("--max-starts <count>", "starts of one child before the root gives up that are still sensible; default 100", wholeNumber(1, 1_000_000))
    .action(async (what: string, options: Options) => {
      await run(command, async (call) => {
        const { lint } = await import("../lint/index.ts");
        return lint(what, options, call);
      });
    });
  examples(command, [
    ["drover lint my-tree.js", "restart budgets, missing and long shutdowns, what can never give up"],
    ["drover lint edge --config edge.yaml --stop-within 4s", "the tree of a vehicle's node, with the time that its stop has"],
    ["drover lint demo --json", "the demo's own tree, for a program"],
  ]);
};
