import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { t as file, type Test, test } from "tap";
import { loadDriver } from "../../../protocols/sqlite/driver.ts";
import { type SqliteStore, sqliteStore } from "../../../protocols/sqlite/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { silentLog, type StoreOpened } from "../../../runtime/ports/index.ts";
import { aCommit } from "../../contracts/store.ts";
import { crashCopy, makeStore, openStore } from "./_stored.ts";

const WAL_HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4096;

/** A store that was killed, in a folder of its own: 40 commits in its file, 20 more in its log. */
let copies = 0;
async function killedStore(t: Test): Promise<string> {
  original ??= makeKilledStore();
  return crashCopy(await original, join(t.testdir(), `copy-${String(copies++)}`));
}

let original: Promise<string> | undefined;
async function makeKilledStore(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "drover-killed-"));
  file.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = join(folder, "journal.db");
  const open = async (): Promise<SqliteStore> => {
    const store = sqliteStore({ path, log: silentLog, clock: systemClock });
    await store.open();
    return store;
  };
  const first = await open();
  for (let revision = 1; revision <= 40; revision++) await first.commit([aCommit("a", revision, { record: new Uint8Array(3000).fill(revision) })]);
  await first.close();
  const second = await open();
  for (let revision = 41; revision <= 60; revision++) await second.commit([aCommit("a", revision)]);
  const copy = crashCopy(path, join(folder, "killed"));
  await second.close();
  return copy;
}

function overwrite(path: string, position: number, bytes: number): void {
  const file = openSync(path, "r+");
  writeSync(file, new Uint8Array(bytes).fill(0xa5), 0, bytes, position);
  closeSync(file);
}

/** Not a byte of its own choice: the log's header holds a random salt, which would have that byte once in 256 runs. */
function flipBit(path: string, position: number): void {
  const content = readFileSync(path);
  content.writeUInt8(content.readUInt8(position) ^ 0x01, position);
  writeFileSync(path, content);
}

test("a store that was killed opens with everything in its log", async (t) => {
  const path = await killedStore(t);
  t.ok(statSync(`${path}-wal`).size > WAL_HEADER_BYTES, "there is a log");
  const store = await openStore(t, path);
  t.equal((await store.load("acme/vehicle/a"))?.records.length, 60);
});

const damages: readonly (readonly [string, (path: string) => void])[] = [
  ["the file is cut in the middle of a page", (path) => truncateSync(path, statSync(path).size - 1000)],
  ["the file has lost half of its pages", (path) => truncateSync(path, Math.floor(statSync(path).size / 8192) * 4096)],
  ["the file's header is garbage", (path) => overwrite(path, 0, 100)],
  ["the whole file is garbage", (path) => overwrite(path, 0, statSync(path).size)],
  ["a page in the middle is garbage", (path) => overwrite(path, 4096 * 8, 4096)],
  ["the file is empty", (path) => truncateSync(path, 0)],
  ["the file is gone", (path) => rmSync(path)],
  ["the log is gone", (path) => rmSync(`${path}-wal`)],
  ["the log is cut to its header", (path) => truncateSync(`${path}-wal`, WAL_HEADER_BYTES)],
  ["the log is cut within its header", (path) => truncateSync(`${path}-wal`, 10)],
  ["the log's header is garbage", (path) => overwrite(`${path}-wal`, 0, 32)],
  ["one bit of the log's header is wrong", (path) => flipBit(`${path}-wal`, 17)],
  ["a page in the middle of the log is garbage", (path) => overwrite(`${path}-wal`, WAL_HEADER_BYTES + 3 * FRAME_BYTES + 500, 100)],
  ["a frame header in the middle of the log is garbage", (path) => overwrite(`${path}-wal`, WAL_HEADER_BYTES + 3 * FRAME_BYTES, 24)],
];

test("L2. a damaged store is moved aside as a whole, with its -wal and -shm as they were, and a new one opens", async (t) => {
  for (const [damage, inflict] of damages) {
    await t.test(damage, async (t) => {
      const path = await killedStore(t);
      inflict(path);
      writeFileSync(`${path}-shm`, "left behind");
      const before = new Map(["", "-wal"].filter((part) => existsSync(path + part)).map((part) => [part, readFileSync(path + part)]));
      const store = await openStoreWithResult(t, path);
      const folder = store.opened.movedAside?.path ?? "";
      t.match(store.opened, { created: true, movedAside: { path: /damaged-/, reason: /\S/ } });
      for (const [part, content] of before) t.ok(readFileSync(join(folder, basename(path) + part)).equals(content), `${part === "" ? "the file" : part} is kept as it was`);
      t.ok(existsSync(join(folder, `${basename(path)}-shm`)));
      t.equal(await store.store.revisionOf("acme/vehicle/a"), undefined);
      t.match(await store.store.commit([aCommit("a", 1, { incarnation: "i2" })]), [{ kind: "committed" }]);
      await store.store.close();
      const again = await openStoreWithResult(t, path);
      t.match(again.opened, { created: false, movedAside: undefined });
      t.strictSame(await again.store.revisionOf("acme/vehicle/a"), { incarnation: "i2", revision: 1 });
      t.equal(readdirSync(dirname(path)).filter((name) => name.includes(".damaged-")).length, 1, "and only once");
    });
  }
});

const interruptions: readonly (readonly [string, (wal: string) => void, number])[] = [
  ["cut in its last frame", (wal) => truncateSync(wal, statSync(wal).size - 100), 59],
  ["with its last frame unwritten", (wal) => overwrite(wal, statSync(wal).size - FRAME_BYTES, FRAME_BYTES), 59],
];

test("S3. what a crash leaves of its last write is no damage: the commits before it stay", async (t) => {
  for (const [name, inflict, revision] of interruptions) {
    await t.test(`a log ${name}`, async (t) => {
      const path = await killedStore(t);
      inflict(`${path}-wal`);
      const { store, opened } = await openStoreWithResult(t, path);
      t.equal(opened.movedAside, undefined);
      t.strictSame(await store.revisionOf("acme/vehicle/a"), { incarnation: "i1", revision });
    });
  }
});

test("L1, L2. a store whose file or log is lost, or that was put back from a copy, is known to have gone back and is moved aside; one that is only old is not", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const copy = (): string => crashCopy(path, join(t.testdirName, `copy-${String(copies++)}`));
  const first = await openStore(t, path);
  t.notOk(existsSync(`${path}.mark`), "nothing was confirmed yet");
  t.ok((await openStoreWithResult(t, crashCopy(path, join(t.testdirName, "unused")))).opened.movedAside === undefined);
  await first.commit([aCommit("a", 1)]);
  const young = copy();
  t.equal(statSync(young).size, 4_096, "everything is in the log");
  rmSync(`${young}-wal`);
  const lost = await openStoreWithResult(t, young);
  t.match(lost.opened, { created: true, movedAside: { reason: /gone back/ } });
  t.match(await lost.store.commit([aCommit("a", 1, { incarnation: "i2" })]), [{ kind: "committed" }]);
  await lost.store.close();
  t.match((await openStoreWithResult(t, young)).opened, { created: false, movedAside: undefined });

  const early = copy();
  // Folded while it is open, and written to again.
  for (let revision = 2; revision <= 8; revision++) await first.commit([aCommit("a", revision, { record: new Uint8Array(1_000_000) })]);
  await first.commit([aCommit("a", 9)]);
  const killed = copy();
  t.match((await openStoreWithResult(t, crashCopy(killed, join(t.testdirName, "whole")))).opened, { movedAside: undefined });
  rmSync(`${killed}-wal`);
  t.match((await openStoreWithResult(t, killed)).opened, { movedAside: { reason: /gone back/ } });
  copyFileSync(`${path}.mark`, `${early}.mark`);
  t.match((await openStoreWithResult(t, early)).opened, { movedAside: { reason: /gone back/ } }, "a copy from before");

  await first.close();
  for (let round = 0; round < 3; round++) {
    const again = await openStoreWithResult(t, path);
    t.equal(again.opened.movedAside, undefined);
    if (round === 1) await again.store.commit([aCommit("a", 10)]);
    await again.store.close();
  }
  const gone = copy();
  rmSync(gone);
  t.match((await openStoreWithResult(t, gone)).opened, { created: true, movedAside: { reason: /the file is gone/ } });
  writeFileSync(`${path}.mark`, "99 1");
  t.equal((await openStoreWithResult(t, path)).opened.movedAside, undefined, "a mark that is damaged is none");
});

test("T1, L2. a store without its mark was put back from a copy only where it was told that one stands beside it", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const copy = (): string => crashCopy(path, join(t.testdirName, `restored-${String(copies++)}`));
  const restoredAt = async (at: string): Promise<unknown> => {
    const { store, opened } = await openStoreWithResult(t, at);
    const { isRestored } = (await store.load("acme/vehicle/a")) ?? {};
    await store.close();
    t.equal(opened.movedAside, undefined);
    return [opened.restored !== undefined, isRestored];
  };
  const first = await openStore(t, path);
  await first.commit([aCommit("a", 1)]);
  const early = copy();
  t.strictSame(await restoredAt(copy()), [false, undefined], "killed in its first era");
  rmSync(`${early}.mark`);
  for (let n = 0; n < 2; n++) t.strictSame(await restoredAt(early), [true, true], "a copy of its first era, opened again before anything was committed");
  const store = await openStore(t, early);
  await store.commit([aCommit("b", 1)]);
  t.ok(existsSync(`${early}.mark`));
  await store.close();
  t.strictSame(await restoredAt(early), [false, true], "it is told no more, and what has not gone on under a new name still has to");

  await first.close();
  const beside = copy();
  rmSync(`${beside}.mark`);
  const database = (await loadDriver()).open(beside, { busyTimeoutMs: 1_000 });
  database.exec("DELETE FROM named_values WHERE key = 'store/marked'");
  database.close();
  t.strictSame(await restoredAt(beside), [false, undefined], "one of a release that did not tell, or one that no mark could be written for");
  const torn = copy();
  writeFileSync(`${torn}.mark`, "");
  t.strictSame(await restoredAt(torn), [false, undefined], "a mark that is damaged stands there");
});

test("T1. a store beside which no mark can be written is not taken for one that was put back", async (t) => {
  const path = join(t.testdir(), "journal.db");
  mkdirSync(`${path}.mark`);
  for (let revision = 1; revision <= 3; revision++) {
    const { store, opened } = await openStoreWithResult(t, path);
    t.equal(opened.restored, undefined);
    t.match(await store.commit([aCommit("a", revision)]), [{ kind: "committed" }]);
    await store.close();
  }
  rmSync(`${path}.mark`, { recursive: true });
  t.equal((await openStoreWithResult(t, path)).opened.restored, undefined);
});

test("L2. damage met while the store is in use is an error, and is moved aside at the next start", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const first = await openStore(t, path);
  for (let revision = 1; revision <= 10; revision++) await first.commit([aCommit("a", revision, { record: new Uint8Array(2_000_000).fill(revision) }), aCommit("b", revision)]);
  await first.close();
  const store = await openStore(t, path);
  overwrite(path, 4096 * 3, statSync(path).size - 4096 * 4);
  await t.rejects(store.load("acme/vehicle/a"), { code: "DROVER_STORE_FAILED" });
  t.ok(existsSync(`${path}.suspect`));
  await t.rejects(async () => {
    for (let attempt = 0; attempt < 3; attempt++) await store.load("acme/vehicle/a");
  });
  t.notMatch(await store.commit([aCommit("b", 11)]), [{ kind: "committed" }], "entities that live on it cannot commit to an empty one");
  await store.close();
  t.equal(readdirSync(dirname(path)).filter((name) => name.includes(".damaged-")).length, 0);
  const again = await openStoreWithResult(t, path);
  t.match(again.opened, { movedAside: { reason: /\S/ } });
  t.notOk(existsSync(`${path}.suspect`));
});

async function openStoreWithResult(t: Test, path: string): Promise<{ readonly store: SqliteStore; readonly opened: StoreOpened }> {
  const store = makeStore(t, path);
  return { store, opened: await store.open() };
}
