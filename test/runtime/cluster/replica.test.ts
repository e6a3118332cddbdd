import { Packr } from "msgpackr";
import { test } from "tap";
import { decodeRecord, decodeState, encodeRecord, encodeState, linkOf } from "../../../runtime/entity/index.ts";
import { type CellRecord, createReplicas, createSystem, type EntityState, parseAddress, type Replicas, type StreamBatch, type System } from "../../../runtime/index.ts";
import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, type MemoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";
import { ledgerEntity } from "../system/ledger.ts";

const LEDGER = parseAddress("t/ledger/l");

/** An owner whose journal is read as a stream. */
async function owner(): Promise<{ readonly system: System; readonly store: MemoryStore; opening(): Promise<StreamBatch>; records(after: number): Promise<StreamBatch> }> {
  const clock = new ManualClock();
  const store = memoryStore();
  await store.open();
  const system = createSystem({ node: "owner", types: [ledgerEntity], store, clock, random: new SeededRandom(3), log: silentLog });
  await system.start();
  await system.activate(LEDGER, { input: undefined });
  return {
    system,
    store,
    opening: async () => {
      const state = await system.settledStateOf(LEDGER);
      if (state === undefined) throw new Error("not hosted");
      return { entity: LEDGER, type: state.type, incarnation: state.incarnation, opening: state.encoded, after: state.revision, records: [] };
    },
    records: async (after) => {
      const found = await store.journal({ entity: LEDGER, after, limit: 1_000, order: "oldest-first" });
      return { entity: LEDGER, type: "ledger", incarnation: (await store.revisionOf(LEDGER))?.incarnation ?? "", after, records: found.map(({ record }) => record) };
    },
  };
}

async function replicasOn(store: MemoryStore, log = silentLog): Promise<Replicas> {
  const replicas = createReplicas(
    { store, clock: new ManualClock(), log, node: "cloud", types: new Map(), owner: () => ({ node: "owner", epoch: 1 }), heardAt: () => undefined },
    (type) => type === "ledger",
  );
  await replicas.open();
  return replicas;
}

const enter = (n: number): { type: string; n: number } => ({ type: "ledger.enter", n });
const entries = (replicas: Replicas): unknown => (replicas.read(LEDGER)?.context as { entries: unknown } | undefined)?.entries;

test("T3. a replica applies recorded outcomes, tells of each, and a restart reads them back", async (t) => {
  const source = await owner();
  const disk = new MemoryDisk();
  const store = memoryStore({ disk });
  await store.open();
  const replicas = await replicasOn(store);
  const heard: number[] = [];
  replicas.watch(({ revision }) => heard.push(revision));
  replicas.watch(() => {
    throw new Error("a watcher's own");
  });
  t.match(await replicas.apply(await source.opening()), { kind: "applied", position: { revision: 1 } });
  for (const n of [1, 2, 3]) await source.system.tell(LEDGER, enter(n));
  t.match(await replicas.apply(await source.records(1)), { kind: "applied", position: { revision: 4 } });
  t.same(entries(replicas), [1, 2, 3]);
  t.same(heard, [1, 2, 3, 4]);
  t.match(replicas.read(LEDGER), { accepts: ["ledger.enter", "ledger.count", "ledger.mute"], owner: { node: "owner" }, node: "cloud" });
  const again = memoryStore({ disk });
  await again.open();
  t.same(entries(await replicasOn(again)), [1, 2, 3]);
  await source.system.stop();
});

test("T1. records that do not follow, or come twice, change nothing; two batches at once are one after the other", async (t) => {
  const source = await owner();
  const store = memoryStore();
  await store.open();
  const replicas = await replicasOn(store);
  t.match(await replicas.apply(await source.records(0)), { kind: "refused", position: { revision: 0 } }, "nothing was opened");
  await replicas.apply(await source.opening());
  await source.system.tell(LEDGER, enter(1));
  const batch = await source.records(1);
  const both = await Promise.all([replicas.apply(batch), replicas.apply(batch)]);
  t.match(
    both.map(({ kind }) => kind),
    ["applied", "refused"],
  );
  await source.system.tell(LEDGER, enter(2));
  await source.system.tell(LEDGER, enter(3));
  t.match(await replicas.apply(await source.records(3)), { kind: "refused", position: { revision: 2 } });
  t.same(entries(replicas), [1]);
  await source.system.stop();
});

test("T1. the position tells the hash of the last record; a record or a checkpoint that does not follow by its hash is refused and moves nothing", async (t) => {
  const source = await owner();
  const store = memoryStore();
  await store.open();
  const replicas = await replicasOn(store);
  const headOf = (record: Uint8Array | undefined): string => linkOf(record ?? new Uint8Array());
  const all = async (): Promise<readonly Uint8Array[]> => (await source.records(0)).records;
  await replicas.apply(await source.opening());
  t.equal(replicas.position(LEDGER).head, headOf((await all())[0]), "a full state has that of its record");
  for (const n of [1, 2, 3, 4]) await source.system.tell(LEDGER, enter(n));
  const batch = await source.records(1);
  const [one, two, three] = batch.records as readonly [Uint8Array, Uint8Array, Uint8Array];
  const altered = (record: Uint8Array, prev: string): Uint8Array => encodeRecord({ ...decodeRecord(record), prev });
  t.match(await replicas.apply({ ...batch, records: [altered(one, "0000000000000000")] }), {
    kind: "refused",
    reason: /before revision 2 is another one/,
    position: { revision: 1 },
  });
  t.match(await replicas.apply({ ...batch, records: [one, altered(two, headOf(three))] }), {
    kind: "refused",
    reason: /before revision 3 is another one/,
    position: { revision: 1 },
  });
  t.match(await replicas.apply({ ...batch, records: [altered(one, 7 as never)] }), { kind: "refused", reason: /hash of the one before it is not well formed/ });
  t.same(entries(replicas), []);
  t.match(await replicas.apply({ ...batch, records: [one, two] }), { kind: "applied", position: { revision: 3, head: headOf(two) } });
  const again = await replicasOn(store);
  t.equal(again.position(LEDGER).head, headOf(two), "also after a restart");
  await again.apply({ ...batch, after: 3, records: batch.records.slice(2) });
  const opening = await source.opening();
  const state = decodeState(opening.opening ?? new Uint8Array());
  t.match(await again.apply({ ...opening, opening: encodeState({ ...state, head: "0000000000000000" }) }), {
    kind: "refused",
    reason: /another history/,
    position: { revision: 5 },
  });
  for (const bad of [
    { head: 5 },
    { fork: 1 },
    { fork: { left: { incarnation: "", revision: 1 }, known: 1, at: 1, nth: 1 } },
    { fork: { left: { incarnation: "i", revision: 1 }, known: -1, at: 1, nth: 1 } },
  ])
    t.match(await again.apply({ ...opening, opening: encodeState({ ...state, ...(bad as object) }) }), { kind: "refused", reason: /not well formed/ });
  t.match(await again.apply(opening), { kind: "applied", position: { revision: 5, head: headOf((await all())[4]) } });
  await source.system.stop();
});

test("T1. what an owner of an older version ships, without hashes, is taken as before", async (t) => {
  const source = await owner();
  const store = memoryStore();
  await store.open();
  const replicas = await replicasOn(store);
  const opening = await source.opening();
  const { head: _head, ...state } = decodeState(opening.opening ?? new Uint8Array());
  t.match(await replicas.apply({ ...opening, opening: encodeState(state) }), { kind: "applied", position: { revision: 1, head: undefined } });
  for (const n of [1, 2]) await source.system.tell(LEDGER, enter(n));
  const batch = await source.records(1);
  const records = batch.records.map((record) => {
    const { prev: _prev, ...said } = decodeRecord(record);
    return encodeRecord(said);
  });
  t.match(await replicas.apply({ ...batch, records }), { kind: "applied", position: { revision: 3 } });
  t.same(entries(replicas), [1, 2]);
  await source.system.stop();
});

test("P2. a stored replica that cannot be read is replaced by its owner's next full state", async (t) => {
  const source = await owner();
  const store = memoryStore();
  await store.open();
  const batch = await source.opening();
  await store.commit([
    { entity: LEDGER, type: "ledger", incarnation: batch.incarnation, revision: 7, epoch: 0, at: 0, record: new Uint8Array(0), snapshot: new Uint8Array([0xc1]) },
  ]);
  const replicas = await replicasOn(store);
  t.equal(replicas.read(LEDGER), undefined);
  t.match(await replicas.apply(batch), { kind: "applied" });
  t.same(entries(replicas), []);
  await source.system.tell(LEDGER, enter(1));
  t.match(await replicas.apply(await source.records(1)), { kind: "applied" });
  t.same(entries(await replicasOn(store)), [1]);
  await source.system.stop();
});

test("P3. a full state that leaps over records is a gap, counted with its size; one of another history is counted as such", async (t) => {
  const source = await owner();
  const store = memoryStore();
  await store.open();
  const replicas = await replicasOn(store);
  await replicas.apply(await source.opening());
  for (const n of [1, 2, 3, 4]) await source.system.tell(LEDGER, enter(n));
  t.match(await replicas.apply(await source.opening()), { kind: "applied", position: { revision: 5 } });
  t.match(replicas.counters, { gaps: 1, lost: 4, replaced: 0 });
  const other = await owner();
  await other.system.deactivate(LEDGER);
  await source.system.stop();
  const fresh = createSystem({ node: "owner", types: [ledgerEntity], store: await opened(), clock: new ManualClock(), random: new SeededRandom(99), log: silentLog });
  await fresh.start();
  await fresh.activate(LEDGER, { input: undefined });
  const state = await fresh.settledStateOf(LEDGER);
  if (state === undefined) throw new Error("not hosted");
  t.match(await replicas.apply({ entity: LEDGER, type: "ledger", incarnation: state.incarnation, opening: state.encoded, after: 1, records: [] }), { kind: "applied" });
  t.match(replicas.counters, { gaps: 1, replaced: 1 });
  t.same(entries(replicas), []);
  await Promise.all([fresh.stop(), other.system.stop()]);
});

/** As an evil owner writes it: whatever msgpackr can carry. */
function foreignState(batch: StreamBatch, change: (state: EntityState & { cells: CellRecord[] }) => unknown): Uint8Array {
  const state = decodeState(batch.opening ?? new Uint8Array());
  return new Packr({ useRecords: false, moreTypes: true }).pack(change({ ...state, cells: [...state.cells] }));
}

function withCell(batch: StreamBatch, more: object): Uint8Array {
  return foreignState(batch, (state) => ({ ...state, cells: state.cells.map((cell) => ({ ...cell, ...more })) }));
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : { in: nested(depth - 1) });

test("S10. a full state that JSON cannot show, or of the wrong form, is refused and changes nothing", async (t) => {
  const source = await owner();
  const store = memoryStore();
  await store.open();
  const replicas = await replicasOn(store);
  const batch = await source.opening();
  const bad: readonly (readonly [string, Uint8Array])[] = [
    ["a BigInt as state", withCell(batch, { value: { motion: 2n ** 60n } })],
    ["a BigInt in a context", withCell(batch, { context: { n: [1, 2n ** 60n] } })],
    ["a Date in a context", withCell(batch, { context: { at: new Date(5) } })],
    ["a Map", withCell(batch, { context: new Map([[1, 2]]) })],
    ["an Error", withCell(batch, { context: { e: new TypeError("x") } })],
    ["a regular expression", withCell(batch, { value: /(a+)+$/ })],
    ["NaN in a context", withCell(batch, { context: { n: Number.NaN } })],
    ["bytes in a context", withCell(batch, { context: { n: new Uint8Array(3) } })],
    ["a deep state", withCell(batch, { value: nested(40) })],
    ["a broad state", withCell(batch, { value: Array.from({ length: 5_000 }, () => "x") })],
    ["a long state", withCell(batch, { value: "x".repeat(5_000) })],
    ["a version that is no number", withCell(batch, { version: "1" })],
    ["a half version", withCell(batch, { version: 1.5 })],
    ["accepts with null", withCell(batch, { accepts: [null] })],
    ["a time that no clock shows", foreignState(batch, (state) => ({ ...state, stamp: { now: 1e300, elapsed: 0, seed: 0 } }))],
    ["labels with an object", foreignState(batch, (state) => ({ ...state, labels: { toString: { a: 1 } } }))],
    ["cells that are null", foreignState(batch, (state) => ({ ...state, cells: [null] }))],
  ];
  for (const [name, opening] of bad) {
    t.match(await replicas.apply({ ...batch, opening }), { kind: "refused", position: { revision: 0 } }, name);
    t.equal(replicas.read(LEDGER), undefined, name);
  }
  t.match(await replicas.apply({ ...batch, incarnation: "a\nevent: b", opening: foreignState(batch, (state) => ({ ...state, incarnation: "a\nevent: b" })) }), { kind: "refused" });
  t.match(await replicas.apply(batch), { kind: "applied" });
  t.equal(replicas.counters.refused, bad.length + 1);
  await source.system.stop();
});

test("P5. what an earlier version stored and does not fit is not shown: not as a state, not in a history", async (t) => {
  const source = await owner();
  const batch = await source.opening();
  const store = memoryStore();
  await store.open();
  const stored = { entity: LEDGER, type: "ledger", incarnation: batch.incarnation, epoch: 0, at: 0 };
  await store.commit([{ ...stored, revision: 1, record: new Uint8Array(0), snapshot: withCell(batch, { value: { motion: 2n ** 60n } }) }]);
  const replicas = await replicasOn(store);
  t.same([replicas.read(LEDGER), replicas.entities(), replicas.counters.unreadable], [undefined, [], 1]);
  t.match(await replicas.apply(batch), { kind: "applied" }, "its owner's next full state takes the place");
  await source.system.tell(LEDGER, enter(1));
  await source.system.tell(LEDGER, enter(2));
  const { records } = await source.records(1);
  const evil = new Packr({ useRecords: false }).pack({ ...decodeRecord(records[0] ?? new Uint8Array()), results: [{ kind: 2n ** 60n }] });
  const other = memoryStore();
  await other.open();
  await other.commit([{ ...stored, revision: 1, record: new Uint8Array(0), snapshot: batch.opening ?? new Uint8Array() }]);
  await other.commit([{ ...stored, revision: 2, record: evil }]);
  await other.commit([{ ...stored, revision: 3, record: records[1] ?? new Uint8Array(), snapshot: batch.opening ?? new Uint8Array() }]);
  const after = await replicasOn(other);
  const { items, missing } = await after.history(LEDGER, { limit: 10, order: "oldest-first" });
  t.same(
    items.map(({ revision }) => revision),
    [3],
  );
  t.same(missing, [{ after: 0, upTo: 2 }], "neither the full state that opens it nor what cannot be read is a turn that is shown");
  await source.system.stop();
});

async function opened(): Promise<MemoryStore> {
  const store = memoryStore();
  await store.open();
  return store;
}

test("H2. a replica, live and rebuilt from its own copy of the stream, has the state that its owner hashed; one that has not is told once, with both hashes", async (t) => {
  const source = await owner();
  const told: object[] = [];
  const log: Log = { ...silentLog, error: (fields) => void told.push(fields), child: () => log };
  const disk = new MemoryDisk();
  const store = memoryStore({ disk });
  await store.open();
  const replicas = await replicasOn(store, log);
  await replicas.apply(await source.opening());
  for (let n = 0; n < 70; n++) await source.system.tell(LEDGER, enter(n));
  const { records } = await source.records(1);
  t.equal(records.filter((record) => decodeRecord(record).hash !== undefined).length, 2);
  t.match(await replicas.apply(await source.records(1)), { kind: "applied", position: { revision: 71 } });
  const again = memoryStore({ disk });
  await again.open();
  t.equal((await replicasOn(again, log)).position(LEDGER).revision, 71);
  t.same(told, [], "live and rebuilt, both hashes are the owner's");

  const other = memoryStore();
  await other.open();
  const wrong = await replicasOn(other, log);
  const opening = await source.opening();
  const first = decodeState(opening.opening ?? new Uint8Array());
  const { head: _head, ...unlinked } = first;
  await wrong.apply({ ...opening, after: 1, opening: encodeState({ ...unlinked, revision: 1, labels: { fleet: "another" } }) });
  t.match(await wrong.apply(await source.records(1)), { kind: "applied", position: { revision: 71 } });
  t.match(told, [{ entity: LEDGER, revision: 32, recorded: /^[0-9a-f]{16}$/, computed: /^[0-9a-f]{16}$/ }]);
  t.equal(told.length, 1);
  t.equal(wrong.counters.unsound, 1);
  await source.system.stop();
});
