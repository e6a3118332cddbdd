// Starts a rollout from a plan: images that the cloud lacks are brought, the plan is made and approved.
//
// S1. The ids of what is sent are made from the plan and the reason: started again after a failure or a kill, with the same plan and words, it goes on where it stood and acts once.
// S2. What was started before and has been aborted since is not told as approved.

import { createHash } from "node:crypto";
import { apiClient, type EndpointOptions } from "../api/index.ts";
import { bringImage } from "../images/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, oneLine, printJson, printLines } from "../terminal/index.ts";
import { planFailure, readPlan } from "./plan-file.ts";
import { extentOf, rolloutPath, type ShownRollout } from "./rollout-words.ts";
import { exitOfRefused, tryPlan } from "./try-plan.ts";

export interface StartOptions extends EndpointOptions {
  readonly reason: string;
  readonly tenant?: string;
}

/** A large plan is many entities. */
const MADE_WITHIN_MS = 120_000;

export async function startRollout(file: string, options: StartOptions, call: Call): Promise<ExitCode> {
  const { reason, tenant } = options;
  const api = apiClient(options, call);
  const written = readPlan(file, call);
  const { plan, files } = written;
  const tried = await tryPlan(api, written, tenant);
  // What is there already the cloud itself tells apart: this one, begun before, or another of its name.
  if (!tried.exists) {
    if (tried.refused.length > 0) throw planFailure(tried.refused, call, { code: tried.refused[0]?.type ?? "", title: "The plan is refused.", exit: exitOfRefused(tried.refused) });
    for (const [index, image] of plan.images.entries()) {
      const bytes = files[index]?.bytes;
      if (bytes === undefined || tried.images[index]?.kept === true) continue;
      await bringImage(api, image, bytes);
      call.err.write(`${files[index]?.file ?? ""} was brought: ${image.sha256}\n`);
    }
  }
  const id = idOf(tried.address, JSON.stringify(plan));
  const { body: made } = await api.ask<ShownRollout>("/v1/rollouts", {
    method: "POST",
    query: { tenant },
    body: plan,
    headers: { "idempotency-key": id },
    withinMs: MADE_WITHIN_MS,
  });
  const { body } = await api.ask<ShownRollout>(rolloutPath(made.address, "/approve"), { method: "POST", body: { reason }, headers: { "idempotency-key": idOf(id, reason) } });
  // S2.
  if (body.state === "aborted") throw overBefore(body);
  if (call.json) printJson(call.out, body);
  else
    printLines(call.out, [
      `${body.address} is ${body.state === "completed" ? "completed" : "approved"}: ${extentOf(body.targets, body.groups.length)}`,
      `drover rollout watch ${body.id} shows how it goes`,
    ]);
  return EXIT.ok;
}

/** S2. */
function overBefore({ address, why }: ShownRollout): CommandFailure {
  const because = why === null ? "" : ` by ${oneLine(why.who)}: ${oneLine(why.reason)}`;
  return new CommandFailure({
    code: "rollout-over",
    title: "The rollout is over.",
    detail: `${address} was started with this plan and reason before, and was aborted${because}. Nothing was sent to a vehicle now.`,
    advice: "Make a new rollout, with a name of its own, for what is left.",
    exit: EXIT.conflict,
  });
}

/** S1. */
function idOf(...parts: readonly string[]): string {
  return `start-${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 40)}`;
}
