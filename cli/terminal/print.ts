// Data to standard output, words to standard error. A reader that has left is no error.

import type { Writable } from "node:stream";

export function printJson(out: Writable, value: unknown): void {
  out.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** One JSON value a line, for streams. */
export function printJsonLine(out: Writable, value: unknown): void {
  out.write(`${JSON.stringify(value)}\n`);
}

export function printLines(stream: Writable, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(`${lines.join("\n")}\n`);
}

/** Resolves when what was written has been handed to the operating system, or cannot be any more. */
export function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded || stream.writableLength === 0) {
      // The failure of a write that did not wait is told in the next tick.
      setImmediate(resolve);
      return;
    }
    stream.once("close", resolve);
    stream.once("error", () => {
      resolve();
    });
    stream.write("", () => {
      resolve();
    });
  });
}
