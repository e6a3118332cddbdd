// The body of a contender's process: prepares it, warms it up, then takes one tinybench run for each round that the driver asks for.

import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

import { Bench } from "tinybench";

import { type Budget, type Contender, type Prepared, quantile } from "./_helpers.ts";
import { heldHeapBytes } from "./held-heap.ts";
import { type ContenderWord, type DriverWord, type RoundWord, wordsOf } from "./round-lines.ts";

const MIB = 1024 * 1024;
/** How often the event loop is looked at, ms; what is later than that is lag. */
const LAG_EVERY_MS = 1;
/** The first look has none before it to count from, ms. */
const FIRST_LOOKS_MS = 5;

interface TakenRound {
  readonly word: RoundWord;
  readonly latenciesMs: readonly number[];
}

export async function serveContender(contender: Contender, budget: Budget): Promise<void> {
  const prepared = await contender.prepare(budget);
  await round(contender.name, prepared, budget.warmupMs);
  const latenciesMs: number[] = [];
  say({ say: "ready" });
  for await (const word of wordsOf<DriverWord>(process.stdin)) {
    if (word.say === "finish") break;
    const taken = await round(contender.name, prepared, budget.roundMs);
    for (const latency of taken.latenciesMs) latenciesMs.push(latency);
    say(taken.word);
  }
  const p999Ms = quantile(latenciesMs, 0.999);
  latenciesMs.length = 0; // they are the bench's own, and no part of what the contender holds
  const rssMiB = process.memoryUsage().rss / MIB;
  const heapMiB = heldHeapBytes() / MIB;
  await prepared.finish();
  say({ say: "finished", rssMiB, heapMiB, ...(Number.isNaN(p999Ms) ? {} : { p999Ms }) });
}

async function round(name: string, prepared: Prepared, timeMs: number): Promise<TakenRound> {
  let work = 0;
  let elapsedMs = 0;
  let heapBytes: number | undefined;
  const latenciesMs: number[] = [];
  const lag = monitorEventLoopDelay({ resolution: LAG_EVERY_MS }); // a new one: the pause between two rounds is no lag
  lag.enable();
  await sleep(FIRST_LOOKS_MS);
  // The warm-up is this contender's own first round, and one sample is enough where it fills the time by itself.
  const bench = new Bench({ name, time: timeMs, iterations: 1, warmup: false, throws: true });
  bench.add(
    name,
    async () => {
      const sample = await prepared.sample();
      work += sample.work;
      elapsedMs += sample.elapsedMs;
      for (const latency of sample.latenciesMs ?? []) latenciesMs.push(latency);
      if (sample.heapBytes !== undefined) heapBytes = (heapBytes ?? 0) + sample.heapBytes;
      // Not in the sample's time: whoever never waits would have one lag, that of the whole round.
      await nextTurn();
      return { overriddenDuration: sample.elapsedMs / sample.work, overriddenIterationCost: sample.elapsedMs };
    },
    { async: true },
  );
  await bench.run();
  lag.disable();
  if (!(work > 0)) throw new Error(`${name}: nothing arrived at the receiver in a round`);
  const latencies = latenciesMs.length === 0 ? {} : { p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99) };
  const asked = heapBytes === undefined ? { lagP99Ms: Math.max(0, lag.percentile(99) / 1e6 - LAG_EVERY_MS) } : { heapBytes };
  return { word: { say: "round", work, elapsedMs, ...latencies, ...asked }, latenciesMs };
}

function say(word: ContenderWord): void {
  process.stdout.write(`${JSON.stringify(word)}\n`);
}
