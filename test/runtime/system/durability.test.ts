// What each durability keeps over a restart, and what a damaged snapshot costs (design section 3; rules C1, C2).

import { test } from "tap";
import { actorType, entityType, messages, reducer, T } from "../../../runtime/index.ts";
import type { Durability } from "../../../runtime/index.ts";
import type { Log } from "../../../runtime/ports/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { decodeRecord, decodeState, encodeRecord, encodeState } from "../../../runtime/entity/index.ts";
import { memoryStore } from "../../../runtime/simulation/index.ts";
import { type Hosting, hosting } from "./hosting.ts";

const tallyMessages = messages({ "tally.add": { body: { n: T.Integer() } }, "tally.later": { body: {} }, "tally.ring": { body: {}, internal: true } });

const tally = reducer<{ readonly sum: number; readonly rung: number }, { readonly type: string; readonly n?: number }>({
  initial: () => ({ sum: 0, rung: 0 }),
  step: (state, event, turn) => {
    if (event.type === "tally.ring") return { ...state, rung: state.rung + 1 };
    if (event.type === "tally.later") turn.arm("ring", 1_000, { type: "tally.ring" });
    return { ...state, sum: state.sum + (event.n ?? 0) };
  },
});

const typeOf = (durability: Durability) =>
  entityType({ root: actorType({ name: "tally", version: 1, messages: tallyMessages, behaviour: tally }), durability, placement: "cloud" });

const TALLY = "acme/tally/one";

async function lived(durability: Durability, turns: number, log: Log = silentLog, before?: Hosting): Promise<Hosting> {
  const host = await hosting({ types: [typeOf(durability)], log, ...(before === undefined ? {} : { disk: before.disk, clock: before.clock }) });
  await host.system.activate(TALLY as never, { input: undefined });
  for (let n = 0; n < turns; n++) await host.system.tell(TALLY, { type: "tally.add", n: 1 });
  return host;
}

const stateOf = (host: Hosting): unknown => host.system.read(TALLY as never)?.context;

for (const durability of ["snapshot", "events"] as const) {
  test(`S3, S7. ${durability}: state, timers and taken ids survive a crash`, async (t) => {
    const first = await lived(durability, 120);
    t.match(await first.system.tell(TALLY, { type: "tally.later" }, { id: "once" }), { kind: "accepted" });
    const revision = first.system.read(TALLY as never)?.revision;
    first.store.crash();
    const second = await lived(durability, 0, silentLog, first);
    t.same(stateOf(second), { sum: 120, rung: 0 });
    t.equal(second.system.read(TALLY as never)?.revision, revision);
    t.match(await second.system.tell(TALLY, { type: "tally.later" }, { id: "once" }), { kind: "accepted", revision });
    await second.clock.advance(1_000);
    t.same(stateOf(second), { sum: 120, rung: 1 });
    await second.clock.advance(5_000);
    t.same(stateOf(second), { sum: 120, rung: 1 }, "a timer fires once");
    await second.system.stop();
  });
}

test("volatile: nothing is written, and a restart begins anew", async (t) => {
  const first = await lived("volatile", 10);
  t.same(stateOf(first), { sum: 10, rung: 0 });
  t.same(await first.store.entities(undefined, 10), []);
  await first.system.stop();
  const second = await lived("volatile", 0, silentLog, first);
  t.same(stateOf(second), { sum: 0, rung: 0 });
  await second.system.stop();
});

test("snapshot keeps two states and what lies between them, events keeps a history", async (t) => {
  const kept = async (durability: Durability): Promise<readonly number[]> => {
    const host = await lived(durability, 20);
    await host.system.stop();
    return (await host.store.journal({ entity: TALLY, limit: 100, order: "oldest-first" })).map(({ revision }) => revision);
  };
  t.same(await kept("snapshot"), [21]);
  t.same(
    await kept("events"),
    Array.from({ length: 21 }, (_, index) => index + 1),
  );
});

for (const durability of ["snapshot", "events"] as const) {
  test(`S3. ${durability}: a damaged newest snapshot costs nothing, is told, and the next turn brings a new one`, async (t) => {
    const first = await lived(durability, 400);
    await first.system.stop();
    const newest = (await first.store.load(TALLY))?.snapshot?.revision ?? 0;
    t.ok(newest > 1, `it has a second generation, of revision ${String(newest)}`);
    first.store.damage(TALLY, { snapshot: newest });
    const told: unknown[] = [];
    const log: Log = { ...silentLog, error: (fields) => told.push(fields), child: () => log };
    const second = await lived(durability, 0, log, first);
    t.same(stateOf(second), { sum: 400, rung: 0 });
    t.match(told, [{ entity: TALLY, damaged: [newest] }]);
    await second.system.tell(TALLY, { type: "tally.add", n: 1 });
    await second.system.stop();
    t.match(await second.store.load(TALLY), { damaged: undefined, snapshot: { revision: 402 } });
    t.same(stateOf(await lived(durability, 0, silentLog, second)), { sum: 401, rung: 0 });
  });
}

test("a state of a newer machine is refused with a code, and stays as it was", async (t) => {
  const rooted = (version: number) =>
    entityType({ root: actorType({ name: "tally", version, messages: tallyMessages, behaviour: tally }), durability: "events", placement: "cloud" });
  const first = await hosting({ types: [rooted(2)] });
  await first.system.activate(TALLY as never, { input: undefined });
  await first.system.tell(TALLY, { type: "tally.add", n: 5 });
  await first.system.stop();
  const before = await first.store.load(TALLY);
  const older = await hosting({ types: [rooted(1)], disk: first.disk, clock: first.clock });
  await t.rejects(older.system.activate(TALLY as never, { input: undefined }), { code: "DROVER_STATE_NEWER", message: /version 2 of tally; registered is 1/ });
  t.match(await older.system.tell(TALLY, { type: "tally.add", n: 5 }), { kind: "owner-away" }, "and a sender is told that it is away, not that it is gone");
  await older.system.stop();
  t.strictSame(await older.store.load(TALLY), before);
  const again = await hosting({ types: [rooted(2)], disk: first.disk, clock: first.clock });
  await again.system.activate(TALLY as never, { input: undefined });
  t.same(stateOf(again), { sum: 5, rung: 0 });
  await again.system.stop();
});

test("H2. a recovered state that is not the committed one is told with entity, revision and both hashes", async (t) => {
  const first = await lived("events", 70);
  await first.system.stop();
  const stored = await first.store.load(TALLY);
  const state = decodeState(stored?.snapshot?.state ?? new Uint8Array());
  const forged = memoryStore();
  await forged.open();
  await forged.commit([
    {
      entity: TALLY,
      type: "tally",
      incarnation: "i",
      revision: 1,
      epoch: 1,
      at: 0,
      record: new Uint8Array(),
      snapshot: encodeState({ ...state, incarnation: "i", labels: { fleet: "another" } }),
    },
  ]);
  for (const { revision, record } of stored?.records ?? []) {
    // Its chain is not what this is about.
    const { prev: _prev, ...said } = decodeRecord(record);
    const commit = { entity: TALLY, type: "tally", incarnation: "i", revision, epoch: 1, at: 0, record: encodeRecord({ ...said, incarnation: "i" }) };
    t.match(await forged.commit([commit]), [{ kind: "committed" }]);
  }
  const told: unknown[] = [];
  const log: Log = { ...silentLog, error: (fields) => told.push(fields), child: () => log };
  const second = await hosting({ types: [typeOf("events")], store: forged, log });
  await second.system.activate(TALLY as never, { input: undefined });
  t.match(told, [{ entity: TALLY, revision: 32, hashes: { recorded: { cells: /^[0-9a-f]{16}$/ }, computed: { cells: /^[0-9a-f]{16}$/ } } }]);
  await second.system.stop();
});
