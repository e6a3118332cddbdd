// A node of a kind: runs one program and is then killed by its test. Tells the test the ids of what the program says it has below it.

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { program } from "../../../runtime/workers/index.ts";
import { heard, listeningLog, type LogLine } from "./listening.ts";

const lines = heard<LogLine>();
const line = process.argv[2] ?? "";
const running = await program({ command: "sh", args: ["-c", line], ready: { line: "^up$" } }).start({
  signal: new AbortController().signal,
  clock: systemClock,
  random: systemRandom,
  log: listeningLog(lines),
});
process.send?.([running.pid, ...lines.items.map(({ message }) => Number(message)).filter(Number.isInteger)]);
