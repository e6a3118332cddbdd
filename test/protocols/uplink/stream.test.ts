import { test } from "tap";
import { decodeEnvelope, encodeEnvelope, vehicleNames } from "../../../runtime/index.ts";
import { MemoryDisk } from "../../../runtime/simulation/index.ts";
import { drive, ended, fleet, odometer, VEHICLE } from "./fleet.ts";
import { vehicleTypeOf } from "./small-vehicle.ts";

test("T1. a replica follows its vehicle, by offset after cuts and lost answers", async (t) => {
  const world = fleet(2, [1, 10]);
  const [cloud, edge] = [await world.cloud(), await world.edge()];
  world.network.setFaults({ drop: 0.3 });
  for (let round = 0; round < 6; round++) {
    await drive(edge, 20);
    await world.clock.advance(300);
    world.network.cut(round % 2 === 0 ? "edge" : "cloud");
    await drive(edge, 5);
    await world.clock.advance(200);
    world.network.heal(round % 2 === 0 ? "edge" : "cloud");
  }
  world.network.setFaults({});
  await world.clock.advance(120_000);
  t.equal(odometer(cloud), 150);
  const [own, replica] = [edge.system.read(VEHICLE), cloud.system.read(VEHICLE)];
  t.equal(replica?.revision, own?.revision);
  t.equal(replica?.incarnation, own?.incarnation);
  t.same(replica?.accepts, own?.accepts);
  t.same(replica?.labels, { plant: "one" });
  t.equal(edge.shipper.acknowledged, own?.revision);
  t.equal(cloud.replicas.counters.gaps, 0);
  t.equal(edge.shipper.counters.lost, 0);
  await ended(world.clock, edge, cloud);
});

test("T1. a cloud that listens only after the vehicle has asked for the position has its replica seconds later", async (t) => {
  const all = fleet();
  const edge = await all.edge();
  await all.clock.advance(100);
  const cloud = await all.cloud();
  await all.clock.advance(3_000);
  t.ok(cloud.system.read(VEHICLE), "the question that nobody heard was given up and asked again");
  cloud.kill();
  await edge.stop();
});

test("T1. what the cloud acknowledged it still has after a kill; what it lost is sent again", async (t) => {
  const world = fleet(4);
  let cloud = await world.cloud();
  const edge = await world.edge();
  for (let round = 0; round < 5; round++) {
    await drive(edge, 30);
    await world.clock.advance(3);
    const { acknowledged } = edge.shipper;
    cloud.kill();
    cloud = await world.cloud({ disk: cloud.disk });
    t.ok(cloud.replicas.position(VEHICLE).revision >= acknowledged, "nothing acknowledged is gone");
    await world.clock.advance(20_000);
    t.equal(odometer(cloud), (round + 1) * 30);
  }
  await ended(world.clock, edge, cloud);
});

test("T1. an edge node killed during its stream goes on with the same history", async (t) => {
  const world = fleet(5);
  const cloud = await world.cloud();
  let edge = await world.edge();
  for (let round = 0; round < 5; round++) {
    await drive(edge, 30);
    await world.clock.advance(round);
    edge.kill();
    edge = await world.edge({ disk: edge.disk });
    await world.clock.advance(20_000);
    t.equal(odometer(cloud), (round + 1) * 30);
  }
  t.equal(cloud.replicas.counters.replaced, 0);
  t.equal(cloud.replicas.counters.gaps, 0);
  await ended(world.clock, edge, cloud);
});

test("T1, L2. an edge whose store was lost opens a new history: the replica shows it, and the old one is not mixed into it", async (t) => {
  const world = fleet(6);
  const cloud = await world.cloud();
  const first = await world.edge();
  await drive(first, 10);
  await world.clock.advance(1_000);
  first.kill();
  const edge = await world.edge({ disk: new MemoryDisk() });
  await drive(edge, 3);
  await world.clock.advance(60_000);
  t.equal(odometer(cloud), 3);
  t.equal(cloud.system.read(VEHICLE)?.incarnation, edge.system.read(VEHICLE)?.incarnation);
  t.equal(cloud.replicas.counters.replaced, 1);
  await ended(world.clock, edge, cloud);
});

test("S5, S6. with no cloud the journal keeps to its bound; afterwards a full state closes the gap, and what was lost is counted on both sides", async (t) => {
  const world = fleet(7);
  const cloud = await world.cloud();
  const edge = await world.edge({ limit: { records: 300, bytes: 1e6 } });
  await drive(edge, 10);
  await world.clock.advance(1_000);
  const known = cloud.replicas.position(VEHICLE).revision;
  world.network.cut("edge");
  for (let round = 0; round < 10; round++) {
    await drive(edge, 200);
    await world.clock.advance(10);
  }
  const kept = await edge.store.journal({ entity: VEHICLE, limit: 10_000, order: "oldest-first" });
  t.ok(kept.length < 1_200, `${String(kept.length)} records are kept, the newest snapshot and what follows it included`);
  t.ok(kept.length < 2_000);
  world.network.heal("edge");
  await world.clock.advance(60_000);
  t.equal(odometer(cloud), 2_010);
  t.equal(cloud.replicas.counters.gaps, 1);
  t.equal(cloud.replicas.counters.lost, 2_011 - known);
  t.equal(edge.shipper.counters.lost, cloud.replicas.counters.lost);
  await drive(edge, 5);
  await world.clock.advance(1_000);
  t.equal(odometer(cloud), 2_015);
  const reopened = await world.cloud({ disk: cloud.disk });
  t.equal(odometer(reopened), 2_015, "and a restart reads it back");
  await ended(world.clock, edge, reopened);
});

test("S5, S6. A link that is configured later, or again after a time without one, begins with a full state, and what was before it is told as missing", async (t) => {
  const world = fleet(27);
  const cloud = await world.cloud();
  /** What a journal keeps where no link is configured, of this test. */
  const alone = { records: 200, bytes: 1e6 };
  const missing = async (): Promise<unknown> => (await cloud.system.history(VEHICLE, { limit: 5_000, order: "oldest-first" })).missing;
  const driveAlone = async (disk: MemoryDisk): Promise<MemoryDisk> => {
    world.network.cut("edge");
    const edge = await world.edge({ disk, limit: alone });
    await drive(edge, 1_500);
    t.ok((await edge.store.journal({ entity: VEHICLE, limit: 10_000, order: "oldest-first" })).length < 1_000);
    await ended(world.clock, edge);
    world.network.heal("edge");
    return edge.disk;
  };
  const disk = await driveAlone(new MemoryDisk());
  let edge = await world.edge({ disk });
  await world.clock.advance(5_000);
  t.equal(odometer(cloud), 1_500);
  t.same(await missing(), [{ after: 0, upTo: 1_501 }], "a link that is configured later");
  await drive(edge, 10);
  await world.clock.advance(1_000);
  await ended(world.clock, edge);
  await driveAlone(disk);
  edge = await world.edge({ disk });
  await drive(edge, 10);
  await world.clock.advance(5_000);
  t.equal(odometer(cloud), 3_020);
  t.same(
    { gaps: cloud.replicas.counters.gaps, lost: cloud.replicas.counters.lost, edge: edge.shipper.counters.lost },
    { gaps: 1, lost: 1_510, edge: 1_510 },
    "one that was removed",
  );
  t.same(await missing(), [{ after: 0, upTo: 3_021 }]);
  await ended(world.clock, edge, cloud);
});

test("T3. a full state opens a history, follows each start and every 1,000 records", async (t) => {
  const world = fleet(8);
  const cloud = await world.cloud();
  let edge = await world.edge();
  await world.clock.advance(1_000);
  t.equal(edge.shipper.counters.openings, 1);
  await drive(edge, 1_100);
  await world.clock.advance(10_000);
  t.equal(edge.shipper.counters.openings, 2);
  t.equal(cloud.replicas.counters.gaps, 0, "a checkpoint leaves the history whole");
  await ended(world.clock, edge);
  edge = await world.edge({ disk: edge.disk });
  await world.clock.advance(1_000);
  t.equal(edge.shipper.counters.openings, 1, "its machines may be of another version");
  t.equal(odometer(cloud), 1_100);
  await ended(world.clock, edge, cloud);
});

test("T3. a vehicle on another machine version is shown right by a cloud that has none", async (t) => {
  const world = fleet(9);
  const cloud = await world.cloud();
  let edge = await world.edge();
  await drive(edge, 3);
  await world.clock.advance(1_000);
  t.match(cloud.system.read(VEHICLE), { version: 1, context: { odometer: 3 }, accepts: ["drive", "load"] });
  await ended(world.clock, edge);
  edge = await world.edge({ disk: edge.disk, types: [vehicleTypeOf(2)] });
  await world.clock.advance(1_000);
  t.match(cloud.system.read(VEHICLE), { version: 2, context: { odometer: 3, trailer: "hitched" } });
  await drive(edge, 1);
  await world.clock.advance(1_000);
  t.match(cloud.system.read(VEHICLE), { version: 2, context: { odometer: 4, trailer: "hitched" } });
  await ended(world.clock, edge, cloud);
});

test("the cloud answers a vehicle's history from its own copy", async (t) => {
  const world = fleet(10);
  const cloud = await world.cloud();
  const edge = await world.edge();
  await world.clock.advance(1_000);
  await edge.system.tell(VEHICLE, { type: "drive", by: 7 }, { author: "ann", id: "trip" });
  await world.clock.advance(1_000);
  await ended(world.clock, edge);
  const [entry] = (await cloud.system.history(VEHICLE, { limit: 5, order: "newest-first" })).items;
  t.match(entry, { inputs: [{ type: "drive", author: "ann", id: "trip", result: "accepted" }] });
  await ended(world.clock, cloud);
});

test("S5. a cloud that cannot store is asked again with backoff, not without pause, and takes everything later", async (t) => {
  const world = fleet(11);
  const cloud = await world.cloud();
  const edge = await world.edge();
  await world.clock.advance(1_000);
  cloud.store.refuseNext(VEHICLE, "disk full");
  await drive(edge, 5);
  await world.clock.advance(5);
  t.ok(edge.shipper.counters.refused <= 1);
  await world.clock.advance(30_000);
  t.equal(odometer(cloud), 5);
  const commit = cloud.store.commit.bind(cloud.store);
  let calls = 0;
  cloud.store.commit = async (batch) => (calls++, batch.map(() => ({ kind: "refused" as const, reason: "disk full" })));
  await drive(edge, 5);
  await world.clock.advance(60_000);
  t.ok(calls > 2 && calls < 20, `${String(calls)} attempts in a minute`);
  cloud.store.commit = commit;
  await world.clock.advance(30_000);
  t.equal(odometer(cloud), 10);
  await ended(world.clock, edge, cloud);
});

test("S5. a cloud that says it took what it does not have, or refuses and moves for ever, is asked with backoff", async (t) => {
  const lies: Readonly<Record<string, (asked: number, incarnation: string) => object>> = {
    "taken, and still at the beginning": () => ({ position: { revision: 0 } }),
    "taken, in another history": (asked) => ({ position: { incarnation: `other-${String(asked)}`, revision: asked } }),
    "refused, each time from another place": (asked, incarnation) => ({ position: { incarnation, revision: asked % 3 }, refused: "no" }),
  };
  for (const [name, lie] of Object.entries(lies)) {
    const world = fleet(21);
    const liar = world.network.transport("cloud");
    await liar.start();
    const edge = await world.edge();
    const incarnation = (await edge.system.settledStateOf(VEHICLE))?.incarnation ?? "";
    let asked = 0;
    await liar.serve(vehicleNames("acme", "v1").up("stream"), async () =>
      encodeEnvelope({ kind: "stream-ack", id: "x", sender: { node: "cloud" }, body: lie(++asked, incarnation) }),
    );
    await drive(edge, 5);
    await world.clock.advance(60_000);
    t.ok(asked > 2 && asked < 120, `${name}: asked ${String(asked)} times in a minute`);
    await liar.stop();
    await edge.stop();
  }
});

test("C2. a batch whose commit is unknown is neither lost nor applied twice", async (t) => {
  for (const written of [true, false]) {
    const world = fleet(12);
    const cloud = await world.cloud();
    const edge = await world.edge();
    await world.clock.advance(1_000);
    cloud.store.unknownNext({ written });
    await drive(edge, 5);
    await world.clock.advance(60_000);
    t.equal(odometer(cloud), 5);
    t.equal(cloud.replicas.position(VEHICLE).revision, edge.system.read(VEHICLE)?.revision);
    await ended(world.clock, edge, cloud);
  }
});

test("S10. garbage, foreign vehicles and states that cannot be are refused and counted, and change nothing", async (t) => {
  const world = fleet(13);
  const cloud = await world.cloud();
  const edge = await world.edge();
  await drive(edge, 2);
  await world.clock.advance(1_000);
  const before = cloud.system.read(VEHICLE);
  const stranger = world.network.transport("stranger");
  await stranger.start();
  await world.clock.advance(10);
  const key = vehicleNames("acme", "v1").up("stream");
  const send = async (payload: Uint8Array): Promise<unknown> => {
    const asked = stranger.ask(key, payload, { withinMs: 1_000 });
    await world.clock.advance(50);
    const outcome = await asked;
    const decoded = outcome.kind === "replied" ? decodeEnvelope(outcome.payload) : undefined;
    return decoded?.ok === true ? decoded.envelope.body : outcome;
  };
  const batch = (body: unknown): Uint8Array => encodeEnvelope({ kind: "stream", id: "x", sender: { node: "stranger" }, body });
  const state = await edge.system.settledStateOf(VEHICLE);
  const good = { entity: VEHICLE, type: "vehicle", incarnation: before?.incarnation, after: before?.revision, records: [] };
  const other = { ...good, opening: state?.encoded };
  for (const body of [
    new Uint8Array([1, 2, 3]),
    batch(null),
    batch({ ...good, after: -1 }),
    batch({ ...good, entity: "acme/vehicle/other" }),
    batch({ ...good, records: [new Uint8Array([0xc1, 0xff])] }),
    batch({ ...good, records: [new Uint8Array(0)] }),
    batch({ ...good, records: ["text"] }),
    batch({ ...good, opening: new Uint8Array([0x80]) }),
    batch({ ...other, incarnation: "another" }),
    batch({ ...other, after: 9 }),
  ]) {
    t.match(await send(body), { refused: String });
  }
  t.ok(cloud.ingest.counters.bad + cloud.ingest.counters.refused >= 10);
  t.same(cloud.system.read(VEHICLE)?.context, before?.context);
  t.same([...cloud.system.views()].length, 1);
  await drive(edge, 1);
  await world.clock.advance(30_000);
  t.equal(odometer(cloud), 3, "the stream goes on");
  await ended(world.clock, edge, cloud);
});
