// Rollouts on a cloud node: how long a plan for many vehicles takes and what it holds, how many finished targets a second are counted, and what it costs that somebody may watch.

import type { BenchDefinition } from "../_helpers.ts";
import { PLANNED, prepareBareTargets, preparePlanMemory, preparePlanning, preparePlanRows } from "./planning.ts";
import { prepareLastWordRows, prepareLastWords, prepareWatched, prepareWholeCourse, UNDER_WAY, type Watching } from "./progress.ts";

const ALONE: Watching = "nobody";
const WATCHING: readonly Watching[] = [ALONE, "somebody who has left", "somebody"];
const ROWS = "same rows and groups";
const BARE = "a list of the targets";
const inThousands = (count: number): string => count.toLocaleString("en");

export const rollouts: BenchDefinition = {
  name: "rollouts",
  question: "How long does a plan take, what does it hold, and how much progress of it is counted?",
  groups: [
    {
      name: "plan",
      unit: "plans",
      measures: "latency",
      timed: `a plan for ${inThousands(PLANNED)} vehicles, from POST /v1/rollouts until its answer; \`${ROWS}\` the writing of what it commits`,
      reference: ROWS,
      contenders: [
        { name: "drover", prepare: preparePlanning },
        { name: ROWS, prepare: preparePlanRows },
      ],
    },
    {
      name: "plan-memory",
      unit: "targets",
      measures: "heap",
      reference: BARE,
      contenders: [
        { name: "drover, growth of the process at most", prepare: (budget) => preparePlanMemory(budget, "peak") },
        { name: "drover, held by what was made", prepare: (budget) => preparePlanMemory(budget, "held") },
        { name: BARE, prepare: prepareBareTargets },
      ],
    },
    {
      name: "progress",
      unit: "targets",
      measures: "rate",
      timed: `last words: one of ${inThousands(UNDER_WAY)}, from when all are due until it is committed; whole course: a target, from its plan until it is counted; \`${ROWS}\` the writing of a group`,
      reference: ROWS,
      contenders: [
        { name: "drover, last words", prepare: prepareLastWords },
        { name: "drover, whole course", prepare: prepareWholeCourse },
        { name: ROWS, prepare: prepareLastWordRows },
      ],
    },
    {
      name: "watch",
      unit: "targets",
      measures: "rate",
      timed: `one of ${inThousands(UNDER_WAY)} last words, from when all are due until it is committed`,
      reference: ALONE,
      contenders: WATCHING.map((watching) => ({ name: watching, prepare: (budget) => prepareWatched(budget, watching) })),
    },
  ],
};
