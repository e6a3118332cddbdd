// Committed turns run again on a copy, step by step: a debugger over the journal.
//
// R1. On a terminal every line of standard input goes one step on: nothing the next step, `t` the next turn, `q` ends. Anywhere else all of it is printed.

import { createInterface } from "node:readline/promises";
import { actorPath, type ApiClient, apiClient } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, printJsonLine, printLines, timeText } from "../terminal/index.ts";
import { readTurns } from "./read-turns.ts";
import type { HistoryOptions } from "./show-history.ts";
import { traceLines, type TraceItem } from "./trace-lines.ts";

interface Replayed {
  readonly revision: number;
  readonly at: number;
  readonly differs: string | null;
  readonly unknown: number;
  readonly trace: readonly TraceItem[];
}

export async function replayHistory(address: string, options: HistoryOptions, call: Call): Promise<ExitCode> {
  const api = apiClient(options, call);
  const { items } = await readTurns<{ readonly revision: number }>(api, address, options);
  const revisions = items.map(({ revision }) => revision).sort((a, b) => a - b);
  if (revisions.length === 0) call.err.write("no turn is kept\n");
  const prompt = call.isTerminal && !call.json ? askForNext(call) : undefined;
  let differing = 0;
  try {
    for (const revision of revisions) {
      const turn = await replayed(api, address, revision);
      if (turn.differs !== null) differing++;
      if (call.json) printJsonLine(call.out, turn);
      else if (!(await show(turn, call, prompt))) break;
    }
  } finally {
    prompt?.close();
  }
  return differing > 0 ? EXIT.failure : EXIT.ok;
}

async function replayed(api: ApiClient, address: string, revision: number): Promise<Replayed> {
  return (await api.ask<Replayed>(actorPath(address, `/history/${String(revision)}/replay`))).body;
}

/** false: no more is wanted. */
async function show({ revision, at, trace, differs, unknown }: Replayed, call: Call, prompt: Prompt | undefined): Promise<boolean> {
  const lines = [
    `revision ${String(revision)}, ${timeText(at)}`,
    ...traceLines(trace),
    differs === null ? "the same as was committed" : `DIFFERS from what was committed: ${differs}`,
    ...(unknown === 0 ? [] : [`(${String(unknown)} rows from before the kept journal are not known: a difference may come from them)`]),
  ];
  if (prompt === undefined) {
    printLines(call.out, [...lines, ""]);
    return true;
  }
  let wholeTurn = false;
  for (const line of lines) {
    printLines(call.out, [line]);
    if (wholeTurn) continue;
    const said = await prompt.next();
    if (said === "q") return false;
    wholeTurn = said === "t";
  }
  return true;
}

interface Prompt {
  /** `q` at the end of the input too. */
  next(): Promise<string>;
  close(): void;
}

function askForNext(call: Call): Prompt {
  call.err.write("Enter: next step, t: rest of the turn, q: end\n");
  const reader = createInterface({ input: call.input, crlfDelay: Number.POSITIVE_INFINITY });
  const lines = reader[Symbol.asyncIterator]();
  const end = (): void => {
    reader.close();
  };
  call.interrupt.addEventListener("abort", end, { once: true });
  return {
    next: async () => {
      const line: IteratorResult<string, unknown> = await lines.next();
      return line.done === true ? "q" : line.value.trim();
    },
    close: () => {
      call.interrupt.removeEventListener("abort", end);
      reader.close();
    },
  };
}
