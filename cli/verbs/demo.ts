// `drover demo` (npm start): two vehicles from recordings, simulated trailers and a cloud on this machine.

import { type AddVerb, examples, wholeNumber } from "./verb.ts";

interface Options {
  readonly data?: string;
  readonly port?: number;
  readonly trailers?: number;
}

/** Each takes about 5 % of a core for its node, and all rigs share a core, of which eight take 7 %. */
const MOST_TRAILERS = 20;

export const addDemo: AddVerb = (parent, run) => {
  const command = parent
    .command("demo")
    .description("run two vehicles from recordings, simulated trailers and a cloud on this machine; Ctrl-C ends it")
    .option("--data <folder>", "where everything is kept; default: DROVER_DATA, else .drover")
    .option(
      "--trailers <n>",
      `simulated trailers, each with a rig and a process of its own (about 75 MB); default 1, at most ${String(MOST_TRAILERS)}`,
      wholeNumber(1, MOST_TRAILERS),
    )
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
    ["drover demo --trailers 5", "five trailers: enough for a rollout with groups"],
    ["kill -9 <pid of an edge process>", "then look at `drover tree`: it is back, with what it knew"],
  ]);
};
