// `drover actors watch`: an actor's changes as they are committed, until Ctrl-C.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples, wholeNumber } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly count?: number;
}

export const addActorsWatch: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("watch")
      .description("show an actor's changes as they are committed, until Ctrl-C")
      .argument("<address>", "tenant/type/id, then /type/id for each child")
      .option("--count <n>", "end after so many changes", wholeNumber(1, 1_000_000_000)),
  ).action(async (address: string, options: Options) => {
    await run(
      command,
      async (call) => {
        const { watchActor } = await import("../actors/index.ts");
        return watchActor(address, options, call);
      },
      { endsInOrder: true },
    );
  });
  examples(command, [
    ["drover actors watch demo/vehicle/rav4-01", "one line a change"],
    ["drover actors watch demo/vehicle/rav4-01 --json | jq .data", "one JSON object a line"],
  ]);
};
