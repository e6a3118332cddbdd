// `drover simulate`: the fleet, or a scenario of one's own, through the faults of many seeds.

import { InvalidArgumentError, Option } from "commander";
import { type AddVerb, examples, wholeNumber } from "./verb.ts";

const LARGEST_SEED = 0xffffffff;

interface Options {
  readonly seed?: number;
  readonly seeds?: readonly [number, number];
  readonly count?: number;
  readonly trace?: true;
  readonly all?: true;
}

export const addSimulate: AddVerb = (parent, run) => {
  const command = parent
    .command("simulate")
    .description("run a fleet on simulated time through the faults that a seed decides; exit code 1 where a promise did not hold")
    .argument("[scenario]", "fleet (one cloud node and four vehicles), rollouts (a rollout over 200 vehicles), or a JavaScript module that exports scenario(seed)", "fleet")
    .option("--seed <n>", "this seed alone; the same seed runs the same way each time", wholeNumber(0, LARGEST_SEED))
    .addOption(new Option("--seeds <a..b>", "these seeds, both included").argParser(range).conflicts("seed"))
    .addOption(new Option("--count <n>", "seeds 1 to n; default 100").argParser(wholeNumber(1, LARGEST_SEED)).conflicts(["seed", "seeds"]))
    .addOption(new Option("--trace", "everything that happens in the seed, a line each").conflicts(["seeds", "count", "all"]))
    .option("--all", "go on after a seed that does not hold")
    .action(async (scenario: string, options: Options) => {
      await run(command, async (call) => {
        const { simulateVerb } = await import("../simulate/index.ts");
        return simulateVerb(scenario, options, call);
      });
    });
  examples(command, [
    ["drover simulate --count 2000", "what continuous integration runs; 100000 is a night's work"],
    ["drover simulate rollouts --count 1000", "rollouts over 200 vehicles, through pauses, kills, cuts and modules that lie"],
    ["drover simulate --seed 17 --trace", "one seed again, with everything that happens in it"],
    ["drover simulate my-fleet.js --seeds 1..500", "actors of your own: the module exports scenario(seed)"],
  ]);
};

function range(text: string): readonly [number, number] {
  const [, first = "", last = ""] = /^(\d{1,10})\.\.(\d{1,10})$/.exec(text) ?? [];
  if (first === "" || Number(first) > Number(last) || Number(last) > LARGEST_SEED) throw new InvalidArgumentError("Expected two whole numbers such as 1..500, the smaller first.");
  return [Number(first), Number(last)];
}
