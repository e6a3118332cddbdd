// Reads server-sent events as a browser does, from an injected answer or a real one.

import { request } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";

export interface ReadEvent {
  readonly event: string;
  readonly id: string | undefined;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests read loosely typed answers
  readonly data: any;
}

export class EventReader {
  readonly comments: string[] = [];
  readonly events: ReadEvent[] = [];
  #rest = "";
  #ended = false;
  #taken = 0;
  #wake: () => void = () => undefined;
  readonly #source: Readable;

  constructor(source: Readable) {
    this.#source = source;
    source.setEncoding("utf8");
    source.on("data", (text: string) => {
      this.#rest += text;
      const blocks = this.#rest.split("\n\n");
      this.#rest = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    source.on("end", end);
    source.on("close", end);
    source.on("error", end);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next event; fails when the stream ends first. */
  async next(): Promise<ReadEvent> {
    while (this.events.length <= this.#taken) {
      if (this.#ended) throw new Error(`the stream ended after ${String(this.#taken)} events; comments: ${this.comments.join(" | ")}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.events[this.#taken++] as ReadEvent;
  }

  /** Resolves when the other side has ended the stream. */
  async end(): Promise<void> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Goes away without a word. */
  leave(): void {
    this.#source.destroy();
  }

  #take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split("\n")) {
      if (line.startsWith(":")) this.comments.push(line.slice(1).trim());
      else fields.set(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trimStart());
    }
    const data = fields.get("data");
    if (data !== undefined) this.events.push({ event: fields.get("event") ?? "message", id: fields.get("id"), data: JSON.parse(data) });
  }
}

/** Opens a stream over a real connection, which a client may leave. The façade listens from then on. */
export async function connectStream(app: FastifyInstance, path: string, headers: Readonly<Record<string, string>>): Promise<EventReader> {
  if (!app.server.listening) await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", path, agent: false, headers: { accept: "text/event-stream", ...headers } }, (answer) => {
      resolve(new EventReader(answer));
    })
      .on("error", reject)
      .end();
  });
}

/** Opens a stream of an injected façade; its other side does not notice when the reader leaves. */
export async function openStream(
  app: FastifyInstance,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly statusCode: number; readonly headers: Readonly<Record<string, unknown>>; readonly reader: EventReader }> {
  const answer = await app.inject({ url, headers: { accept: "text/event-stream", ...headers }, payloadAsStream: true });
  return { statusCode: answer.statusCode, headers: answer.headers, reader: new EventReader(answer.stream()) };
}
