// The body of a contender's process: prepares it, warms it up, then takes one tinybench run for each round that the driver asks for.

import { Bench } from "tinybench";

import { type Budget, type Contender, type Prepared, quantile } from "./_helpers.ts";
import { type ContenderWord, type DriverWord, type RoundWord, wordsOf } from "./round-lines.ts";

const MIB = 1024 * 1024;

export async function serveContender(contender: Contender, budget: Budget): Promise<void> {
  const prepared = await contender.prepare(budget);
  await round(contender.name, prepared, budget.warmupMs);
  say({ say: "ready" });
  for await (const word of wordsOf<DriverWord>(process.stdin)) {
    if (word.say === "finish") break;
    say(await round(contender.name, prepared, budget.roundMs));
  }
  const rssMiB = process.memoryUsage().rss / MIB;
  await prepared.finish();
  say({ say: "finished", rssMiB });
}

async function round(name: string, prepared: Prepared, timeMs: number): Promise<RoundWord> {
  let work = 0;
  let elapsedMs = 0;
  const latenciesMs: number[] = [];
  // The warm-up is this contender's own first round, and one sample is enough where it fills the time by itself.
  const bench = new Bench({ name, time: timeMs, iterations: 1, warmup: false, throws: true });
  bench.add(
    name,
    async () => {
      const sample = await prepared.sample();
      work += sample.work;
      elapsedMs += sample.elapsedMs;
      for (const latency of sample.latenciesMs ?? []) latenciesMs.push(latency);
      return { overriddenDuration: sample.elapsedMs / sample.work, overriddenIterationCost: sample.elapsedMs };
    },
    { async: true },
  );
  await bench.run();
  if (!(work > 0)) throw new Error(`${name}: nothing arrived at the receiver in a round`);
  const latencies = latenciesMs.length === 0 ? {} : { p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99) };
  return { say: "round", work, elapsedMs, ...latencies };
}

function say(word: ContenderWord): void {
  process.stdout.write(`${JSON.stringify(word)}\n`);
}
