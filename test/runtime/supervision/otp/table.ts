// What OTP's supervisor did in each scene, as it is committed.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "../../../project/checkout.ts";

export const TABLE = "test/golden/otp-supervisor.txt";
export const SEPARATOR = " => ";

/** Journals by the names of their scenes. */
export function committedTable(): ReadonlyMap<string, string> {
  const file = join(root, TABLE);
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  return new Map(lines.map((line) => line.split(SEPARATOR) as [string, string]));
}
