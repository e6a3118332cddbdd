// The corpus: its groups of stories, how they are recorded and how they are replayed.

import { arithmeticStories, warnedStories } from "./arithmetic-stories.ts";
import { campaignStories, fleetStories } from "./fleet-stories.ts";
import { readJournals } from "./journal-file.ts";
import { machineStories } from "./machine-stories.ts";
import { problemsOf } from "./replayed.ts";
import type { StoryGroup } from "./story.ts";
import { timerStories } from "./timer-stories.ts";

/** Must replay everywhere and always. */
export const corpus: readonly StoryGroup[] = [machineStories, arithmeticStories, timerStories, fleetStories, campaignStories];

/** What the ESLint preset warns of: it need not replay on another major. */
export const warned: StoryGroup = warnedStories;

export interface Replayed {
  readonly journals: number;
  readonly turns: number;
  readonly problems: readonly string[];
}

export function replayGroup({ name, stories }: StoryGroup): Replayed {
  const journals = readJournals(name) ?? [];
  const problems: string[] = journals.length === 0 ? [`${name}: was never recorded`] : [];
  const types = new Map(stories.map((story) => [story.name, story.type]));
  let turns = 0;
  for (const journal of journals) {
    const type = types.get(journal.story);
    turns += journal.turns.length;
    const found = type === undefined ? ["its story is not told any more"] : problemsOf(type, journal);
    problems.push(...found.map((problem) => `${name}: ${journal.story} of ${journal.entity}: ${problem}`));
  }
  return { journals: journals.length, turns, problems };
}
