// `drover rollout start`: a plan is made, approved, and begins.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly reason: string;
  readonly tenant?: string;
}

export const addRolloutStart: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("start")
      .description("check a plan as `plan` does, bring the images that the cloud lacks, make the rollout and approve it; the same once more acts once")
      .argument("<file>", "the plan, YAML or JSON; `file` of an image counts from its folder")
      .requiredOption("--reason <text>", "why it is approved, for those who read it later")
      .option("--tenant <name>", "whose vehicles; may be left out where those of one alone are known"),
  ).action(async (file: string, options: Options) => {
    await run(command, async (call) => {
      const { startRollout } = await import("../rollouts/index.ts");
      return startRollout(file, options, call);
    });
  });
  examples(command, [['drover rollout start torrent-2.4.yaml --reason "tried on the bench"', "the first group begins"]]);
};
