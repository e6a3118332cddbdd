// All event streams of a façade: bounded in number, ended together when the node stops, and each when whoever opened it may no longer: its token was removed, its session is over.

import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";
import { EventStream } from "./event-stream.ts";
import type { Problem } from "./problem.ts";

const MAX_STREAMS = 256;
const RETRY_AFTER_MS = 10_000;
const LOOK_EVERY_MS = 1_000;

export class OpenStreams {
  readonly #clock: Clock;
  /** With whether whoever opened it still may. */
  readonly #open = new Map<EventStream, () => boolean>();
  #looking: TimeoutHandle | undefined;
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
      onEnd: () => {
        this.#open.delete(stream);
        if (this.#open.size === 0) this.#rest();
        onEnd();
      },
    });
    if (!stream.ended) {
      this.#open.set(stream, () => request.principal?.stands() === true);
      this.#lookLater();
    }
    return stream;
  }

  closeAll(): void {
    this.#closing = true;
    for (const stream of [...this.#open.keys()]) stream.close("the node is stopping");
  }

  #lookLater(): void {
    this.#looking ??= this.#clock.setTimeout(
      () => {
        this.#looking = undefined;
        for (const [stream, stands] of [...this.#open]) if (!stands()) stream.close("signed out");
        if (this.#open.size > 0) this.#lookLater();
      },
      LOOK_EVERY_MS,
      { unref: true },
    );
  }

  #rest(): void {
    this.#clock.clearTimeout(this.#looking);
    this.#looking = undefined;
  }
}

function acceptsEvents(accept: string | undefined): boolean {
  if (accept === undefined) return true;
  return accept.split(",").some((range) => /^\s*(text\/event-stream|text\/\*|\*\/\*)\s*(;|$)/i.test(range) && !/;\s*q=0(\.0*)?\s*$/i.test(range));
}
