// `drover rollout ls`: rollouts and how far they are.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly state?: string;
}

export const addRolloutLs: AddVerb = (parent, run) => {
  const command = connected(parent.command("ls").description("list rollouts").option("--state <state>", "draft, approved, running, paused, completed or aborted")).action(
    async (options: Options) => {
      await run(command, async (call) => {
        const { listRollouts } = await import("../rollouts/index.ts");
        return listRollouts(options, call);
      });
    },
  );
  examples(command, [["drover rollout ls --state paused", "those that wait for a person"]]);
};
