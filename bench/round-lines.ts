// What a contender's process and the driver say to each other: one JSON object a line.
//
// driver → contender on standard input:   {"say":"round"} · {"say":"finish"}
// contender → driver on standard output:  {"say":"ready"} · {"say":"skip","reason"} · {"say":"round",…RoundWord} · {"say":"finished",…FinishedWord}
// A contender that fails writes to standard error and ends with a code other than 0.

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export interface RoundWord {
  readonly say: "round";
  readonly work: number;
  readonly elapsedMs: number;
  /** Of what the group times; not in a group that measures heap. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Of all its units together; only in a group that measures heap. */
  readonly heapBytes?: number;
  /** Of a contender in Node: by how much its event loop came late, p99. Not where heap is measured: that itself stops everything. */
  readonly lagP99Ms?: number;
}

/** What is asked of the whole run. */
export interface FinishedWord {
  readonly say: "finished";
  /** Resident memory of the process at its end. */
  readonly rssMiB: number;
  /** Of a contender in Node: the heap that is held at the end, after a collection. */
  readonly heapMiB?: number;
  /** Over the times of all rounds, since one round has too few of them; not in a group that measures heap. */
  readonly p999Ms?: number;
}

export type ContenderWord = { readonly say: "ready" } | { readonly say: "skip"; readonly reason: string } | RoundWord | FinishedWord;

export type DriverWord = { readonly say: "round" } | { readonly say: "finish" };

/** Lines that are no words are left out. */
export async function* wordsOf<Word>(stream: Readable): AsyncGenerator<Word> {
  for await (const line of createInterface({ input: stream })) if (line.startsWith("{")) yield JSON.parse(line) as Word;
}
