// What fails alone: a bus, the vehicle's entity, the store. What goes on meanwhile.

import { test } from "tap";
import { createEdgeNode } from "../../edge-node/index.ts";
import type { FrameListener, FrameSource } from "../../protocols/can/index.ts";
import { createVirtualBus } from "../../protocols/virtual-can/index.ts";
import type { NodeStepWatch, TreeNode } from "../../runtime/index.ts";
import { memoryStore } from "../../runtime/simulation/index.ts";
import { desk, rigOn, running, trailer, VEHICLES, viewOf } from "./desk.ts";

function find(node: TreeNode, id: string): TreeNode | undefined {
  return node.id === id ? node : node.children.map((child) => find(child, id)).find((found) => found !== undefined);
}

test("S4. A bus whose source fails is restarted with backoff; the other bus and the vehicle never notice", async (t) => {
  const at = desk();
  const good = createVirtualBus({ clock: at.clock, name: "can2" });
  const starts: number[] = [];
  let broken = true;
  const failing = (): FrameSource => {
    starts.push(at.clock.monotonic());
    if (broken) throw new Error("no such interface");
    return createVirtualBus({ clock: at.clock, name: "can1" }).attach();
  };
  const node = createEdgeNode({ vehicle: `${VEHICLES}truck-01.yaml`, data: "memory", buses: { can1: failing, can2: () => good.attach() } }, at.ports());
  await running(at, node.start());
  good.inject([{ id: 3, data: new Uint8Array(8) }]);
  await at.clock.advance(400);
  t.match(viewOf(node, "demo/vehicle/truck-01"), { state: { health: "degraded" }, context: { buses: { can1: "down", can2: "awake" } } });
  t.match(viewOf(node, "demo/vehicle/truck-01/module/gnss").state, { presence: "present" });
  t.match(viewOf(node, "demo/vehicle/truck-01/module/engine").state, { presence: "not expected" });
  await at.clock.advance(60_000);
  t.ok(starts.length >= 5 && starts.length < 60, `tried ${String(starts.length)} times in a minute`);
  t.match(find(node.describe(), "can1"), { state: "restarting", lastExit: { error: /no such interface/ } });
  broken = false;
  await at.clock.advance(10_000);
  t.match(find(node.describe(), "can1"), { state: "running" });
  t.match(viewOf(node, "demo/vehicle/truck-01").context, { buses: { can1: "awake" } });
  await node.stop();
});

test("S4. A fault while a batch is worked on ends that bus's run, with its cause in the tree", async (t) => {
  const at = desk();
  let listener: FrameListener | undefined;
  let opened = 0;
  const source = (): FrameSource => {
    opened++;
    return {
      buses: ["can0"],
      state: { kind: "up" },
      counters: { received: 0, dropped: 0, sent: 0, sendFailed: 0 },
      start: async (given) => {
        listener = given;
      },
      stop: async () => {},
    };
  };
  const node = createEdgeNode({ vehicle: `${VEHICLES}rav4-01.yaml`, data: "memory", buses: { can0: source } }, at.ports());
  await running(at, node.start());
  t.doesNotThrow(() => listener?.onFrames({ count: 1 } as never), "the source is not what failed");
  await at.clock.advance(1_000);
  t.equal(opened, 2);
  t.match(find(node.describe(), "can0"), { state: "running", restarts: 1, lastExit: { reason: "failed" } });
  await node.stop();
});

test("S4. An entity that cannot go on is recovered by its supervisor, and told anew what the bus shows", async (t) => {
  const at = desk();
  const ports = at.ports();
  const store = memoryStore({ disk: at.disk });
  const car = await trailer({ ...at, ports: () => ({ ...ports, store: () => store }) });
  store.refuseNext(car.node.vehicle, "a bad sector");
  t.match(await running(at, car.node.system.tell(`${car.node.vehicle}/module/torrent-0`, { type: "light.set", output: "galley", level: 7 })), { kind: "not-stored" });
  await at.clock.advance(3_000);
  t.match(find(car.node.describe(), car.node.vehicle), { state: "running", restarts: 1, lastExit: { error: /bad sector/ } });
  t.match(car.module("torrent-0").state, { presence: "present" });
  t.match(await running(at, car.node.system.ask(`${car.node.vehicle}/module/torrent-0`, { type: "light.set", output: "galley", level: 8 }, { withinMs: 5_000 })), {
    kind: "replied",
  });
  await car.node.stop();
});

test("H14. A vehicle whose entity cannot go on for longer than ten minutes is degraded and tried for ever, and runs when it can", async (t) => {
  const at = desk();
  const ports = at.ports();
  const store = memoryStore({ disk: at.disk });
  const quiet = createVirtualBus({ clock: at.clock, name: "can0" });
  const node = createEdgeNode({ vehicle: `${VEHICLES}rav4-01.yaml`, data: "memory", buses: { can0: () => quiet.attach() } }, { ...ports, store: () => store });
  await running(at, node.start());
  const commit = store.commit.bind(store);
  let refused = 0;
  store.commit = (batch) => {
    if (batch.some(({ entity }) => entity === node.vehicle) && ++refused > 0) return Promise.resolve(batch.map(() => ({ kind: "refused", reason: "a bad sector" }) as const));
    return commit(batch);
  };
  await running(at, node.system.tell(node.vehicle, { type: "bus.mute", bus: "can0" }));
  await at.clock.advance(540_000);
  const after9 = refused;
  t.equal(node.describe().state, "running", "not yet");
  await at.clock.advance(240_000);
  t.equal(node.describe().state, "degraded");
  t.match(find(node.describe(), node.vehicle), { lastExit: { error: /bad sector/ } });
  t.ok(refused - after9 >= 8, `it was tried ${String(refused - after9)} times more`);
  store.commit = commit;
  await at.clock.advance(61_000);
  t.match([node.describe().state, find(node.describe(), node.vehicle)?.state], ["running", "running"]);
  t.match(await running(at, node.system.tell(node.vehicle, { type: "bus.mute", bus: "can0" })), { kind: "accepted" });
  await node.stop();
});

test("L2. A store that was moved aside: the node keeps its identity, opens a new incarnation, says so", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  const { incarnation } = car.vehicle();
  const before = at.identity;
  await car.node.stop();
  const ports = at.ports();
  const { MemoryDisk } = await import("../../runtime/simulation/index.ts");
  const fresh = new MemoryDisk();
  const moved = { ...at, ports: () => ({ ...ports, store: () => movedAside(memoryStore({ disk: fresh })) }) };
  car = await trailer(moved, rig);
  t.not(car.vehicle().incarnation, incarnation);
  t.match(car.vehicle().context, { storeLoss: { reason: "page 3 is damaged" } });
  t.equal(at.identity?.node, before?.node);
  t.equal(at.identity?.epoch, before?.epoch);
  t.not(at.identity?.incarnation, before?.incarnation);
  await car.node.stop();
});

function movedAside(store: ReturnType<typeof memoryStore>): typeof store {
  return { ...store, open: async () => ({ ...(await store.open()), movedAside: { path: "journal.db.damaged", reason: "page 3 is damaged" } }) };
}

test("T1, L2. A store that was put back on purpose: the vehicle goes on under a new name before anything else, is degraded by it until somebody acknowledges it, and is told once", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["torrent-0"]);
  let car = await trailer(at, rig);
  const { incarnation } = car.vehicle();
  const before = at.identity;
  await car.node.stop();
  at.disk.putBack();
  car = await trailer(at, rig);
  const next = car.vehicle().incarnation;
  t.not(next, incarnation);
  t.not(at.identity?.incarnation, before?.incarnation);
  t.match([car.vehicle().state, car.vehicle().context], [{ health: "degraded" }, { storeLoss: null, losses: { history: { reason: /put back from an older copy/ } } }]);
  await car.node.stop();
  car = await trailer(at, rig);
  t.equal(car.vehicle().incarnation, next);
  t.match(await running(at, car.node.system.ask(car.node.vehicle, { type: "store.acknowledge" }, { withinMs: 5_000 })), { kind: "replied", value: { acknowledged: ["history"] } });
  await car.node.stop();
  car = await trailer(at, rig);
  t.match(car.vehicle().state, { health: "ok" });
  await car.node.stop();
});

test("L2. A journal that is gone although the node has run before is told too, never a silent beginning", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["torrent-0"]);
  let car = await trailer(at, rig);
  t.match(car.vehicle().context, { storeLoss: null });
  await car.node.stop();
  const { MemoryDisk } = await import("../../runtime/simulation/index.ts");
  car = await trailer(Object.assign(at, { disk: new MemoryDisk() }), rig);
  t.match(car.vehicle().context, { storeLoss: { reason: /gone/ } });
  await car.node.stop();
});

test("L2, S6. A vehicle without a cloud is degraded by a lost journal and a lost telemetry log, over restarts, until somebody acknowledges it; it is told once", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  const movedAside = { path: "telemetry.db.damaged", reason: "no header" };
  const { MemoryDisk } = await import("../../runtime/simulation/index.ts");
  const telemetry = { ...at.telemetry, open: async () => ({ ...(await at.telemetry.open()), movedAside }) };
  const started = async (of: typeof at): ReturnType<typeof trailer> => {
    const car = await trailer(of, rig);
    await at.clock.advance(5_000);
    return car;
  };
  let car = await started(at);
  t.match([car.vehicle().state, car.vehicle().context], [{ health: "ok" }, { losses: {}, silent: [], unwell: {} }]);
  await car.node.stop();
  const lostAt = at.clock.now();
  Object.assign(at, { disk: new MemoryDisk() });
  car = await started({ ...at, ports: () => ({ ...at.ports(), telemetryLog: () => telemetry }) });
  const losses = { journal: { at: lostAt, reason: /gone/ }, telemetry: { at: lostAt, reason: "no header" } };
  const lost = [{ health: "degraded" }, { losses, storeLoss: losses.journal, silent: [], unwell: {} }];
  t.match([car.vehicle().state, car.vehicle().context], lost);
  await car.node.stop();
  await at.clock.advance(60_000);
  car = await started(at);
  t.match([car.vehicle().state, car.vehicle().context], lost, "since when, at the next start too");
  t.match(await running(at, car.node.system.tell(car.node.vehicle, { type: "store.acknowledge" }, { id: "ann-1" })), { kind: "accepted" });
  t.match([car.vehicle().state, car.vehicle().context], [{ health: "ok" }, { storeLoss: losses.journal }]);
  await car.node.stop();
  car = await started(at);
  t.match(car.vehicle().state, { health: "ok" });
  t.same((car.vehicle().context as { readonly losses: unknown }).losses, {}, "nobody tells it again");
  await car.node.stop();
});

test("a data folder of another node is refused", async (t) => {
  const at = desk();
  const car = await trailer(at, rigOn(at, ["torrent-0"]), { node: "edge-a" });
  await car.node.stop();
  await t.rejects(trailer(at, rigOn(at, ["torrent-0"]), { node: "edge-b" }), { code: "DROVER_CONFIG_INVALID", message: /belongs to the node "edge-a"/ });
});

test("the tree shows store, buses, vehicle with its modules and uplink", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const tree = car.node.describe();
  t.same(
    tree.children.map(({ id }) => id),
    ["store", "buses", "links", "demo/vehicle/trailer-01", "uplink"],
  );
  t.match(find(tree, "demo/vehicle/trailer-01/module/torrent-0"), { kind: "actor", state: "running", restarts: 0 });
  await car.node.stop();
  t.equal(car.node.tree.describe().state, "stopped");
});

test("M4. A vehicle whose entity the runtime keeps out has a node that runs without its actors, says why, and lets them in when the hour is over", async (t) => {
  const at = desk();
  const vehicle = "demo/vehicle/trailer-01";
  const since = at.clock.now() - 58 * 60_000;
  let code: string | undefined;
  const stepWatch = (): NodeStepWatch => ({
    begin: (codeOf) => {
      code = codeOf?.(vehicle);
      return {};
    },
    stepping: () => undefined,
    idle: () => undefined,
    within: (_entity, _cell, _what, _key, run) => run(),
    get hung() {
      return ["outside a", "outside b"].map((key) => ({ at: since, entity: vehicle, cell: vehicle, what: "a step", key, ...(code === undefined ? {} : { code }) }));
    },
    settled: () => undefined,
    stop: async () => undefined,
  });
  const bus = createVirtualBus({ clock: at.clock });
  const config = { vehicle: `${VEHICLES}trailer-01.yaml`, data: t.testdir(), buses: { can0: () => bus.attach() }, http: { port: 0 } };
  const node = createEdgeNode(config, { ...at.ports(), stepWatch });
  await node.start();
  t.match(find(node.describe(), vehicle), { state: "running", note: /^degraded: two processes of this node ended/ });
  t.match(find(node.describe(), "api"), { state: "running" });
  t.equal((await fetch(`${node.apiUrl ?? ""}/health/ready`)).status, 503);
  t.match(await running(at, node.system.tell(vehicle, { type: "bus.mute", bus: "can0" })), { kind: "owner-away", reason: /take its lines out of the node's crash file/ });
  await at.clock.advance(130_000);
  t.match(await running(at, node.system.tell(vehicle, { type: "bus.mute", bus: "can0" }, { withinMs: 5_000 })), { kind: "accepted" });
  t.match(find(node.describe(), vehicle), { state: "running", note: undefined });
  t.equal((await fetch(`${node.apiUrl ?? ""}/health/ready`)).status, 200);
  await running(at, node.stop());

  const stopped = createEdgeNode(config, { ...at.ports(), stepWatch: () => ({ ...stepWatch(), hung: stepWatch().hung.map((each) => ({ ...each, at: at.clock.now() })) }) });
  await stopped.start();
  await running(at, stopped.stop());
});
