// `drover actors history`: an actor's committed turns.

import { Option } from "commander";
import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples, wholeNumber } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly limit: number;
  readonly order: "newest-first" | "oldest-first";
  readonly after?: number;
  readonly before?: number;
  readonly replay?: true;
}

const MOST = Number.MAX_SAFE_INTEGER;

export const addActorsHistory: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("history")
      .description("show an actor's committed turns: what came, from whom, what it led to")
      .argument("<address>", "tenant/type/id, then /type/id for each child")
      .option("--limit <n>", "at most so many", wholeNumber(1, 1_000), 20)
      .addOption(new Option("--order <order>").choices(["newest-first", "oldest-first"]).default("newest-first"))
      .option("--replay", "run these turns again on a copy, oldest first, with guards, transitions and effects; step by step on a terminal")
      .option("--after <revision>", "only later ones", wholeNumber(0, MOST))
      .option("--before <revision>", "only earlier ones", wholeNumber(0, MOST)),
  ).action(async (address: string, options: Options) => {
    await run(command, async (call) => {
      const { replayHistory, showHistory } = await import("../actors/index.ts");
      return (options.replay === true ? replayHistory : showHistory)(address, options, call);
    });
  });
  examples(command, [
    ["drover actors history demo/vehicle/trailer-01/module/torrent-0", "the last 20 turns, newest first"],
    ["drover actors history demo/vehicle/rav4-01 --order oldest-first --limit 100 --json", "from the beginning, for a program"],
    ["drover actors history demo/presence/rav4-01 --replay --limit 1", "the last turn again, step by step"],
  ]);
};
