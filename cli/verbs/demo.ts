// `drover demo` (npm start): three vehicles, a simulated trailer and a cloud on this machine.

import { type AddVerb, examples, wholeNumber } from "./verb.ts";

interface Options {
  readonly data?: string;
  readonly port?: number;
}

export const addDemo: AddVerb = (parent, run) => {
  const command = parent
    .command("demo")
    .description("run three vehicles, a simulated trailer and a cloud on this machine; Ctrl-C ends it")
    .option("--data <folder>", "where everything is kept; default: DROVER_DATA, else .drover")
    .option("--port <n>", "of the API and the page; default: DROVER_HTTP_PORT, else 8080; 0 is any free one", wholeNumber(0, 65_535))
    .action(async (options: Options) => {
      await run(
        command,
        async (call) => {
          const { runDemo } = await import("../demo/index.ts");
          return runDemo(options, call);
        },
        { endsInOrder: true },
      );
    });
  examples(command, [
    ["drover demo", "a live table here, the page at http://127.0.0.1:8080"],
    ["DROVER_DATA=/tmp/fleet drover demo --port 9090", "with its data and its page elsewhere"],
    ["kill -9 <pid of an edge process>", "then look at `drover tree`: it is back, with what it knew"],
  ]);
};
