// One client's stream of server-sent events, written over Node's response with our clock and our bounds.
//
// V1. At most MAX_WAITING_BYTES wait for a client that reads slowly; past that its stream ends with a comment, and the client comes again with Last-Event-ID.
// V2. A heartbeat comment every HEARTBEAT_MS tells proxies and clients that the stream lives, and finds out whether whoever asked still reads: a client that has taken
//     nothing for STALLED_BEATS of them is cut, however little waits for it. Whether it still may is looked at more often, for all streams together (open-streams.ts).
// V3. A stream that has ended writes nothing more, and its listeners are gone.

import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";

const HEARTBEAT_MS = 15_000;
const STALLED_BEATS = 4;
const MAX_WAITING_BYTES = 1_048_576;
/** A client that does not even take the last bytes is cut after this. */
const LAST_WORDS_MS = 2_000;
/** After which a client comes again, ms; sent to it. */
const RETRY_MS = 2_000;

export interface StreamEvent {
  readonly event: string;
  readonly data: unknown;
  readonly id?: string;
}

export interface EventStreamOptions {
  readonly clock: Clock;
  /** Called once, however the stream ends. */
  readonly onEnd: () => void;
}

export class EventStream {
  readonly #raw: ServerResponse;
  readonly #options: EventStreamOptions;
  #heartbeat: TimeoutHandle | undefined;
  #stalledBeats = 0;
  #ended = false;

  /** Takes the reply over: from here on nothing else may answer. */
  constructor(reply: FastifyReply, options: EventStreamOptions) {
    this.#raw = reply.raw;
    this.#options = options;
    const headers = Object.entries(reply.getHeaders()).filter(([, value]) => value !== undefined) as [string, string | string[]][];
    reply.hijack();
    this.#raw.on("close", () => {
      this.#end();
    });
    this.#raw.on("error", () => {
      this.#end();
    });
    this.#raw.writeHead(200, { ...Object.fromEntries(headers), "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no", connection: "close" });
    this.#raw.write(`retry: ${String(RETRY_MS)}\n\n`);
    this.#beat();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** False when the stream has ended, now or before. */
  send({ event, data, id }: StreamEvent): boolean {
    const text = textOf(data);
    // The next one shows what follows; ending the stream would only bring the client back to it.
    if (text === undefined) return this.#write(`: an event "${event}" could not be written\n\n`);
    return this.#write(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${text}\n\n`);
  }

  /** Ends the stream; `why` is told as a comment. */
  close(why: string): void {
    if (this.#ended) return;
    this.#raw.write(`: ${why}\n\n`);
    this.#raw.end();
    const raw = this.#raw;
    const cut = this.#options.clock.setTimeout(() => raw.destroy(), LAST_WORDS_MS, { unref: true });
    raw.once("close", () => {
      this.#options.clock.clearTimeout(cut);
    });
    this.#end();
  }

  /** Resolves when the client has taken what was written, or the stream has ended. */
  async drained(): Promise<void> {
    if (this.#ended || !this.#raw.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#raw.off("drain", done);
        this.#raw.off("close", done);
        resolve();
      };
      this.#raw.on("drain", done);
      this.#raw.on("close", done);
    });
  }

  #write(text: string): boolean {
    if (this.#ended) return false;
    if (this.#raw.writableLength > 0 && this.#raw.writableLength + Buffer.byteLength(text) > MAX_WAITING_BYTES) {
      this.close("too slow: come again with Last-Event-ID");
      return false;
    }
    this.#raw.write(text);
    return true;
  }

  #beat(): void {
    this.#heartbeat = this.#options.clock.setTimeout(
      () => {
        this.#stalledBeats = this.#raw.writableLength === 0 ? 0 : this.#stalledBeats + 1;
        if (this.#stalledBeats > STALLED_BEATS) this.close("nothing was read: come again with Last-Event-ID");
        else if (this.#write(": heartbeat\n\n")) this.#beat();
      },
      HEARTBEAT_MS,
      { unref: true },
    );
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.clock.clearTimeout(this.#heartbeat);
    this.#options.onEnd();
  }
}

/** undefined for what JSON does not carry: doors keep that out, and one who watches must not bring down what is watched. */
function textOf(data: unknown): string | undefined {
  try {
    return JSON.stringify(data);
  } catch {
    return undefined;
  }
}
