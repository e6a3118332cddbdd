// The log of a store is folded into its file by the store's own thread, whatever was written, and SQLite never does so by itself.

import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { loadDriver } from "../../../protocols/sqlite/driver.ts";
import { openFile } from "../../../protocols/sqlite/open-file.ts";
import { journalContents } from "../../../protocols/sqlite/serve-journal.ts";
import { journalSpec, openStore, recordBytes } from "./_stored.ts";

const MIB = 1_048_576;

test("S5. the log of a store that is only told values stays short", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const store = await openStore(t, path);
  for (let value = 0; value < 100; value++) await store.values.set(`a/${String(value % 3)}`, recordBytes(value, 300_000));
  for (let value = 0; value < 30; value++) await store.values.write([0, 1, 2].map((each) => ({ key: `a/${String(each)}`, value: recordBytes(value, 300_000) })));
  t.ok(statSync(`${path}-wal`).size < 8 * MIB, String(statSync(`${path}-wal`).size));
  await store.close();
});

test("L3, S5. the log is folded when it is long, although less was told; never before", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const file = openFile(await loadDriver(), journalSpec(path), journalContents);
  const write = (bytes: number): void => {
    file.database.exec(`INSERT OR REPLACE INTO named_values (key, value) VALUES ('a', zeroblob(${String(bytes)}))`);
  };
  t.equal(file.written(5 * MIB), true, "much was told");
  write(10 * MIB);
  t.equal(file.written(0), false);
  const before = statSync(path).size;
  write(40 * MIB);
  t.ok(statSync(`${path}-wal`).size > 40 * MIB, "not in the commit, however large it is");
  t.equal(statSync(path).size, before);
  t.equal(file.written(0), true, "afterwards, since the log is long");
  t.ok(statSync(path).size > 40 * MIB);
  write(1);
  t.ok(statSync(`${path}-wal`).size <= 16 * MIB, "the next commit cuts it");
  t.equal(file.written(0), false);
  file.close();
});
