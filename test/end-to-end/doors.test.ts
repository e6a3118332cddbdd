// What a vehicle's credential reaches, what garbage on the broker does, and what a listen-only vehicle takes.

import { join } from "node:path";
import mqtt from "mqtt";
import { test } from "tap";
import { createEdgeNode } from "../../edge-node/index.ts";
import { encodeAsk } from "../../protocols/mqtt/ask-frame.ts";
import { nodeCredential } from "../../protocols/mqtt/index.ts";
import { encodeEnvelope, parseAddress, vehicleNames } from "../../runtime/index.ts";
import { busesOf, demoFile, type Ending, type Fleet, fleet, GALLEY, lamp, nodeFrames, TORRENT, TRAILER } from "./fleet.ts";
import { until } from "./until.ts";

const RAV4 = "demo/vehicle/rav4-01";
const DOWN = vehicleNames("demo", "trailer-01").down("in");

/** A broker client with a vehicle's own credential, as stolen. */
async function intruder(t: Ending, { data, cloud }: Fleet, vehicle: string): Promise<mqtt.MqttClient> {
  const { node, secret } = nodeCredential(join(data, "credentials"), `edge-${vehicle}`, { kind: "vehicle", tenant: "demo", vehicle });
  const client = mqtt.connect(cloud.urls.broker ?? "", { clientId: `${node}:intruder`, username: node, password: secret, protocolVersion: 4, reconnectPeriod: 0 });
  client.on("error", () => undefined);
  t.teardown(() => client.endAsync(true));
  await until("the intruder is connected", 5_000, () => client.connected);
  return client;
}

function lightAsk(to: string, level: number, extra: object = {}): Buffer {
  const payload = encodeEnvelope({
    kind: "ask",
    id: `intruder-${level}`,
    sender: { node: "edge-rav4-01", session: "s" },
    to: parseAddress(to),
    remainingMs: 3_000,
    expiresInMs: 60_000,
    author: "admin",
    body: { type: "light.set", output: "galley", level },
    ...extra,
  });
  return encodeAsk({ correlation: `c-${level}`, withinMs: 3_000, inbox: "edge-rav4-01", payload });
}

test("S10. A vehicle's credential reaches no other vehicle, neither on its topics nor through the cloud", { timeout: 200_000 }, async (t) => {
  const all = await fleet(t, { vehicles: ["trailer-01", "rav4-01"] });
  const { api, rig, cloud } = all;
  const client = await intruder(t, all, "rav4-01");
  const own = vehicleNames("demo", "rav4-01").up("in");
  await client.publishAsync(`${DOWN}/@ask`, lightAsk(TORRENT, 201), { qos: 1 });
  await client.publishAsync(`${own}/@ask`, lightAsk(TORRENT, 202), { qos: 1 });
  const raise = { kind: "tell" as const, body: { type: "alarm.raise", title: "x", severity: "critical", about: "x" } };
  await client.publishAsync(`${own}/@ask`, lightAsk("demo/alarm/trailer-01.forged", 203, raise), { qos: 1 });
  await client.publishAsync(`${own}/@ask`, lightAsk("demo/alarm/rav4-01.own", 204, raise), { qos: 1 });
  await until("its own alarm is raised, so everything before it was judged", 5_000, async () => (await api.actor("demo/alarm/rav4-01.own")).body.state === "raised");
  t.equal((await api.actor("demo/alarm/trailer-01.forged")).status, 404);
  t.match(
    (await api.get(`/v1/actors/${encodeURIComponent("demo/alarm/rav4-01.own")}/history`)).body.items,
    [{ inputs: [{ type: "alarm.raise", author: RAV4 }] }, {}],
    "in its own name, whatever it claims",
  );
  t.match(await api.ask(TORRENT, { type: "light.set", output: "galley", level: 5 }, { key: "s10" }), { status: 200 });
  t.same(
    nodeFrames(rig).map(({ data }) => data),
    ["0005"],
  );
  t.ok(cloud.tree.describe().children.every(({ restarts }) => restarts === 0));
  t.match((await api.get("/metrics")).body, /^drover_broker_events_total\{event="sunk_publishes"\} [1-9]/m, "what was dropped is counted where it can be read");
});

test("S5, S10. Garbage on the broker while traffic flows is dropped, and nothing dies of it", { timeout: 200_000 }, async (t) => {
  const all = await fleet(t);
  const { api, rig, cloud, data } = all;
  const { node, secret } = nodeCredential(join(data, "credentials"), "careless", { kind: "everything" });
  const careless = mqtt.connect(cloud.urls.broker ?? "", { clientId: "careless", username: node, password: secret, protocolVersion: 4, reconnectPeriod: 50 });
  careless.on("error", () => undefined);
  t.teardown(() => careless.endAsync(true));
  await until("the careless client is connected", 5_000, () => careless.connected);
  const stolen = await intruder(t, all, "trailer-01");
  const good = lightAsk(TORRENT, 99);
  const names = vehicleNames("demo", "trailer-01");
  const garbage: readonly Buffer[] = [
    Buffer.alloc(0),
    Buffer.from([0xff]),
    Buffer.from("no envelope at all"),
    good.subarray(0, good.length - 9),
    encodeAsk({ correlation: "v", withinMs: 1_000, inbox: "careless", payload: Buffer.concat([Buffer.from([0x7f]), Buffer.from(good.subarray(1))]) }),
    encodeAsk({ correlation: "t", withinMs: 1_000, inbox: "careless", payload: encodeEnvelope({ kind: "ask", id: "x", sender: { node: "y" }, body: 5 }) }),
  ];
  const topics = [
    ...[
      "down/in",
      "up/in",
      "up/stream",
      "up/telemetry",
      "up/signals",
      "up/signal-info",
      "up/tree",
      "live",
      "up/nonsense",
      "down/@reply/edge-trailer-01",
      "up/@reply/cloud-1",
    ].flatMap((path) => [`${names.root}/${path}`, `${names.root}/${path}/@ask`]),
    "drover/v2/v/demo/trailer-01/up/in",
    "drover/v1/v/demo",
    "elsewhere",
    "drover/v1/n/cloud-1/tree",
  ];
  let level = 0;
  const speak = async (): Promise<void> => {
    level++;
    const { status, body } = await api.ask(TORRENT, { type: "light.set", output: "galley", level }, { key: `g-${level}`, timeoutMs: 5_000 });
    if (status !== 200 && status !== 503 && status !== 504) t.fail(`${status} ${JSON.stringify(body)}`);
  };
  for (const [index, bytes] of garbage.entries()) {
    for (const topic of topics) {
      if (careless.connected) careless.publish(topic, bytes, { qos: 0, retain: index % 2 === 1 });
      if (stolen.connected) stolen.publish(topic, bytes, { qos: 0 });
    }
    await speak();
  }
  if (careless.connected) careless.publish(names.up("in"), Buffer.alloc(2_000_000, 1), { qos: 1 });
  await speak();
  await careless.endAsync(true);
  await stolen.endAsync(true);
  for (let more = 0; more < 3; more++) await speak();
  t.match(await api.ask(TORRENT, { type: "light.set", output: "galley", level: 250 }, { key: "after", timeoutMs: 5_000 }), {
    status: 200,
    body: { reply: { outcome: "confirmed" } },
  });
  t.equal(lamp(rig, GALLEY), 250);
  t.equal(nodeFrames(rig).filter(({ data: bytes }) => bytes === "0063").length, 0, "nothing of the garbage acted");
  for (const { restarts, id } of [...cloud.tree.describe().children, ...all.edge().tree.describe().children]) t.equal(restarts, 0, `${id} was not restarted`);
  t.match(await api.get("/health/live"), { status: 200 });
  const { body } = await api.actor(TRAILER);
  t.match(body, { presence: "online" });
});

test("X1, S11. A command to a vehicle that only listens is refused as listen-only, whatever it is", { timeout: 200_000 }, async (t) => {
  const all = await fleet(t, { vehicles: ["rav4-01"] });
  const { api } = all;
  const commands = [
    { type: "light.set", output: "galley", level: 1 },
    { type: "relay.set", output: "pump", on: true },
    { type: "climate.setpoint.request", value: 20 },
    { type: "output.identify" },
    { type: "engine.start" },
  ];
  for (const to of [RAV4, `${RAV4}/module/engine`])
    for (const command of commands) {
      const { status, body } = await api.ask(to, command);
      t.match({ status, body }, { status: 409, body: { type: "urn:drover:problem:refused", detail: /listen-only/ } }, `${command.type} to ${to}`);
    }
  t.equal(all.edge("rav4-01").counters().sentFrames, 0);
});

test("O1. Two nodes with one vehicle's identity raise an alarm", { timeout: 200_000 }, async (t) => {
  const all = await fleet(t);
  const { node, secret } = nodeCredential(join(all.data, "credentials"), "edge-trailer-01", { kind: "vehicle", tenant: "demo", vehicle: "trailer-01" });
  const second = createEdgeNode({
    vehicle: demoFile("vehicles", "trailer-01.yaml"),
    data: join(all.data, "..", "copied"),
    buses: busesOf("trailer-01", join(all.data, "..", "rig")),
    uplink: { url: all.cloud.urls.broker ?? "", username: node, password: secret },
  });
  t.teardown(() => second.stop());
  await second.start();
  const alarm = await until("the alarm", 20_000, async () => {
    const found = await all.api.actor("demo/alarm/trailer-01.two-nodes");
    return found.status === 200 && found.body.state === "raised" ? found : undefined;
  });
  t.match(alarm.body.context, { severity: "critical", about: TRAILER });
});
