// The turns of one actor out of its entity's journal, however few they are among how many.

import { type Test, test } from "tap";
import { type Address, actorType, entityType, type HistoryEntry, type HistoryQuery, historyEntry, type JournalRecord, parseAddress, readHistory } from "../../../runtime/index.ts";
import type { JournalQuery, Store, StoredRecord } from "../../../runtime/ports/index.ts";
import { memoryStore } from "../../../runtime/simulation/index.ts";
import { EntityHost, ROOT, words } from "../entity-host.ts";
import { assign, cancel, machine, raise } from "../xstate/loose.ts";

const LAMP = parseAddress("t/vehicle/v/lamp/one");
const OTHER = parseAddress("t/vehicle/v/lamp/two");
const ORDERS = ["newest-first", "oldest-first"] as const;
const MAX_RECORDS = 10_000;

interface LongJournal {
  newest: number;
  /** Records that were read from it. */
  read: number;
  /** @param query of one answer */
  page(query: Partial<HistoryQuery>): ReturnType<typeof readHistory>;
}

/** A FAKE of a journal of any length: its records are made when they are read. @param isLamps whether this turn is the lamp's @param isKept whether it is there */
function longJournal(newest: number, isLamps: (revision: number) => boolean, isKept: (revision: number) => boolean = () => true): LongJournal {
  const made = (revision: number): JournalRecord =>
    ({
      revision,
      stamp: { now: revision, elapsed: 0, seed: 0 },
      inputs: [],
      results: [],
      outcome: { cells: [{ address: isLamps(revision) ? LAMP : OTHER, value: "on" }], ended: [], emitted: [] },
    }) as unknown as JournalRecord;
  const rows = ({ after = 0, before = Number.POSITIVE_INFINITY, limit, order }: JournalQuery): readonly StoredRecord[] => {
    const found: StoredRecord[] = [];
    const [from, step] = order === "oldest-first" ? [after + 1, 1] : [Math.min(journal.newest, before - 1), -1];
    for (let revision = from; revision > after && revision < before && revision <= journal.newest && found.length < limit; revision += step)
      if (isKept(revision)) found.push({ revision } as StoredRecord);
    journal.read += found.length;
    return found;
  };
  const store: Store = { ...memoryStore(), journal: async (query) => Promise.resolve(rows(query)) };
  const journal: LongJournal = {
    newest,
    read: 0,
    page: (query) => readHistory(store, LAMP, { limit: 50, order: "newest-first", ...query }, ({ revision }) => made(revision)),
  };
  return journal;
}

/** As a client that follows `next` gets them; after each page `between` happens. */
async function walk(t: Test, journal: LongJournal, query: Pick<HistoryQuery, "limit" | "order">, between: () => void = () => undefined): Promise<readonly number[]> {
  const revisions: number[] = [];
  let next: number | undefined;
  do {
    const before = journal.read;
    const page = await journal.page({ ...query, ...(next === undefined ? {} : { [query.order === "oldest-first" ? "after" : "before"]: next }) });
    t.ok(page.items.length <= query.limit && journal.read - before <= MAX_RECORDS, "an answer is bounded, and so is the work for it");
    revisions.push(...page.items.map(({ revision }) => revision));
    next = page.next;
    between();
  } while (next !== undefined);
  return revisions;
}

test("few turns among many others are all found by following `next`, from either end, with pages of any size", async (t) => {
  const own = new Set([4, 5, 6, 7, 9, 14, 17, 21, 500, 565, 1_064, 1_065]);
  const journal = longJournal(1_206, (revision) => own.has(revision));
  for (const order of ORDERS)
    for (const limit of [1, 2, 5, 11, 12, 13, 64, 500, 1_000])
      t.same(await walk(t, journal, { limit, order }), order === "oldest-first" ? [...own] : [...own].reverse(), `${order}, ${String(limit)} a page`);
});

test("one answer reads 10,000 records at most; past that an empty page still says where it goes on", async (t) => {
  const own = [3, 40_000, 119_999];
  const journal = longJournal(120_000, (revision) => own.includes(revision));
  t.match(await journal.page({ order: "newest-first", before: 119_999 }), { items: [], next: 109_999 });
  t.match(await journal.page({ order: "oldest-first", after: 3 }), { items: [], next: 10_003 });
  for (const order of ORDERS) t.same(await walk(t, journal, { limit: 20, order }), order === "oldest-first" ? own : [...own].reverse());
});

test("turns that come while a client pages are neither lost nor doubled", async (t) => {
  const isLamps = (revision: number): boolean => revision % 7 === 0;
  for (const order of ORDERS) {
    const journal = longJournal(2_000, isLamps);
    const revisions = await walk(t, journal, { limit: 10, order }, () => {
      if (journal.newest < 2_500) journal.newest += 25;
    });
    const upTo = order === "oldest-first" ? journal.newest : 2_000;
    const all = Array.from({ length: upTo }, (_, index) => index + 1).filter(isLamps);
    t.same(revisions, order === "oldest-first" ? all : all.reverse(), order);
  }
});

test("a page that ends with the journal names no next one; one that ends before it does", async (t) => {
  const journal = longJournal(10, (revision) => revision === 1 || revision === 10);
  t.match(await journal.page({ limit: 1, order: "oldest-first" }), { items: [{ revision: 1 }], next: 1 });
  t.match(await journal.page({ limit: 1, order: "oldest-first", after: 1 }), { items: [{ revision: 10 }], next: undefined });
  t.match(await journal.page({ limit: 2, order: "newest-first" }), { items: [{ revision: 10 }, { revision: 1 }], next: undefined });
  t.same(await journal.page({ after: 10 }), { items: [], next: undefined, missing: [] });
});

test("what is not there of what was read over is named, on each page and by all of them together", async (t) => {
  const journal = longJournal(
    100,
    (revision) => revision % 10 === 5,
    (revision) => revision > 20 && revision !== 30 && revision !== 31 && revision < 99,
  );
  const all = [
    { after: 0, upTo: 20 },
    { after: 29, upTo: 31 },
    { after: 98, upTo: 100 },
  ];
  for (const order of ORDERS) t.match(await journal.page({ order, before: 101 }), { next: undefined, missing: all }, order);
  t.same((await journal.page({ order: "oldest-first", limit: 1, before: 101 })).missing, [all[0]]);
  t.same((await journal.page({ order: "oldest-first", limit: 1, after: 25, before: 101 })).missing, [all[1]]);
  t.same((await journal.page({ order: "newest-first", limit: 1, before: 101 })).missing, [all[2]]);
  t.same((await journal.page({ order: "newest-first", limit: 1, before: 35, after: 22 })).missing, [all[1]]);
  t.same((await longJournal(0, () => false).page({ order: "oldest-first", after: 3, before: 9 })).missing, [{ after: 3, upTo: 8 }], "no journal at all");
});

test("a turn names the actor's own timers and effects, not those of one whose name begins alike", (t) => {
  const ten = parseAddress(`${LAMP}0`);
  const record = {
    revision: 7,
    stamp: { now: 5, elapsed: 0, seed: 0 },
    inputs: [
      { kind: "timer", timer: "3:xstate.after.DIM.lamp.on" },
      { kind: "performed", key: `${LAMP}#i.6.0`, outcome: { kind: "done" } },
      { kind: "performed", key: `${ten}#i.6.1`, outcome: { kind: "done" } },
    ],
    results: [{ kind: "accepted" }, { kind: "accepted" }, { kind: "accepted" }],
    outcome: {
      cells: [
        { address: LAMP, incarnation: 3, value: "off" },
        { address: ten, incarnation: 30, value: "on" },
      ],
      ended: [],
      emitted: [],
    },
  } as unknown as JournalRecord;
  const types = (address: Address): readonly string[] | undefined => historyEntry(record, address)?.inputs.map(({ type }) => type);
  t.same(types(LAMP), ["(timer)", "(effect done)"]);
  t.same(types(ten), ["(effect done)"]);
  t.end();
});

const boom = assign((): never => {
  throw new Error("failed on purpose");
});
const clock = actorType({
  name: "clock",
  version: 1,
  messages: words("fail", "idle", "watch", "drop", "end"),
  behaviour: machine({
    initial: "open",
    states: {
      open: {
        on: {
          fail: "failing",
          idle: { actions: raise({ type: "nothing" }, { id: "idle", delay: 50 }) },
          watch: { actions: raise({ type: "nothing" }, { id: "watch", delay: 60_000 }) },
          drop: { actions: cancel("watch") },
          end: "closed",
          nothing: {},
        },
      },
      failing: { after: { 100: { actions: boom } } },
      closed: { type: "final" },
    },
  }) as never,
});
const root = actorType({ name: "hall", version: 1, messages: words("ping"), behaviour: machine({ on: { ping: {} } }) as never });
const clocks = entityType({ root, durability: "events", placement: "vehicle", children: { clock: { types: [clock], strategy: "one-for-one", restart: "permanent" } } });
const ONE = parseAddress(`${ROOT}/clock/c-1`);
const TEN = parseAddress(`${ROOT}/clock/c-10`);

/** Turns of each clock that name a timer: what the last of its inputs and timers say. */
function timersOf(host: EntityHost, address: Address): readonly string[] {
  const entries = host.journal().map((record) => historyEntry(record, address));
  const said = ({ inputs, timers }: HistoryEntry): readonly string[] => [
    ...inputs.filter(({ type }) => type === "(timer)").map(({ id, result }) => `fired ${String(id)} ${result}`),
    ...timers.map(({ id, change }) => `${change} ${id}`),
  ];
  return entries.flatMap((entry) => (entry === undefined ? [] : said(entry)));
}

test("S7. every timer that a turn has armed, cancelled or fired for an actor is in its history, also where nothing else of the actor changed, and in no other's", (t) => {
  const host = new EntityHost(clocks, { twice: true });
  host.take({ kind: "children", specs: ["c-1", "c-10"].map((id) => ({ kind: "clock", id, type: "clock", input: undefined })) });
  const own = host.entity.views().find(({ address }) => address === TEN)?.incarnation;
  const key = (name: string): string => `${String(own)}:${name}`;
  for (const type of ["idle", "watch"]) host.send(type, { to: TEN });
  host.advance(50);
  host.send("drop", { to: TEN });
  host.send("fail", { to: TEN });
  host.advance(100);
  const after = key("xstate.after.100.(machine).failing");
  t.same(timersOf(host, TEN), [
    `armed ${key("idle")}`,
    `armed ${key("watch")}`,
    `fired ${key("idle")} accepted`,
    `cancelled ${key("watch")}`,
    `armed ${after}`,
    ...Array.from({ length: 3 }, () => `fired ${after} faulted`),
  ]);
  t.same(timersOf(host, ONE), []);
  t.same(timersOf(host, ROOT), []);
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.same(host.differences, []);
  t.end();
});

test("H14. the wait before an actor begins anew is in its history, and its end; a record of an older version tells the timers that its own rows tell", (t) => {
  const host = new EntityHost(clocks);
  host.take({ kind: "children", specs: ["c-1", "c-10"].map((id) => ({ kind: "clock", id, type: "clock", input: undefined })) });
  for (let round = 0; round < 2; round++) host.send("end", { to: ONE });
  host.advance(30_000);
  const waits = timersOf(host, ONE);
  t.match(waits, [/^armed \d+!restart$/, /^fired \d+!restart accepted$/]);
  t.same(timersOf(host, TEN), []);
  const older = host.journal().map(({ owners, ...record }) => record);
  t.same(
    older.flatMap((record) => historyEntry(record, ONE)?.timers ?? []),
    [{ id: waits[0]?.replace("armed ", ""), change: "armed" }],
  );
  t.end();
});
