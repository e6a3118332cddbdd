// Replays the corpus on the Node that runs this, or records groups of it. Usage: node dist/test/replay-corpus/main.js [GROUP...] | record GROUP...
//
// Exit code 1 when a journal does not replay; each line of stderr says where.

import { droverVersion } from "../../runtime/index.ts";
import { corpus, replayGroup, warned } from "./index.ts";
import { writeJournals } from "./journal-file.ts";
import { journalOf, type StoryGroup } from "./story.ts";

const [first, ...others] = process.argv.slice(2);
const isRecording = first === "record";
const names = isRecording ? others : process.argv.slice(2);
const groups = names.length === 0 && !isRecording ? corpus : names.map(groupOf);
if (groups.length === 0) fail(`which of ${[...corpus, warned].map(({ name }) => name).join(", ")} is to be recorded again? The README says when that is right`);

// XState says where it will send something to a child that has ended.
console.warn = () => undefined;

for (const group of groups) {
  if (isRecording) await record(group);
  const { journals, turns, problems } = replayGroup(group);
  console.log(
    `${group.name}: ${String(journals)} journals, ${String(turns)} turns, ${problems.length === 0 ? "all as recorded" : `${String(problems.length)} problems`} on Node ${process.version}`,
  );
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}

async function record(group: StoryGroup): Promise<void> {
  const types = new Map(group.stories.map((story) => [story.name, story]));
  const journals = [];
  for (const life of await group.live()) {
    const story = types.get(life.story);
    if (story !== undefined) journals.push(journalOf(story, life));
  }
  writeJournals(group.name, { drover: droverVersion(), node: process.version }, journals);
}

function groupOf(name: string): StoryGroup {
  return [...corpus, warned].find((group) => group.name === name) ?? fail(`there is no group "${name}"`);
}

function fail(text: string): never {
  console.error(text);
  process.exit(2);
}
