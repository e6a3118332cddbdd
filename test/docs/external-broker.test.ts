// What cloud-node/README.md says of another broker, done: its two configurations and its rules, with a real Mosquitto.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { test } from "tap";
import { loadConfig } from "../../cli/config/index.ts";
import { type CloudConfig, cloudConfigSchema, createCloudNode } from "../../cloud-node/index.ts";
import { createEdgeNode, type EdgeConfig, edgeConfigSchema } from "../../edge-node/index.ts";
import { parseAddress } from "../../runtime/index.ts";
import { until } from "../end-to-end/until.ts";
import { root } from "../project/checkout.ts";
import { needsMosquitto, startMosquitto } from "../protocols/mqtt/mosquitto.ts";

const DOCUMENTED_PORT = "1884";
const WITHIN_MS = 20_000;
const VEHICLE = parseAddress("acme/vehicle/my-car");

test("a vehicle comes online over a broker of one's own, whose rules confine it to its subtree", { ...needsMosquitto, timeout: 100_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "drover-docs-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  cpSync(join(root, "test/docs/own-vehicle"), folder, { recursive: true });
  const acl = readFileSync(join(root, "test/docs/external-broker/acl.txt"), "utf8");
  t.ok(readFileSync(join(root, "cloud-node/README.md"), "utf8").includes(acl.trimEnd()), "the rules of the document are these");
  const broker = await startMosquitto({ "cloud-1": "cloud-secret", "edge-my-car": "car-secret" }, acl);
  t.teardown(() => broker.close());
  const configOf = (name: string, schema: object, set: readonly string[]): unknown => {
    const file = join(folder, name);
    writeFileSync(file, readFileSync(join(root, "test/docs/external-broker", name), "utf8").replace(DOCUMENTED_PORT, String(broker.port)));
    return loadConfig(schema, { file, env: {}, set }).config;
  };
  const cloud = createCloudNode(configOf("cloud.yaml", cloudConfigSchema, ["http.port=0"]) as CloudConfig);
  t.teardown(() => cloud.stop());
  await cloud.start();
  const edge = createEdgeNode(configOf("edge.yaml", edgeConfigSchema, []) as EdgeConfig);
  t.teardown(() => edge.stop());
  await edge.start();
  await until("the cloud knows the vehicle", WITHIN_MS, () => cloud.system.read(VEHICLE) !== undefined);
  t.match(await cloud.system.ask(VEHICLE, { type: "bus.mute", bus: "can0" }, { withinMs: 5_000 }), { kind: "replied", value: { muted: ["can0"] } });
  await edge.stop();
  const intruder = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, {
    clientId: "edge-my-car",
    username: "edge-my-car",
    password: "car-secret",
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  t.teardown(() => intruder.endAsync(true));
  await until("the intruder is connected", 5_000, () => intruder.connected);
  const granted = await intruder.subscribeAsync({ "drover/v1/v/acme/other/up/#": { qos: 1 }, "drover/v1/v/acme/my-car/down/#": { qos: 1 } });
  t.ok(granted.length > 0);
  const heard: string[] = [];
  intruder.on("message", (topic) => heard.push(topic));
  const outsider = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, {
    clientId: "cloud-1:test",
    username: "cloud-1",
    password: "cloud-secret",
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  t.teardown(() => outsider.endAsync(true));
  await until("the cloud's client is connected", 5_000, () => outsider.connected);
  await outsider.publishAsync("drover/v1/v/acme/other/up/stream", "x", { qos: 1 });
  await outsider.publishAsync("drover/v1/v/acme/my-car/down/x", "x", { qos: 1 });
  await until("its own is heard", 5_000, () => heard.includes("drover/v1/v/acme/my-car/down/x"));
  t.same(heard, ["drover/v1/v/acme/my-car/down/x"], "and nothing of another vehicle");
});
