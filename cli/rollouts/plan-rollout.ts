// Shows what a plan would come to: images, groups, targets, and what is refused. Nothing is sent to a vehicle, and nothing is made.

import { madeForWords } from "../../actors/index.ts";
import { formatProblem } from "../../runtime/shape/index.ts";
import { apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, type ExitCode, oneLine, paint, printJson, printLines } from "../terminal/index.ts";
import { readPlan, type WrittenPlan } from "./plan-file.ts";
import { extentOf, vehicles } from "./rollout-words.ts";
import { exitOfRefused, type TriedGroup, type TriedPlan, tryPlan } from "./try-plan.ts";

export async function planRollout(file: string, options: EndpointOptions & { readonly tenant?: string }, call: Call): Promise<ExitCode> {
  const written = readPlan(file, call);
  const tried = await tryPlan(apiClient(options, call), written, options.tenant);
  if (call.json) printJson(call.out, { ...tried, file });
  else printLines(call.out, describe(written, tried, call).map(oneLineOf(call)));
  if (!call.json && tried.refused.length > 0)
    call.err.write(`${file}: ${String(tried.refused.length + tried.more)} ${tried.refused.length + tried.more === 1 ? "reason" : "reasons"} why it is refused\n`);
  return exitOfRefused(tried.refused);
}

/** Our own colours stay; names that come from elsewhere move no cursor. */
function oneLineOf({ hasColour }: Call): (line: string) => string {
  return hasColour ? (line) => line : oneLine;
}

function describe({ plan, files }: WrittenPlan, { address, targets, upToDate, groups, images, refused, more }: TriedPlan, { hasColour }: Call): readonly string[] {
  const { bold, bad } = paint(hasColour);
  const width = Math.max(0, ...groups.map(({ name }) => name.length));
  return [
    `${bold(oneLine(address))}: ${extentOf(targets, groups.length)}${upToDate === 0 ? "" : `; ${vehicles(upToDate)} left out, with these versions already`}`,
    ...plan.images.map(({ module, version, sha256, ...place }, index) => {
      const file = files[index]?.file;
      const where = images[index]?.kept === true ? "kept by the cloud" : file === undefined ? "not kept by the cloud" : `to be brought from ${oneLine(file)}`;
      return `  image  ${madeForWords(`${module} ${version}`, place)}  ${sha256.slice(0, 12)}…  ${where}`;
    }),
    ...groups.map((group, index) => `  group  ${String(index + 1)} ${group.name.padEnd(width)}  ${limitsOf(group)}  ${oneLine(targetsOf(group))}`),
    ...(refused.length === 0 ? [] : [bad("refused:"), ...refused.map((problem) => `  ${oneLine(formatProblem(problem))}`)]),
    ...(more === 0 ? [] : [`  and ${String(more)} more`]),
  ];
}

function limitsOf({ size, pauseCount, abortCount }: TriedGroup): string {
  const limits = [...(pauseCount === null ? [] : [`pauses at ${String(pauseCount)} bad`]), ...(abortCount === null ? [] : [`aborts at ${String(abortCount)} bad`])];
  return [vehicles(size), ...limits].join(", ");
}

function targetsOf({ first, size }: TriedGroup): string {
  const told = first.map(({ vehicle, modules }) => `${vehicle} (${modules.join(", ")})`).join(", ");
  return size > first.length ? `${told}, …` : told;
}
