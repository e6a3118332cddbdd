// Shows an actor's changes until it is told to end.
//
// A1. A stream that breaks is taken up again where it broke, by Last-Event-ID, with growing waits; each break is said. A node that was never reached is a failure.

import { systemClock, systemRandom } from "../../runtime/index.ts";
import { actorPath, type ApiClient, apiClient, type EndpointOptions, eventsOf, type ServerEvent } from "../api/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, printJsonLine, printLines, timeText } from "../terminal/index.ts";
import { stateText } from "./actor-item.ts";

export interface WatchOptions extends EndpointOptions {
  readonly count?: number;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;

export async function watchActor(address: string, options: WatchOptions, call: Call): Promise<ExitCode> {
  const api = apiClient(options, call);
  const { count = Number.POSITIVE_INFINITY } = options;
  const over = new AbortController();
  const end = (): void => {
    over.abort();
  };
  const isOver = (): boolean => over.signal.aborted;
  if (call.interrupt.aborted) end();
  call.interrupt.addEventListener("abort", end, { once: true });
  let lastId: string | undefined;
  let seen = 0;
  let waits = 0;
  let reached = false;
  try {
    while (!isOver() && seen < count) {
      try {
        for await (const event of await stream(api, address, lastId, over.signal)) {
          reached = true;
          waits = 0;
          lastId = event.id ?? lastId;
          show(event, call);
          if (++seen >= count) return EXIT.ok;
        }
      } catch (thrown) {
        if (isOver()) break;
        // Never reached, or an answer that will not change: the caller should know at once.
        if (thrown instanceof CommandFailure && (!reached || !isPassing(thrown))) throw thrown;
      }
      if (isOver()) break;
      const waitMs = systemRandom.next() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** waits++);
      call.err.write(`the stream ended; it is taken up again in ${String(Math.round(waitMs))} ms\n`);
      await pause(waitMs, over.signal);
    }
    return EXIT.interrupted;
  } finally {
    call.interrupt.removeEventListener("abort", end);
    end();
  }
}

async function stream(api: ApiClient, address: string, lastId: string | undefined, signal: AbortSignal): Promise<AsyncGenerator<ServerEvent>> {
  const headers = { accept: "text/event-stream", ...(lastId === undefined ? {} : { "last-event-id": lastId }) };
  return eventsOf(await api.open(actorPath(address, "/stream"), { headers }, signal));
}

function isPassing({ failure }: CommandFailure): boolean {
  return failure.exit === EXIT.unreachable || failure.exit === EXIT.timeout;
}

function show(event: ServerEvent, call: Call): void {
  const data = parsed(event.data);
  if (call.json) {
    printJsonLine(call.out, { id: event.id ?? null, event: event.event, data });
    return;
  }
  const { revision, at, state, emitted } = (typeof data === "object" && data !== null ? data : {}) as {
    readonly revision?: unknown;
    readonly at?: unknown;
    readonly state?: unknown;
    readonly emitted?: unknown;
  };
  const parts = [
    typeof at === "number" ? timeText(at) : undefined,
    typeof revision === "number" ? `revision ${String(revision)}` : undefined,
    event.event === "message" ? undefined : event.event,
    state === undefined || state === null ? undefined : stateText(state),
    Array.isArray(emitted) && emitted.length > 0 ? JSON.stringify(emitted) : undefined,
  ].filter((part) => part !== undefined);
  printLines(call.out, [parts.length === 0 ? event.data : parts.join("  ")]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      systemClock.clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = systemClock.setTimeout(done, ms);
    if (signal.aborted) done();
    signal.addEventListener("abort", done, { once: true });
  });
}
