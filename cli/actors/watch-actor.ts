// Shows an actor's changes until it is told to end.
//
// A1. A stream that breaks is taken up again where it broke, by Last-Event-ID, with growing waits; each break is said. A node that was never reached is a failure.

import { systemClock, systemRandom } from "../../runtime/host/index.ts";
import { actorPath, type ApiClient, apiClient, type EndpointOptions, eventsOf, type OpenAnswer, type ServerEvent } from "../api/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, oneLine, printJsonLine, printLines, timeText } from "../terminal/index.ts";
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
        const answer = await open(api, address, lastId, over.signal);
        try {
          for await (const event of eventsOf(answer.response)) {
            reached = true;
            waits = 0;
            lastId = event.id ?? lastId;
            show(event, call);
            if (event.event === "ended" || ++seen >= count) return EXIT.ok;
          }
        } finally {
          answer.close();
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

function open(api: ApiClient, address: string, lastId: string | undefined, signal: AbortSignal): Promise<OpenAnswer> {
  const headers = { accept: "text/event-stream", ...(lastId === undefined ? {} : { "last-event-id": lastId }) };
  return api.open(actorPath(address, "/stream"), { headers }, signal);
}

function isPassing({ failure }: CommandFailure): boolean {
  return failure.exit === EXIT.unreachable || failure.exit === EXIT.timeout;
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
