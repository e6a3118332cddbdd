// A float on the bus that is infinite, on every way out of the vehicle.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { createEdgeNode } from "../../edge-node/index.ts";
import { type SampleRecord, SignalMirror } from "../../protocols/uplink/index.ts";
import { createVirtualBus } from "../../protocols/virtual-can/index.ts";
import { desk } from "./desk.ts";
import { packer } from "./telemetry-reader.ts";

const VEHICLE = "me/vehicle/car";

test("V1. an infinite value is not available to the vehicle's API, and no good value in its telemetry and in the cloud", async (t) => {
  const at = desk();
  at.files.set("/v/car.dbc", 'VERSION ""\nBU_: E\nBO_ 100 Battery: 4 E\n SG_ Current : 0|32@1- (1,0) [0|0] "A" X\nSIG_VALTYPE_ 100 Current : 1;\n');
  at.files.set("/v/car.yaml", `vehicle: ${VEHICLE}\nmodel: mine@1\n`);
  at.files.set(
    "/v/mine.yaml",
    "model: mine\nversion: 1\nbuses: { can0: { dbc: car.dbc } }\nsignals: { Battery.Current: { from: can0.Battery.Current } }\n" +
      "telemetry: { budget: 1GB/month, state: { at_most: 1s, on_change: [Battery.Current] } }\n",
  );
  const bus = createVirtualBus({ clock: at.clock });
  const data = t.testdir();
  const node = createEdgeNode({ vehicle: "/v/car.yaml", data, buses: { can0: () => bus.attach({ mode: "listen-only" }) }, http: { port: 0 } }, at.ports());
  await node.start();
  const signed = await fetch(`${node.apiUrl ?? ""}/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: readFileSync(join(data, "api-token"), "utf8").trim() }),
  });
  const cookie = signed.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
  const shown = async (): Promise<unknown> => (await fetch(`${node.apiUrl ?? ""}/v1/vehicles/${encodeURIComponent(VEHICLE)}/signals`, { headers: { cookie } })).json();
  const mirror = new SignalMirror(at.clock);
  let read = 0;
  const told = async (): Promise<unknown> => {
    for (const item of await at.telemetry.read(read, 100)) {
      read = item.kind === "gap" ? item.to : item.seq;
      if (item.kind === "entry") mirror.take(VEHICLE, packer.unpack(item.bytes) as SampleRecord);
    }
    return mirror.signals(VEHICLE);
  };
  const say = async (value: number): Promise<void> => {
    const bytes = new DataView(new ArrayBuffer(4));
    bytes.setFloat32(0, value, true);
    bus.inject([{ id: 100, data: new Uint8Array(bytes.buffer) }]);
    await at.clock.advance(1_200);
  };
  for (const value of [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
    await say(12.5);
    t.match(await shown(), { items: [{ name: "Battery.Current", value: 12.5, quality: "good" }] });
    t.match(await told(), [{ name: "Battery.Current", value: 12.5, quality: "good" }]);
    await say(value);
    t.match(await shown(), { items: [{ name: "Battery.Current", value: null, time: Number, quality: "not-available" }] }, String(value));
    t.match(await told(), [{ name: "Battery.Current", value: undefined, quality: "unknown" }], `${String(value)} in the cloud`);
  }
  t.equal(node.counters().signals.fresh, 0);
  await node.stop();
});
