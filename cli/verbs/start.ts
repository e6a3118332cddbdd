// `drover start edge|cloud`: one node in this process, for systemd, Kubernetes or a terminal.

import type { Command } from "commander";
import { type AddVerb, collect, examples, group, type Run } from "./verb.ts";

interface Options {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly logLevel?: string;
}

export const addStart: AddVerb = (parent, run) => {
  const start = group(parent, "start", "run one node in this process", [
    ["drover start cloud", "a fleet's node on this machine"],
    ["drover start edge --config edge.yaml", "a vehicle's node"],
  ]);
  add(start, run, "edge", "a vehicle's node", [
    ["drover start edge --config edge.yaml", "a vehicle, as its files and this configuration say"],
    ["DROVER_DATA=/var/lib/drover drover start edge --config edge.yaml", "with its data elsewhere"],
  ]);
  add(start, run, "cloud", "a fleet's node", [
    ["drover start cloud", "loopback, port 8080, an embedded broker, data in .drover"],
    ["drover start cloud --config cloud.yaml --set http.port=9090", "a file, and one value in its place"],
  ]);
};

function add(parent: Command, run: Run, kind: "edge" | "cloud", description: string, typed: readonly (readonly [string, string])[]): void {
  const command = parent
    .command(kind)
    .description(description)
    .option("--config <file>", "YAML or JSON; every single value can also be given as DROVER_<PATH> or by --set")
    .option("--set <path=value>", "one value of the configuration, before environment and file; may be given several times", collect)
    .option("--log-level <level>", "debug, info, warn or error; default DROVER_LOG, else info")
    .action(async (options: Options) => {
      await run(
        command,
        async (call) => {
          const { startNode } = await import("../node/index.ts");
          return startNode(kind, options, call);
        },
        { endsInOrder: true },
      );
    });
  examples(command, typed);
}
