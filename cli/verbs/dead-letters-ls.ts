// `drover dead-letters ls`: messages that reached nobody.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples, wholeNumber } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly limit: number;
  readonly to?: string;
  readonly reason?: string;
}

export const addDeadLettersLs: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("ls")
      .description("list messages that reached nobody, and timers that were set aside")
      .option("--limit <n>", "at most so many", wholeNumber(1, 1_000), 100)
      .option("--to <address>", "to this actor, or one below it")
      .option("--reason <word>", "why they reached nobody, e.g. no-such-actor"),
  ).action(async (options: Options) => {
    await run(command, async (call) => {
      const { listDeadLetters } = await import("../nodes/index.ts");
      return listDeadLetters(options, call);
    });
  });
  examples(command, [["drover dead-letters ls", "to whom, from whom, and why not"]]);
};
