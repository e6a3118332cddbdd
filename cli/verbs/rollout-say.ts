// `drover rollout approve`, `pause`, `resume` and `abort`: an operator's word to a rollout.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

type RolloutVerb = "approve" | "pause" | "resume" | "abort";

interface Options extends ConnectedOptions {
  readonly reason: string;
  readonly id?: string;
}

const said =
  (verb: RolloutVerb, description: string, reason: string, purpose: string): AddVerb =>
  (parent, run) => {
    const command = connected(
      parent
        .command(verb)
        .description(description)
        .argument("<rollout>", "its name, or tenant/rollout/name")
        .requiredOption("--reason <text>", "why, for those who read it later")
        .option("--id <id>", "message id: sent again under the same id it acts once; default a fresh one"),
    ).action(async (rollout: string, options: Options) => {
      await run(command, async (call) => {
        const { sayToRollout } = await import("../rollouts/index.ts");
        return sayToRollout(verb, rollout, options, call);
      });
    });
    examples(command, [[`drover rollout ${verb} torrent-2.4 --reason "${reason}"`, purpose]]);
  };

export const addRolloutApprove = said(
  "approve",
  "let a draft begin: one that was made over the API, or by a start that ended before its approval",
  "tried on the bench",
  "`start` makes and approves in one go; this is for a rollout that `ls --state draft` lists",
);
export const addRolloutPause = said("pause", "let nothing more of a rollout begin; what has begun goes on", "a storm is coming", "until it is resumed");
export const addRolloutResume = said("resume", "let a paused rollout go on from its present counts", "the two are known", "bad results so far pause it no more");
export const addRolloutAbort = said("abort", "end a rollout: nothing more begins, and what has begun is asked to end", "wrong image", "it cannot be taken back");
