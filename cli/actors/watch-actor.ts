// Shows an actor's changes until it is told to end.

import { actorPath, apiClient, type EndpointOptions, followEvents, type ServerEvent } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, oneLine, printJsonLine, printLines, timeText } from "../terminal/index.ts";
import { stateText } from "./actor-item.ts";

export interface WatchOptions extends EndpointOptions {
  readonly count?: number;
}

export async function watchActor(address: string, options: WatchOptions, call: Call): Promise<ExitCode> {
  const { count = Number.POSITIVE_INFINITY } = options;
  let seen = 0;
  const heardEnough = await followEvents(apiClient(options, call), actorPath(address, "/stream"), call, (event) => {
    show(event, call);
    return event.event === "ended" || ++seen >= count;
  });
  return heardEnough ? EXIT.ok : EXIT.interrupted;
}

/** A snapshot of the actor, a turn, or the word that turns are missing. */
interface StreamData {
  readonly revision?: number;
  readonly at?: number;
  readonly asOf?: number;
  readonly inputs?: unknown;
  readonly state?: unknown;
  readonly emitted?: unknown;
  readonly reason?: string;
}

function show(event: ServerEvent, call: Call): void {
  const data = parsed(event.data);
  if (call.json) {
    printJsonLine(call.out, { id: event.id ?? null, event: event.event, data });
    return;
  }
  const { revision, at, asOf, inputs, state, emitted, reason } = (typeof data === "object" && data !== null ? data : {}) as StreamData;
  const types = Array.isArray(inputs) ? inputs.map((input: { readonly type?: unknown }) => String(input.type)) : [];
  const parts = [
    timeText(at ?? asOf ?? Number.NaN),
    event.event,
    typeof revision === "number" ? `revision ${String(revision)}` : undefined,
    types.length === 0 ? undefined : types.join(" "),
    state === undefined || state === null ? undefined : stateText(state),
    Array.isArray(emitted) && emitted.length > 0 ? JSON.stringify(emitted) : undefined,
    reason,
  ].filter((part) => part !== undefined);
  printLines(call.out, [oneLine(parts.join("  "))]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
