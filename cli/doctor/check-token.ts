// Is the token of this machine for its owner's eyes only?

import { statSync } from "node:fs";
import { join } from "node:path";
import { type Finding, ok, problem } from "./finding.ts";

export function checkToken(folder: string): Finding | undefined {
  const path = join(folder, "api-token");
  let mode: number;
  try {
    ({ mode } = statSync(path));
  } catch {
    return undefined;
  }
  if (process.platform === "win32" || (mode & 0o077) === 0) return ok("token", `${path} is readable by its owner only`);
  return problem(
    "token",
    `${path} is readable by others (mode ${(mode & 0o777).toString(8)})`,
    "Whoever reads it may do anything to the fleet.",
    `chmod 600 ${path}, and replace the token.`,
  );
}
