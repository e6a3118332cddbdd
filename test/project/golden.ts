// A committed text that a test keeps true. `DROVER_UPDATE_GOLDEN=1 npm test` (or the one test file) writes it anew, and the change is a line in review.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { root } from "./checkout.ts";

/** @param path from the top of the checkout  @param meaning what a difference means for others */
export function golden(t: Test, path: string, actual: string, meaning: string): void {
  const file = join(root, path);
  if (process.env["DROVER_UPDATE_GOLDEN"] === "1") writeFileSync(file, actual);
  t.equal(actual, existsSync(file) ? readFileSync(file, "utf8") : "", `${path}: ${meaning}; DROVER_UPDATE_GOLDEN=1 writes it anew`);
}
