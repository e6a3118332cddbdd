// What an enrolled vehicle is told to write into its configuration.

import { existsSync } from "node:fs";
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

test("what is no vehicle's address is refused", async (t) => {
  for (const address of ["my-car", "acme/vehicle", "acme/module/x", "acme/vehicle/a/module/b", "acme/vehicle/a b"])
    t.match(await drover(["enroll", address], { env: { DROVER_DATA: scratch(t) } }), { code: 2, err: /TENANT\/vehicle\/ID/ }, address);
});
