// Journals that were recorded once replay wherever and whenever they are read (rules R1, R2, H2, T4; promise S9).

import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { Linter } from "eslint";
import { test } from "tap";

import preset from "../../runtime/eslint/index.ts";
import { needs } from "../needs.ts";
import { built, root, textOf } from "../project/checkout.ts";
import { arithmetic, computing, warnedArithmetic } from "./arithmetic-stories.ts";
import { corpus, replayGroup, warned } from "./index.ts";
import { readJournals } from "./journal-file.ts";
import { problemsOf } from "./replayed.ts";

const MAX_BYTES = 1_000_000;

const { nodes } = (await import(join(root, ".ci", "node-majors.mjs"))) as { readonly nodes: () => readonly { readonly version: string; readonly node: string | undefined }[] };
const majors = nodes();
const areThere = majors.every(({ node }) => node !== undefined);

/** What it says of each group, and what it finds. */
function replayOn(node: string): Promise<readonly [said: readonly string[], problems: readonly string[]]> {
  return new Promise((resolve) => {
    const names = [...corpus, warned].map(({ name }) => name);
    const child = spawn(node, [join(built, "test", "replay-corpus", "main.js"), ...names], { stdio: ["ignore", "pipe", "pipe"] });
    const said = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said.out += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said.err += chunk));
    child.on("close", () => {
      resolve([said.out.trim().split("\n"), said.err.split("\n").filter((line) => line !== "")]);
    });
  });
}

test("R2. every journal of the corpus replays on this Node, turn by turn, from its beginning and from its snapshot", (t) => {
  const { warn } = console;
  console.warn = () => undefined;
  for (const group of corpus) {
    const { journals, turns, problems } = replayGroup(group);
    t.ok(journals >= 6 && turns >= 60, `${group.name}: ${String(journals)} journals, ${String(turns)} turns`);
    t.same(problems, [], group.name);
  }
  console.warn = warn;
  t.end();
});

test("R2. every story of the corpus has a journal, and all journals are small", (t) => {
  let bytes = 0;
  for (const { name, stories } of [...corpus, warned]) {
    const told = new Set((readJournals(name) ?? []).map(({ story }) => story));
    t.same(
      stories.map((story) => story.name).filter((story) => !told.has(story)),
      [],
      name,
    );
    bytes += statSync(join(root, "test", "replay-corpus", "journals", `${name}.jsonl`)).size;
  }
  t.ok(bytes < MAX_BYTES, `${String(bytes)} bytes`);
  t.end();
});

test("R2, H2. another hash, another result of a turn, and arithmetic that comes out otherwise in the last bit are found", (t) => {
  const [group] = corpus.filter(({ name }) => name === "arithmetic");
  const [journal] = readJournals("arithmetic") ?? [];
  const [story] = group?.stories.filter(({ name }) => name === journal?.story) ?? [];
  if (journal === undefined || story === undefined) throw new Error("there is no journal of arithmetic");
  t.same(problemsOf(story.type, journal), []);
  const tampered = { ...journal, turns: journal.turns.map((turn, at) => (at === 3 ? { ...turn, hash: { ...turn.hash, rest: "0000000000000000" } } : turn)) };
  t.match(problemsOf(story.type, tampered), [/^revision 4 has the state .*"rest":"0000000000000000"/], "a hash");
  const shorter = { ...journal, turns: [...journal.turns.slice(0, 2), ...journal.turns.slice(3)] };
  t.match(problemsOf(story.type, shorter)[0], /revision 4, turn by turn: revision 4 does not follow 2/, "a turn that is missing");

  const [powers] = readJournals("warned") ?? [];
  if (powers === undefined) throw new Error("there is no journal of powers");
  const lastBit = computing((a, b) => [(1 + Math.abs(a % 30)) ** ((b % 7) * 0.5) * (1 + Number.EPSILON)]);
  t.match(problemsOf(lastBit, powers)[0], /^revision 2, turn by turn: \/cells\/0\/context\/hash: \d+ was recorded, \d+ came/, "an engine with another last bit");
  t.end();
});

test("R2. the preset allows the arithmetic of the corpus, and warns of the one that need not replay", (t) => {
  const linter = new Linter();
  const warnings = (compute: (a: number, b: number) => unknown): readonly string[] => {
    const code = `import { assign } from "xstate"; export const step = assign({ n: ({ context }) => (${String(compute)})(context.a, context.b) });`;
    return linter.verify(code, [preset.configs.recommended as never]).map(({ message }) => message);
  };
  for (const [name, compute] of Object.entries(arithmetic)) t.same(warnings(compute), [], name);
  for (const [name, compute] of Object.entries(warnedArithmetic)) t.match(warnings(compute), [/^\*\* in code that is run while a machine is stepped/], name);
  t.end();
});

test("R2. the corpus replays on every supported Node major", { ...needs("majors", areThere), timeout: 240_000 }, async (t) => {
  const lowest = /"node": ">=(\d+)/.exec(textOf("package.json"))?.[1];
  t.equal(majors[0]?.version.split(".")[0], lowest, "from the lowest that package.json names");
  // On the one that runs this it was replayed above.
  const left = majors.filter(({ version }) => process.version !== `v${version}`);
  const otherwise: string[] = [];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { version, node } = next;
      if (node === undefined) {
        t.fail(`Node ${version} is not there: node .ci/node-majors.mjs fetches it`);
        continue;
      }
      const [said, problems] = await replayOn(node);
      t.same(
        problems.filter((problem) => !problem.startsWith(`${warned.name}: `)),
        [],
        `Node ${version}`,
      );
      for (const { name } of corpus)
        t.ok(
          said.some((line) => line.startsWith(`${name}: `) && line.endsWith(`turns, all as recorded on Node v${version}`)),
          said.join("\n"),
        );
      if (problems.length > 0) otherwise.push(version);
    }
  };
  await Promise.all([lane(), lane()]);
  t.same(otherwise.map((version) => version.split(".")[0]).sort(), ["24", "26"], "what the preset warns of comes out otherwise from Node 24 on");
});
