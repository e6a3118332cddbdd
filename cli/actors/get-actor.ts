// Shows one actor: what it is, which state it is in, what it would take.

import { systemClock } from "../../runtime/host/index.ts";
import { actorPath, apiClient, type EndpointOptions } from "../api/index.ts";
import { ageText, type Call, EXIT, type ExitCode, oneLine, paint, printJson, printLines, timeText } from "../terminal/index.ts";
import { type ActorItem, stateText } from "./actor-item.ts";

export async function getActor(address: string, options: EndpointOptions, call: Call): Promise<ExitCode> {
  const { body } = await apiClient(options, call).ask<ActorItem>(actorPath(address));
  if (call.json) printJson(call.out, body);
  else printLines(call.out, describe(body, call));
  return EXIT.ok;
}

function describe(actor: ActorItem, call: Call): readonly string[] {
  const { bold } = paint(call.hasColour);
  const { address, state, revision, owner, asOf, absent, staleMs, presence } = actor;
  const { type, version, context, accepts, labels } = actor as {
    readonly type?: unknown;
    readonly version?: unknown;
    readonly context?: unknown;
    readonly accepts?: unknown;
    readonly labels?: unknown;
  };
  const rows: (readonly [string, string | undefined])[] = [
    ["state", stateText(state)],
    ["presence", typeof presence === "string" ? presence : undefined],
    ["type", `${String(type)} version ${String(version)}`],
    ["revision", String(revision)],
    ["owner", owner?.node],
    [
      "as of",
      asOf === undefined
        ? undefined
        : `${timeText(asOf)}, ${ageText(systemClock.now() - asOf)} ago${typeof staleMs === "number" ? `; its owner was heard ${ageText(staleMs)} ago` : ""}`,
    ],
    ["in memory", absent === undefined ? undefined : `no: ${absent}`],
    ["labels", pairs(labels)],
    ["accepts", Array.isArray(accepts) ? accepts.join(", ") || "nothing" : undefined],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const contextLines = (JSON.stringify(context, undefined, 2) as string | undefined)?.split("\n") ?? [];
  return [
    bold(address),
    ...rows.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(width)}  ${oneLine(text)}`])),
    "  context",
    ...contextLines.map((line) => `    ${oneLine(line)}`),
  ];
}

function pairs(labels: unknown): string | undefined {
  const entries = typeof labels === "object" && labels !== null ? Object.entries(labels) : [];
  return entries.length === 0 ? undefined : entries.map(([key, value]) => `${key}=${String(value)}`).join(", ");
}
