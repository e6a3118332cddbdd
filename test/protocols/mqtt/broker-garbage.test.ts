import { test } from "tap";
import type { Log } from "../../../runtime/ports/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { PacketMeter } from "../../../protocols/mqtt/packet-meter.ts";
import type { EmbeddedBroker } from "../../../protocols/mqtt/index.ts";
import { collector, reaches } from "../../contracts/transport.ts";
import { bookOf, every, everything, pass, quickTransport, secretOf, startBroker, within } from "./mqtt-harness.ts";
import { connectPacket, packet, publishPacket, type RawClient, rawClient, remaining, subscribePacket } from "./raw-client.ts";

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

async function loggedIn(broker: EmbeddedBroker, node: string): Promise<RawClient> {
  const raw = await rawClient(broker.port);
  raw.send(connectPacket({ clientId: node, user: node, secret: secretOf(node) }));
  await within(raw.has(4), 3_000, "CONNACK");
  return raw;
}

/** The broker still serves. */
async function stillServes(broker: EmbeddedBroker): Promise<boolean> {
  const node = quickTransport(broker.port, "good");
  const heard = collector();
  await node.subscribe("ok", heard.sink);
  await node.start();
  await within(reaches(node, "ready"), 3_000, "a good client");
  const outcome = await node.publish("ok", bytes("1"), { qos: "reliable" });
  await within(
    heard.has((all) => all.length === 1),
    3_000,
    "its message",
  );
  await node.stop();
  return outcome.kind === "accepted";
}

const book = (): ReturnType<typeof bookOf> => bookOf(["good", everything], ["bad", everything], ["other", everything]);

void test("S5. a 2 MB payload closes that connection on its header alone, and no other", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const [bad, other] = [await loggedIn(broker, "bad"), await loggedIn(broker, "other")];
  bad.send(Buffer.concat([Buffer.from([0x30]), remaining(2_000_000), bytes("only the beginning")]));
  await within(bad.closed, 2_000, "closed");
  t.equal(broker.counters["oversizePackets"], 1);
  const largest = Buffer.alloc(1_048_576 - 4 - 3 - 2, 1); // header, topic "x", packet id
  other.send(publishPacket("x", largest, { qos: 1 }));
  await within(other.has(8), 3_000, "a packet of 1 MiB is taken");
  other.send(publishPacket("x", Buffer.concat([largest, Buffer.from([1])]), { qos: 1 }));
  await within(other.closed, 2_000, "one byte more is not");
  t.equal(broker.counters["oversizePackets"], 2);
  t.ok(await stillServes(broker));
});

void test("S5. before its CONNECT is accepted a connection may send a CONNECT, and not much", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const rows: readonly (readonly [string, Uint8Array, string])[] = [
    ["a message first", publishPacket("x", bytes("1")), "badPackets"],
    ["a subscription first", subscribePacket("#"), "badPackets"],
    ["HTTP", bytes("GET / HTTP/1.1\r\n\r\n"), "badPackets"],
    ["TLS", Uint8Array.from([0x16, 3, 1, 2, 0]), "badPackets"],
    ["a CONNECT of 100 kB", Buffer.concat([Buffer.from([0x10]), remaining(100_000)]), "earlyBytes"],
    ["a CONNECT of 200 MB", Buffer.concat([Buffer.from([0x10]), remaining(200_000_000)]), "oversizePackets"],
    ["a length without end", Uint8Array.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff]), "badPackets"],
  ];
  for (const [name, sent, counter] of rows) {
    const before = broker.counters[counter] ?? 0;
    const raw = await rawClient(broker.port);
    raw.send(sent);
    await within(raw.closed, 2_000, name);
    t.equal(broker.counters[counter], before + 1, name);
  }
  const flood = await rawClient(broker.port);
  flood.send(Buffer.concat([connectPacket({ clientId: "bad", user: "bad", secret: "wrong" }), ...Array.from({ length: 50 }, () => publishPacket("x", Buffer.alloc(2_000)))]));
  await within(flood.closed, 2_000, "many packets behind a CONNECT that is not accepted");
  t.ok(await stillServes(broker));
});

void test("S5. who never finishes a CONNECT is closed in time, however slowly he sends it", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const silent = await rawClient(broker.port);
  const slow = await rawClient(broker.port);
  const whole = connectPacket({ clientId: "bad", user: "bad", secret: secretOf("bad") });
  let at = 0;
  const stop = every(100, () => {
    slow.send(whole.subarray(at, ++at));
  });
  t.teardown(stop);
  await within(Promise.all([silent.closed, slow.closed]), 2_000, "both closed");
  t.ok(at < whole.length);
  t.ok(await stillServes(broker));
});

void test("truncated, mutilated and random bytes end their connection at most, never the broker", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const random = new SeededRandom(11);
  const valid = [
    connectPacket({ clientId: "bad", user: "bad", secret: secretOf("bad"), will: { topic: "w", payload: "x" } }),
    publishPacket("a/b", bytes("payload"), { qos: 1 }),
    subscribePacket("a/+/#"),
    packet(0xa2, Uint8Array.from([0, 1, 0, 1, 97])),
    packet(0x40, Uint8Array.from([0, 1])),
    packet(0x62, Uint8Array.from([0, 1])),
    packet(0xc0),
  ];
  const connects = connectPacket({ clientId: "bad", user: "bad", secret: secretOf("bad") });
  for (let round = 0; round < 400; round++) {
    const raw = await rawClient(broker.port);
    const source = valid[round % valid.length] ?? connects;
    const broken = Buffer.from(source);
    const kind = random.uint32() % 3;
    if (kind === 0) for (let hits = 0; hits < 3; hits++) broken[random.uint32() % broken.length] = random.uint32() & 0xff;
    const sent = kind === 1 ? broken.subarray(0, random.uint32() % broken.length) : kind === 2 ? Buffer.from(Array.from({ length: 40 }, () => random.uint32() & 0xff)) : broken;
    if (round % 2 === 0) raw.send(Buffer.concat([connects, sent]));
    else raw.send(sent);
    if (round % 50 === 49) await pass(20);
    else await new Promise((resolve) => setImmediate(resolve));
    raw.socket.destroy();
  }
  for (const topic of ["a/".repeat(200), "#", "+", "", "\u0000", "a//b", "€".repeat(100)]) {
    const raw = await loggedIn(broker, "bad");
    raw.send(publishPacket(topic, bytes("1"), { qos: 1, retain: true }));
    raw.send(subscribePacket(topic));
    await pass(5);
    raw.socket.destroy();
  }
  t.ok(await stillServes(broker));
});

void test("S5. what others can make the broker log is limited, and says how much was left out", async (t) => {
  const lines: { readonly fields: object; readonly message: string }[] = [];
  const log: Log = { debug: () => undefined, info: () => undefined, warn: (fields, message) => lines.push({ fields, message }), error: () => undefined, child: () => log };
  const broker = await startBroker(book(), log);
  t.teardown(() => broker.close());
  for (let index = 0; index < 60; index++) {
    const raw = await rawClient(broker.port);
    raw.send(bytes("GET / HTTP/1.1\r\n\r\n"));
    await within(raw.closed, 2_000, "closed");
  }
  t.equal(broker.counters["badPackets"], 60);
  t.equal(lines.filter((line) => line.message === "a connection was closed for what it sent").length, 5);
  t.ok(lines.length <= 15, String(lines.length));
  t.notMatch(JSON.stringify(lines), /secret-of/);
});

void test("S5. a client that does not read stops nobody else, and is let go", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const frozen = await loggedIn(broker, "bad");
  frozen.send(subscribePacket("flood"));
  await within(frozen.has(9), 2_000, "SUBACK");
  frozen.socket.pause();
  const good = quickTransport(broker.port, "good");
  t.teardown(() => good.stop());
  const heard = collector();
  await good.subscribe("flood", heard.sink);
  await good.serve("probe", async () => Promise.resolve(bytes("ok")));
  await good.start();
  await within(reaches(good, "ready"), 2_000, "ready");
  // Small ones first: once the kernel's buffers are full, more of them wait than the broker has delivery slots.
  const rounds = 16;
  for (let round = 0; round < rounds; round++) {
    const outcomes = await within(
      Promise.all(Array.from({ length: 500 }, () => good.publish("flood", new Uint8Array(1_500), { qos: "reliable" }))),
      3_000,
      "a batch of small ones",
    );
    t.same([...new Set(outcomes.map((outcome) => outcome.kind))], ["accepted"]);
  }
  await within(
    heard.has((all) => all.length === rounds * 500),
    3_000,
    "the reader gets them",
  );
  const payload = new Uint8Array(200_000);
  let probes = 0;
  for (let index = 0; index < 150; index++) {
    t.equal((await within(good.publish("flood", payload, { qos: "reliable" }), 3_000, "confirmed")).kind, "accepted");
    if (index % 30 === 0 && (await within(good.ask("probe", bytes("?"), { withinMs: 2_000 }), 3_000, "probe")).kind === "replied") probes++;
  }
  await within(
    heard.has((all) => all.filter((delivery) => delivery.payload.length === payload.length).length === 150),
    5_000,
    "the reader gets all",
  );
  t.equal(probes, 5);
  t.equal(broker.counters["slowClosed"], 1, "the other was let go");
});

void test("a port in use is named with the key that changes it, and a free one is given back", async (t) => {
  const broker = await startBroker(book());
  await t.rejects(startBroker(book(), undefined, broker.port), {
    code: "DROVER_PORT_IN_USE",
    message: new RegExp(`port ${String(broker.port)} .* broker\\.port \\(DROVER_BROKER_PORT\\)`),
  });
  t.equal(broker.url, `mqtt://127.0.0.1:${String(broker.port)}`);
  await broker.close();
  const again = await startBroker(book(), undefined, broker.port);
  t.ok(await stillServes(again));
  await again.close();
});

void test("the packet meter reads lengths however the bytes are cut", (t) => {
  const sizes = [0, 1, 127, 128, 16_383, 16_384, 70_000];
  const stream = Buffer.concat(sizes.map((size) => packet(0x30, Buffer.alloc(size, 0x30))));
  for (const step of [1, 2, 3, 1_000, stream.length]) {
    const meter = new PacketMeter({ maxPacketBytes: 70_004 });
    let wrong: unknown;
    for (let at = 0; at < stream.length; at += step) wrong ??= meter.feed(stream.subarray(at, at + step));
    t.equal(wrong, undefined, `in steps of ${String(step)}`);
  }
  t.same(new PacketMeter({ maxPacketBytes: 70_003 }).feed(stream), { kind: "packet-too-large", bytes: 70_004 });
  const slow = new PacketMeter({ maxPacketBytes: 100 });
  t.equal(slow.feed(Uint8Array.from([0x30, 0xff])), undefined);
  t.equal(slow.feed(Uint8Array.from([0xff, 0xff])), undefined);
  t.same(slow.feed(Uint8Array.from([0xff])), { kind: "malformed-length" });
  t.end();
});
