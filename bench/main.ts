// The command: node dist/bench/main.js [bench[/group]]... [--json] [--quick]. Results go to standard output, progress to standard error.

import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { type BenchDefinition, BUDGET, type Contender, type Group, QUICK } from "./_helpers.ts";
import { benches } from "./benches.ts";
import { type GroupResult, runGroup } from "./drive.ts";
import { describeMachine, machineLine, tableOf } from "./report.ts";
import { serveContender } from "./serve-contender.ts";

const USAGE = `node dist/bench/main.js                     all benches, some minutes
node dist/bench/main.js mailbox durable     these
node dist/bench/main.js mailbox/toggle      one group of one
  --json    one JSON object instead of tables
  --quick   a moment of each, to see that they work; the numbers mean nothing
benches:
${benches.map(({ name, question, groups }) => `  ${name.padEnd(12)} ${question} (${groups.map((group) => group.name).join(", ")})`).join("\n")}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" }, quick: { type: "boolean" }, help: { type: "boolean", short: "h" }, contender: { type: "string" } },
});
const budget = values.quick === true ? QUICK : BUDGET;

if (values.help === true) process.stdout.write(`${USAGE}\n`);
else if (values.contender !== undefined) {
  await serveContender(contenderAt(values.contender), budget);
  process.exit(0); // a peer's timers or handles may be left
} else process.exitCode = await run();

async function run(): Promise<number> {
  const chosen = positionals.length === 0 ? benches.flatMap((bench) => bench.groups.map((group) => ({ bench, group }))) : positionals.flatMap(select);
  if (chosen.length === 0) {
    process.stderr.write(`bench: nothing is named ${positionals.join(", ")}\n${USAGE}\n`);
    return 2;
  }
  const machine = describeMachine();
  if (values.json !== true) process.stdout.write(`${machineLine(machine)}\n`);
  const results: GroupResult[] = [];
  let failed = false;
  for (const { bench, group } of chosen) {
    process.stderr.write(`${bench.name}/${group.name}: ${String(group.contenders.length)} contenders, ${String(budget.rounds)} rounds\n`);
    let result: GroupResult;
    try {
      result = await runGroup(bench, group, budget, fileURLToPath(import.meta.url));
    } catch (error) {
      process.stderr.write(`${bench.name}/${group.name}: ${(error as Error).message}\n`);
      failed = true;
      continue;
    }
    results.push(result);
    if (values.json !== true) process.stdout.write(`\n${tableOf(result)}\n`);
  }
  // The contenders themselves are in it: about 1 to 2 when nothing else ran.
  const loadAfter = loadavg()[0] ?? Number.NaN;
  process.stdout.write(values.json === true ? `${JSON.stringify({ machine, loadAfter, budget, results }, undefined, 2)}\n` : `\nload after the run ${loadAfter.toFixed(2)}\n`);
  return failed ? 1 : 0;
}

function select(name: string): readonly { readonly bench: BenchDefinition; readonly group: Group }[] {
  const [benchName, groupName] = name.split("/");
  return benches
    .filter((bench) => bench.name === benchName)
    .flatMap((bench) => bench.groups.filter((group) => groupName === undefined || group.name === groupName).map((group) => ({ bench, group })));
}

function contenderAt(path: string): Contender {
  const [benchName, groupName, ...rest] = path.split("/");
  const group = benches.find((bench) => bench.name === benchName)?.groups.find((candidate) => candidate.name === groupName);
  const contender = group?.contenders.find((candidate) => candidate.name === rest.join("/"));
  if (contender === undefined || "command" in contender) throw new Error(`there is no contender ${path}`);
  return contender;
}
