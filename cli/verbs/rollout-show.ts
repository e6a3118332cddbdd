// `drover rollout show`: one rollout, or its targets.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly targets?: true;
  readonly group?: string;
  readonly state?: string;
}

export const addRolloutShow: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("show")
      .description("show a rollout: groups, causes, why one waits, who said what")
      .argument("<rollout>", "its name, or tenant/rollout/name")
      .option("--targets", "its vehicles instead")
      .option("--group <name>", "its vehicles in this group")
      .option("--state <state>", 'its vehicles in this state, e.g. away, "under way", failed'),
  ).action(async (rollout: string, options: Options) => {
    await run(command, async (call) => {
      const { showRollout } = await import("../rollouts/index.ts");
      return showRollout(rollout, options, call);
    });
  });
  examples(command, [
    ["drover rollout show torrent-2.4", "how it stands"],
    ["drover rollout show torrent-2.4 --state failed", "which vehicles failed, and why"],
  ]);
};
