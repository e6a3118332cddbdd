// `drover actors get`: one actor's committed state, and which events it would take.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

export const addActorsGet: AddVerb = (parent, run) => {
  const command = connected(
    parent.command("get").description("show one actor: state, context, accepted events").argument("<address>", "tenant/type/id, then /type/id for each child"),
  ).action(async (address: string, options: ConnectedOptions) => {
    await run(command, async (call) => {
      const { getActor } = await import("../actors/index.ts");
      return getActor(address, options, call);
    });
  });
  examples(command, [
    ["drover actors get demo/vehicle/rav4-01", "a vehicle"],
    ["drover actors get demo/vehicle/trailer-01/module/torrent-0 --json", "one of its modules, for a program"],
  ]);
};
