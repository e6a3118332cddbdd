// All event streams of a façade: bounded in number, ended together when the node stops.

import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../../runtime/ports/index.ts";
import { EventStream } from "./event-stream.ts";
import type { Problem } from "./problem.ts";

const MAX_STREAMS = 256;
const RETRY_AFTER_MS = 10_000;

export class OpenStreams {
  readonly #clock: Clock;
  readonly #open = new Set<EventStream>();
  #closing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Why this request gets no stream now, or undefined. */
  refusal(request: FastifyRequest): Problem | undefined {
    if (!acceptsEvents(request.headers.accept)) return { name: "not-acceptable", detail: "Accept leaves text/event-stream out." };
    if (this.#closing || this.#open.size >= MAX_STREAMS)
      return { name: "too-many-streams", detail: `There are ${String(this.#open.size)} streams open.`, retryAfterMs: RETRY_AFTER_MS };
    return undefined;
  }

  /** Takes the reply over. @param onEnd called once, however the stream ends */
  open(request: FastifyRequest, reply: FastifyReply, onEnd: () => void): EventStream {
    const stream: EventStream = new EventStream(reply, {
      clock: this.#clock,
      stands: () => request.principal?.stands() === true,
      onEnd: () => {
        this.#open.delete(stream);
        onEnd();
      },
    });
    if (!stream.ended) this.#open.add(stream);
    return stream;
  }

  closeAll(): void {
    this.#closing = true;
    for (const stream of [...this.#open]) stream.close("the node is stopping");
  }
}

function acceptsEvents(accept: string | undefined): boolean {
  if (accept === undefined) return true;
  return accept.split(",").some((range) => /^\s*(text\/event-stream|text\/\*|\*\/\*)\s*(;|$)/i.test(range) && !/;\s*q=0(\.0*)?\s*$/i.test(range));
}
