// Lines on a terminal that are drawn again in place.

import type { Writable } from "node:stream";

export interface Redrawn {
  draw(lines: readonly string[]): void;
  /** Leaves the last lines standing and gives the cursor back. */
  end(): void;
}

const HIDE_CURSOR = "\u001B[?25l";
const SHOW_CURSOR = "\u001B[?25h";

/** @param out a terminal; whoever draws cuts the lines to its width */
export function redrawn(out: Writable): Redrawn {
  let drawn = 0;
  return {
    draw: (lines) => {
      const back = drawn === 0 ? HIDE_CURSOR : `\u001B[${String(drawn)}A`;
      out.write(`${back}${lines.map((line) => `\u001B[2K${line}\n`).join("")}\u001B[J`);
      drawn = lines.length;
    },
    end: () => {
      if (drawn > 0) out.write(SHOW_CURSOR);
    },
  };
}
