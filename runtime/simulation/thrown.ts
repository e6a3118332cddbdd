// What somebody else's part of a run threw, in one line with the place in that person's own code: a scenario is somebody's program, and most of a stack is ours.

import { fileURLToPath } from "node:url";

/** All of ours lies below it. */
const OURS = new URL("../../", import.meta.url);
/** Where nobody's own scenario is. */
const OTHERS: readonly string[] = [OURS.href, fileURLToPath(OURS), "node:", "/node_modules/"];

/** @param who subject of the sentence, e.g. `its check` */
export function thrownBy(who: string, cause: unknown): string {
  if (!(cause instanceof Error)) return `${who} threw ${String(cause)}`;
  const frames = (cause.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const place = frames.find((frame) => !OTHERS.some((place) => frame.includes(place))) ?? frames[0];
  return `${who} threw ${cause.name}: ${cause.message}${place === undefined ? "" : ` (${place.trim()})`}`;
}
