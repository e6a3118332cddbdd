import { test } from "tap";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { systemClock } from "../../../runtime/host/index.ts";
import { mqttTransport } from "../../../protocols/mqtt/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { collector, reaches } from "../../contracts/transport.ts";
import { bookOf, every, everything, mqttHarness, pass, quickTransport, secretOf, startBroker, within } from "./mqtt-harness.ts";
import { remaining } from "./raw-client.ts";

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const text = (payload: Uint8Array | undefined): string => new TextDecoder().decode(payload ?? new Uint8Array(0));

const loose: unknown[] = [];
process.on("unhandledRejection", (reason) => loose.push(reason));
process.on("uncaughtException", (error) => loose.push(error));

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

/** A peer that answers each packet as told: `answer` gets the packet type of whatever arrives. */
async function peer(answer: (socket: Socket, type: number, chunk: Buffer) => void): Promise<{ readonly port: number; readonly connections: () => number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    count++;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      answer(socket, (chunk[0] ?? 0) >> 4, chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

void test("S5. a broker that is not there is tried for ever, with full jitter below a bound that doubles up to the longest", async (t) => {
  const waits: number[] = [];
  const clock = {
    ...systemClock,
    setTimeout: (run: () => void, delayMs: number, options?: { readonly unref?: boolean }) => {
      if (options === undefined) waits.push(delayMs);
      return systemClock.setTimeout(run, 0, options);
    },
  };
  const link = mqttTransport({ url: "mqtt://127.0.0.1:1", node: "a", clock, random: new SeededRandom(5) });
  const states: string[] = [];
  link.onState((state) => states.push(state.kind));
  await link.start();
  for (let tries = 0; tries < 400 && waits.length < 14; tries++) await pass(10);
  await link.stop();
  t.ok(waits.length >= 14);
  waits.slice(0, 14).forEach((wait, index) => t.ok(wait >= 0 && wait < Math.min(8_000, 250 * 2 ** index), `attempt ${String(index)}: ${String(Math.round(wait))} ms`));
  t.ok(
    waits.slice(6, 14).some((wait) => wait > 2_000),
    "and they do grow",
  );
  t.equal(states[0], "connecting");
  t.match(link.state, { kind: "down", reason: "stopped" });
});

void test("a name that no DNS knows and a URL that is none", async (t) => {
  const link = quickTransport(1, "a", { url: "mqtt://no-such-host.invalid:1883" });
  await link.start();
  await within(reaches(link, "down"), 10_000, "down");
  t.equal((await link.publish("x", bytes("1"), { qos: "reliable" })).kind, "unavailable");
  await link.stop();
  for (const url of ["nonsense", "http://x", "mqtt://"]) t.throws(() => quickTransport(1, "a", { url }), { code: "DROVER_CONFIG_INVALID" }, url);
  t.throws(() => quickTransport(1, "x".repeat(200)), { code: "DROVER_CONFIG_INVALID" });
});

void test("a refused login is tried again and succeeds once the broker knows the node", async (t) => {
  const book = bookOf();
  const broker = await startBroker(book);
  const link = quickTransport(broker.port, "late");
  t.teardown(async () => {
    await link.stop();
    await broker.close();
  });
  await link.start();
  await within(reaches(link, "down"), 3_000, "refused");
  t.match(link.state, { kind: "down", reason: /refused|Bad username/ });
  book.add({ node: "late", secret: secretOf("late"), reach: everything });
  await within(reaches(link, "ready"), 3_000, "accepted");
  t.ok((link.counters["attempts"] ?? 0) >= 2);
});

void test("a link that stops forwarding is noticed within 1.5 keepalives; what was under way is unknown, and it comes back", async (t) => {
  const broker = await startBroker(bookOf(["a", everything], ["b", everything], ["c", everything]));
  const harness = await mqttHarness(broker.port, () => broker.close(), { keepaliveSeconds: 1 });
  t.teardown(() => harness.close());
  const [a, b] = [harness.node("a"), harness.node("b")];
  a.announce("live/a", () => bytes("here"));
  const presence = collector();
  await b.watchLast("live/*", presence.sink);
  await a.start();
  await b.start();
  await within(Promise.all([reaches(a, "ready"), reaches(b, "ready"), presence.has((all) => all.length === 1)]), 3_000, "ready");
  harness.stall("a");
  const from = systemClock.monotonic();
  const lost = a.publish("x", bytes("1"), { qos: "reliable" });
  const ask = a.ask("x", bytes("1"), { withinMs: 60_000 });
  // Traffic must not hide it: unconfirmed messages go on being handed over.
  const stop = every(50, () => void a.publish("y", bytes("1"), { qos: "drop" }));
  t.equal((await within(lost, 4_000, "the message")).kind, "unknown");
  t.ok(systemClock.monotonic() - from < 3_500, "noticed in time");
  t.equal((await within(ask, 1_000, "the ask")).kind, "unknown");
  stop();
  await within(
    presence.has((all) => all.length === 2),
    4_000,
    "its presence ends",
  );
  t.equal(presence.all[1]?.payload.length, 0);
  harness.heal("a");
  await within(reaches(a, "ready"), 4_000, "back");
  await within(
    presence.has((all) => all.length === 3),
    2_000,
    "present again",
  );
});

void test("a peer that sends garbage, or announces 200 MB, or more than is taken, is left at once and tried again", async (t) => {
  const rows: readonly (readonly [string, Buffer])[] = [
    ["random bytes", Buffer.from([0xf7, 1, 2, 3, 4, 5, 6, 7, 8])],
    ["HTTP", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["a packet of 200 MB", Buffer.concat([CONNACK, Buffer.from([0x30]), remaining(200_000_000), Buffer.alloc(50_000)])],
    ["a length without end", Buffer.concat([CONNACK, Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff])])],
    ["two CONNACKs", Buffer.concat([CONNACK, CONNACK])],
    ["a CONNACK of an unknown code", Buffer.from([0x20, 2, 0, 99])],
    ["a message of nothing", Buffer.concat([CONNACK, Buffer.from([0x30, 0])])],
  ];
  for (const [name, answer] of rows) {
    const bad = await peer((socket, type) => {
      if (type === 1) socket.write(answer);
    });
    const link = quickTransport(bad.port, "a");
    await link.start();
    await within(
      (async () => {
        while (bad.connections() < 3) await pass(5);
      })(),
      4_000,
      name,
    );
    t.not(link.state.kind, "ready", name);
    await link.stop(100);
    await bad.close();
  }
});

void test("a peer that takes the connection and says nothing is left when the time for it has passed", async (t) => {
  const mute = await peer(() => undefined);
  const link = quickTransport(mute.port, "a", { connectTimeoutMs: 100 });
  await link.start();
  await within(
    (async () => {
      while (mute.connections() < 2) await pass(5);
    })(),
    3_000,
    "a second attempt",
  );
  t.equal((await link.ask("x", bytes("1"), { withinMs: 1_000 })).kind, "unavailable");
  await link.stop();
  await mute.close();
});

void test("a broker that confirms nothing is left: what it was sent is unknown, what waited was not sent", async (t) => {
  const stuck = await peer((socket, type, chunk) => {
    if (type === 1) socket.write(CONNACK);
    // SUBSCRIBE of two filters, shorter than 128 bytes: its packet id stands behind one byte of length.
    if (type === 8) socket.write(Buffer.from([0x90, 4, chunk[2] ?? 0, chunk[3] ?? 0, 1, 1]));
    if (type === 12) socket.write(Buffer.from([0xd0, 0]));
  });
  const link = quickTransport(stuck.port, "a", { window: { confirmWithinMs: 150 }, reconnect: { firstMs: 60_000, longestMs: 60_000 } });
  await link.start();
  await within(reaches(link, "ready"), 3_000, "ready");
  const outcomes = await within(Promise.all(Array.from({ length: 30 }, () => link.publish("x", bytes("1"), { qos: "reliable" }))), 3_000, "settled");
  t.same(
    outcomes.map((outcome) => outcome.kind),
    [...Array.from({ length: 20 }, () => "unknown"), ...Array.from({ length: 10 }, () => "unavailable")],
  );
  t.match(link.state, { kind: "down", reason: /does not confirm/ });
  await link.stop(100);
  await stuck.close();
});

void test("a broker that ends and comes back finds the node's filters, presence and servers again", async (t) => {
  const book = bookOf(["a", everything], ["b", everything]);
  const first = await startBroker(book);
  const [a, b] = [quickTransport(first.port, "a"), quickTransport(first.port, "b")];
  a.announce("live/a", () => bytes("here"));
  await a.serve("svc", async () => Promise.resolve(bytes("yes")));
  const presence = collector();
  await b.watchLast("live/*", presence.sink);
  await a.start();
  await b.start();
  await within(Promise.all([reaches(a, "ready"), reaches(b, "ready"), presence.has((all) => all.length === 1)]), 3_000, "ready");
  await first.close();
  await within(Promise.all([reaches(a, "down"), reaches(b, "down")]), 3_000, "down");
  const second = await startBroker(book, undefined, first.port);
  await within(Promise.all([reaches(a, "ready"), reaches(b, "ready")]), 4_000, "ready again");
  t.match(await b.ask("svc", bytes("?"), { withinMs: 3_000 }), { kind: "replied" });
  const late = collector();
  await b.watchLast("live/a", late.sink);
  await within(
    late.has((all) => text(all[0]?.payload) === "here"),
    3_000,
    "present",
  );
  await a.stop();
  await b.stop();
  await second.close();
});

void test("two sessions of one node: the newer one takes over, and its presence stands although the older one's will is sent", async (t) => {
  const broker = await startBroker(bookOf(["a", everything], ["b", everything]));
  t.teardown(() => broker.close());
  const watcher = quickTransport(broker.port, "b");
  const presence = collector();
  await watcher.watchLast("live/*", presence.sink);
  const older = quickTransport(broker.port, "a", { reconnect: { firstMs: 600_000, longestMs: 600_000 } });
  const newer = quickTransport(broker.port, "a");
  older.announce("live/a", () => bytes("older"));
  newer.announce("live/a", () => bytes("newer"));
  t.teardown(async () => {
    for (const link of [older, newer, watcher]) await link.stop();
  });
  await watcher.start();
  await older.start();
  await within(Promise.all([reaches(watcher, "ready"), reaches(older, "ready"), presence.has((all) => text(all.at(-1)?.payload) === "older")]), 3_000, "older");
  await newer.start();
  await within(Promise.all([reaches(newer, "ready"), reaches(older, "down")]), 3_000, "taken over");
  await within(
    presence.has((all) => text(all.at(-1)?.payload) === "newer"),
    3_000,
    "newer is present",
  );
  await watcher.setLast("live/a", new Uint8Array(0));
  await within(
    presence.has((all) => all.length >= 4 && text(all.at(-1)?.payload) === "newer"),
    3_000,
    "cleared by somebody else, it says again that it lives",
  );
  t.equal(newer.counters["reannounced"], 1);
});

void test("stopping is prompt in every phase, twice as well, and nothing happens afterwards", async (t) => {
  const mute = await peer(() => undefined);
  const broker = await startBroker(bookOf(["a", everything]));
  t.teardown(async () => {
    await mute.close();
    await broker.close();
  });
  const never = quickTransport(broker.port, "a");
  await within(never.stop(), 500, "never started");
  for (const port of [1, mute.port, broker.port]) {
    for (const waitMs of [0, 30]) {
      const link = quickTransport(port, "a");
      const states: string[] = [];
      await link.start();
      await link.start();
      await pass(waitMs);
      await within(Promise.all([link.stop(200), link.stop(200)]), 1_500, `port ${String(port)} after ${String(waitMs)} ms`);
      link.onState((state) => states.push(state.kind));
      t.equal(link.state.kind, "down");
      await pass(150);
      t.same(states, []);
    }
  }
});

void test("frames of asks and answers that are none are counted and answer nobody", async (t) => {
  const broker = await startBroker(bookOf(["a", everything], ["b", everything]));
  const [a, b] = [quickTransport(broker.port, "a"), quickTransport(broker.port, "b")];
  t.teardown(async () => {
    await a.stop();
    await b.stop();
    await broker.close();
  });
  await a.start();
  await b.start();
  await within(Promise.all([reaches(a, "ready"), reaches(b, "ready")]), 3_000, "ready");
  let asked = 0;
  await b.serve("svc", async () => {
    asked++;
    return Promise.resolve(bytes("yes"));
  });
  const { rawClient, connectPacket, publishPacket } = await import("./raw-client.ts");
  const raw = await rawClient(broker.port);
  raw.send(connectPacket({ clientId: "a:raw", user: "a", secret: secretOf("a") }));
  await within(raw.has(4), 2_000, "CONNACK");
  const bad = [
    Buffer.alloc(0),
    Buffer.from([1]),
    Buffer.alloc(22),
    Buffer.concat([Buffer.from([1]), Buffer.alloc(20), Buffer.from([200])]),
    Buffer.from([2, ...Array.from({ length: 60 }, () => 7)]),
  ];
  for (const frame of bad) {
    raw.send(publishPacket("svc/@ask", frame));
    raw.send(publishPacket("drover/v1/n/a/@reply", frame));
  }
  t.match(await a.ask("svc", bytes("?"), { withinMs: 3_000 }), { kind: "replied" });
  await within(
    (async () => {
      while ((a.counters["badFrames"] ?? 0) + (a.counters["lateAnswers"] ?? 0) + (b.counters["badFrames"] ?? 0) < 2 * bad.length) await pass(5);
    })(),
    2_000,
    "all counted",
  );
  t.equal(asked, 1);
  t.equal(b.counters["badFrames"], bad.length);
  raw.socket.destroy();
});

void test("none of this left an unhandled rejection or an uncaught error", (t) => {
  t.same(loose, []);
  t.end();
});
