// `drover actors get`: one actor's committed state, and which events it would take.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples, wholeNumber } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly inspect?: true;
  readonly revision?: number;
}

export const addActorsGet: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("get")
      .description("show one actor: state, context, accepted events")
      .argument("<address>", "tenant/type/id, then /type/id for each child")
      .option("--inspect", "what it has under way: mail, timers, effects, restarts, and what led to its state")
      .option("--revision <n>", "its state after a past turn", wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  ).action(async (address: string, options: Options) => {
    await run(command, async (call) => {
      const { getActor, inspectActor, showPastState } = await import("../actors/index.ts");
      if (options.revision !== undefined) return showPastState(address, options.revision, options, call);
      return (options.inspect === true ? inspectActor : getActor)(address, options, call);
    });
  });
  examples(command, [
    ["drover actors get demo/vehicle/rav4-01", "a vehicle"],
    ["drover actors get demo/vehicle/trailer-01/module/torrent-0 --json", "one of its modules, for a program"],
    ["drover actors get demo/presence/rav4-01 --inspect", "why is it in this state, and what is it waiting for?"],
  ]);
};
