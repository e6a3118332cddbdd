// Is the token of this machine there, and for its owner's eyes only?

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { newFirstToken } from "../api/index.ts";
import { type Finding, note, ok, problem } from "./finding.ts";

export function checkToken(folder: string): Finding | undefined {
  const path = join(folder, "api-token");
  let mode: number;
  try {
    ({ mode } = statSync(path));
  } catch {
    if (!existsSync(join(folder, "tokens.json"))) return undefined;
    const why = "Commands on this machine find no token, and no start makes one while tokens.json is there.";
    return note("token", `${path} is gone`, why, `Give a token that you have kept with --token or DROVER_TOKEN; if there is none, ${newFirstToken(folder)}.`);
  }
  if (process.platform === "win32" || (mode & 0o077) === 0) return ok("token", `${path} is readable by its owner only`);
  return problem(
    "token",
    `${path} is readable by others (mode ${(mode & 0o777).toString(8)})`,
    "Whoever reads it may do anything to the fleet.",
    `chmod 600 ${path}, and replace the token.`,
  );
}
