// Sends a message that reached nobody again.

import { apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, printJson, printLines } from "../terminal/index.ts";

export async function redeliver(number: number, options: EndpointOptions, call: Call): Promise<ExitCode> {
  const { body } = await apiClient(options, call).ask<{ readonly to: string; readonly type: string }>(`/v1/dead-letters/${String(number)}/redeliver`, { method: "POST" });
  if (call.json) printJson(call.out, body);
  else printLines(call.out, [`${body.type} was taken by ${body.to}`]);
  return EXIT.ok;
}
