// Runs one group: starts its contenders, each in its own process, and lets them take their rounds in turn (F2).

import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

import { type BenchDefinition, type Budget, type Contender, type ForeignContender, type Group, type Spread, spreadOf } from "./_helpers.ts";
import { type ContenderWord, type DriverWord, type FinishedWord, type RoundWord, wordsOf } from "./round-lines.ts";

/** Longest wait for a word of a contender, ms: preparing the largest takes some seconds on a busy machine. */
const WORD_WITHIN_MS = 120_000;

export interface ContenderResult {
  readonly name: string;
  /** Why it was left out. */
  readonly skipped?: string;
  /** Units counted at the receiver, over all rounds. */
  readonly work?: number;
  readonly rounds?: number;
  /** Units a second, by round. */
  readonly rate?: Spread;
  /** Of what the group times, ms, by round; not where heap is measured. */
  readonly p50Ms?: Spread;
  readonly p99Ms?: Spread;
  /** Bytes a unit, by round; only where heap is measured. */
  readonly heapBytes?: Spread;
  /** By how much its event loop came late, p99, by round; only of contenders in Node. */
  readonly lagP99Ms?: Spread;
  /** Rate by the reference's of the same round; where latency is measured, p99 by the reference's, where heap is, bytes. */
  readonly ratio?: Spread;
  /** Of the whole run; round-lines.ts says what each is. */
  readonly rssMiB?: number;
  readonly heapMiB?: number;
  readonly p999Ms?: number;
}

export interface GroupResult {
  readonly bench: string;
  readonly group: string;
  readonly unit: string;
  readonly measures: Group["measures"];
  /** Which times p50, p99 and p999 are of. */
  readonly timed?: string;
  readonly reference: string;
  readonly contenders: readonly ContenderResult[];
}

class Running {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #words: AsyncGenerator<ContenderWord>;
  readonly #ended: Promise<string>;
  readonly rounds: RoundWord[] = [];
  skipped: string | undefined;
  whole: Omit<FinishedWord, "say"> = { rssMiB: Number.NaN };
  #isMissing = false;

  constructor(name: string, [program = "", ...args]: readonly string[]) {
    this.name = name;
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
        resolve(error.message);
      });
      this.#child.once("exit", (code, signal) => {
        resolve(`it ended with ${signal ?? `code ${String(code)}`}`);
      });
    });
    (this.#child.stdin as Writable).on("error", () => undefined); // its end is told by `#ended`
    this.#words = wordsOf<ContenderWord>(this.#child.stdout as Readable);
  }

  async prepare(): Promise<void> {
    try {
      const word = await this.#next();
      if (word.say === "skip") this.skipped = word.reason;
    } catch (error) {
      if (!this.#isMissing) throw error;
      this.skipped = `needs ${this.#child.spawnfile}`;
    }
  }

  async round(): Promise<void> {
    this.#say({ say: "round" });
    const word = await this.#next();
    if (word.say === "round") this.rounds.push(word);
  }

  async finish(): Promise<void> {
    this.#say({ say: "finish" });
    const word = await this.#next();
    if (word.say === "finished") {
      const { say: _, ...whole } = word;
      this.whole = whole;
    }
    (this.#child.stdin as Writable).end();
    await this.#ended;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #say(word: DriverWord): void {
    (this.#child.stdin as Writable).write(`${JSON.stringify(word)}\n`);
  }

  async #next(): Promise<ContenderWord> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`${this.name}: no word within ${String(WORD_WITHIN_MS)} ms`));
      }, WORD_WITHIN_MS);
    });
    try {
      const next = await Promise.race([this.#words.next(), late]);
      if (next.done === true) throw new Error(`${this.name}: ${await this.#ended}`);
      return next.value;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** @param entry file that serves a contender when it is started with `--contender bench/group/name` */
export async function runGroup(bench: BenchDefinition, group: Group, budget: Budget, entry: string): Promise<GroupResult> {
  const all: Running[] = [];
  try {
    // One after the other, so that each warms up on a machine of its own; a quick run has no time for that.
    for (const contender of group.contenders) {
      const running = new Running(contender.name, commandOf(bench, group, contender, budget, entry));
      all.push(running);
      if (!budget.isQuick) await running.prepare();
    }
    if (budget.isQuick) await Promise.all(all.map((running) => running.prepare()));
    const taking = all.filter((running) => running.skipped === undefined);
    for (let round = 0; round < budget.rounds; round++) {
      // Each begins as often as another: what follows a garbage-heavy neighbour would always be the same one otherwise.
      for (let turn = 0; turn < taking.length; turn++) await taking[(turn + round) % taking.length]?.round();
    }
    for (const running of taking) await running.finish();
  } finally {
    for (const running of all) running.kill();
  }
  const reference = all.find((running) => running.name === group.reference && running.skipped === undefined);
  return {
    bench: bench.name,
    group: group.name,
    unit: group.unit,
    measures: group.measures,
    ...(group.timed === undefined ? {} : { timed: group.timed }),
    reference: group.reference,
    contenders: all.map((running) => resultOf(running, reference, group.measures)),
  };
}

function commandOf(bench: BenchDefinition, group: Group, contender: Contender | ForeignContender, budget: Budget, entry: string): readonly string[] {
  if ("command" in contender) return [...contender.command(), String(budget.roundMs), String(budget.warmupMs)];
  return [process.execPath, entry, ...(budget.isQuick ? ["--quick"] : []), "--contender", `${bench.name}/${group.name}/${contender.name}`];
}

function rateOf({ work, elapsedMs }: RoundWord): number {
  return (work * 1_000) / elapsedMs;
}

function heapOf({ work, heapBytes = Number.NaN }: RoundWord): number {
  return heapBytes / work;
}

const MEASURED: Readonly<Record<Group["measures"], (word: RoundWord) => number>> = { rate: rateOf, latency: ({ p99Ms = Number.NaN }) => p99Ms, heap: heapOf };

function resultOf({ name, skipped, rounds, whole }: Running, reference: Running | undefined, measures: Group["measures"]): ContenderResult {
  if (skipped !== undefined) return { name, skipped };
  const { p999Ms, ...kept } = whole;
  const lags = rounds.flatMap(({ lagP99Ms }) => (lagP99Ms === undefined ? [] : [lagP99Ms]));
  const lag = lags.length === 0 ? {} : { lagP99Ms: spreadOf(lags) };
  const common = { name, work: rounds.reduce((sum, { work }) => sum + work, 0), rounds: rounds.length, rate: spreadOf(rounds.map(rateOf)), ...lag, ...kept };
  const measured = MEASURED[measures];
  const ratios = reference === undefined || reference.name === name ? [] : rounds.map((word, at) => measured(word) / measured(reference.rounds[at] as RoundWord));
  const ratio = ratios.length === 0 ? {} : { ratio: spreadOf(ratios) };
  if (measures === "heap") return { ...common, ...ratio, heapBytes: spreadOf(rounds.map(heapOf)) };
  return {
    ...common,
    ...ratio,
    p50Ms: spreadOf(rounds.map(({ p50Ms = Number.NaN }) => p50Ms)),
    p99Ms: spreadOf(rounds.map(({ p99Ms = Number.NaN }) => p99Ms)),
    ...(p999Ms === undefined ? {} : { p999Ms }),
  };
}
