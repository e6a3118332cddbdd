// `drover doctor`: what is wrong on this machine, why it matters, what to do.

import { type AddVerb, examples, wholeNumber } from "./verb.ts";

interface Options {
  readonly config?: string;
  readonly data?: string;
  readonly port?: number;
  readonly machine?: string;
}

export const addDoctor: AddVerb = (parent, run) => {
  const command = parent
    .command("doctor")
    .description("look for what is wrong on this machine; exit code 1 when something is")
    .option("--config <file>", "configuration of a cloud or edge node, looked at too")
    .option("--data <folder>", "data folder; default: DROVER_DATA, else .drover")
    .option("--port <n>", "of the API; default: that of the configuration or DROVER_HTTP_PORT, else of the node of the data folder, else 8080", wholeNumber(0, 65_535))
    .option("--machine <module>", "JavaScript module with new actor types: which live actors of the data folder they would strand, and nothing else is looked at")
    .action(async (options: Options) => {
      await run(
        command,
        async (call) => {
          const { runDoctor } = await import("../doctor/index.ts");
          return runDoctor(options, call);
        },
        { endsInOrder: true },
      );
    });
  examples(command, [
    ["drover doctor", "Node, data folder, disk, stores, ports, clock"],
    ["drover doctor --config edge.yaml --json", "a node's configuration too, for support"],
    ["drover doctor --machine dist/actors.js", "before an upgrade: which live actors fit, migrate or would be stranded"],
  ]);
};
