// Hears a stream of events until enough is heard, or the command is interrupted.
//
// A1. A stream that breaks is taken up again where it broke, by Last-Event-ID, with growing waits; each break is said. A node that was never reached is a failure.

import { systemClock, systemRandom } from "../../runtime/host/index.ts";
import { type Call, CommandFailure, EXIT } from "../terminal/index.ts";
import type { ApiClient, OpenAnswer } from "./api-client.ts";
import { eventsOf, type ServerEvent } from "./event-stream.ts";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;

/** @param hear true: that is enough. Resolves with true then, with false where it was interrupted before. */
export async function followEvents(api: ApiClient, path: string, call: Pick<Call, "interrupt" | "err">, hear: (event: ServerEvent) => boolean): Promise<boolean> {
  const over = new AbortController();
  const end = (): void => {
    over.abort();
  };
  const isOver = (): boolean => over.signal.aborted;
  if (call.interrupt.aborted) end();
  call.interrupt.addEventListener("abort", end, { once: true });
  let lastId: string | undefined;
  let waits = 0;
  let reached = false;
  try {
    while (!isOver()) {
      try {
        const answer = await open(api, path, lastId, over.signal);
        try {
          for await (const event of eventsOf(answer.response)) {
            reached = true;
            waits = 0;
            lastId = event.id ?? lastId;
            if (hear(event)) return true;
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
    return false;
  } finally {
    call.interrupt.removeEventListener("abort", end);
    end();
  }
}

function open(api: ApiClient, path: string, lastId: string | undefined, signal: AbortSignal): Promise<OpenAnswer> {
  const headers = { accept: "text/event-stream", ...(lastId === undefined ? {} : { "last-event-id": lastId }) };
  return api.open(path, { headers }, signal);
}

function isPassing({ failure }: CommandFailure): boolean {
  return failure.exit === EXIT.unreachable || failure.exit === EXIT.timeout;
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
