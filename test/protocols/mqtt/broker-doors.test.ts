import { test } from "tap";
import type { Transport } from "../../../runtime/ports/index.ts";
import { maySubscribe, mayPublish } from "../../../protocols/mqtt/broker-doors.ts";
import type { EmbeddedBroker, Reach } from "../../../protocols/mqtt/index.ts";
import { vehicleNames } from "../../../runtime/wire/index.ts";
import { collector, reaches } from "../../contracts/transport.ts";
import { bookOf, everything, pass, quickTransport, secretOf, startBroker, within } from "./mqtt-harness.ts";
import { type ConnectFields, connectPacket, publishPacket, type RawClient, rawClient, subscribePacket } from "./raw-client.ts";

const own: Reach = { kind: "vehicle", tenant: "acme", vehicle: "v1" };
const names = vehicleNames("acme", "v1");
const foreign = vehicleNames("acme", "v2");
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

const book = (): ReturnType<typeof bookOf> => bookOf(["cloud", everything], ["v1", own], ["v2", { kind: "vehicle", tenant: "acme", vehicle: "v2" }]);

async function login(broker: EmbeddedBroker, fields: ConnectFields): Promise<{ readonly raw: RawClient; readonly code: number }> {
  const raw = await rawClient(broker.port);
  raw.send(connectPacket(fields));
  await within(Promise.race([raw.has(4), raw.closed]), 3_000, "CONNACK");
  return { raw, code: raw.received()[3] ?? -1 };
}

async function cloudOf(broker: EmbeddedBroker): Promise<Transport> {
  const cloud = quickTransport(broker.port, "cloud");
  await cloud.start();
  await within(reaches(cloud, "ready"), 3_000, "cloud ready");
  return cloud;
}

void test("S10. anonymous connections, wrong secrets, unknown users and foreign client ids are refused and counted", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const rows: readonly (readonly [string, ConnectFields, number])[] = [
    ["nobody", { clientId: "x" }, 4],
    ["a user without a secret", { clientId: "v1", user: "v1" }, 4],
    ["a wrong secret", { clientId: "v1", user: "v1", secret: "wrong" }, 4],
    ["another node's secret", { clientId: "v1", user: "v1", secret: secretOf("v2") }, 4],
    ["an unknown user", { clientId: "v9", user: "v9", secret: secretOf("v9") }, 4],
    ["a user of a name that objects inherit", { clientId: "__proto__", user: "__proto__", secret: "" }, 4],
    ["the cloud's client id with a vehicle's secret", { clientId: "cloud", user: "v1", secret: secretOf("v1") }, 2],
    ["MQTT 5", { clientId: "v1", user: "v1", secret: secretOf("v1"), version: 5 }, 1],
  ];
  for (const [name, fields, code] of rows) {
    const { raw, code: answer } = await login(broker, fields);
    if (fields.version !== 5) t.equal(answer, code, name);
    await within(raw.closed, 2_000, `${name}: closed`);
  }
  t.equal(broker.counters["refusedLogins"], 7);
  const { raw, code } = await login(broker, { clientId: "v1:bulk", user: "v1", secret: secretOf("v1") });
  t.equal(code, 0, "a second connection of the same node");
  raw.socket.destroy();
});

void test("S10. a vehicle's message to a foreign topic reaches nobody, is counted, and its connection goes on", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const cloud = await cloudOf(broker);
  t.teardown(() => cloud.stop());
  const heard = collector();
  await cloud.subscribe("**", heard.sink);
  const { raw } = await login(broker, { clientId: "v1", user: "v1", secret: secretOf("v1") });
  const wrong = [
    foreign.up("stream"),
    foreign.live,
    names.down("cmd"),
    "drover/v1/n/cloud/tree",
    "anything",
    "$SYS/x",
    `${names.root}/other`,
    "drover/v1/v/acme/v1x/up/a",
    `${names.root}/live/x`,
  ];
  for (const topic of wrong) raw.send(publishPacket(topic, bytes("stolen"), { qos: 1, retain: true }));
  raw.send(publishPacket(names.up("stream"), bytes("mine"), { qos: 1 }));
  await within(
    heard.has((all) => all.length > 0),
    3_000,
    "its own message",
  );
  await within(raw.has(4 + 4 * (wrong.length + 1)), 3_000, "every message is confirmed, so that none is sent again");
  t.same(
    heard.all.map((delivery) => delivery.key),
    [names.up("stream")],
  );
  t.equal(broker.counters["sunkPublishes"], wrong.length);
  const late = collector();
  await cloud.watchLast("**", late.sink);
  await pass(50);
  t.equal(late.all.length, 0, "and nothing of it is kept");
  t.notOk(raw.socket.destroyed);
  raw.socket.destroy();
});

void test("S10. a vehicle may subscribe to what is meant for it and to nothing else", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const vehicle = quickTransport(broker.port, "v1", { vehicle: { tenant: "acme", vehicle: "v1" } });
  t.teardown(() => vehicle.stop());
  await vehicle.start();
  await within(reaches(vehicle, "ready"), 3_000, "vehicle ready");
  t.equal(vehicle.counters["refusedFilters"], 0);
  t.notOk((await vehicle.subscribe(names.down("**"), () => undefined)).denied);
  for (const pattern of [foreign.down("**"), "**", "drover/v1/v/*/*/down/**", "drover/v1/v/acme/*/down/cmd", "drover/v1/n/**", names.up("**")]) {
    t.equal((await vehicle.subscribe(pattern, () => undefined)).denied, true, pattern);
  }
  t.equal(broker.counters["refusedSubscriptions"], 6);
  t.same(vehicle.state, { kind: "ready", epoch: 1 }, "and the link goes on");
  const { raw } = await login(broker, { clientId: "v2", user: "v2", secret: secretOf("v2") });
  raw.send(subscribePacket("$share/g/#"));
  await within(raw.has(4 + 5), 3_000, "SUBACK");
  t.equal(raw.received()[8], 128, "a shared subscription is refused instead of granted and never served");
  raw.socket.destroy();
});

void test("S10. a will is held to the same rule as a message", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const cloud = await cloudOf(broker);
  t.teardown(() => cloud.stop());
  const heard = collector();
  await cloud.subscribe("**", heard.sink);
  const { raw } = await login(broker, { clientId: "v1", user: "v1", secret: secretOf("v1"), will: { topic: foreign.live, payload: "dead" } });
  raw.socket.destroy();
  const { raw: second } = await login(broker, { clientId: "v1", user: "v1", secret: secretOf("v1"), will: { topic: names.live, payload: "bye" } });
  second.socket.destroy();
  await within(
    heard.has((all) => all.length > 0),
    3_000,
    "the own will",
  );
  t.same(
    heard.all.map((delivery) => delivery.key),
    [names.live],
  );
  t.equal(broker.counters["sunkPublishes"], 1);
});

void test("S10. a vehicle and the cloud ask each other, each within what it may reach", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const cloud = await cloudOf(broker);
  const vehicle = quickTransport(broker.port, "v1", { vehicle: { tenant: "acme", vehicle: "v1" } });
  t.teardown(async () => {
    await vehicle.stop();
    await cloud.stop();
  });
  vehicle.announce(names.live, () => bytes("here"));
  await vehicle.start();
  await within(reaches(vehicle, "ready"), 3_000, "vehicle ready");
  await vehicle.serve(names.down("cmd"), async () => Promise.resolve(bytes("from the vehicle")));
  await cloud.serve("drover/v1/v/*/*/up/resume", async () => Promise.resolve(bytes("from the cloud")));
  t.match(await cloud.ask(names.down("cmd"), bytes("?"), { withinMs: 3_000 }), { kind: "replied" });
  t.match(await vehicle.ask(names.up("resume"), bytes("?"), { withinMs: 3_000 }), { kind: "replied" });
  t.equal((await vehicle.ask(foreign.down("cmd"), bytes("?"), { withinMs: 200 })).kind, "unknown");
  t.equal(broker.counters["sunkPublishes"], 1, "only the ask of the foreign vehicle");
});

void test("S5. what one vehicle may keep at the broker is bounded: the rest is passed on, not kept, and counted", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const cloud = await cloudOf(broker);
  t.teardown(() => cloud.stop());
  const heard = collector();
  await cloud.subscribe(names.up("**"), heard.sink);
  const { raw } = await login(broker, { clientId: "v1", user: "v1", secret: secretOf("v1") });
  for (let index = 0; index < 300; index++) raw.send(publishPacket(names.up("k", String(index)), bytes("1"), { retain: true }));
  await within(
    heard.has((all) => all.length === 300),
    3_000,
    "all passed on",
  );
  const late = collector();
  await cloud.watchLast(names.up("k", "*"), late.sink);
  await within(
    late.has((all) => all.length === 256),
    3_000,
    "those that are kept",
  );
  t.equal(broker.counters["retainRefused"], 44);
  raw.socket.destroy();
});

void test("the doors by the table", (t) => {
  t.ok(mayPublish(own, names.up()));
  t.ok(mayPublish(own, names.up("a", "b")));
  t.ok(mayPublish(own, names.live));
  t.notOk(mayPublish(own, "drover/v1/v/acme/v1/upx/a"));
  t.notOk(mayPublish(own, "drover/v1/v/acme/v1"));
  t.notOk(mayPublish(own, "drover/v1/v/acme//up/a"));
  t.notOk(mayPublish(everything, "$SYS/a"));
  t.ok(maySubscribe(own, "drover/v1/v/acme/v1/down/#"));
  t.ok(maySubscribe(own, "drover/v1/v/acme/v1/down/+/x"));
  t.ok(maySubscribe(own, names.live));
  t.notOk(maySubscribe(own, "drover/v1/v/acme/v1/#"));
  t.notOk(maySubscribe(own, "drover/v1/v/acme/+/down/#"));
  t.notOk(maySubscribe(own, "drover/v1/v/acme/v1/down#"));
  t.end();
});

void test("messages of every kind from many nodes pass each other at the broker and none that was confirmed is lost", async (t) => {
  const nodes = ["n0", "n1", "n2", "n3"];
  const broker = await startBroker(bookOf(["cloud", everything], ...nodes.map((node) => [node, everything] as const)));
  t.teardown(() => broker.close());
  const cloud = await cloudOf(broker);
  const heard = collector();
  await cloud.subscribe("mix/**", heard.sink);
  await cloud.subscribe("mix/*/*", () => undefined); // a second filter that matches the same topics
  const transports = nodes.map((node) => quickTransport(broker.port, node));
  t.teardown(async () => {
    for (const one of [cloud, ...transports]) await one.stop();
  });
  for (const one of transports) {
    await one.start();
    await within(reaches(one, "ready"), 3_000, "ready");
  }
  const sent: Promise<{ readonly kind: string }>[] = [];
  for (let round = 0; round < 100; round++) {
    for (const [index, one] of transports.entries()) {
      sent.push(one.publish(`mix/c/${String(index)}-${String(round)}`, bytes("confirmed"), { qos: "reliable" }));
      sent.push(one.setLast(`mix/k/${String(index)}-${String(round)}`, bytes("kept")));
      sent.push(one.publish(`mix/u/${String(index)}-${String(round)}`, bytes("unconfirmed"), { qos: "drop" }));
    }
  }
  const kinds = (await within(Promise.all(sent), 10_000, "all sent")).map((outcome) => outcome.kind);
  t.same([...new Set(kinds)].sort(), ["accepted", "handed"]);
  await within(
    heard.has((all) => new Set(all.map((delivery) => delivery.key)).size === 1_200),
    5_000,
    "all heard",
  );
  t.equal(heard.all.length, 1_200, "and each once, although two filters match it");
});

void test("S5. what one vehicle may hold at the broker is bounded: no lasting session, 64 filters a connection, 16 connections; what is beyond is refused and counted", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const fields = { user: "v1", secret: secretOf("v1"), clean: false };
  const absent = await login(broker, { ...fields, clientId: "v1:a" });
  absent.raw.send(subscribePacket(names.live));
  await within(absent.raw.has(4 + 5), 3_000, "SUBACK");
  absent.raw.socket.destroy();
  await within(absent.raw.closed, 3_000, "closed");
  const talker = await login(broker, { ...fields, clientId: "v1:b", clean: true });
  for (let id = 1; id <= 20; id++) talker.raw.send(publishPacket(names.live, bytes("x".repeat(1_000)), { qos: 1, id }));
  await within(talker.raw.has(4 + 20 * 4), 3_000, "PUBACKs");
  const back = await login(broker, { ...fields, clientId: "v1:a" });
  back.raw.send(Buffer.from([0xc0, 0]));
  await within(back.raw.has(4 + 2), 3_000, "PINGRESP");
  t.same([...back.raw.received()], [0x20, 2, 0, 0, 0xd0, 0], "no session was there, and nothing waited in it");
  t.equal(broker.counters["sessionsNotKept"], 2);

  for (let id = 1; id <= 70; id++) talker.raw.send(subscribePacket(`${names.down()}/${String(id)}`, id));
  const before = 4 + 20 * 4;
  await within(talker.raw.has(before + 70 * 5), 3_000, "SUBACKs");
  const granted = [...talker.raw.received().subarray(before)].filter((_, at) => at % 5 === 4);
  t.same([granted.filter((code) => code === 1).length, granted.filter((code) => code === 128).length], [64, 6]);
  talker.raw.send(subscribePacket(`${names.down()}/1`, 71));
  await within(talker.raw.has(before + 71 * 5), 3_000, "SUBACK");
  t.equal(talker.raw.received().at(-1), 1, "one that it has may be said again");

  const more = await Promise.all(Array.from({ length: 20 }, (_, at) => login(broker, { ...fields, clientId: `v1:${String(at)}`, clean: true })));
  t.same([more.filter(({ code }) => code === 0).length, more.filter(({ code }) => code === 3).length], [14, 6], "beside the two that are there");
  t.equal(broker.counters["tooManyConnections"], 6);
  t.equal((await login(broker, { clientId: "v2", user: "v2", secret: secretOf("v2") })).code, 0, "another vehicle has its own");
  for (const { raw } of more) raw.socket.destroy();
  await pass(200);
  t.equal((await login(broker, { ...fields, clientId: "v1:again", clean: true })).code, 0);
});

void test("S10, S5. what is published where nobody listens is counted, also within a vehicle's own subtree; what is kept, or heard, is not", async (t) => {
  const broker = await startBroker(book());
  t.teardown(() => broker.close());
  const unheard = (): number | undefined => broker.counters["unheardPublishes"];
  const { raw } = await login(broker, { clientId: "v1", user: "v1", secret: secretOf("v1") });
  let confirmed = 4;
  const publish = async (topic: string, retain = false): Promise<void> => {
    raw.send(publishPacket(topic, bytes("x"), { qos: 1, retain }));
    await within(raw.has((confirmed += 4)), 3_000, "PUBACK");
  };
  await publish(names.up("stream"));
  t.equal(unheard(), 1, "the cloud is not there yet");
  await publish(names.up("tree"), true);
  t.equal(unheard(), 1, "what is kept is read later");
  const cloud = await cloudOf(broker);
  await cloud.subscribe("drover/v1/v/*/*/up/stream", () => undefined);
  await cloud.subscribe("drover/v1/v/*/*/live/**", () => undefined);
  await publish(names.up("stream"));
  t.equal(unheard(), 1);
  for (const topic of [names.up("nonsense"), names.up("stream", "more"), names.up()]) await publish(topic);
  t.equal(unheard(), 4);
  await cloud.stop();
  await pass(200);
  await publish(names.up("stream"));
  t.equal(unheard(), 5, "the cloud has gone");
  raw.socket.destroy();
});
