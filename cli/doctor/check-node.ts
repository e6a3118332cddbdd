// Is this a Node that Drover runs on?

import { lowestNode } from "../../runtime/host/index.ts";
import { type Finding, ok, problem } from "./finding.ts";

export function checkNode(version = process.versions.node, lowest = lowestNode()): Finding {
  const facts = { node: version, lowest, platform: `${process.platform} ${process.arch}` };
  if (isAtLeast(version, lowest)) return ok("node", `Node ${version} on ${facts.platform}`, facts);
  return problem("node", `Node ${version} is older than ${lowest}`, "Drover uses what came with later versions.", `Install Node ${lowest} or newer.`, facts);
}

function isAtLeast(version: string, lowest: string): boolean {
  const have = version.split(".").map(Number);
  const want = lowest.split(".").map(Number);
  for (const [at, number] of want.entries()) {
    const difference = (have[at] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
