// What every store must do, run against each adapter: `storeContract(t, setup)`.

import type { Test } from "tap";
import type { CommitOutcome, EntityCommit, Store } from "../../runtime/ports/index.ts";

export interface StoreSetup {
  readonly store: Store;
  /** Closes and opens again what is stored. */
  readonly reopen: () => Promise<Store>;
  /** Makes a stored snapshot or record differ from its checksum, as a page that tore or lost a bit does. @returns the store, opened again where that is needed */
  readonly damage: (entity: string, part: { readonly snapshot: number } | { readonly record: number }) => Promise<Store>;
  /** Closes, and puts back what is stored as a copy, on purpose (rules T1). @returns the store, not open yet */
  readonly putBack: () => Promise<Store>;
  readonly teardown: () => Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined => (value === undefined ? undefined : new TextDecoder().decode(value));

/** A commit of `entity` whose record names its revision. */
export function aCommit(entity: string, revision: number, more: Partial<EntityCommit> = {}): EntityCommit {
  return { entity: `acme/vehicle/${entity}`, type: "vehicle", incarnation: "i1", revision, epoch: 1, at: 1000 + revision, record: bytes(`${entity}#${String(revision)}`), ...more };
}

/** Why an entity that was damaged is not loaded: the words of the error, or that a store which looks at its opening has moved everything aside (rules L2). */
async function cannotLoad(store: Store): Promise<string> {
  try {
    return (await store.load("acme/vehicle/a")) === undefined ? "nothing is there" : "it is loaded all the same";
  } catch (error) {
    return (error as Error).message;
  }
}

export function kinds(outcomes: readonly CommitOutcome[]): readonly string[] {
  return outcomes.map(({ kind }) => kind);
}

export async function storeContract(t: Test, setup: () => Promise<StoreSetup>): Promise<void> {
  const check = (title: string, body: (t: Test, context: StoreSetup) => Promise<void>): Promise<unknown> =>
    t.test(title, async (t) => {
      const context = await setup();
      t.teardown(context.teardown);
      await body(t, context);
    });

  await check("C3. one entity that cannot be written is refused alone, the others of its batch are committed", async (t, { store }) => {
    await store.commit([aCommit("a", 1), aCommit("b", 1)]);
    const outcomes = await store.commit([
      aCommit("a", 2),
      aCommit("b", 7),
      aCommit("c", 1),
      aCommit("d", 1, { record: "text" as never }),
      aCommit("e", 1, { entity: "half \ud800" }),
      aCommit("f", 1, { at: Number.NaN }),
    ]);
    t.strictSame(kinds(outcomes), ["committed", "refused", "committed", "refused", "refused", "refused"]);
    t.match(outcomes[1], { reason: /7.*1/ }, "the reason names both revisions");
    t.strictSame(await store.revisionOf("acme/vehicle/a"), { incarnation: "i1", revision: 2 });
    t.strictSame(await store.revisionOf("acme/vehicle/b"), { incarnation: "i1", revision: 1 });
    t.equal(await store.revisionOf("acme/vehicle/d"), undefined);
  });

  await check("C1. a revision is taken once: repeated, skipped and lower ones are refused", async (t, { store }) => {
    t.strictSame(kinds(await store.commit([aCommit("a", 1)])), ["committed"]);
    for (const revision of [1, 3, 0, -1, 1.5, Number.NaN]) t.strictSame(kinds(await store.commit([aCommit("a", revision)])), ["refused"], `revision ${String(revision)}`);
    t.strictSame(kinds(await store.commit([aCommit("a", 2), aCommit("a", 2), aCommit("a", 3)])), ["committed", "refused", "committed"], "in one batch too");
    const loaded = await store.load("acme/vehicle/a");
    t.strictSame(
      loaded?.records.map(({ record }) => text(record)),
      ["a#1", "a#2", "a#3"],
    );
  });

  await check("S1, E1. a commit under an epoch that is over is refused, in its history and with a new one, also after it was opened again", async (t, { store, reopen }) => {
    const old = { epoch: 6 };
    t.strictSame(kinds(await store.commit([aCommit("a", 1, { epoch: 7 }), aCommit("a", 2, old), aCommit("b", 1, old)])), ["committed", "refused", "committed"]);
    const [refused] = await store.commit([aCommit("a", 2, old)]);
    t.match(refused, { kind: "refused", reason: /6.*7/ }, "the reason names both epochs");
    t.strictSame(kinds(await store.commit([aCommit("a", 3, { ...old, incarnation: "i2", replaces: "i1", snapshot: bytes("s") })])), ["refused"]);
    const again = await reopen();
    t.strictSame(kinds(await again.commit([aCommit("a", 2, old), aCommit("b", 2, old)])), ["refused", "committed"]);
    t.strictSame(kinds(await again.commit([aCommit("a", 2, { epoch: 8 }), aCommit("a", 3, { epoch: 7 }), aCommit("a", 3, { epoch: 8 })])), ["committed", "refused", "committed"]);
  });

  await check("T1. another incarnation is refused unless it names the one it replaces and opens with revision 1 or a snapshot", async (t, { store }) => {
    await store.commit([aCommit("a", 1, { snapshot: bytes("old state") }), aCommit("a", 2)]);
    const other = { incarnation: "i2" };
    t.strictSame(kinds(await store.commit([aCommit("a", 3, other)])), ["refused"]);
    t.strictSame(kinds(await store.commit([aCommit("a", 1, other)])), ["refused"], "a new beginning does not end a history that it does not name");
    t.strictSame(kinds(await store.commit([aCommit("a", 3, { ...other, replaces: "i0", snapshot: bytes("s") })])), ["refused"]);
    t.strictSame(kinds(await store.commit([aCommit("a", 3, { ...other, replaces: "i1" })])), ["refused"], "revision 3 alone would leave a hole");
    t.strictSame(kinds(await store.commit([aCommit("a", 3, { ...other, replaces: "i1", snapshot: bytes("new state") })])), ["committed"]);
    t.strictSame(kinds(await store.commit([aCommit("a", 4, { snapshot: bytes("late") })])), ["refused"], "a late commit of the old activation");
    t.strictSame(kinds(await store.commit([aCommit("a", 4, other)])), ["committed"]);
    const loaded = await store.load("acme/vehicle/a");
    t.equal(loaded?.incarnation, "i2");
    t.equal(text(loaded?.snapshot?.state), "new state");
    t.strictSame(
      loaded?.records.map(({ revision }) => revision),
      [4],
    );
    t.strictSame(
      (await store.journal({ entity: "acme/vehicle/a", limit: 10, order: "oldest-first" })).map(({ revision }) => revision),
      [3, 4],
      "the old records are gone",
    );
    t.strictSame(
      kinds(await store.commit([aCommit("b", 5), aCommit("c", 5, { snapshot: bytes("s") }), aCommit("d", 1, { replaces: "i0" })])),
      ["refused", "committed", "refused"],
      "the same for a first history",
    );
  });

  await check("S3. what was committed is loaded again: the newest snapshot and every record after it, without holes", async (t, { store, reopen }) => {
    for (let revision = 1; revision <= 25; revision++) await store.commit([aCommit("a", revision, revision % 10 === 0 ? { snapshot: bytes(`state ${String(revision)}`) } : {})]);
    for (const next of [async () => store, reopen]) {
      const opened = await next();
      const loaded = await opened.load("acme/vehicle/a");
      t.match(loaded, { entity: "acme/vehicle/a", type: "vehicle", incarnation: "i1", revision: 25 });
      t.equal(loaded?.snapshot?.revision, 20);
      t.equal(text(loaded?.snapshot?.state), "state 20");
      t.strictSame(
        loaded?.records.map(({ revision, at, record }) => [revision, at, text(record)]),
        [21, 22, 23, 24, 25].map((revision) => [revision, 1000 + revision, `a#${String(revision)}`]),
      );
      t.equal(await opened.load("acme/vehicle/b"), undefined);
      t.equal(await opened.revisionOf("acme/vehicle/b"), undefined);
    }
  });

  await check("trim never goes beyond the older of the two kept snapshots, and revisions go on after it", async (t, { store, reopen }) => {
    const revisions = async (of: Store): Promise<readonly number[]> =>
      (await of.journal({ entity: "acme/vehicle/a", limit: 10, order: "oldest-first" })).map(({ revision }) => revision);
    await store.commit([aCommit("a", 1), aCommit("b", 1)]);
    await store.trim("acme/vehicle/a", 1);
    await store.trim("acme/vehicle/none", 5);
    t.equal((await store.load("acme/vehicle/a"))?.records.length, 1, "no snapshot, nothing to trim");
    await store.commit([aCommit("a", 2, { snapshot: bytes("two") })]);
    await store.commit([aCommit("a", 3)]);
    await store.trim("acme/vehicle/a", 99);
    t.strictSame(await revisions(store), [1, 2, 3], "with one snapshot the records are the second way back");
    await store.commit([aCommit("a", 4, { snapshot: bytes("four") })]);
    await store.trim("acme/vehicle/a", 1);
    t.strictSame(await revisions(store), [2, 3, 4]);
    await store.trim("acme/vehicle/a", 99);
    t.strictSame(await revisions(store), [3, 4]);
    await store.commit([aCommit("a", 5, { snapshot: bytes("five") })]);
    await store.trim("acme/vehicle/a", 99);
    const again = await reopen();
    t.strictSame(await revisions(again), [5]);
    t.strictSame(await again.revisionOf("acme/vehicle/a"), { incarnation: "i1", revision: 5 });
    t.strictSame((await again.load("acme/vehicle/a"))?.records, []);
    t.strictSame(kinds(await again.commit([aCommit("a", 5), aCommit("a", 6)])), ["refused", "committed"]);
    t.equal((await again.load("acme/vehicle/b"))?.records.length, 1, "others keep theirs");
  });

  await check("S3. a damaged newest snapshot falls back to the older one with its journal, which trimming has kept", async (t, { store, damage }) => {
    for (let revision = 1; revision <= 25; revision++) await store.commit([aCommit("a", revision, revision % 10 === 0 ? { snapshot: bytes(`state ${String(revision)}`) } : {})]);
    await store.trim("acme/vehicle/a", 25);
    const once = await damage("acme/vehicle/a", { snapshot: 20 });
    const loaded = await once.load("acme/vehicle/a");
    t.strictSame(loaded?.damaged, [20], "what was passed over is said");
    t.equal(text(loaded?.snapshot?.state), "state 10");
    t.strictSame(
      loaded?.records.map(({ revision }) => revision),
      Array.from({ length: 15 }, (_, index) => 11 + index),
    );
    t.strictSame(await once.revisionOf("acme/vehicle/a"), { incarnation: "i1", revision: 25 });
    t.strictSame(kinds(await once.commit([aCommit("a", 26, { snapshot: bytes("state 26") })])), ["committed"]);
    const mended = await once.load("acme/vehicle/a");
    t.equal(mended?.damaged, undefined, "a snapshot that was passed over and is not the newest any more is no news");
    t.equal(text(mended?.snapshot?.state), "state 26");
    t.match(await cannotLoad(await damage("acme/vehicle/a", { snapshot: 26 })), /revision|nothing/, "never a state with a hole");
  });

  await check("S3. where both snapshots are damaged and no record was forgotten, the journal alone is the way back", async (t, { store, damage }) => {
    for (let revision = 1; revision <= 6; revision++) await store.commit([aCommit("a", revision, revision % 2 === 0 ? { snapshot: bytes("state") } : {})]);
    await damage("acme/vehicle/a", { snapshot: 6 });
    const opened = await damage("acme/vehicle/a", { snapshot: 4 });
    const loaded = await opened.load("acme/vehicle/a");
    t.strictSame(loaded?.damaged, [6, 4]);
    t.equal(loaded?.snapshot, undefined);
    t.equal(loaded?.records.length, 6);
  });

  await check("a damaged record that recovery needs is an error that names it; one that it does not need is a hole in the history", async (t, { store, damage }) => {
    for (let revision = 1; revision <= 6; revision++) await store.commit([aCommit("a", revision, revision === 4 ? { snapshot: bytes("state") } : {}), aCommit("b", revision)]);
    const opened = await damage("acme/vehicle/a", { record: 2 });
    t.equal((await opened.load("acme/vehicle/a"))?.records.length, 2);
    t.strictSame(
      (await opened.journal({ entity: "acme/vehicle/a", limit: 10, order: "oldest-first" })).map(({ revision }) => revision),
      [1, 3, 4, 5, 6],
    );
    t.strictSame(
      (await opened.journal({ entity: "acme/vehicle/a", limit: 3, order: "oldest-first" })).map(({ revision }) => revision),
      [1, 3, 4],
      "a page is short only where the journal ends",
    );
    const again = await damage("acme/vehicle/a", { record: 5 });
    const why = await cannotLoad(again);
    t.match(why, /acme\/vehicle\/a|nothing/);
    if (why === "nothing is there") return;
    t.equal((await again.load("acme/vehicle/b"))?.records.length, 6, "others are read");
    t.strictSame(kinds(await again.commit([aCommit("a", 7), aCommit("b", 7)])), ["committed", "committed"]);
  });

  await check("C1, C3. a value that a commit carries is written with it, and not where it is refused; of two in a batch the later stays", async (t, { store, reopen }) => {
    const carrying = (word: string): Partial<EntityCommit> => ({ value: { key: "k", value: bytes(word) } });
    const outcomes = await store.commit([aCommit("a", 1, carrying("one")), aCommit("b", 7, carrying("two")), aCommit("c", 1)]);
    t.strictSame(kinds(outcomes), ["committed", "refused", "committed"]);
    t.equal(text(await store.values.get("k")), "one");
    await store.commit([aCommit("a", 2, carrying("three")), aCommit("c", 2, carrying("four"))]);
    const malformed = [
      { key: "", value: bytes("five") },
      { key: "k", value: "six" as never },
      { key: "half \ud800", value: bytes("seven") },
    ];
    t.strictSame(kinds(await store.commit(malformed.map((value, index) => aCommit(`m${String(index)}`, 1, { value })))), ["refused", "refused", "refused"]);
    const again = await reopen();
    t.equal(text(await again.values.get("k")), "four");
  });

  await check("a type that keeps states and no history: what neither snapshot needs is forgotten in the same transaction", async (t, { store, reopen, damage }) => {
    for (let revision = 1; revision <= 9; revision++) {
      t.strictSame(
        kinds(await store.commit([aCommit("a", revision, { snapshot: bytes(`state ${String(revision)}`), forgetsOlder: true }), aCommit("b", revision, { forgetsOlder: true })])),
        ["committed", "committed"],
      );
    }
    const again = await reopen();
    t.strictSame(
      (await again.journal({ entity: "acme/vehicle/a", limit: 10, order: "oldest-first" })).map(({ revision }) => revision),
      [9],
    );
    t.equal((await again.load("acme/vehicle/b"))?.records.length, 9, "without a snapshot nothing is forgotten");
    const fallen = await (await damage("acme/vehicle/a", { snapshot: 9 })).load("acme/vehicle/a");
    t.equal(text(fallen?.snapshot?.state), "state 8");
    t.strictSame(
      fallen?.records.map(({ revision }) => revision),
      [9],
    );
  });

  await check("records and snapshots of every size come back byte for byte, and what is larger than the bound is refused alone", async (t, { store, reopen }) => {
    const sizes = [0, 1, 4095, 4096, 4097, 65_536, 3_000_000];
    const random = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, index) => (index * 2_654_435_761) >>> 24);
    t.ok(kinds(await store.commit(sizes.map((size) => aCommit(`s${String(size)}`, 1, { record: random(size), snapshot: random(size) })))).every((kind) => kind === "committed"));
    const tooBig = new Uint8Array(32 * 1024 * 1024 + 1);
    t.strictSame(kinds(await store.commit([aCommit("big", 1, { record: tooBig }), aCommit("big2", 1, { snapshot: tooBig }), aCommit("fits", 1)])), [
      "refused",
      "refused",
      "committed",
    ]);
    const again = await reopen();
    for (const size of sizes) {
      const entity = `acme/vehicle/s${String(size)}`;
      t.ok(Buffer.from(random(size)).equals((await again.load(entity))?.snapshot?.state ?? new Uint8Array(1)), `a snapshot of ${String(size)} bytes`);
      const [record] = await again.journal({ entity, limit: 1, order: "newest-first" });
      t.ok(Buffer.from(random(size)).equals(record?.record ?? new Uint8Array(1)), `a record of ${String(size)} bytes`);
    }
  });

  await check("names are any well-formed text of at most 512 characters, and are told apart by their characters alone", async (t, { store, reopen }) => {
    const names = ["a", "A", "ä", "a\u0308", "車/両", "😀", "%", "_", "'; DROP TABLE journal; --", " ", "a ", "x".repeat(512)];
    t.ok(kinds(await store.commit(names.map((entity) => aCommit("", 1, { entity, incarnation: entity, record: bytes(entity) })))).every((kind) => kind === "committed"));
    t.strictSame(kinds(await store.commit(["", "x".repeat(513), "nul \0", "half \udc00"].map((entity) => aCommit("", 1, { entity })))), [
      "refused",
      "refused",
      "refused",
      "refused",
    ]);
    const again = await reopen();
    for (const entity of names) {
      const loaded = await again.load(entity);
      t.strictSame([loaded?.incarnation, text(loaded?.records[0]?.record)], [entity, entity]);
    }
    t.equal((await again.entities(undefined, 100)).length, names.length);
    await again.values.set("ключ/😀", bytes("v"));
    t.strictSame(
      (await again.values.entries("ключ/")).map(({ key }) => key),
      ["ключ/😀"],
    );
  });

  await check("C3. batches of many entities that are posted at once end in their order, each entity's revisions without holes", async (t, { store, reopen }) => {
    const batches = Array.from({ length: 40 }, (_, revision) => Array.from({ length: 1 + ((revision * 7) % 13) }, (_, id) => aCommit(`e${String(id)}`, 0, { at: revision })));
    const next = new Map<string, number>();
    const posted = batches.map((batch) =>
      batch.map((commit) => {
        const revision = (next.get(commit.entity) ?? 0) + 1;
        next.set(commit.entity, revision);
        return { ...commit, revision };
      }),
    );
    const outcomes = await Promise.all(posted.map((batch) => store.commit(batch)));
    t.ok(outcomes.flat().every(({ kind }) => kind === "committed"));
    const again = await reopen();
    for (const [entity, revision] of next) t.strictSame(await again.revisionOf(entity), { incarnation: "i1", revision });
  });

  await check("C2. what a commit came to can be asked for right after it, also while it is under way", async (t, { store }) => {
    const committing = store.commit([aCommit("a", 1, { record: new Uint8Array(500_000) })]);
    const asked = store.revisionOf("acme/vehicle/a");
    t.strictSame([await asked, kinds(await committing)], [{ incarnation: "i1", revision: 1 }, ["committed"]], "a question is answered after what was handed over before it");
  });

  await check("C1. the type of a history does not change", async (t, { store }) => {
    await store.commit([aCommit("a", 1)]);
    const [outcome] = await store.commit([aCommit("a", 2, { type: "alarm" })]);
    t.match(outcome, { kind: "refused", reason: /vehicle.*alarm/ });
  });

  await check("the journal is read in pages, from either end", async (t, { store }) => {
    for (let revision = 1; revision <= 9; revision++) await store.commit([aCommit("a", revision), aCommit("b", revision)]);
    const revisions = async (query: object): Promise<number[]> =>
      (await store.journal({ entity: "acme/vehicle/a", limit: 3, order: "oldest-first", ...query })).map(({ revision }) => revision);
    t.strictSame(await revisions({}), [1, 2, 3]);
    t.strictSame(await revisions({ after: 3 }), [4, 5, 6]);
    t.strictSame(await revisions({ after: 8 }), [9]);
    t.strictSame(await revisions({ after: 3, before: 5 }), [4]);
    t.strictSame(await revisions({ order: "newest-first" }), [9, 8, 7]);
    t.strictSame(await revisions({ order: "newest-first", before: 7 }), [6, 5, 4]);
    t.strictSame(await revisions({ entity: "acme/vehicle/none" }), []);
  });

  await check("entities are listed by address, page by page", async (t, { store }) => {
    await store.commit(["c", "a", "b"].map((entity) => aCommit(entity, 1)));
    await store.commit([{ ...aCommit("x", 1), entity: "acme/alarm/x", type: "alarm" }]);
    await store.commit([aCommit("b", 2)]);
    const { incarnation } = aCommit("a", 1);
    t.strictSame(await store.entities(undefined, 2), [
      { entity: "acme/alarm/x", type: "alarm", incarnation, revision: 1 },
      { entity: "acme/vehicle/a", type: "vehicle", incarnation, revision: 1 },
    ]);
    t.strictSame(await store.entities("acme/vehicle/a", 2), [
      { entity: "acme/vehicle/b", type: "vehicle", incarnation, revision: 2 },
      { entity: "acme/vehicle/c", type: "vehicle", incarnation, revision: 1 },
    ]);
    t.strictSame(await store.entities("acme/vehicle/c", 2), []);
  });

  await check("what is handed over is copied, of any class of bytes: its memory is the caller's again, and is not kept", async (t, { store }) => {
    for (const kind of [(text: string): Uint8Array => bytes(text), (text: string): Uint8Array => Buffer.from(text)]) {
      const entity = kind("").constructor.name.toLowerCase();
      const handed = { record: kind("record"), snapshot: kind("snapshot"), value: kind("value"), single: kind("single"), several: kind("several") };
      const all = Promise.all([
        store.commit([aCommit(entity, 1, { snapshot: handed.snapshot, value: { key: `${entity}/carried`, value: handed.value } }), aCommit(entity, 2, { record: handed.record })]),
        store.values.set(`${entity}/single`, handed.single),
        store.values.write([{ key: `${entity}/several`, value: handed.several }]),
      ]);
      for (const each of Object.values(handed)) each.fill(0);
      await all;
      const loaded = await store.load(`acme/vehicle/${entity}`);
      t.strictSame([text(loaded?.snapshot?.state), text(loaded?.records[0]?.record)], ["snapshot", "record"], entity);
      t.strictSame(
        (await store.values.entries(`${entity}/`)).map(({ key, value }) => [key, text(value)]),
        [
          [`${entity}/carried`, "value"],
          [`${entity}/several`, "several"],
          [`${entity}/single`, "single"],
        ],
      );
    }
  });

  await check("values: the last write wins and outlives a restart", async (t, { store, reopen }) => {
    t.equal(await store.values.get("offset/a"), undefined);
    const reused = bytes("1");
    const written = store.values.set("offset/a", reused);
    reused.fill(0);
    await written;
    t.equal(text(await store.values.get("offset/a")), "1");
    await store.values.set("offset/a", bytes("2"));
    await store.values.set("offset/b", bytes(""));
    await store.values.set("offsetless", bytes("3"));
    await store.values.set("offset/c", bytes("4"));
    await store.values.delete("offset/c");
    await store.values.delete("offset/none");
    const again = await reopen();
    t.equal(text(await again.values.get("offset/a")), "2");
    t.strictSame(
      (await again.values.entries("offset/")).map(({ key, value }) => [key, text(value)]),
      [
        ["offset/a", "2"],
        ["offset/b", ""],
      ],
    );
    t.equal((await again.values.entries("")).length, 3);
  });

  await check("values that are written at once are written in their order, and who reads after them sees them", async (t, { store, reopen }) => {
    const writes = Array.from({ length: 700 }, (_, at) =>
      at % 7 === 3 ? store.values.delete(`many/${String(at % 100)}`) : store.values.set(`many/${String(at % 100)}`, bytes(String(at))),
    );
    const seen = [store.values.get("many/99"), store.values.entries("many/")] as const;
    await Promise.all(writes);
    const expected = new Map<string, string>();
    for (let at = 0; at < 700; at++)
      if (at % 7 === 3) expected.delete(`many/${String(at % 100)}`);
      else expected.set(`many/${String(at % 100)}`, String(at));
    t.equal(text(await seen[0]), expected.get("many/99"));
    for (const entries of [await seen[1], await (await reopen()).values.entries("many/")]) t.strictSame(new Map(entries.map(({ key, value }) => [key, text(value)])), expected);
  });

  await check("values are read in pages, by their keys", async (t, { store }) => {
    for (const key of ["due/30", "due/10", "due/20", "dub/9", "due", "dye/1"]) await store.values.set(key, bytes(key));
    const page = async (prefix: string, limit: number, after?: string): Promise<readonly string[]> =>
      (await store.values.entries(prefix, { limit, ...(after === undefined ? {} : { after }) })).map(({ key }) => key);
    t.strictSame(await page("due/", 2), ["due/10", "due/20"]);
    t.strictSame(await page("due/", 2, "due/20"), ["due/30"]);
    t.strictSame(await page("due/", 2, "due/15"), ["due/20", "due/30"], "what is named need not be there");
    t.strictSame(await page("due/", 2, "due/30"), []);
    t.strictSame(await page("due/", 2, "a"), ["due/10", "due/20"]);
    t.strictSame(await page("due/", 2, "dz"), []);
    t.strictSame(await page("", 100, "due"), ["due/10", "due/20", "due/30", "dye/1"]);
  });

  await check("names of all characters come in one order, whole and in pages of any size", async (t, { store, reopen }) => {
    const ends = ["", "a", "\ud7ff", "\ue000", "\uffee", "\u{10000}", "\u{1f600}", "\u{10ffff}", "\u{10ffff}z"];
    const keys = ends.map((end) => `k/${end}`);
    for (const key of [...keys.toReversed(), "k", "k0", "l", "\u{10ffff}"]) await store.values.set(key, bytes("x"));
    const entities = ends.slice(1).map((end) => `acme/vehicle/${end}`);
    await store.commit(entities.toReversed().map((entity) => aCommit("", 1, { entity })));
    const holds = async (each: Store): Promise<void> => {
      t.strictSame(
        (await each.values.entries("k/")).map(({ key }) => key),
        keys,
      );
      t.strictSame(
        (await each.entities(undefined, 100)).map(({ entity }) => entity),
        entities,
      );
      for (const limit of [1, 2, 5]) {
        const [found, foundEntities]: [string[], string[]] = [[], []];
        for (let more = keys.length; more > 0; more -= limit) {
          const [lastKey, lastEntity] = [found.at(-1), foundEntities.at(-1)];
          found.push(...(await each.values.entries("k/", { limit, ...(lastKey === undefined ? {} : { after: lastKey }) })).map(({ key }) => key));
          foundEntities.push(...(await each.entities(lastEntity, limit)).map(({ entity }) => entity));
        }
        t.strictSame([found, foundEntities], [keys, entities], `${String(limit)} a page`);
      }
    };
    await holds(store);
    await holds(await reopen());
  });

  await check("a page has a size from 1", async (t, { store }) => {
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      const reads: readonly Promise<unknown>[] = [
        store.entities(undefined, limit),
        store.journal({ entity: "acme/vehicle/a", limit, order: "oldest-first" }),
        store.values.entries("", { limit }),
      ];
      for (const read of reads) await t.rejects(read, { code: "DROVER_STORE_FAILED", message: /from 1/ }, String(limit));
    }
  });

  await check("values that are written together are written in their order, all of them or none", async (t, { store, reopen }) => {
    const reused = bytes("1");
    await store.values.write([]);
    await store.values.set("a", bytes("0"));
    const written = store.values.write([
      { key: "b", value: reused },
      { key: "c", value: bytes("2") },
      { key: "a", value: undefined },
      { key: "c", value: bytes("3") },
      { key: "none", value: undefined },
    ]);
    reused.fill(0);
    await written;
    const large = new Uint8Array(17 * 1024 * 1024);
    await t.rejects(store.values.write(Array.from({ length: 257 }, (_, at) => ({ key: `many/${String(at)}`, value: bytes("") }))), { code: "DROVER_STORE_FAILED" });
    await t.rejects(store.values.write(["d", "e"].map((key) => ({ key, value: large }))), { code: "DROVER_STORE_FAILED" });
    await t.rejects(
      store.values.write([
        { key: "f", value: bytes("") },
        { key: "g", value: "text" as never },
      ]),
      { code: "DROVER_STORE_FAILED" },
    );
    t.match(await store.commit([aCommit("a", 1)]), [{ kind: "committed" }], "no transaction is left open");
    await store.values.write(Array.from({ length: 256 }, (_, at) => ({ key: `many/${String(at)}`, value: at === 0 ? undefined : bytes("x") })));
    const again = await reopen();
    t.equal((await again.values.entries("many/")).length, 255);
    t.strictSame(
      (await again.values.entries("")).filter(({ key }) => key.length === 1).map(({ key, value }) => [key, text(value)]),
      [
        ["b", "1"],
        ["c", "3"],
      ],
    );
  });

  await check("C3. a batch has at most 256 commits", async (t, { store }) => {
    const many = Array.from({ length: 257 }, (_, index) => aCommit(`e${String(index)}`, 1));
    await t.rejects(store.commit(many), { code: "DROVER_STORE_FAILED" });
    t.ok(kinds(await store.commit(many.slice(0, 256))).every((kind) => kind === "committed"));
    t.strictSame(await store.commit([]), []);
  });

  await check("a caller may use its buffers again as soon as commit has returned its promise", async (t, { store }) => {
    const pool = bytes("first second");
    const commit = store.commit([aCommit("a", 1, { record: pool.subarray(0, 5), snapshot: pool.subarray(6) })]);
    pool.fill(0);
    await commit;
    t.equal(text((await store.load("acme/vehicle/a"))?.snapshot?.state), "second");
    t.strictSame(
      (await store.journal({ entity: "acme/vehicle/a", limit: 1, order: "oldest-first" })).map(({ record }) => text(record)),
      ["first"],
    );
  });

  await check("batches posted without waiting are carried out in their order", async (t, { store }) => {
    const outcomes = await Promise.all([1, 2, 3, 4].map((revision) => store.commit([aCommit("a", revision), aCommit("b", revision)])));
    t.ok(outcomes.flat().every(({ kind }) => kind === "committed"));
    t.strictSame(await store.revisionOf("acme/vehicle/a"), { incarnation: "i1", revision: 4 });
  });

  await check(
    "T1. histories of a store that was put back may have gone back, until a new incarnation replaces them; it is told until something is committed",
    async (t, { store, reopen, putBack }) => {
      await store.commit([aCommit("a", 1), aCommit("b", 1)]);
      const isRestored = async (of: Store, name: string): Promise<unknown> => (await of.load(`acme/vehicle/${name}`))?.isRestored;
      t.strictSame([await isRestored(store, "a"), await isRestored(await reopen(), "a")], [undefined, undefined]);
      await putBack();
      const back = await putBack();
      t.match(await back.open(), { created: false, restored: { reason: /put back/ } }, "as long as nothing was committed");
      t.strictSame([await isRestored(back, "a"), await isRestored(back, "b")], [true, true]);
      t.strictSame(kinds(await back.commit([aCommit("a", 2, { incarnation: "i2", replaces: "i1", snapshot: bytes("a") }), aCommit("b", 2), aCommit("c", 1)])), [
        "committed",
        "committed",
        "committed",
      ]);
      const again = await reopen();
      t.strictSame([await isRestored(again, "a"), await isRestored(again, "b"), await isRestored(again, "c")], [undefined, true, undefined]);
      const second = await putBack();
      t.match(await second.open(), { restored: {} }, "and once more");
      t.strictSame([await isRestored(second, "a"), await isRestored(second, "c")], [true, true]);
    },
  );

  await check("a closed store says so", async (t, { store }) => {
    await store.close();
    await t.rejects(store.revisionOf("acme/vehicle/a"), { code: "DROVER_STORE_FAILED" });
    await store.close();
  });
}
