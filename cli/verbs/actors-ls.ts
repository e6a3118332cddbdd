// `drover actors ls`: what actors there are, filtered, page after page.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, collect, examples, wholeNumber } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly kind?: string;
  readonly state?: string;
  readonly node?: string;
  readonly label?: readonly string[];
  readonly q?: string;
  readonly limit?: number;
}

export const addActorsLs: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("ls")
      .description("list actors")
      .option("--kind <kind>", "vehicle, module, presence, requests, alarm, …")
      .option("--state <state>", "whose state contains this one, e.g. moving or motion.moving")
      .option("--node <node>", "owned by this node")
      .option("--label <key=value>", "with this label; may be given several times", collect)
      .option("-q, --q <text>", "with this text in the address")
      .option("--limit <n>", "at most so many; default all", wholeNumber(1, 1_000_000)),
  ).action(async (options: Options) => {
    await run(command, async (call) => {
      const { listActors } = await import("../actors/index.ts");
      return listActors(options, call);
    });
  });
  examples(command, [
    ["drover actors ls", "all of them"],
    ["drover actors ls --kind vehicle", "the vehicles, with their presence"],
    ["drover actors ls --kind module --state silent", "modules that should speak and do not"],
    ["drover actors ls --label fleet=demo --json", "for a program"],
  ]);
};
