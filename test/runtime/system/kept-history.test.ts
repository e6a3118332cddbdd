// How much of an entity's journal stays when nobody ships it: bounded by records and by bytes.

import { assign, setup } from "xstate";
import { test } from "tap";
import { SnapshotRhythm, policyOf } from "../../../runtime/system/snapshot-rhythm.ts";
import { actorType, entityType, type EntityType, type EventOf, messages, parseAddress, T } from "../../../runtime/index.ts";
import { hosting, type Hosting } from "./hosting.ts";

const ONE = parseAddress("acme/list/one");
const protocol = messages({ "list.fill": { body: { bytes: T.Integer() } }, "list.touch": { body: {} } });
const MIB = 1_048_576;

const root = actorType({
  name: "list",
  version: 1,
  messages: protocol,
  behaviour: setup({ types: { context: {} as { readonly text: string; readonly turns: number }, events: {} as EventOf<typeof protocol> } }).createMachine({
    id: "list",
    context: { text: "", turns: 0 },
    on: {
      "list.fill": { actions: assign({ text: ({ event }) => "x".repeat(event.bytes) }) },
      "list.touch": { actions: assign({ turns: ({ context }) => context.turns + 1 }) },
    },
  }),
});
const listAt = (placement: EntityType["placement"]) => entityType({ root, durability: "events", placement });
const list = listAt("cloud");

async function touch({ system }: Hosting, times: number): Promise<void> {
  for (let at = 0; at < times; at++) await system.inform(ONE, { type: "list.touch" });
}

async function kept({ store }: Hosting): Promise<{ readonly records: number; readonly bytes: number }> {
  const journal = await store.journal({ entity: ONE, limit: 10_000, order: "oldest-first" });
  return { records: journal.length, bytes: journal.reduce((sum, { record }) => sum + record.byteLength, 0) };
}

test("S5. Of an entity whose turns are heavy about 8 MiB of records stay, however few those are, also where it restarts often; its state is whole", async (t) => {
  let at = await hosting({ types: [list] });
  await at.system.activate(ONE, { input: undefined });
  await at.system.inform(ONE, { type: "list.fill", bytes: 50_000 });
  await touch(at, 400);
  t.ok((await kept(at)).bytes < 10 * MIB, `${JSON.stringify(await kept(at))} of 20 MB`);
  t.ok((await kept(at)).records > 50);
  for (let run = 0; run < 20; run++) {
    await at.system.stop();
    at = await hosting({ types: [list], disk: at.disk, clock: at.clock });
    await at.system.activate(ONE, { input: undefined });
    await touch(at, 10);
  }
  t.ok((await kept(at)).bytes < 10 * MIB, `${JSON.stringify(await kept(at))} after 20 restarts`);
  t.match(at.system.read(ONE)?.context, { turns: 600 });
  await at.system.stop();
});

for (const placement of ["cloud", "vehicle"] as const)
  test(`S5. Of one whose turns are light all of the newest 5,000 stay, and the rest is told as missing (${placement})`, async (t) => {
    const at = await hosting({ types: [listAt(placement)] });
    await at.system.activate(ONE, { input: undefined });
    await touch(at, 6_000);
    const { records } = await kept(at);
    t.ok(records >= 5_000 && records < 5_700, String(records));
    t.same((await at.system.history(ONE, { limit: 1, order: "oldest-first" })).missing, [{ after: 0, upTo: 6_001 - records }]);
    await at.system.stop();
    const again = await hosting({ types: [listAt(placement)], disk: at.disk, clock: at.clock });
    await again.system.activate(ONE, { input: undefined });
    t.match(again.system.read(ONE), { revision: 6_001, context: { turns: 6_000 } }, "what is left is enough for a recovery");
    await again.system.stop();
  });

test("S5. Where others are to take the records of a type, its limit may be another one: it holds at once when it is lowered", async (t) => {
  let at = await hosting({ types: [listAt("vehicle")], journalLimits: { list: { records: 50_000, bytes: 1e9 } } });
  await at.system.activate(ONE, { input: undefined });
  await touch(at, 6_000);
  t.same(await kept(at).then(({ records }) => records), 6_001);
  await at.system.stop();
  at = await hosting({ types: [listAt("vehicle")], disk: at.disk, clock: at.clock, journalLimits: { list: { records: 900, bytes: 1e9 } } });
  await at.system.activate(ONE, { input: undefined });
  await touch(at, 400);
  const { records } = await kept(at);
  t.ok(records >= 900 && records < 1_700, String(records));
  await at.system.stop();
});

test("L4, S5. A full state comes after 100 turns, where they are light after 32 KiB, where they are heavy after 1 MiB and 8 turns", (t) => {
  for (const [bytes, turns] of [
    [100, 328],
    [400, 100],
    [10_000, 100],
    [50_000, 21],
    [500_000, 8],
  ] as const) {
    const rhythm = new SnapshotRhythm({ turns: 0, bytes: 0, isOutdated: false }, policyOf("events"));
    let count = 1;
    for (; !rhythm.isDue(count + 1, bytes); count++) t.equal(rhythm.committed(bytes, false), undefined);
    t.equal(count, turns, `${String(bytes)} bytes a turn`);
    t.equal(rhythm.committed(bytes, true), bytes);
  }
  t.end();
});

test("T3. A state of another version than its snapshot, or whose snapshot is damaged, has a new one with its next turn, and then the usual rhythm again", (t) => {
  const rhythm = new SnapshotRhythm({ turns: 3, bytes: 300, isOutdated: true }, policyOf("events"));
  t.equal(rhythm.isDue(40, 100), true);
  t.equal(rhythm.committed(100, false), undefined, "one that came without it");
  t.equal(rhythm.isDue(41, 100), true, "leaves it due");
  t.equal(rhythm.committed(100, true), 100);
  t.equal(rhythm.isDue(42, 100), false);
  t.equal(new SnapshotRhythm({ turns: 3, bytes: 300, isOutdated: false }, policyOf("events")).isDue(40, 100), false);
  t.equal(new SnapshotRhythm({ turns: 0, bytes: 0, isOutdated: false }, policyOf("events")).isDue(1, 1), true, "a history opens with one");
  t.end();
});

test("L4. A full state that no store takes is not made with each turn, whatever its type keeps: it is tried again by the rhythm of a journal", (t) => {
  for (const durability of ["events", "snapshot"] as const)
    for (const isOutdated of [false, true]) {
      const rhythm = new SnapshotRhythm({ turns: 0, bytes: 0, isOutdated }, policyOf(durability));
      rhythm.skip();
      t.equal(rhythm.isSkipping, true);
      let turns = 1;
      for (; !rhythm.isDue(turns + 1, 1_000); turns++) rhythm.committed(1_000, false);
      t.equal(turns, 100, durability);
      rhythm.committed(1_000, true);
      t.equal(rhythm.isSkipping, false);
      t.equal(rhythm.isDue(turns + 2, 1_000), durability === "snapshot", "once it was stored the type's own rhythm holds");
    }
  t.end();
});
