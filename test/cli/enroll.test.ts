// What an enrolled vehicle is told to write into its configuration.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { removeEndpoint, writeEndpoint } from "../../cli/api/index.ts";
import { drover, scratch } from "./captured.ts";

test("enroll tells the uplink of the broker that runs on this data, wherever it listens", async (t) => {
  const data = scratch(t);
  const env = { DROVER_DATA: data };
  writeEndpoint(data, { url: "http://127.0.0.1:4001", broker: "mqtt://127.0.0.1:4002" });
  const running = await drover(["enroll", "acme/vehicle/my-car"], { env });
  t.match(running, { code: 0, err: "" });
  t.ok(running.out.includes(`uplink: { url: "mqtt://127.0.0.1:4002", credentials: "${join(data, "credentials")}" }`), running.out);
  t.ok(existsSync(join(data, "credentials", "edge-my-car.json")));

  removeEndpoint(data);
  const none = await drover(["enroll", "acme/vehicle/my-car"], { env });
  t.match(none, { code: 0, err: /no cloud node runs on .*mqtt:\/\/127\.0\.0\.1:1883/ });
  t.ok(none.out.includes(`url: "mqtt://127.0.0.1:1883"`));
  const json = await drover(["--json", "enroll", "acme/vehicle/my-car", "--data", data]);
  t.match(JSON.parse(json.out), { vehicle: "acme/vehicle/my-car", node: "edge-my-car", broker: "mqtt://127.0.0.1:1883", credentials: join(data, "credentials") });
});

test("a node's name that is another vehicle's, or none, is refused, and one that is not the usual one is told with the uplink", async (t) => {
  const data = scratch(t);
  const env = { DROVER_DATA: data };
  await drover(["enroll", "acme/vehicle/my-car"], { env });
  const taken = await drover(["enroll", "other/vehicle/my-car"], { env });
  t.match(taken, { code: 5, out: "", err: /edge-my-car is the node of acme\/vehicle\/my-car\.[^]*drover enroll other\/vehicle\/my-car --node other-my-car/ });
  const named = await drover(["enroll", "other/vehicle/my-car", "--node", "other-my-car"], { env });
  t.match(named, { code: 0, out: /\nnode: "other-my-car"\nuplink: / });
  t.notMatch((await drover(["enroll", "acme/vehicle/my-car"], { env })).out, /node:/, "the usual one needs no key");
  for (const node of ["../x", "a b", "x/y", "n\nl", "", "x".repeat(65)])
    t.match(await drover(["enroll", "acme/vehicle/b", "--node", node], { env }), { code: 2, err: /Write a node's name of 1 to 64 letters/ }, JSON.stringify(node));
  t.match(await drover(["enroll", `acme/vehicle/${"x".repeat(100)}`], { env }), { code: 2, err: /name its node with --node/ });
  t.same(readdirSync(join(data, "credentials")).sort(), ["edge-my-car.json", "other-my-car.json"]);
});

test("what is no vehicle's address is refused", async (t) => {
  for (const address of ["my-car", "acme/vehicle", "acme/module/x", "acme/vehicle/a/module/b", "acme/vehicle/a b"])
    t.match(await drover(["enroll", address], { env: { DROVER_DATA: scratch(t) } }), { code: 2, err: /TENANT\/vehicle\/ID/ }, address);
});
