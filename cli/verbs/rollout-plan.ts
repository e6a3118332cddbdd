// `drover rollout plan`: what a plan would come to.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly tenant?: string;
}

export const addRolloutPlan: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("plan")
      .description("check a plan and its images, here and at the cloud: groups, targets, and what is refused; nothing is made, `start` does that")
      .argument("<file>", "the plan, YAML or JSON; `file` of an image counts from its folder")
      .option("--tenant <name>", "whose vehicles; may be left out where those of one alone are known"),
  ).action(async (file: string, options: Options) => {
    await run(command, async (call) => {
      const { planRollout } = await import("../rollouts/index.ts");
      return planRollout(file, options, call);
    });
  });
  examples(command, [["drover rollout plan torrent-2.4.yaml", "exit code 0: it could be started now; 3: mend it; 5: another rollout stands in the way"]]);
};
