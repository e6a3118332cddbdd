import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { loadDriver } from "../../../protocols/sqlite/driver.ts";
import { JOURNAL_APPLICATION_ID, JOURNAL_MIGRATIONS } from "../../../protocols/sqlite/journal-file.ts";
import { openFile } from "../../../protocols/sqlite/open-file.ts";
import { type CallOptions, SqliteThread } from "../../../protocols/sqlite/sqlite-thread.ts";
import { journalContents } from "../../../protocols/sqlite/serve-journal.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { aCommit } from "../../contracts/store.ts";
import { damageRow, journalSpec, makeStore, openStore } from "./_stored.ts";

const child = fileURLToPath(new URL(`./_committing-child${import.meta.url.slice(-3)}`, import.meta.url));

test("a store from a newer version is refused with both versions, and not touched", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const store = await openStore(t, path);
  await store.commit([aCommit("a", 1)]);
  await store.close();
  const database = (await loadDriver()).open(path, { busyTimeoutMs: 0 });
  database.exec("PRAGMA user_version = 7");
  database.close();
  const before = readFileSync(path);
  await t.rejects(makeStore(t, path).open(), { code: "DROVER_STORE_NEWER", message: /version 7.*up to 3/ });
  t.ok(readFileSync(path).equals(before));
  t.notOk(readdirSync(t.testdirName).some((name) => name.includes("damaged")));
});

test("a SQLite file of something else is refused, and not touched", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const database = (await loadDriver()).open(path, { busyTimeoutMs: 0 });
  database.exec("CREATE TABLE mine (a)");
  database.close();
  const before = readFileSync(path);
  await t.rejects(makeStore(t, path).open(), { code: "DROVER_STORE_FAILED", message: /something else/ });
  t.ok(readFileSync(path).equals(before));
});

test("opening has time to read the whole file through, beside what an answer may take: a large one that was not closed must open some day", async (t) => {
  const path = join(t.testdir(), "journal.db");
  writeFileSync(path, "");
  truncateSync(path, 650_000_000);
  writeFileSync(`${path}-wal`, Buffer.alloc(1_000_000));
  let given: CallOptions | undefined;
  class Slow extends SqliteThread {
    override call(call: string, argument: unknown, options?: CallOptions): Promise<unknown> {
      given = options;
      return super.call(call, argument, options);
    }
  }
  const thread = new Slow({ clock: systemClock, log: silentLog });
  await makeStore(t, path, { thread }).open();
  t.same(given, { moreMs: 651_000 });
});

test("one process holds a store: a second one is told its path, and may have it when the first is gone", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const running = spawn(process.execPath, [child, path], { stdio: ["ignore", "pipe", "inherit"] });
  running.stdout.resume();
  await once(running.stdout, "data");
  await t.rejects(makeStore(t, path, { lockWaitMs: 50 }).open(), { code: "DROVER_STORE_LOCKED", message: `${path} is held by another process`, retryable: true });
  running.kill("SIGKILL");
  await once(running, "close");
  const store = await openStore(t, path, { lockWaitMs: 50 });
  await t.rejects(makeStore(t, path, { lockWaitMs: 50 }).open(), { code: "DROVER_STORE_LOCKED", message: `${path} is held by this process`, retryable: true });
  t.match(await store.revisionOf("acme/vehicle/v0"), { incarnation: "i1" }, "the first goes on");
});

test("L1. the main loop runs while the store waits for a disk or a lock", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const holder = await openStore(t, path);
  const waiting = makeStore(t, path, { lockWaitMs: 600 });
  const waited = await watchLoop(() => t.rejects(waiting.open(), { code: "DROVER_STORE_LOCKED" }));
  t.ok(waited.tookMs > 500 && waited.longestMs < waited.tookMs / 2, `waiting took ${waited.tookMs.toFixed(0)} ms, the longest pause of the loop ${waited.longestMs.toFixed(0)} ms`);

  const snapshot = new Uint8Array(300_000);
  const batch = Array.from({ length: 100 }, (_, index) => aCommit(`e${String(index)}`, 1, { snapshot }));
  const committed = await watchLoop(() => holder.commit(batch));
  t.ok(
    committed.longestMs < Math.max(20, committed.tookMs / 2),
    `a commit of 30 MB took ${committed.tookMs.toFixed(0)} ms, the longest pause of the loop ${committed.longestMs.toFixed(0)} ms`,
  );
});

/** How long `run` took, and the longest time the loop of this thread stood still meanwhile (beyond the 2 ms between looks). */
async function watchLoop(run: () => Promise<unknown>): Promise<{ readonly tookMs: number; readonly longestMs: number }> {
  const began = systemClock.monotonic();
  const phase = { over: false };
  const running = run().finally(() => {
    phase.over = true;
  });
  // What packing takes happens before the first look and belongs to the pause as well.
  let longestMs = systemClock.monotonic() - began;
  while (!phase.over) {
    const before = systemClock.monotonic();
    await delay(2);
    longestMs = Math.max(longestMs, systemClock.monotonic() - before - 2);
  }
  await running;
  return { tookMs: systemClock.monotonic() - began, longestMs };
}

test("a path that cannot be a store is an error that names it", async (t) => {
  const folder = t.testdir({ file: "", closed: {} });
  await t.rejects(makeStore(t, join(folder, "file", "journal.db")).open(), { code: "DROVER_STORE_FAILED", message: join(folder, "file") });
  await t.rejects(makeStore(t, folder).open(), { code: "DROVER_STORE_FAILED", message: folder });
  if (process.getuid?.() !== 0) {
    chmodSync(join(folder, "closed"), 0o500);
    await t.rejects(makeStore(t, join(folder, "closed", "journal.db")).open(), { code: "DROVER_STORE_FAILED" });
  }
});

test("a lock file with something in it is emptied", async (t) => {
  const path = join(t.testdir(), "journal.db");
  writeFileSync(`${path}.lock`, "12345\nsome text that is no database and longer than a header of one hundred bytes, so that it is looked at as one");
  const store = await openStore(t, path, { lockWaitMs: 50 });
  t.equal(statSync(`${path}.lock`).size, 0);
  await store.close();
});

test("a creation that was interrupted is completed", async (t) => {
  const path = join(t.testdir(), "journal.db");
  writeFileSync(path, "");
  t.match(await makeStore(t, path).open(), { created: true, movedAside: undefined });
  const other = join(t.testdirName, "other.db");
  const database = (await loadDriver()).open(other, { busyTimeoutMs: 0 });
  database.exec("PRAGMA journal_mode = WAL");
  database.close();
  t.ok(statSync(other).size > 0);
  const store = makeStore(t, other);
  t.match(await store.open(), { movedAside: undefined });
  t.match(await store.commit([aCommit("a", 1)]), [{ kind: "committed" }]);
});

test("S3. what durability needs is really set on the connection", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const file = openFile(await loadDriver(), { ...journalSpec(path), busyTimeoutMs: 10 }, journalContents);
  const { database } = file;
  const setting = (name: string): unknown => database.ask(name, `pragma_${name}`)[0];
  t.equal(setting("journal_mode"), "wal");
  t.equal(setting("synchronous"), 2, "FULL: flushed at every commit");
  t.equal(setting("locking_mode"), "exclusive");
  t.equal(setting("user_version"), 3);
  t.equal(setting("application_id"), JOURNAL_APPLICATION_ID);
  t.equal(setting("cell_size_check"), 1);
  t.equal(database.ask("sql", "sqlite_master").length, 6, "tables and their indexes");
  file.close();
  t.notOk(existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0, "a clean end leaves no log");
});

test("a file of schema version 1 is brought up to date: its snapshots and records, which have no checksums, are believed", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const old = (await loadDriver()).open(path, { busyTimeoutMs: 0 });
  old.exec("PRAGMA journal_mode = WAL");
  old.exec(JOURNAL_MIGRATIONS[0] ?? "");
  old.exec(`PRAGMA application_id = ${JOURNAL_APPLICATION_ID}; PRAGMA user_version = 1`);
  old.exec("INSERT INTO histories (number, entity, type, incarnation) VALUES (7, 'acme/vehicle/a', 'vehicle', 'i1')");
  old.exec("INSERT INTO journal (history, revision, epoch, at, record) VALUES (7, 1, 1, 1, x'01'), (7, 2, 1, 2, x'02'), (7, 3, 1, 3, x'03')");
  old.exec("INSERT INTO snapshots (history, revision, state) VALUES (7, 2, x'aa')");
  old.close();
  const store = await openStore(t, path);
  t.match(await store.load("acme/vehicle/a"), { incarnation: "i1", revision: 3, snapshot: { revision: 2, state: Uint8Array.of(0xaa) }, records: [{ revision: 3 }] });
  t.match(await store.commit([aCommit("a", 4, { snapshot: Uint8Array.of(0xbb) })]), [{ kind: "committed" }]);
  await store.close();
  await damageRow(path, "acme/vehicle/a", { snapshot: 4 });
  const again = await openStore(t, path);
  t.match(await again.load("acme/vehicle/a"), { damaged: [4], snapshot: { revision: 2 }, records: [{ revision: 3 }, { revision: 4 }] });
});
