// kill -9 of the cloud's process during traffic: the vehicle goes on, and every command has one true outcome.

import { join } from "node:path";
import tap, { test } from "tap";
import { createEdgeNode } from "../../edge-node/index.ts";
import { realPorts } from "../../edge-node/ports.ts";
import { mqttTransport, nodeCredential } from "../../protocols/mqtt/index.ts";
import { SeededRandom } from "../../runtime/simulation/index.ts";
import { commandStream } from "./command-stream.ts";
import { busesOf, demoFile } from "./fleet.ts";
import { EVERY_MS, judge, KILLS, kills } from "./kills.ts";
import { processFleet } from "./processes.ts";
import { until } from "./until.ts";

const FILE_MS = 180_000;

// The runner's bound for a file is less than what twenty kills take on a busy machine.
tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

test(`S3, F2, M2. A cloud node that is killed at ${KILLS} random moments: what was confirmed acted once, everything else has a true outcome`, { timeout: 150_000 }, async (t) => {
  const fleet = await processFleet(t, []);
  // This one stays, in the test's process, and looks for its cloud more often than it would on a road.
  const { node, secret } = nodeCredential(join(fleet.data, "credentials"), "edge-trailer-01", { kind: "vehicle", tenant: "demo", vehicle: "trailer-01" });
  const edge = createEdgeNode(
    {
      vehicle: demoFile("vehicles", "trailer-01.yaml"),
      data: join(fleet.data, "trailer-01"),
      buses: busesOf("trailer-01", fleet.rigFolder),
      uplink: { url: `mqtt://127.0.0.1:${fleet.brokerPort}`, username: node, password: secret },
    },
    {
      ...realPorts,
      transport: ({ url }, name, vehicle, { clock, random, log }) =>
        mqttTransport({ url, node: name, username: name, password: secret, vehicle, clock, random, log, reconnect: { firstMs: 50, longestMs: 200 } }),
    },
  );
  t.teardown(() => edge.stop());
  await edge.start();
  await until("the vehicle is up", 10_000, () => fleet.isUp("trailer-01"));
  const stream = commandStream(t, fleet.api, EVERY_MS);
  await kills(fleet, "cloud", stream, new SeededRandom(21));
  await stream.stop();
  await judge(t, fleet, stream);
  t.equal(fleet.child("cloud").restarts, KILLS);
  t.equal(
    edge.tree.describe().children.reduce((sum, { restarts }) => sum + restarts, 0),
    0,
    "S6: the vehicle restarts nothing for that",
  );
});
