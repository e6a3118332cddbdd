// The bounds of one client's stream, against a peer that takes nothing.

import { Writable } from "node:stream";
import type { FastifyReply } from "fastify";
import { test } from "tap";
import { EventStream } from "../../../protocols/http/event-stream.ts";
import { ManualClock } from "../../../runtime/simulation/index.ts";

/** A FAKE of a connection: it takes what is written only when told. */
class Peer extends Writable {
  readonly heard: string[] = [];
  #taken: (() => void) | undefined;
  isReading: boolean;

  constructor(isReading: boolean) {
    super({ decodeStrings: false });
    this.isReading = isReading;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.heard.push(chunk);
    if (this.isReading) done();
    else this.#taken = done;
  }

  read(): void {
    this.isReading = true;
    this.#taken?.();
  }

  writeHead(): this {
    return this;
  }
}

function open(isReading: boolean): { readonly peer: Peer; readonly stream: EventStream; readonly clock: ManualClock; readonly ended: () => number } {
  const peer = new Peer(isReading);
  const clock = new ManualClock();
  let ended = 0;
  const reply = { raw: peer, getHeaders: () => ({ "x-own": "1", nothing: undefined }), hijack: () => undefined } as unknown as FastifyReply;
  const stream = new EventStream(reply, { clock, onEnd: () => ended++ });
  return {
    peer,
    stream,
    clock,
    ended: () => ended,
  };
}

test("an event that cannot be written is left out, and the stream goes on", (t) => {
  const { peer, stream } = open(true);
  t.equal(stream.send({ event: "changed", id: "i:1", data: { value: 2n ** 60n } }), true);
  t.equal(stream.send({ event: "changed", id: "i:2", data: { value: 1 } }), true);
  t.same(peer.heard.slice(1), [': an event "changed" could not be written\n\n', 'id: i:2\nevent: changed\ndata: {"value":1}\n\n']);
  stream.close("done");
  t.end();
});

test("S5. what waits for a slow client has a bound; then its stream ends, and its memory is given back", async (t) => {
  const { peer, stream, clock, ended } = open(false);
  let sent = 0;
  while (stream.send({ event: "change", data: "x".repeat(10_000) })) sent++;
  t.ok(sent >= 103 && sent <= 105, `${String(sent)} events of 10 kB are about 1 MiB`);
  t.equal(ended(), 1);
  t.notOk(stream.send({ event: "change", data: 1 }), "nothing more is written");
  stream.close("again");
  t.equal(ended(), 1, "it ends once");
  t.notOk(peer.destroyed);
  await clock.advance(2_000);
  t.ok(peer.destroyed, "a client that does not take the last bytes is cut");
  t.equal(clock.pending, 0);
});

test("one event larger than the bound still reaches a client that reads", (t) => {
  const { stream, peer } = open(true);
  t.ok(stream.send({ event: "snapshot", data: "x".repeat(3_000_000) }));
  t.ok((peer.heard.at(-1)?.length ?? 0) > 3_000_000);
  stream.close("done");
  t.end();
});

test("a client that takes nothing for four heartbeats is cut, however little waits for it; one that reads again is not", async (t) => {
  const frozen = open(false);
  await frozen.clock.advance(60_000);
  t.equal(frozen.ended(), 0);
  await frozen.clock.advance(15_000);
  t.equal(frozen.ended(), 1);
  const slow = open(false);
  await slow.clock.advance(60_000);
  slow.peer.read();
  await slow.clock.advance(150_000);
  t.equal(slow.ended(), 0);
  slow.stream.close("done");
});

test("a stream ends with its client and its word, and leaves no timer", async (t) => {
  const gone = open(true);
  gone.peer.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(gone.ended(), 1);
  t.equal(gone.clock.pending, 0);
  const broken = open(true);
  broken.peer.destroy(new Error("reset"));
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(broken.ended(), 1);
  t.equal(broken.clock.pending, 0);
  const told = open(true);
  told.stream.close("done");
  t.equal(told.ended(), 1);
  t.match(told.peer.heard.at(-1), /^: done/);
});

test("an event is written as the standard has it, whatever its data", (t) => {
  const { stream, peer } = open(true);
  stream.send({ event: "change", id: "a:1", data: { text: "line\nline\r\u2028" } });
  t.equal(peer.heard.at(-1), 'id: a:1\nevent: change\ndata: {"text":"line\\nline\\r\u2028"}\n\n');
  stream.close("done");
  t.end();
});
