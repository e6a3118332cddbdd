// A store whose files are taken from under it while it is open.

import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { SqliteThread } from "../../../protocols/sqlite/sqlite-thread.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { aCommit, kinds } from "../../contracts/store.ts";
import { makeStore, openStore } from "./_stored.ts";

test("O4. files that are gone, or are not those that were opened, are missing; the same ones put back are not", async (t) => {
  const folder = join(t.testdir(), "data");
  const path = join(folder, "journal.db");
  const store = await openStore(t, path);
  const missing = (): Promise<string | undefined> | undefined => store.missing?.();
  t.strictSame(kinds(await store.commit([aCommit("a", 1)])), ["committed"]);
  t.equal(await missing(), undefined);
  renameSync(folder, `${folder}-away`);
  t.equal(await missing(), `${path} is gone`);
  mkdirSync(folder);
  for (const part of ["", "-wal"]) copyFileSync(`${folder}-away/journal.db${part}`, path + part);
  t.equal(await missing(), `another file is in the place of ${path}`);
  rmSync(folder, { recursive: true });
  renameSync(`${folder}-away`, folder);
  t.equal(await missing(), undefined);
  renameSync(`${path}-wal`, `${path}-wal-away`);
  t.equal(await missing(), `${path}-wal is gone`);
  renameSync(`${path}-wal-away`, `${path}-wal`);
  t.equal(await missing(), undefined);
  t.strictSame(kinds(await store.commit([aCommit("a", 2)])), ["committed"]);
  await store.close();
  t.equal(await missing(), undefined);
});

test("O4. a thread that is started again while the files are gone puts no empty ones in their place", async (t) => {
  const folder = join(t.testdir(), "data");
  const path = join(folder, "journal.db");
  const thread = new SqliteThread({ clock: systemClock, log: silentLog });
  const store = makeStore(t, path, { thread });
  await store.open();
  t.strictSame(kinds(await store.commit([aCommit("a", 1)])), ["committed"]);
  renameSync(folder, `${folder}-away`);
  await thread.kill();
  t.match(await store.commit([aCommit("a", 2)]), [{ kind: "refused", reason: /is gone, with what was committed to it/ }]);
  t.notOk(existsSync(folder));
  t.equal(await store.missing?.(), undefined, "its opening tells");
  renameSync(`${folder}-away`, folder);
  for (let tries = 0; (await store.revisionOf("acme/vehicle/a").catch(() => undefined)) === undefined && tries < 100; tries++)
    await new Promise<void>((resolve) => void systemClock.setTimeout(resolve, 50));
  t.strictSame(kinds(await store.commit([aCommit("a", 2)])), ["committed"], "and goes on where it was");
});
