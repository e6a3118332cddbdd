import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "tap";
import { SqliteThread } from "../../../protocols/sqlite/index.ts";
import { MAX_PENDING, MAX_PENDING_FIRST } from "../../../protocols/sqlite/sqlite-thread.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock } from "../../../runtime/simulation/manual-clock.ts";
import { aCommit, kinds } from "../../contracts/store.ts";
import { openStore } from "./_stored.ts";

test("C2. when the thread ends in the middle of a commit its outcome is unknown, and revisionOf settles it", async (t) => {
  const thread = new SqliteThread({ clock: systemClock, log: silentLog });
  const store = await openStore(t, join(t.testdir(), "journal.db"), { thread });
  let revision = 0;
  let lost = 0;
  for (let round = 0; round < 8; round++) {
    t.strictSame(kinds(await store.commit([aCommit("a", revision + 1)])), ["committed"], "goes on where the store says");
    revision++;
    const commits = [1, 2, 3].map((step) => store.commit([aCommit("a", revision + step, { record: new Uint8Array(200_000) })]));
    await delay(round / 2);
    await thread.kill();
    const outcomes = kinds((await Promise.all(commits)).flat());
    lost += outcomes.filter((kind) => kind === "unknown").length;
    t.notOk(outcomes.includes("refused"), "never taken for undone");
    const settled = await eventually(() => store.revisionOf("acme/vehicle/a"));
    const least = revision + outcomes.filter((kind) => kind === "committed").length;
    t.ok(settled !== undefined && settled.revision >= least && settled.revision <= revision + 3, "at least what was acknowledged is there");
    revision = settled?.revision ?? 0;
    t.equal((await store.load("acme/vehicle/a"))?.records.length, revision, "without a hole");
  }
  t.ok(lost > 0, "the run had unknown outcomes");
  t.match(
    store.metrics().find(({ name }) => name === "drover_store_reopened_total"),
    { value: 8 },
  );

  async function eventually<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        // A pause lies between two starts of a thread that fails.
        if ((error as { retryable?: boolean }).retryable !== true) throw error;
        await delay(20);
      }
    }
  }
});

test("C2. a commit without an answer in time is unknown, and a question asked after it is answered after it", async (t) => {
  const clock = new ManualClock();
  const store = await openStore(t, join(t.testdir(), "journal.db"), { clock });
  const batch = Array.from({ length: 250 }, (_, index) => aCommit(`e${String(index)}`, 1, { record: new Uint8Array(100_000) }));
  const committing = store.commit(batch);
  const asking = t.rejects(store.revisionOf("acme/vehicle/e249"), { code: "DROVER_STORE_FAILED", retryable: true });
  await clock.advance(29_999);
  const revision = store.revisionOf("acme/vehicle/e249");
  await clock.advance(1);
  t.match(
    await committing,
    batch.map(() => ({ kind: "unknown", reason: /30000 ms/ })),
  );
  await asking;
  t.strictSame(await revision, { incarnation: "i1", revision: 1 });
  t.equal(clock.pending, 0, "no deadline is left armed");
});

test("S5. at most so many requests wait for the store: what is more is turned away at once, for certain undone", async (t) => {
  const store = await openStore(t, join(t.testdir(), "journal.db"));
  const asked = await Promise.allSettled([...Array.from({ length: MAX_PENDING + 10 }, () => store.revisionOf("acme/vehicle/a"))]);
  const away = asked.filter((result) => result.status === "rejected");
  t.equal(away.length, 10);
  t.match(away[0], { reason: { code: "DROVER_STORE_FAILED", retryable: true } });
  t.match(
    store.metrics().find(({ name }) => name === "drover_store_turned_away_total"),
    { value: 10 },
  );
});

test("S5. commits have room of their own, and are carried out before what waits longer and is no commit", async (t) => {
  const store = await openStore(t, join(t.testdir(), "journal.db"));
  let written = 0;
  const writes = Array.from({ length: MAX_PENDING }, (_, at) => store.values.set(`key/${String(at)}`, new Uint8Array(1)).then(() => written++));
  t.match(await store.commit([aCommit("a", 1)]), [{ kind: "committed" }]);
  t.ok(written < MAX_PENDING / 2, `it has waited for ${String(written)} of ${String(MAX_PENDING)} writes`);
  await Promise.all(writes);
  t.equal(written, MAX_PENDING);
});

test("S5. what commits cannot be queued for is refused for now: nothing was tried, and nothing is wrong with the history", async (t) => {
  const store = await openStore(t, join(t.testdir(), "journal.db"));
  const batches = await Promise.all(Array.from({ length: MAX_PENDING_FIRST + 1 }, (_, at) => store.commit([aCommit("a", at + 1)])));
  t.match(batches.pop(), [{ kind: "refused", passing: true, reason: /64 requests wait/ }]);
  t.ok(batches.flat().every(({ kind }) => kind === "committed"));
  t.match(await store.commit([aCommit("a", MAX_PENDING_FIRST + 1)]), [{ kind: "committed" }]);
});

test("a thread that ends again and again is started again only after a pause", async (t) => {
  const clock = new ManualClock();
  const thread = new SqliteThread({ clock, log: silentLog });
  const store = await openStore(t, join(t.testdir(), "journal.db"), { thread, clock });
  await store.commit([aCommit("a", 1)]);
  await thread.kill();
  await thread.start();
  await thread.kill();
  t.match(await store.commit([aCommit("a", 2)]), [{ kind: "refused", reason: /pause/ }], "nothing was posted");
  await clock.advance(100);
  t.match(await store.commit([aCommit("a", 2)]), [{ kind: "committed" }]);
});

test("what is asked while the store opens again after a crash is carried out in the order it was asked", async (t) => {
  const thread = new SqliteThread({ clock: systemClock, log: silentLog });
  const store = await openStore(t, join(t.testdir(), "journal.db"), { thread });
  t.strictSame(kinds(await store.commit([aCommit("a", 1)])), ["committed"]);
  await thread.kill();
  const commits = [2, 3, 4, 5].map((revision) => store.commit([aCommit("a", revision)]));
  const asked = store.revisionOf("acme/vehicle/a");
  t.strictSame(kinds((await Promise.all(commits)).flat()), ["committed", "committed", "committed", "committed"]);
  t.strictSame(await asked, { incarnation: "i1", revision: 5 });
});
