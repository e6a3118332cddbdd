// `drover rollout watch`: how a rollout goes, until it is over.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

export const addRolloutWatch: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("watch")
      .description("show how a rollout goes until it is over; exit code 0: all committed, 9: completed without some, 1: aborted")
      .argument("<rollout>", "its name, or tenant/rollout/name"),
  ).action(async (rollout: string, options: ConnectedOptions) => {
    await run(
      command,
      async (call) => {
        const { watchRollout } = await import("../rollouts/index.ts");
        return watchRollout(rollout, options, call);
      },
      { endsInOrder: true },
    );
  });
  examples(command, [
    ["drover rollout watch torrent-2.4", "a bar for each group (= committed, x bad, ~ excused, > under way), and why one waits"],
    ["drover rollout watch torrent-2.4 --json | jq .data.counts", "one JSON object a line"],
  ]);
};
