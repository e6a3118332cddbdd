// What /health/ready of a vehicle's node says of its store.

import { renameSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { createEdgeNode, type EdgeNode, type EdgePorts, realPorts } from "../../edge-node/index.ts";
import { createVirtualBus } from "../../protocols/virtual-can/index.ts";
import { systemClock } from "../../runtime/index.ts";
import { until } from "../end-to-end/until.ts";
import { storeOnDisk } from "../store-on-disk.ts";
import { type Desk, desk, deskWithFullDisk, rigOn, running, trailer, VEHICLES } from "./desk.ts";

const VEHICLE = "demo/vehicle/trailer-01";

interface Ready {
  readonly status: number;
  readonly body: unknown;
}

async function ready(node: EdgeNode): Promise<Ready> {
  const response = await fetch(`${node.apiUrl ?? ""}/health/ready`);
  return { status: response.status, body: await response.json() };
}

/** Running, with an API, on a bus that nobody speaks on. */
async function nodeAt(t: Test, at: Desk, data: string, store: EdgePorts["store"]): Promise<EdgeNode> {
  const bus = createVirtualBus({ clock: at.clock });
  const config = { vehicle: `${VEHICLES}trailer-01.yaml`, data, buses: { can0: () => bus.attach() }, http: { port: 0 } };
  const node = createEdgeNode(config, { ...at.ports(), store });
  await node.start();
  t.teardown(() => running(at, node.stop()));
  return node;
}

test("S5. while the disk takes no commits the node is not ready, and says why there and in its tree; then it is again", async (t) => {
  const at = desk();
  const disk = { room: 1_000_000 };
  const node = await nodeAt(t, at, t.testdir(), () => storeOnDisk(disk, { disk: at.disk }));
  const note = (): string | undefined => node.describe().children.find(({ id }) => id === "store")?.note;
  t.match(await ready(node), { status: 200 });
  disk.room = 0;
  const since = new Date(at.clock.now()).toISOString();
  t.match(await running(at, node.system.tell(VEHICLE, { type: "bus.mute", bus: "can0" }, { withinMs: 5_000 })), { kind: "not-stored" });
  const reason = `commits are refused since ${since}: the disk is full`;
  t.match(await ready(node), { status: 503, body: { reasons: [reason] } });
  t.equal(note(), `degraded: ${reason}`);
  await at.clock.advance(30_000);
  t.match(await ready(node), { status: 503, body: { reasons: [reason] } }, "as long as it lasts");
  disk.room = 1_000_000;
  await at.clock.advance(1_100);
  t.match(await ready(node), { status: 200 });
  t.equal(note(), undefined);
  t.match(await running(at, node.system.tell(VEHICLE, { type: "bus.mute", bus: "can0" }, { withinMs: 5_000 })), { kind: "accepted" });
});

test("S5. a node whose telemetry finds no room is not ready either", async (t) => {
  const { at, setFull } = deskWithFullDisk();
  const { node } = await trailer(at, rigOn(at, ["torrent-0"]), { data: t.testdir(), http: { port: 0 } });
  t.teardown(() => running(at, node.stop()));
  t.match(await ready(node), { status: 200 });
  setFull(true);
  t.match(await running(at, node.system.ask(`${VEHICLE}/module/torrent-0`, { type: "light.set", output: "galley", level: 12 }, { withinMs: 5_000 })), { kind: "replied" });
  t.match(await ready(node), { status: 503, body: { reasons: [/^telemetry is not kept since .*disk is full$/] } });
  setFull(false);
  await at.clock.advance(2_000);
  t.match(await ready(node), { status: 200 });
});

test("S3. a node whose data folder is removed while it runs acknowledges nothing any more, and is not ready until the folder is back", async (t) => {
  const at = desk();
  const data = join(t.testdir(), "data");
  // SQLite works in its own time.
  const node = await nodeAt(t, at, data, (folder, ports) => realPorts.store(folder, { ...ports, clock: systemClock }));
  // An entity whose turn was refused tries again by the node's clock.
  const mute = async (): Promise<unknown> => {
    let answer: unknown;
    void node.system.tell(VEHICLE, { type: "bus.mute", bus: "can0" }, { withinMs: 600_000 }).then((told) => (answer = told));
    return until("an answer", 10_000, async () => {
      await at.clock.advance(250);
      return answer;
    });
  };
  t.match(await ready(node), { status: 200 });
  renameSync(data, `${data}-away`);
  await at.clock.advance(2_000);
  await until("the node is not ready", 5_000, async () => (await ready(node)).status === 503);
  t.match(await ready(node), { body: { reasons: [/^commits are refused since .*: .*journal\.db is gone$/] } });
  t.match(node.describe().children.find(({ id }) => id === "store")?.note, /^degraded: commits are refused since .*journal\.db is gone$/);
  t.match(await mute(), { kind: "not-stored", reason: /is gone/ });
  renameSync(`${data}-away`, data);
  await at.clock.advance(2_000);
  await until("the node is ready", 5_000, async () => (await ready(node)).status === 200);
  t.match(await mute(), { kind: "accepted" });
});
