// Server-sent events, read in whatever pieces they come.

import { test } from "tap";
import { eventsOf, type ServerEvent } from "../../cli/api/event-stream.ts";

async function read(...chunks: readonly (string | Uint8Array)[]): Promise<readonly ServerEvent[]> {
  const encoder = new TextEncoder();
  const events: ServerEvent[] = [];
  for await (const event of eventsOf(new Response(new Blob(chunks.map((chunk) => (typeof chunk === "string" ? encoder.encode(chunk) : Uint8Array.from(chunk)))))))
    events.push(event);
  return events;
}

async function readPieces(text: string): Promise<readonly ServerEvent[]> {
  const bytes = new TextEncoder().encode(text);
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const events: ServerEvent[] = [];
  for await (const event of eventsOf(new Response(stream))) events.push(event);
  return events;
}

const text = 'retry: 2000\n\nid: a:1\nevent: snapshot\ndata: {"x":"ü"}\n\n: heartbeat\n\nevent: change\r\ndata: one\r\ndata: two\r\n\r\ndata:last\n\nevent: cut\ndata: never ended';
const events = [
  { id: "a:1", event: "snapshot", data: '{"x":"ü"}' },
  { id: "a:1", event: "change", data: "one\ntwo" },
  { id: "a:1", event: "message", data: "last" },
];

test("events have an id that lasts, a name, and their lines of data; comments and an unfinished event are none", async (t) => {
  t.same(await read(text), events);
});

test("bytes may come one by one", async (t) => {
  t.same(await readPieces(text), events);
});

test("a line without end is given up", async (t) => {
  await t.rejects(read("data: ", "x".repeat(4_194_305)), /no end/);
});
