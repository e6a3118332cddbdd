// What a format of lines has to know: one line of it.

import type { FrameBatch } from "../can/index.ts";
import type { LogFormat } from "./record-format.ts";

/** Appended a frame; nothing to read here (blank line, comment, status row); or why the line cannot be read. */
export type LineOutcome = "frame" | "nothing" | { readonly problem: string };

export interface LineParser {
  readonly format: LogFormat;
  /** Whether its lines tell of which bus they are. */
  readonly namesBuses: boolean;
  /** Reads `bytes` from `start` up to (not including) `end`. The batch has room for one frame. */
  readonly parse: (bytes: Uint8Array, start: number, end: number, line: number, batch: FrameBatch) => LineOutcome;
}
