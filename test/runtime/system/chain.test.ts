// The chain of a journal: each record names the one before it by the hash of its bytes, and a recovery looks at the links (rules T1).

import { createHash } from "node:crypto";
import { test } from "tap";
import type { Log } from "../../../runtime/ports/index.ts";
import { decodeRecord, decodeState, encodeRecord, encodeState } from "../../../runtime/entity/index.ts";
import { type JournalRecord, parseAddress } from "../../../runtime/index.ts";
import { MemoryDisk, memoryStore, type MemoryStore } from "../../../runtime/simulation/index.ts";
import { type Hosting, hosting } from "./hosting.ts";

const C = parseAddress("acme/counter/c");

async function counted(turns: number, hosted?: Hosting): Promise<Hosting> {
  const one = hosted ?? (await hosting());
  await one.system.activate(C, { input: undefined });
  for (let n = 0; n < turns; n++) await one.system.tell(C, { type: "count.add", by: 1 });
  return one;
}

const journal = (store: MemoryStore): ReturnType<MemoryStore["journal"]> => store.journal({ entity: C, limit: 1_000, order: "oldest-first" });
const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64url").slice(0, 12);
const prevOf = (bytes: Uint8Array): string | undefined => decodeRecord(bytes).prev;

/** The same history with its records written otherwise, on a disk of its own. */
async function rewritten(store: MemoryStore, write: (record: JournalRecord) => JournalRecord): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const other = memoryStore({ disk });
  await other.open();
  const stored = await store.load(C);
  for (const { revision, at, record } of await journal(store)) {
    const snapshot = revision === 1 && stored?.snapshot?.revision === 1 ? withoutHead(stored.snapshot.state) : undefined;
    await other.commit([
      {
        entity: C,
        type: "counter",
        incarnation: stored?.incarnation ?? "",
        revision,
        epoch: 1,
        at,
        record: encodeRecord(write(decodeRecord(record))),
        ...(snapshot === undefined ? {} : { snapshot }),
      },
    ]);
  }
  other.crash();
  return disk;
}

function withoutHead(state: Uint8Array): Uint8Array {
  const { head: _head, ...rest } = decodeState(state);
  return encodeState(rest);
}

function logOf(lines: { readonly fields: object; readonly words: string }[]): Log {
  const log: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (fields, words) => void lines.push({ fields, words }), child: () => log };
  return log;
}

test("T1. each record carries the hash of the bytes of the one before it, a full state that of its last one; a recovery goes on with the chain", async (t) => {
  const first = await counted(120);
  first.store.crash();
  const again = await counted(5, await hosting({ disk: first.disk, clock: first.clock }));
  const records = await journal(again.store);
  t.equal(records.length, 126);
  t.equal(prevOf(records[0]?.record as Uint8Array), undefined, "a history begins with none");
  for (const [at, { record, revision }] of records.entries()) if (at > 0) t.equal(prevOf(record), hashOf(records[at - 1]?.record as Uint8Array), `revision ${String(revision)}`);
  const stored = await again.store.load(C);
  const state = decodeState(stored?.snapshot?.state as Uint8Array);
  t.equal(state.head, hashOf(records[state.revision - 1]?.record as Uint8Array));
  await again.system.stop();
});

test("T1. a journal that was written before records had links is read, and its chain begins at the next record", async (t) => {
  const first = await counted(3);
  const disk = await rewritten(first.store, ({ prev: _prev, ...record }) => record);
  const lines: { readonly fields: object; readonly words: string }[] = [];
  const again = await counted(2, await hosting({ disk, clock: first.clock, log: logOf(lines) }));
  const records = await journal(again.store);
  t.same(
    records.slice(0, 4).map(({ record }) => prevOf(record)),
    [undefined, undefined, undefined, undefined],
  );
  t.equal(prevOf(records[4]?.record as Uint8Array), hashOf(records[3]?.record as Uint8Array));
  t.equal(prevOf(records[5]?.record as Uint8Array), hashOf(records[4]?.record as Uint8Array));
  t.match(again.system.read(C), { context: { total: 5 } });
  t.same(lines, []);
  await Promise.all([first.system.stop(), again.system.stop()]);
});

test("T1. a recovery tells of a record that does not follow the one before it, with its revision and what was expected; what was committed stands", async (t) => {
  const first = await counted(6);
  const disk = await rewritten(first.store, (record) => (record.revision === 4 ? { ...record, prev: "0123456789abcdef" } : record));
  const lines: { readonly fields: object; readonly words: string }[] = [];
  const again = await hosting({ disk, clock: first.clock, log: logOf(lines) });
  await again.system.activate(C, { input: undefined });
  const broken = lines.filter(({ words }) => words.includes("does not follow the one before it"));
  t.match(broken[0]?.fields, { entity: C, revision: 4, reason: /expected was 0123456789abcdef/ });
  // The one after it names the bytes that were there before.
  t.match(broken[1]?.fields, { revision: 5 });
  t.equal(broken.length, 2);
  t.match(again.system.read(C), { context: { total: 6 } });
  t.match(
    again.system.metrics().find(({ name }) => name === "drover_replay_divergences_total"),
    { value: 2 },
  );
  await Promise.all([first.system.stop(), again.system.stop()]);
});
