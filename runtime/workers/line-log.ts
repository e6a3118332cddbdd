// What a thread or a process writes to stdout and stderr, as lines of the log: bounded in length and in rate.

import type { Readable } from "node:stream";

import type { Clock, Log } from "../ports/index.ts";
import { RateBound } from "./rate-bound.ts";

const MAX_LINE = 4_096;
const LINES_PER_SECOND = 50;
const LINE_BURST = 200;

/** Longer lines are cut; lines over the rate are counted and named by the next one that passes. */
export function logLines(stream: Readable | null, name: "stdout" | "stderr", log: Log, clock: Clock): void {
  if (stream === null) return;
  const bound = new RateBound(clock, LINES_PER_SECOND, LINE_BURST);
  let rest = "";
  const write = (line: string): void => {
    if (line.length === 0) return;
    const suppressed = bound.pass();
    if (suppressed === undefined) return;
    const fields = { stream: name, ...(suppressed > 0 ? { suppressed } : {}) };
    if (name === "stderr") log.warn(fields, line);
    else log.info(fields, line);
  };
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = (lines.pop() ?? "").slice(0, MAX_LINE);
    for (const line of lines) write(line.slice(0, MAX_LINE).trimEnd());
  });
  stream.on("end", () => {
    write(rest);
  });
  stream.on("error", () => undefined);
}
