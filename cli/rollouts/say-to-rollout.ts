// An operator's word to a rollout, with a reason that is kept beside it.

import { systemRandom } from "../../runtime/host/index.ts";
import { apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, oneLine, printJson, printLines } from "../terminal/index.ts";
import { rolloutPath, type ShownRollout } from "./rollout-words.ts";

export interface SayOptions extends EndpointOptions {
  readonly reason: string;
  /** Message id, the Idempotency-Key. */
  readonly id?: string;
}

export async function sayToRollout(verb: "approve" | "pause" | "resume" | "abort", rollout: string, options: SayOptions, call: Call): Promise<ExitCode> {
  const id = options.id ?? systemRandom.id();
  try {
    const { body } = await apiClient(options, call).ask<ShownRollout>(rolloutPath(rollout, `/${verb}`), {
      method: "POST",
      body: { reason: options.reason },
      headers: { "idempotency-key": id },
    });
    if (call.json) printJson(call.out, body);
    else printLines(call.out, [oneLine(`${body.address} is ${body.state}${body.phase === null ? "" : ` (${body.phase})`}`)]);
    return EXIT.ok;
  } catch (thrown) {
    if (!(thrown instanceof CommandFailure) || thrown.failure.code !== "timeout") throw thrown;
    // Sent, and no answer: under this id it acts once, however often it is sent.
    throw new CommandFailure({ ...thrown.failure, advice: `It may have been taken. Send it again with --id ${id}: that never acts twice.`, more: { id } }, { cause: thrown });
  }
}
