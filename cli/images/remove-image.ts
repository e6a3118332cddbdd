// Removes an image that no rollout uses.

import { apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, printJson, printLines } from "../terminal/index.ts";

export async function removeImage(sha256: string, options: EndpointOptions, call: Call): Promise<ExitCode> {
  await apiClient(options, call).ask(`/v1/images/${encodeURIComponent(sha256)}`, { method: "DELETE" });
  if (call.json) printJson(call.out, { removed: sha256 });
  else printLines(call.out, [`${sha256} was removed`]);
  return EXIT.ok;
}
