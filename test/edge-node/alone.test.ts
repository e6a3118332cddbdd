// The vehicle alone, and with a cloud that comes and goes.

import { test } from "tap";
import { createEdgeNode, type EdgeConfig, type EdgeNode } from "../../edge-node/index.ts";
import { openStreamIngest, openTelemetryIngest, SignalMirror, watchLive, type LinkEvent } from "../../protocols/uplink/index.ts";
import { createReplicas, createSystem, decodeEnvelope, type System, vehicleNames } from "../../runtime/index.ts";
import { silentLog, type Transport } from "../../runtime/ports/index.ts";
import { memoryStore, SeededRandom } from "../../runtime/simulation/index.ts";
import { memoryNetwork, type MemoryNetwork } from "../../runtime/simulation/memory-transport.ts";
import { alarmEntity, vehicleEntity } from "../../actors/index.ts";
import { busRemote, openMessageDoor } from "../../runtime/wire/index.ts";
import { packer } from "./telemetry-reader.ts";
import { commandFrames, type Desk, desk, deskWithFullDisk, rigOn, running, trailer, VEHICLES } from "./desk.ts";

const VEHICLE = "demo/vehicle/trailer-01";
const UPLINK = { uplink: { url: "mqtt://cloud" } };
const names = vehicleNames("demo", "trailer-01");

interface Cloud {
  readonly network: MemoryNetwork;
  readonly mirror: SignalMirror;
  stop(): Promise<void>;
  readonly links: LinkEvent[];
  readonly system: System;
  readonly telemetry: { readonly counters: { readonly samples: number; readonly gaps: number; readonly lost: number } };
  revision(): number | undefined;
  ask(event: { readonly type: string; readonly [field: string]: unknown }, to: string, id: string): Promise<unknown>;
}

/** The cloud's side of the link, as small as it can be. @param before begun anew in its place, on the same broker */
async function cloud(at: Desk, before?: Cloud): Promise<Cloud> {
  const { clock } = at;
  const random = new SeededRandom(11);
  const network = before?.network ?? memoryNetwork({ clock, random });
  const transport = network.transport(before === undefined ? "cloud-1" : "cloud-2");
  await transport.start();
  if (before === undefined) at.transport = network.transport("edge-trailer-01");
  const store = memoryStore();
  await store.open();
  const replicas = createReplicas(
    { store, clock, log: silentLog, node: "cloud-1", types: vehicleEntity.types, owner: () => ({ node: "edge", epoch: 1 }), heardAt: () => clock.now() },
    (type) => type === "vehicle",
  );
  await replicas.open();
  const system = createSystem({ node: "cloud-1", types: [alarmEntity], store, clock, random, log: silentLog });
  await system.start();
  await system.activate("demo/alarm/trailer-01.store-moved-aside" as never, { input: undefined });
  const sending = { node: "cloud-1", session: before === undefined ? "s" : "s2", clock };
  const newId = (): string => random.id();
  const mirror = new SignalMirror(clock);
  const common = { transport, sending, newId, log: silentLog };
  await openStreamIngest({ ...common, replicas, heard: () => {} });
  const telemetry = await openTelemetryIngest({ ...common, mirror, heard: () => {} });
  await openMessageDoor({ ...common, pattern: names.up("in"), system });
  const links: LinkEvent[] = [];
  await watchLive(transport, sending, silentLog, (event) => void links.push(event));
  const remote = busRemote({ transport, sending, newId, find: () => ({ key: names.down("in"), node: "edge", reachable: true }) });
  return {
    network,
    stop: () => transport.stop(0),
    mirror,
    links,
    system,
    telemetry,
    revision: () => replicas.read(VEHICLE as never)?.revision,
    ask: (event, to, id) =>
      remote.send({ to: to as never, event, sender: { kind: "outside", id, author: "operator", expiresAt: clock.now() + 60_000 }, ask: true, withinMs: 5_000 }),
  };
}

test("S6. A vehicle boots with no network, decides locally and keeps its data", async (t) => {
  const at = desk();
  const far = await cloud(at);
  far.network.cut("edge-trailer-01");
  const car = await trailer(at, rigOn(at), UPLINK);
  t.match(car.module("torrent-0").state, { presence: "present" });
  t.match(await running(at, car.node.system.ask(`${VEHICLE}/module/torrent-0`, { type: "light.set", output: "galley", level: 12 }, { withinMs: 5_000 })), { kind: "replied" });
  await at.clock.advance(5_000);
  const { entries } = await at.telemetry.totals();
  t.ok(entries >= 4, "samples wait in the log");
  t.equal(far.telemetry.counters.samples, 0);
  const { restarts } = car.node.tree.describe();
  far.network.heal("edge-trailer-01");
  await at.clock.advance(15_000);
  t.equal((await at.telemetry.totals()).entries <= 2, true, "what waited was shipped and forgotten");
  t.ok(far.telemetry.counters.samples >= entries);
  t.equal(far.revision(), car.vehicle().revision, "and so was the stream");
  t.equal(car.node.tree.describe().restarts, restarts, "nothing was restarted for it");
  await running(at, car.node.stop());
});

test("S6. A node without an uplink works alone", async (t) => {
  const at = desk();
  const car = await trailer(at);
  t.match(await running(at, car.node.system.tell("demo/alarm/x", { type: "alarm.raise" })), { kind: "no-such-actor" });
  await at.clock.advance(3_000);
  t.ok((await at.telemetry.totals()).entries > 0);
  await car.node.stop();
});

test("S5, S6. The vehicle's journal is bounded where no cloud is configured, and keeps more where one is that is away", async (t) => {
  const at = desk();
  let store = memoryStore({ disk: at.disk });
  const ports = at.ports();
  at.ports = () => ({ ...ports, store: () => (store = memoryStore({ disk: at.disk })), transport: () => at.transport as Transport });
  const car = await trailer(at, rigOn(at, []));
  const drive = async (times: number, { system }: EdgeNode): Promise<void> => {
    for (let turn = 0; turn < times; turn++) await running(at, system.tell(VEHICLE, { type: "store.acknowledge" }, { keepMs: 10, withinMs: 1_000 }));
  };
  const kept = async (): Promise<number> => (await store.journal({ entity: VEHICLE, limit: 100_000, order: "oldest-first" })).length;
  await drive(5_800, car.node);
  const records = await kept();
  t.ok(records >= 5_000 && records < 5_600, String(records));
  await running(at, car.node.stop());
  const far = await cloud(at);
  far.network.cut("edge-trailer-01");
  const linked = await trailer(at, rigOn(at, []), UPLINK);
  await drive(400, linked.node);
  t.ok((await kept()) >= records + 400, "what waits for the cloud stays");
  far.network.heal("edge-trailer-01");
  await at.clock.advance(20_000);
  t.equal(far.revision(), linked.vehicle().revision);
  await running(at, linked.node.stop());
});

test("with a link: presence, values, units, tree and stream are told, and told anew to a cloud that was away", async (t) => {
  const at = desk();
  const far = await cloud(at);
  const car = await trailer(at, rigOn(at), UPLINK);
  await at.clock.advance(5_000);
  t.match(far.links.at(-1), { vehicle: "trailer-01", live: { node: "edge-trailer-01", epoch: 1 } });
  t.match(
    far.mirror.signals(VEHICLE)?.find(({ name }) => name === "Battery.Voltage"),
    { unit: "V", quality: "good", simulated: true, value: Number },
  );
  t.equal(far.revision(), car.vehicle().revision);
  const tree = decodeEnvelope(far.network.lastValues.get(names.up("tree")) ?? new Uint8Array());
  t.match(tree, {
    ok: true,
    envelope: {
      kind: "tree",
      sender: { node: "edge-trailer-01" },
      body: { id: "edge", children: [{ id: "store" }, { id: "buses" }, { id: "links" }, { id: VEHICLE }, { id: "uplink" }] },
    },
  });
  far.network.cut("edge-trailer-01");
  await at.clock.advance(2_000);
  t.equal(far.links.at(-1)?.live, undefined);
  far.network.heal("edge-trailer-01");
  await at.clock.advance(10_000);
  t.match(far.links.at(-1), { live: { node: "edge-trailer-01" } });
  await running(at, car.node.stop());
});

test("V1. The cloud's values carry the time of the bus, and are stale there as soon as the vehicle knows it", async (t) => {
  const at = desk();
  const far = await cloud(at);
  const car = await trailer(at, rigOn(at), UPLINK);
  await at.clock.advance(5_000);
  const water = (): ReturnType<SignalMirror["signals"]> extends readonly (infer S)[] | undefined ? S | undefined : never =>
    far.mirror.signals(VEHICLE)?.find(({ name }) => name === "Water.Fresh");
  t.match(water(), { quality: "good", value: Number });
  car.rig.mute("reservoir");
  const mutedAt = at.clock.now();
  for (let ms = 0; ms < 10_000 && water()?.quality === "good"; ms += 100) await at.clock.advance(100);
  t.match(water(), { quality: "stale", value: Number }, "with the value that it had");
  const staleAfterMs = at.clock.now() - mutedAt;
  t.ok(staleAfterMs < 5_000, `told ${String(staleAfterMs)} ms after the bus fell silent`);
  await at.clock.advance(120_000);
  t.match(water(), { quality: "stale" }, "however often all values are told anew");
  t.ok((water()?.at ?? 0) <= mutedAt, "and no younger than the bus's last word");
  car.rig.unmute("reservoir");
  await at.clock.advance(3_000);
  t.match(water(), { quality: "good" });
  t.ok((water()?.at ?? 0) > mutedAt);
  await running(at, car.node.stop());
});

test("S5. What the vehicle could not keep on a full disk is counted, told in a gap when there is room, and its newest value is kept then", async (t) => {
  const { at, setFull } = deskWithFullDisk();
  const rig = rigOn(at);
  rig.plugTrailer(true);
  const car = await trailer(at, rig);
  await at.clock.advance(3_000);
  const { lastSeq } = await at.telemetry.totals();
  const storeNote = (): string | undefined => car.node.describe().children.find(({ id }) => id === "store")?.note;
  t.equal(storeNote(), undefined);
  setFull(true);
  const since = at.clock.now();
  rig.plugTrailer(false);
  const light = { type: "light.set", output: "galley", level: 12 };
  t.match(await running(at, car.node.system.ask(`${VEHICLE}/module/torrent-0`, light, { withinMs: 5_000 })), { kind: "replied" });
  await at.clock.advance(20_000);
  const { dropped, ...full } = await at.telemetry.totals();
  t.equal(full.lastSeq, lastSeq);
  t.match(storeNote(), /^degraded: telemetry is not kept since .*disk is full$/);
  setFull(false);
  await at.clock.advance(2_100);
  const items = await at.telemetry.read(lastSeq, 100);
  const gaps = items.filter((item) => item.kind === "gap");
  t.ok(
    gaps.some((gap) => gap.class === "A" && gap.count === 1 && gap.reason === "not-written"),
    "the frame that was sent",
  );
  t.ok(
    gaps.some((gap) => gap.class === "B" && (gap.count ?? 0) >= 1 && gap.reason === "not-written"),
    "and the samples of it",
  );
  t.equal(
    gaps.reduce((sum, { count = 0 }) => sum + count, 0),
    dropped,
  );
  const kept = items.flatMap((item) => (item.kind === "entry" ? [packer.unpack(item.bytes) as { at: number; values: Record<string, unknown> }] : []));
  const told = kept.findLast(({ values }) => "Tow.Connected" in values);
  t.ok(told !== undefined && told.at > since + 20_000, "a value that changed then, and not since, is kept when there is room");
  t.match([told?.values["Tow.Connected"]].flat()[0], 0);
  t.equal(storeNote(), undefined);
  await at.clock.advance(5_000);
  const later = (await at.telemetry.read(lastSeq, 100)).flatMap((item) => (item.kind === "entry" ? [packer.unpack(item.bytes) as { values: Record<string, unknown> }] : []));
  t.equal(later.filter(({ values }) => "Tow.Connected" in values).length, 1, "once");
  t.equal((await at.telemetry.totals()).dropped, dropped);
  await running(at, car.node.stop());
});

test("S5. What does not change is not lost again and again: only news that finds no room counts, and the gap waits for no news", async (t) => {
  const { at, setFull } = deskWithFullDisk();
  const car = await trailer(at, rigOn(at, ["torrent-0"]));
  await at.clock.advance(10_000);
  const light = { type: "light.set", output: "galley", level: 12 };
  setFull(true);
  t.match(await running(at, car.node.system.ask(`${VEHICLE}/module/torrent-0`, light, { withinMs: 5_000 })), { kind: "replied" });
  await at.clock.advance(5_000);
  const { dropped, lastSeq } = await at.telemetry.totals();
  t.ok(dropped >= 1, String(dropped));
  await at.clock.advance(60_000);
  t.equal((await at.telemetry.totals()).dropped, dropped);
  setFull(false);
  await at.clock.advance(1_100);
  const [first] = await at.telemetry.read(lastSeq, 10);
  t.match(first, { kind: "gap", reason: "not-written" });
  await running(at, car.node.stop());
});

test("V1. While the vehicle's disk is full the cloud has its newest values past the log; afterwards it hears of the gap", async (t) => {
  const { at, setFull } = deskWithFullDisk();
  const far = await cloud(at);
  const rig = rigOn(at);
  rig.plugTrailer(true);
  const car = await trailer(at, rig, UPLINK);
  await at.clock.advance(6_000);
  const plug = (): string | undefined => far.mirror.signals(VEHICLE)?.find(({ name }) => name === "Tow.Connected")?.label;
  const plugQuality = (): string | undefined => far.mirror.signals(VEHICLE)?.find(({ name }) => name === "Tow.Connected")?.quality;
  t.equal(plug(), "plugged");
  setFull(true);
  rig.plugTrailer(false);
  await at.clock.advance(3_500);
  t.equal(plug(), "unplugged");
  t.equal(plugQuality(), "good");
  rig.mute("reservoir");
  await at.clock.advance(5_000);
  t.match(
    far.mirror.signals(VEHICLE)?.find(({ name }) => name === "Water.Fresh"),
    { quality: "stale" },
    "and what is no longer good",
  );
  const { dropped } = await at.telemetry.totals();
  t.ok(dropped > 0);
  t.match(far.telemetry.counters, { gaps: 0, lost: 0 });
  setFull(false);
  await at.clock.advance(3_000);
  t.match(far.telemetry.counters, { lost: dropped });
  t.equal(plug(), "unplugged");
  t.equal((await at.telemetry.totals()).dropped, dropped);
  await running(at, car.node.stop());
});

test("a cloud that begins anew behind a broker that did not hears all present values within seconds", async (t) => {
  const at = desk();
  const far = await cloud(at);
  const car = await trailer(at, rigOn(at), UPLINK);
  await at.clock.advance(8_000);
  const good = (mirror: SignalMirror): number => (mirror.signals(VEHICLE) ?? []).filter(({ quality }) => quality === "good").length;
  const all = good(far.mirror);
  t.ok(all > 20, String(all));
  await running(at, far.stop());
  await at.clock.advance(1_000);
  const anew = await cloud(at, far);
  const beganAt = at.clock.monotonic();
  for (let ms = 0; ms < 60_000 && good(anew.mirror) < all; ms += 100) await at.clock.advance(100);
  const tookMs = at.clock.monotonic() - beganAt;
  t.ok(tookMs < 8_000, `all ${String(all)} after ${String(tookMs)} ms`);
  await running(at, car.node.stop());
});

test("O1, O2. A command from the cloud is decided and acted on by the vehicle, once", async (t) => {
  const at = desk();
  const far = await cloud(at);
  const car = await trailer(at, rigOn(at), UPLINK);
  await at.clock.advance(2_000);
  const command = { type: "light.set", output: "galley", level: 33 };
  t.match(await running(at, far.ask(command, `${VEHICLE}/module/torrent-0`, "c1")), { kind: "replied", value: { outcome: "confirmed" } });
  t.match(await running(at, far.ask(command, `${VEHICLE}/module/torrent-0`, "c1")), { kind: "replied", value: { outcome: "confirmed" } });
  t.same(commandFrames(car.rig), ["15:0021"]);
  t.match(await running(at, far.ask({ type: "awning.set", on: true }, `${VEHICLE}/module/switchback-0`, "c2")), { kind: "refused", guard: { condition: "parked" } });
  await running(at, car.node.stop());
});

test("T1. A start notes how far the vehicle's stream may have been sent before a turn is taken, with a cloud and without; a link that is lost does too", async (t) => {
  const at = desk();
  const far = await cloud(at);
  const note = (): unknown => {
    const bytes = at.disk.contents.values.get(`stream-sent/${VEHICLE}`);
    return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString());
  };
  let car = await trailer(at);
  t.same(note(), { incarnation: "", revision: 0 }, "the store began empty, and there is no cloud");
  await running(at, car.node.stop());
  car = await trailer(at, rigOn(at), UPLINK);
  await at.clock.advance(5_000);
  t.equal(note(), undefined, "it is being shipped");
  await running(at, car.node.stop());
  const head = at.disk.contents.histories.get(VEHICLE)?.revision ?? 0;
  at.transport = far.network.transport("edge-b");
  far.network.cut("edge-b");
  car = await trailer(at, rigOn(at), UPLINK);
  const { incarnation, revision } = car.vehicle();
  t.ok(revision > head, "its start takes turns");
  t.same(note(), { incarnation, revision: head });
  far.network.heal("edge-b");
  await at.clock.advance(5_000);
  t.equal(note(), undefined);
  far.network.cut("edge-b");
  await at.clock.advance(1);
  t.same(note(), { incarnation, revision: car.vehicle().revision });
  await running(at, car.node.stop());
});

test("L2. The loss of a store is an alarm in the cloud once there is a link, also after a restart", async (t) => {
  const at = desk();
  const far = await cloud(at);
  const rig = rigOn(at, ["torrent-0"]);
  far.network.cut("edge-trailer-01");
  let car = await trailer(at, rig, UPLINK);
  await running(at, car.node.stop());
  const { MemoryDisk } = await import("../../runtime/simulation/index.ts");
  const lost = Object.assign(at, { disk: new MemoryDisk(), transport: far.network.transport("edge-b") });
  far.network.cut("edge-b");
  car = await trailer(lost, rig, UPLINK);
  await running(at, car.node.stop());
  lost.transport = far.network.transport("edge-c");
  car = await trailer(lost, rig, UPLINK);
  await at.clock.advance(5_000);
  t.match(far.system.read("demo/alarm/trailer-01.store-moved-aside" as never), { state: "raised", context: { severity: "critical", about: VEHICLE, cause: /gone/, count: 1 } });
  await running(at, car.node.stop());
  lost.transport = far.network.transport("edge-d");
  car = await trailer(lost, rig, UPLINK);
  await at.clock.advance(5_000);
  t.match(far.system.read("demo/alarm/trailer-01.store-moved-aside" as never)?.context, { count: 1 }, "once");
  await running(at, car.node.stop());
});

test("the alarm of a bus that is down reaches the cloud once there is a link, once however often it flaps and across restarts, and is cleared", async (t) => {
  const at = desk();
  const far = await cloud(at);
  const rig = rigOn(at, ["torrent-0"]);
  let car = await trailer(at, rig, UPLINK);
  await at.clock.advance(5_000);
  const address = "demo/alarm/trailer-01.bus-can0" as never;
  await far.system.activate(address, { input: undefined });
  far.network.cut("edge-trailer-01");
  car.source.setState({ kind: "down", reason: "unplugged" });
  const since = new Date(at.clock.now()).toISOString();
  await at.clock.advance(5_000);
  t.match(car.vehicle().context, { outages: { can0: { reason: "unplugged" } } }, "the vehicle knows it alone");
  await running(at, car.node.stop());
  t.match(far.system.read(address)?.state, "cleared");
  at.transport = far.network.transport("edge-b");
  const gone: EdgeConfig["buses"] = {
    can0: () => {
      throw new Error("no such interface");
    },
  };
  const node = createEdgeNode({ vehicle: `${VEHICLES}trailer-01.yaml`, data: "memory", buses: gone, ...UPLINK }, at.ports());
  await running(at, node.start());
  await at.clock.advance(20_000);
  const raised = { state: "raised", context: { title: "the bus can0 is down", severity: "critical", about: VEHICLE, cause: `down since ${since}: unplugged`, count: 1 } };
  t.match(far.system.read(address), raised);
  await running(at, node.stop());
  at.transport = far.network.transport("edge-c");
  car = await trailer(at, rig, UPLINK);
  t.match(far.system.read(address), raised, "not before it has been up for a while");
  for (let times = 0; times < 10; times++) {
    car.source.setState({ kind: "down", reason: "a loose contact" });
    await at.clock.advance(2_000);
    car.source.setState({ kind: "up" });
    await at.clock.advance(1_000);
  }
  t.match(far.system.read(address), raised, "one alarm however often it flaps");
  await at.clock.advance(5_000);
  t.match(far.system.read(address), { state: "cleared" });
  t.match(car.vehicle().context, { outages: {} });
  const { revision } = far.system.read(address) ?? {};
  await at.clock.advance(60_000);
  t.equal(far.system.read(address)?.revision, revision, "told once");
  car.source.setState({ kind: "down", reason: "a loose contact" });
  await at.clock.advance(5_000);
  t.match(far.system.read(address), { state: "raised", context: { cause: /a loose contact/, count: 1 } }, "the next is one of its own");
  t.match(await running(at, far.ask({ type: "light.set", output: "galley", level: 3 }, `${VEHICLE}/module/torrent-0`, "c1")), {
    kind: "refused",
    guard: { condition: "can0 up", reason: /^the bus can0 is down since .*: a loose contact$/ },
  });
  await running(at, car.node.stop());
});

test("an uplink that cannot be used is a mistake in the configuration", (t) => {
  const at = desk();
  t.throws(() => createEdgeNode({ vehicle: "/none", data: "memory", buses: {}, uplink: { url: "http://x" } }, at.ports()), {
    code: "DROVER_CONFIG_INVALID",
    message: /uplink\.url/,
  });
  t.end();
});
