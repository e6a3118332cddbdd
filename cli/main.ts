#!/usr/bin/env node
// The process of the `drover` command: streams, signals, exit code. Everything else is given what it needs.
//
// P1. The first SIGINT, SIGTERM or SIGHUP ends a command, or asks it to end in order where it has begun something; the second asks it to end now, the third ends the process.
// P2. A reader that has left (`drover … | head`) ends the command quietly. A full disk or a broken device behind the output ends it with a word and exit code 1.

import { runCommandLine } from "./program.ts";
import { EXIT, flushed, wantsColour } from "./terminal/index.ts";

const argv = process.argv.slice(2);
const interrupt = new AbortController();
const hurry = new AbortController();
const state = { isDone: false, hasReader: true, hasFailed: false };

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (hurry.signal.aborted || state.isDone) process.exit(130);
    if (interrupt.signal.aborted) hurry.abort();
    interrupt.abort();
  });
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    const hasLeft = error.code === "EPIPE" || error.code === "EIO";
    if (hasLeft) state.hasReader = false;
    else if (!state.hasFailed) {
      state.hasFailed = true;
      if (stream === process.stdout) process.stderr.write(`drover: the output could not be written: ${error.message}. Mend where it goes, and run this again.\n`);
    }
    interrupt.abort();
  });
}

const isTerminal = process.stdout.isTTY;
const code = await runCommandLine(argv, {
  out: process.stdout,
  err: process.stderr,
  input: process.stdin,
  env: process.env,
  isTerminal,
  hasColour: wantsColour(isTerminal, process.env, argv),
  columns: () => (isTerminal ? process.stdout.columns : 100),
  rows: () => (isTerminal ? process.stdout.rows : 50),
  interrupt: interrupt.signal,
  hurry: hurry.signal,
});
state.isDone = true;
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
// Idle connections of an API client must not hold a command that has its answer.
process.exit(state.hasFailed ? EXIT.failure : state.hasReader || code !== 130 ? code : EXIT.ok);
