// Lists the nodes that the asked one knows.

import { systemClock } from "../../runtime/host/index.ts";
import { apiClient, type EndpointOptions } from "../api/index.ts";
import { ageText, type Call, EXIT, type ExitCode, printJson, printLines, table } from "../terminal/index.ts";

interface NodeItem {
  readonly node: string;
  readonly kind?: string;
  readonly presence?: string;
  readonly state?: string;
  readonly vehicle?: string;
  readonly since?: number;
  readonly version?: string;
  readonly [member: string]: unknown;
}

export async function listNodes(options: EndpointOptions, call: Call): Promise<ExitCode> {
  const { body } = await apiClient(options, call).ask<{ readonly items: readonly NodeItem[] }>("/v1/nodes");
  if (call.json) {
    printJson(call.out, body);
    return EXIT.ok;
  }
  const now = systemClock.now();
  printLines(
    call.out,
    table(
      body.items,
      [
        { title: "NODE", of: ({ node }) => node },
        { title: "KIND", of: ({ kind }) => kind ?? "" },
        { title: "PRESENCE", of: ({ presence, state }) => presence ?? state ?? "" },
        { title: "FOR", of: ({ since }) => (since === undefined ? "" : ageText(now - since)) },
        { title: "VEHICLE", of: ({ vehicle }) => vehicle ?? "" },
        { title: "VERSION", of: ({ version }) => version ?? "" },
      ],
      call.isTerminal ? call.columns() : undefined,
    ),
  );
  return EXIT.ok;
}
