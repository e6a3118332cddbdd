// `drover dead-letters ls`: messages that reached nobody.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples, wholeNumber } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly limit: number;
}

export const addDeadLettersLs: AddVerb = (parent, run) => {
  const command = connected(parent.command("ls").description("list messages that reached nobody").option("--limit <n>", "at most so many", wholeNumber(1, 1_000), 100)).action(
    async (options: Options) => {
      await run(command, async (call) => {
        const { listDeadLetters } = await import("../nodes/index.ts");
        return listDeadLetters(options, call);
      });
    },
  );
  examples(command, [["drover dead-letters ls", "to whom, from whom, and why not"]]);
};
