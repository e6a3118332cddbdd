// Forks where the record at the cloud's position is not kept any more: how far a store may have sent tells them (rules T1, L4).

import { test } from "tap";
import { SentBound } from "../../../protocols/uplink/index.ts";
import { DroverError, silentLog } from "../../../runtime/ports/index.ts";
import { type MemoryDisk, type MemoryStore, memoryStore } from "../../../runtime/simulation/index.ts";
import { drive, type Edge, ended, type Fleet, fleet, odometer, VEHICLE } from "./fleet.ts";

/** So few records stay unacknowledged. */
const BOUND = { limit: { records: 300, bytes: 1e6 } };
const OWN = 1_500;

/** Turns of its own, until none of the records before them is kept. */
async function driveOn(world: Fleet, edge: Edge, turns = OWN): Promise<void> {
  for (let n = 0; n < turns; n += 100) {
    await drive(edge, Math.min(100, turns - n));
    await world.clock.advance(5);
  }
}

async function oldestIn({ store }: Edge): Promise<number> {
  return (await store.journal({ entity: VEHICLE, limit: 1, order: "oldest-first" }))[0]?.revision ?? 0;
}

/** Ten turns with a link, `before` without one, a copy, five turns more that only the cloud knows. */
async function withCopy(
  world: Fleet,
  copied: "while it runs" | "when it has stopped",
): Promise<{ readonly copy: MemoryDisk; readonly left: string; readonly known: number; cloud: Awaited<ReturnType<Fleet["cloud"]>> }> {
  const cloud = await world.cloud();
  const first = await world.edge(BOUND);
  await drive(first, 10);
  await world.clock.advance(1_000);
  const running = first.disk.copy();
  await ended(world.clock, first);
  const copy = copied === "while it runs" ? running : first.disk.copy();
  const second = await world.edge({ ...BOUND, disk: first.disk });
  await drive(second, 5);
  await world.clock.advance(1_000);
  await ended(world.clock, second);
  const { incarnation: left = "", revision: known } = cloud.replicas.position(VEHICLE);
  world.network.cut("edge");
  return { cloud, copy, left, known };
}

for (const copied of ["while it runs", "when it has stopped"] as const) {
  for (const lives of [1, 3]) {
    test(`T1. an older copy, made ${copied}, whose own turns have trimmed what the cloud stands on, forks; it took ${String(lives)} starts`, async (t) => {
      const world = fleet(20 + lives);
      const { cloud, copy, left, known } = await withCopy(world, copied);
      let edge = await world.edge({ ...BOUND, disk: copy });
      for (let life = 1; life < lives; life++) {
        await driveOn(world, edge, 200);
        if (life % 2 === 0) await ended(world.clock, edge);
        else edge.kill();
        world.network.cut("edge");
        edge = await world.edge({ ...BOUND, disk: copy });
      }
      await driveOn(world, edge);
      t.ok((await oldestIn(edge)) > known + 1, "the record and the one after it are gone");
      world.network.heal("edge");
      await world.clock.advance(60_000);
      t.equal(edge.shipper.counters.forks, 1);
      t.not(cloud.replicas.position(VEHICLE).incarnation, left);
      t.match(cloud.replicas.counters, { forked: 1, gaps: 0, lost: 0 });
      t.equal(odometer(cloud), odometer(edge));
      t.match((await cloud.system.history(VEHICLE, { limit: 10, order: "oldest-first" })).missing, [{ forked: { incarnation: left, known } }]);
      await ended(world.clock, edge, cloud);
    });
  }
}

test("T1. a vehicle that was away for longer than its journal reaches has not forked, killed with a link or without, between any two writes", async (t) => {
  let gaps = 0;
  for (let ms = 0; ms < 24; ms += 2) {
    const world = fleet(30 + ms, 1);
    const cloud = await world.cloud();
    const first = await world.edge(BOUND);
    await drive(first, 10);
    await world.clock.advance(ms);
    first.kill();
    const second = await world.edge({ ...BOUND, disk: first.disk });
    await drive(second, 10);
    await world.clock.advance(ms);
    world.network.cut("edge");
    if (ms % 4 === 0) {
      await world.clock.advance(1);
      world.network.heal("edge");
      await world.clock.advance(ms);
      world.network.cut("edge");
    }
    await drive(second, 3);
    second.kill();
    world.network.cut("edge");
    const third = await world.edge({ ...BOUND, disk: first.disk });
    await driveOn(world, third);
    const { incarnation } = third.system.read(VEHICLE) ?? {};
    world.network.heal("edge");
    await world.clock.advance(60_000);
    t.equal(third.shipper.counters.forks, 0, `after ${String(ms)} ms`);
    t.equal(cloud.replicas.position(VEHICLE).incarnation, incarnation);
    t.equal(odometer(cloud), odometer(third));
    gaps += cloud.replicas.counters.gaps;
    await ended(world.clock, third, cloud);
  }
  t.ok(gaps > 3, `what was trimmed is told as a gap, ${String(gaps)} times`);
});

test("T1. a store that was out of use while an older copy of it went on is the older one then, and forks", async (t) => {
  const world = fleet(50);
  const cloud = await world.cloud();
  const first = await world.edge(BOUND);
  await drive(first, 10);
  await world.clock.advance(1_000);
  const copy = first.disk.copy();
  world.network.cut("edge");
  await driveOn(world, first);
  await ended(world.clock, first);
  world.network.heal("edge");
  const other = await world.edge({ ...BOUND, disk: copy });
  await drive(other, 20);
  await world.clock.advance(5_000);
  await ended(world.clock, other);
  t.equal(odometer(cloud), 30);
  const again = await world.edge({ ...BOUND, disk: first.disk });
  await world.clock.advance(60_000);
  t.equal(again.shipper.counters.forks, 1);
  t.equal(odometer(cloud), 10 + OWN);
  t.match(cloud.replicas.counters, { forked: 1 });
  await ended(world.clock, again, cloud);
});

/** Counts what is written beside the journal. */
function counting(store: MemoryStore): { readonly store: MemoryStore; readonly writes: () => number } {
  let writes = 0;
  const { values } = store;
  const count =
    <A extends readonly unknown[], V>(write: (...args: A) => V) =>
    (...args: A): V => {
      writes++;
      return write(...args);
    };
  return { store: { ...store, values: { ...values, set: count((key, value) => values.set(key, value)), delete: count((key) => values.delete(key)) } }, writes: () => writes };
}

test("T1, L4. a bound is written at a start, before the first batch and when the link is lost, not with turns; a store that takes no write keeps nothing from being sent", async (t) => {
  const store = memoryStore();
  await store.open();
  const counted = counting(store);
  const bound = new SentBound({ entity: VEHICLE, store: counted.store, log: silentLog });
  await bound.open();
  t.equal(counted.writes(), 1);
  t.equal(await bound.isExceededBy({ incarnation: "h", revision: 1 }), true, "nothing was ever sent");
  for (let n = 0; n < 5; n++) await bound.lift();
  t.equal(counted.writes(), 2);
  t.equal(await bound.isExceededBy({ incarnation: "h", revision: 1 }), false);
  await store.commit([{ entity: VEHICLE, type: "vehicle", incarnation: "h", revision: 1, epoch: 1, at: 0, record: new Uint8Array(1) }]);
  for (let n = 0; n < 5; n++) bound.lower();
  t.equal(await bound.isExceededBy({ incarnation: "h", revision: 1 }), false);
  t.equal(await bound.isExceededBy({ incarnation: "h", revision: 2 }), true);
  t.equal(await bound.isExceededBy({ incarnation: "later", revision: 1 }), true, "of a later history nothing was sent");
  t.equal(counted.writes(), 3);
  const again = new SentBound({ entity: VEHICLE, store: counted.store, log: silentLog });
  await again.open();
  t.equal(counted.writes(), 3, "one that stands is not written again");
  t.equal(await again.isExceededBy({ incarnation: "h", revision: 2 }), true);

  const full = new SentBound({
    entity: VEHICLE,
    log: silentLog,
    store: { ...store, values: { ...store.values, set: refused, delete: refused } },
  });
  await full.open();
  await full.lift();
  t.equal(await full.isExceededBy({ incarnation: "h", revision: 2 }), false);
  full.lower();
  t.equal(await full.isExceededBy({ incarnation: "h", revision: 2 }), true, "in this life it is known all the same");
});

function refused(): Promise<void> {
  return Promise.reject(new DroverError("DROVER_STORE_FAILED", "the disk is full"));
}

test("T1. a bound that cannot be read counts as none", async (t) => {
  const store = memoryStore();
  await store.open();
  for (const bytes of ["", "no", "{}", '{"incarnation":1,"revision":2}', "null"]) {
    await store.values.set(`stream-sent/${VEHICLE}`, Buffer.from(bytes));
    await store.commit([{ entity: VEHICLE, type: "vehicle", incarnation: "h", revision: 1, epoch: 1, at: 0, record: new Uint8Array(1) }]);
    const bound = new SentBound({ entity: VEHICLE, store, log: silentLog });
    await bound.open();
    t.equal(await bound.isExceededBy({ incarnation: "h", revision: 1 }), false, bytes);
    t.equal(await bound.isExceededBy({ incarnation: "h", revision: 2 }), true, bytes);
  }
});
