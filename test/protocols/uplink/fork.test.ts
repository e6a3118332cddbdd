// A vehicle that comes back from an older copy of its store: its history has forked, and it goes on under a new name (rules T1).

import { test, type Test } from "tap";
import { encodeRecord } from "../../../runtime/entity/index.ts";
import { decodeRecord, linkOf } from "../../../runtime/index.ts";
import { type Cloud, drive, type Edge, ended, type Fleet, fleet, odometer, VEHICLE } from "./fleet.ts";

async function load(edge: Edge, text: string): Promise<void> {
  const told = await edge.system.tell(VEHICLE, { type: "load", text }, { keepMs: 1, withinMs: 1 });
  if (told.kind !== "accepted") throw new Error(told.kind);
}

interface Restored {
  readonly cloud: Cloud;
  readonly edge: Edge;
  readonly left: string;
  /** Of the cloud, when the copy was put back. */
  readonly known: number;
}

/** Ten steps, a copy, five turns that the copy does not have, and the copy put back, which takes so many turns of its own before the cloud is in reach. */
async function restored(world: Fleet, own: number, options: { readonly isOlder?: boolean } = {}): Promise<Restored> {
  const cloud = await world.cloud(options);
  const first = await world.edge();
  await drive(first, 10);
  await world.clock.advance(1_000);
  await ended(world.clock, first);
  const copy = first.disk.copy();
  const second = await world.edge({ disk: first.disk });
  for (let n = 0; n < 5; n++) await load(second, `lost ${String(n)}`);
  await world.clock.advance(1_000);
  await ended(world.clock, second);
  const { incarnation: left = "", revision: known } = cloud.replicas.position(VEHICLE);
  world.network.cut("edge");
  const edge = await world.edge({ disk: copy });
  await drive(edge, own);
  return { cloud, edge, left, known };
}

async function isOneHistory(t: Test, cloud: Cloud, edge: Edge): Promise<void> {
  const [own, replica] = [edge.system.read(VEHICLE), cloud.system.read(VEHICLE)];
  t.equal(replica?.incarnation, own?.incarnation);
  t.equal(replica?.revision, own?.revision);
  t.same(replica?.context, own?.context);
  const theirs = await cloud.store.journal({ entity: VEHICLE, limit: 1_000, order: "oldest-first" });
  const ours = new Map((await edge.store.journal({ entity: VEHICLE, limit: 1_000, order: "oldest-first" })).map(({ revision, record }) => [revision, record]));
  let head: string | undefined;
  for (const { revision, record } of theirs) {
    if (record.byteLength > 0) {
      t.equal(decodeRecord(record).incarnation, own?.incarnation, `revision ${String(revision)} is of this incarnation`);
      t.strictSame(Buffer.from(record), Buffer.from(ours.get(revision) ?? []), `revision ${String(revision)} is the owner's`);
      if (head !== undefined) t.equal(decodeRecord(record).prev, head, `revision ${String(revision)} follows the one before it`);
    }
    head = record.byteLength > 0 ? linkOf(record) : undefined;
  }
  t.equal(cloud.replicas.position(VEHICLE).head, linkOf(ours.get(own?.revision ?? 0) as Uint8Array));
}

const cases = [
  { title: "the cloud is ahead of it", own: 3 },
  { title: "it has as many turns as the cloud, and others", own: 5 },
  { title: "it is beyond the cloud", own: 9 },
  { title: "it has taken no turn yet", own: 0 },
];

for (const [at, { title, own }] of cases.entries()) {
  test(`T1. a vehicle from an older copy of its store opens a new incarnation, where ${title}; what follows acts once`, async (t) => {
    const world = fleet(40 + at);
    const { cloud, edge, left, known } = await restored(world, own);
    t.equal(known - (edge.system.read(VEHICLE)?.revision ?? 0), 5 - own, "as the case says");
    t.match(cloud.system.read(VEHICLE)?.context, { odometer: 10, cargo: "lost 4" }, "the cloud shows the branch that is lost");
    const goesOnFrom = edge.system.read(VEHICLE)?.revision;
    world.network.heal("edge");
    await world.clock.advance(60_000);
    t.not(edge.system.read(VEHICLE)?.incarnation, left);
    t.equal(edge.shipper.counters.forks, 1);
    t.match(cloud.replicas.counters, { replaced: 1, forked: 1, gaps: 0, unsound: 0 });
    await isOneHistory(t, cloud, edge);
    t.match(cloud.system.read(VEHICLE)?.context, { odometer: 10 + own, cargo: undefined }, "and no turn of the other one");
    const told = await Promise.all([1, 2].map(async () => ask(world, cloud, "after", 100)));
    t.match(told, [{ kind: "replied" }, { kind: "replied" }]);
    t.equal(odometer(edge), 110 + own, "a command sent twice under one id acts once");
    await world.clock.advance(1_000);
    t.equal(odometer(cloud), 110 + own);
    const page = await cloud.system.history(VEHICLE, { limit: 100, order: "oldest-first" });
    t.match(page.missing, [{ after: 0, forked: { incarnation: left, revision: goesOnFrom, known } }]);
    t.notMatch(JSON.stringify(page.items), /"load"/, "turns of the branch that is lost are not told as this incarnation's");
    t.match((await edge.system.history(VEHICLE, { limit: 1, order: "oldest-first" })).items, [{ inputs: [{ type: "(history forked)", id: left }] }]);
    await ended(world.clock, edge, cloud);
    // Both sides keep it over a restart, and nothing forks again.
    const [again, reopened] = [await world.edge({ disk: edge.disk }), await world.cloud({ disk: cloud.disk })];
    await drive(again, 2);
    await world.clock.advance(30_000);
    t.equal(again.shipper.counters.forks, 0);
    t.equal(odometer(reopened), 112 + own);
    t.match((await reopened.system.history(VEHICLE, { limit: 100, order: "newest-first" })).missing, [{ after: 0, forked: { incarnation: left } }]);
    await isOneHistory(t, reopened, again);
    await ended(world.clock, again, reopened);
  });
}

async function ask(world: Fleet, cloud: Cloud, id: string, by: number): Promise<unknown> {
  const answer = cloud.system.ask(VEHICLE, { type: "drive", by }, { id, withinMs: 5_000 });
  await world.clock.advance(6_000);
  return answer;
}

test("T1. a vehicle that forks twice leaves each history once, and its stored records follow each other", async (t) => {
  const world = fleet(50);
  const { cloud, edge, left } = await restored(world, 3);
  world.network.heal("edge");
  await world.clock.advance(30_000);
  const second = cloud.replicas.position(VEHICLE).incarnation;
  await ended(world.clock, edge);
  const copy = edge.disk.copy();
  const lost = await world.edge({ disk: edge.disk });
  await drive(lost, 4);
  await world.clock.advance(5_000);
  await ended(world.clock, lost);
  const third = await world.edge({ disk: copy });
  await drive(third, 4);
  await world.clock.advance(30_000);
  t.not(cloud.replicas.position(VEHICLE).incarnation, second);
  t.match(cloud.replicas.counters, { replaced: 2, forked: 2 });
  t.match((await cloud.system.history(VEHICLE, { limit: 100, order: "oldest-first" })).missing, [{ forked: { incarnation: second } }]);
  t.not(second, left);
  t.equal(odometer(third), 17);
  await isOneHistory(t, cloud, third);
  await ended(world.clock, third, cloud);
});

test("T1, C2. killed at any moment of the change, or told nothing of what became of it, it ends as one new incarnation", async (t) => {
  for (let ms = 0; ms < 14; ms++) {
    const world = fleet(60 + ms, 2);
    const { cloud, edge, left } = await restored(world, 7);
    world.network.heal("edge");
    await world.clock.advance(ms);
    edge.kill();
    const again = await world.edge({ disk: edge.disk });
    await drive(again, 1);
    await world.clock.advance(60_000);
    t.not(again.system.read(VEHICLE)?.incarnation, left, `killed after ${String(ms)} ms`);
    t.match(cloud.replicas.counters, { replaced: 1, forked: 1 });
    t.equal(odometer(cloud), 18);
    await isOneHistory(t, cloud, again);
    await ended(world.clock, again, cloud);
  }
  for (const written of [true, false]) {
    const world = fleet(80);
    const { cloud, edge, left } = await restored(world, 2);
    edge.store.unknownNext({ entity: VEHICLE, written });
    world.network.heal("edge");
    await world.clock.advance(60_000);
    t.not(edge.system.read(VEHICLE)?.incarnation, left, `the commit was ${written ? "" : "not "}written`);
    t.match(cloud.replicas.counters, { replaced: 1, forked: 1 });
    t.equal(odometer(cloud), 12);
    await isOneHistory(t, cloud, edge);
    await ended(world.clock, edge, cloud);
  }
});

test("T1. a store that takes no new incarnation is asked again; nothing is shipped before", async (t) => {
  const world = fleet(81);
  const { cloud, edge, left, known } = await restored(world, 5);
  edge.store.refuseNext(VEHICLE, "not now");
  world.network.heal("edge");
  await world.clock.advance(20);
  t.match(cloud.replicas.position(VEHICLE), { incarnation: left, revision: known });
  await world.clock.advance(60_000);
  t.not(edge.system.read(VEHICLE)?.incarnation, left);
  t.match(cloud.replicas.counters, { replaced: 1, forked: 1 });
  await isOneHistory(t, cloud, edge);
  await ended(world.clock, edge, cloud);
});

test("T1. with a cloud of an older version, which tells no hash, a history forks too, be it shorter or longer than the cloud's", async (t) => {
  for (const own of [3, 9]) {
    const world = fleet(90 + own);
    const { cloud, edge } = await restored(world, own, { isOlder: true });
    world.network.heal("edge");
    await world.clock.advance(60_000);
    t.equal(edge.shipper.counters.forks, 1);
    t.equal(odometer(cloud), 10 + own);
    t.equal(cloud.system.read(VEHICLE)?.revision, edge.system.read(VEHICLE)?.revision);
    await ended(world.clock, edge, cloud);
  }
});

test("T1. a copy of before the change of name, put back after it, opens a new history once more: a name that was left never comes back", async (t) => {
  const world = fleet(51);
  const { cloud, edge, left } = await restored(world, 3);
  const copy = edge.disk.copy();
  world.network.heal("edge");
  await world.clock.advance(30_000);
  await drive(edge, 4);
  await world.clock.advance(1_000);
  const second = cloud.replicas.position(VEHICLE).incarnation;
  await ended(world.clock, edge, cloud);
  const reopened = await world.cloud({ disk: cloud.disk });
  const third = await world.edge({ disk: copy });
  t.equal(third.system.read(VEHICLE)?.incarnation, left);
  await drive(third, 1);
  await world.clock.advance(30_000);
  t.equal(third.shipper.counters.forks, 1);
  t.match(reopened.replicas.position(VEHICLE).past, [[left], [second]]);
  t.match(reopened.replicas.counters, { replaced: 1, forked: 1 });
  t.notOk([left, second].includes(third.system.read(VEHICLE)?.incarnation), "neither of the two");
  t.match((await reopened.system.history(VEHICLE, { limit: 100, order: "oldest-first" })).missing, [{ forked: { incarnation: left } }]);
  t.equal(odometer(reopened), 14);
  await isOneHistory(t, reopened, third);
  await ended(world.clock, third, reopened);
});

test("T1. a vehicle whose store knows that it was put back opens a new incarnation at once, without a cloud; the cloud shows it as forked, and how far it knew the old one", async (t) => {
  const world = fleet(52);
  const { cloud, edge: unused, left, known } = await restored(world, 0);
  await ended(world.clock, unused);
  const copy = unused.disk.copy();
  copy.putBack();
  const edge = await world.edge({ disk: copy });
  const { incarnation, revision = 0 } = edge.system.read(VEHICLE) ?? {};
  t.not(incarnation, left, "there is no link");
  await drive(edge, 9);
  world.network.heal("edge");
  await world.clock.advance(60_000);
  t.equal(edge.shipper.counters.forks, 0, "the cloud had nothing to find");
  t.equal(cloud.replicas.position(VEHICLE).incarnation, incarnation);
  t.match(cloud.replicas.counters, { replaced: 1, forked: 1, gaps: 0, unsound: 0 });
  t.equal(odometer(cloud), 19);
  t.match((await cloud.system.history(VEHICLE, { limit: 100, order: "oldest-first" })).missing, [{ after: 0, forked: { incarnation: left, revision: revision - 1, known } }]);
  await isOneHistory(t, cloud, edge);
  await ended(world.clock, edge, cloud);
});

test("T1. over a link of its own journal that is broken the stream goes on with a full state, and tells what was left out", async (t) => {
  const world = fleet(95);
  const cloud = await world.cloud();
  const first = await world.edge();
  await drive(first, 4);
  await world.clock.advance(1_000);
  world.network.cut("edge");
  await drive(first, 8);
  await ended(world.clock, first);
  const history = first.disk.contents.histories.get(VEHICLE);
  const at = history?.records.findIndex(({ revision }) => revision === 9) ?? -1;
  const stored = history?.records[at];
  if (history === undefined || stored === undefined) throw new Error("no such record");
  history.records[at] = { ...stored, record: encodeRecord({ ...decodeRecord(stored.record), prev: "another" }) };
  const edge = await world.edge({ disk: first.disk });
  world.network.heal("edge");
  await world.clock.advance(60_000);
  const { revision = 0 } = edge.system.read(VEHICLE) ?? {};
  t.equal(odometer(cloud), 12);
  t.equal(cloud.replicas.position(VEHICLE).revision, revision);
  t.match(edge.shipper.counters, { forks: 0, lost: revision - 8, refused: 0 });
  t.match(cloud.replicas.counters, { gaps: 1, lost: revision - 8, refused: 0 });
  await drive(edge, 1);
  await world.clock.advance(1_000);
  t.equal(odometer(cloud), 13);
  await ended(world.clock, edge, cloud);
});
