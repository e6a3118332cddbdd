// Any past state and any turn that the journal holds, however far back, and true words about those that it does not.

import { test } from "tap";
import { actorType, type Address, entityType, type EventOf, messages, reducer, type System, type SystemOptions, T } from "../../../runtime/index.ts";
import { parseAddress } from "../../../runtime/address.ts";
import { hosting, type Hosting } from "./hosting.ts";

const protocol = messages({ "sum.add": { body: { by: T.Integer() } } });
const sums = reducer<{ readonly sum: number }, EventOf<typeof protocol>>({ initial: () => ({ sum: 0 }), step: (state, event) => ({ sum: state.sum + event.by }) });
const book = entityType({
  root: actorType({ name: "book", version: 1, messages: protocol, behaviour: sums }),
  durability: "events",
  placement: "vehicle",
  children: { page: { types: [actorType({ name: "page", version: 1, messages: protocol, behaviour: sums })], strategy: "one-for-one" } },
});
const BOOK = parseAddress("t/book/one");
const PAGE = parseAddress("t/book/one/page/a");
const NONE = parseAddress("t/book/one/page/none");

/** Sum of an actor after each revision; undefined: it was not there. */
type Sums = Map<number, number | undefined>;

async function opened(limit: SystemOptions["journalLimits"]): Promise<Hosting & { readonly book: Sums; readonly page: Sums }> {
  const hosted = await hosting({ types: [book], ...(limit === undefined ? {} : { journalLimits: limit }) });
  await hosted.system.activate(BOOK, { input: undefined, children: [{ kind: "page", id: "a", type: "page", input: undefined }] });
  return { ...hosted, book: new Map(), page: new Map() };
}

/** So many turns of 1 each: every `rarely`th is the page's. */
async function add({ system, book, page }: Awaited<ReturnType<typeof opened>>, turns: number, rarely: number): Promise<void> {
  const of = (address: Address): number | undefined => (system.read(address)?.context as { readonly sum: number } | undefined)?.sum;
  for (let turn = 1; turn <= turns; turn++) {
    await system.inform(turn % rarely === 0 ? PAGE : BOOK, { type: "sum.add", by: 1 });
    const { revision } = system.read(BOOK) ?? { revision: 0 };
    book.set(revision, of(BOOK));
    page.set(revision, of(PAGE));
  }
}

const sumOf = (found: unknown): unknown => (found as { readonly context?: { readonly sum: number } } | undefined)?.context?.sum;
const isUnknown = (turn: unknown): boolean => ((turn as { readonly unknown?: number } | undefined)?.unknown ?? 0) > 0;
const last = (system: System): number => system.read(BOOK)?.revision ?? 0;

test("of a journal of 12,000 records each revision is told and replayed, from the first to the last, with pages of bounded size", async (t) => {
  const at = await opened({ book: { records: 50_000, bytes: 1e9 } });
  await add(at, 12_000, 1_000);
  const { system, store } = at;
  const limits: number[] = [];
  const journal = store.journal.bind(store);
  Object.assign(store, { journal: async (query: Parameters<typeof journal>[0]) => (limits.push(query.limit), journal(query)) });
  for (const revision of [3, 5, 999, 1_003, 2_000, 2_002, 2_003, 6_000, 11_000, last(system) - 1, last(system)]) {
    t.equal(sumOf(await system.inspection.stateAt(BOOK, revision)), at.book.get(revision), `revision ${String(revision)}`);
    t.equal(sumOf(await system.inspection.stateAt(PAGE, revision)), at.page.get(revision), `the page at ${String(revision)}`);
  }
  for (const revision of [1, 2, 5, 1_003, 6_000, last(system)])
    t.match(await system.inspection.replay(BOOK, revision), { kind: "replayed", revision, unknown: 0, differs: undefined }, `replay ${String(revision)}`);
  t.equal(await system.inspection.stateAt(NONE, 7), "absent");
  t.equal(sumOf(await system.inspection.stateAt(PAGE, 1)), 0, "as it began");
  for (const look of [
    system.inspection.stateAt(BOOK, 0),
    system.inspection.stateAt(BOOK, last(system) + 1),
    system.inspection.replay(BOOK, 0),
    system.inspection.replay(BOOK, 99_999),
  ])
    t.same(await look, { kind: "not-kept", first: 1, last: last(system) });
  t.ok(Math.max(...limits) <= 500, String(Math.max(...limits)));
  await system.stop();
});

for (const [what, lose] of [
  ["was trimmed", undefined],
  ["has a damaged record", 1_450],
] as const)
  test(`of a journal that ${what} each revision is told truly, or as not kept, and then lies before the first that is named`, async (t) => {
    const at = await opened({ book: { records: 400, bytes: 1e9 } });
    await add(at, 1_800, 90);
    const { system, store } = at;
    if (lose !== undefined) store.damage(BOOK, { record: lose });
    for (const [address, sum] of [
      [BOOK, at.book],
      [PAGE, at.page],
    ] as const) {
      const { first } = (await system.inspection.stateAt(address, 0)) as { readonly first: number };
      t.ok(first > (lose ?? 900) && first < 1_600, String(first));
      let told = 0;
      for (let revision = 1; revision <= last(system); revision++) {
        const found = await system.inspection.stateAt(address, revision);
        if (sumOf(found) !== undefined) told++;
        if (sumOf(found) === undefined ? revision >= first : sumOf(found) !== sum.get(revision))
          t.fail(`${address} at ${String(revision)}: ${JSON.stringify(found)}, first ${String(first)}`);
        if (sumOf(found) === undefined) t.match(found, { kind: "not-kept", first, last: last(system) });
      }
      t.ok(told > 100, String(told));
    }
    const { first } = (await system.inspection.replay(BOOK, 1)) as { readonly first: number };
    const isPages = (revision: number): boolean => at.page.get(revision) !== at.page.get(revision - 1);
    for (let revision = first - 1; revision <= last(system); revision++) {
      if (revision % 29 !== 0 && revision > first && !isPages(revision)) continue;
      const turn = await system.inspection.replay(BOOK, revision);
      if (revision < first) t.match(turn, { kind: "not-kept", first });
      else t.ok(turn?.kind === "replayed" && turn.unknown === 0 ? turn.differs === undefined : isUnknown(turn), `replay ${String(revision)}: ${JSON.stringify(turn)}`);
    }
    await system.stop();
  });
