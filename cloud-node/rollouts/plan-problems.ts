// What is wrong with a plan, each kind with its own problem type.

import { madeForWords, type PlanProblem, type PlanFile, planSchema, impossibleIn } from "../../actors/index.ts";
import { bodyCheck, type Problem, type ProblemName } from "../../protocols/http/index.ts";
import type { ImageStore, KeptImage } from "../images/index.ts";

const MOST_TOLD = 50;

/** Where thresholds stand in a plan: numbers with a range. */
const THRESHOLD =
  /^\/(concurrency|success_percent|excuse_percent|attempts|pause\/(count|percent)|abort\/(min_sample|percent|count)|groups\/\d+\/(count|percent|abort_count|pause_count))$/;

const NAMES = {
  "module-taken": "rollout-module-taken",
  "no-image": "rollout-image-missing",
  "selects-none": "rollout-selects-none",
  "empty-group": "rollout-group-empty",
  "left-over": "rollout-plan-invalid",
} as const satisfies Record<PlanProblem["kind"], ProblemName>;

/** What is told first: what another rollout has comes last, since it may pass. */
const ORDER: readonly PlanProblem["kind"][] = ["no-image", "selects-none", "empty-group", "left-over", "module-taken"];

const check = bodyCheck(planSchema);

/** Of the plan by itself. */
export function shapeProblem(given: unknown): Problem | undefined {
  const misformed = check(given);
  const problems = misformed.length > 0 ? misformed : impossibleIn(given as PlanFile);
  if (problems.length === 0) return undefined;
  const isThreshold = problems.every(({ path }) => THRESHOLD.test(path));
  const told = problems.slice(0, MOST_TOLD);
  return {
    name: isThreshold ? "rollout-threshold" : "rollout-plan-invalid",
    detail: `${told.map(({ path, message }) => `${path} ${message}`).join("; ")}.`,
    members: { problems: told },
  };
}

/** Of its images beside those that are kept here: what is wrong with each, the first complaint about it. */
export function imageProblems(plan: PlanFile, images: ImageStore | undefined): readonly Problem[] {
  const known = images?.list() ?? [];
  const problems: Problem[] = [];
  for (const [index, wanted] of plan.images.entries()) {
    const { module, hardware, address = null, version, sha256 } = wanted;
    const path = `/images/${String(index)}/sha256`;
    const isSame = (image: KeptImage): boolean => image.module === module && image.hardware === hardware && image.address === address && image.version === version;
    const kept = known.find((image) => image.sha256 === sha256);
    if (kept !== undefined && isSame(kept)) continue;
    const other = known.find(isSame);
    const what = madeForWords(`${module} ${version}`, wanted);
    if (kept === undefined && other === undefined) {
      problems.push({
        name: "rollout-image-unknown",
        detail: `${path}: no image ${sha256.slice(0, 12)}… is kept here, which is to be ${what}.`,
        members: { problems: [{ path, message: "is not kept here" }] },
      });
      continue;
    }
    const message =
      kept === undefined ? `${what} is kept with the sha256 ${other?.sha256 ?? ""}` : `is kept as ${madeForWords(`${kept.module} ${kept.version}`, kept)}, not as ${what}`;
    problems.push({ name: "rollout-image-differs", detail: `${path}: ${message}.`, members: { problems: [{ path, message }] } });
  }
  return problems;
}

/** Name of what is wrong with a plan beside the fleet. */
export function nameOfProblem({ kind }: PlanProblem): ProblemName {
  return NAMES[kind];
}

/** Of it beside the fleet. */
export function fleetProblem(problems: readonly PlanProblem[]): Problem {
  const kind = ORDER.find((each) => problems.some((problem) => problem.kind === each)) ?? "left-over";
  const first = problems.filter((problem) => problem.kind === kind);
  const told = [...first, ...problems.filter((problem) => problem.kind !== kind)].slice(0, MOST_TOLD);
  const { message = "", expected = "" } = first[0] ?? {};
  return { name: NAMES[kind], detail: `${message}; expected: ${expected}.`, members: { problems: told, more: problems.length - told.length } };
}
