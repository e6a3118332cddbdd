import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { type SqliteLog, sqliteLog, SqliteThread, type SqliteLogOptions } from "../../../protocols/sqlite/index.ts";
import { loadDriver } from "../../../protocols/sqlite/driver.ts";
import { LOG_APPLICATION_ID, LOG_MIGRATIONS } from "../../../protocols/sqlite/log-file.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { type LogClass, silentLog } from "../../../runtime/ports/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { anEntry, appendLogContract, fullDiskContract, LOG_CONTRACT_BUDGET_BYTES, readAll } from "../../contracts/append-log.ts";

const MIXES: readonly (readonly LogClass[])[] = [
  ["A", "A", "A", "A", "B", "C"],
  ["B", "B", "B", "B", "B", "B", "A", "C"],
  ["A", "A", "A", "A", "A", "A", "A", "A", "A", "B"],
  ["C", "C", "C", "C", "A", "B"],
];

async function openLog(t: Test, path: string, more: Partial<SqliteLogOptions> = {}): Promise<SqliteLog> {
  const log = sqliteLog({ path, maxBytes: LOG_CONTRACT_BUDGET_BYTES, log: silentLog, clock: systemClock, random: new SeededRandom(1), ...more });
  t.teardown(() => log.close());
  await log.open();
  return log;
}

test("the SQLite log keeps the append log contract", async (t) => {
  let runs = 0;
  await appendLogContract(t, async () => {
    const path = join(t.testdir(), `telemetry-${String(runs++)}.db`);
    let log = await openLog(t, path);
    return {
      log,
      reopen: async () => {
        await log.close();
        log = await openLog(t, path);
        return log;
      },
      teardown: () => log.close(),
    };
  });
});

test("S5. the SQLite log keeps the contract on a disk that is full for a while", async (t) => {
  let runs = 0;
  await fullDiskContract(t, async () => {
    const path = join(t.testdir(), `full-${String(runs++)}.db`);
    let log = await openLog(t, path, { maxPages: 40 });
    return {
      log,
      fill: async () => {
        for (;;) {
          const refused = await log.append([anEntry("B", 1000)]).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (refused === undefined) continue;
          t.match(refused, { code: "DROVER_STORE_FAILED", message: /full/ });
          return 1;
        }
      },
      free: async () => {
        await log.acknowledge((await log.totals()).lastSeq - 3);
      },
      reopen: async () => {
        await log.close();
        log = await openLog(t, path);
        return log;
      },
      teardown: () => log.close(),
    };
  });
});

test("S5. gaps are bounded in number: the oldest of a class that tell of the same are joined, and their counts stay", async (t) => {
  const log = await openLog(t, join(t.testdir(), "telemetry.db"), { maxPages: 200 });
  const appended = async (bytes: number): Promise<boolean> =>
    log.append([anEntry("A", bytes)]).then(
      () => true,
      () => false,
    );
  let lost = 0;
  // A batch of that size never fits, a small one does.
  for (let round = 0; round < 300; round++) {
    const isWritten = await log.append(Array.from({ length: 300 }, () => anEntry("B", 900))).then(
      () => true,
      () => false,
    );
    if (isWritten) t.fail("it should not fit");
    lost += 300;
    t.ok(await appended(10));
  }
  const gaps = (await readAll(log)).filter((item) => item.kind === "gap");
  t.equal(gaps.length, 256);
  t.equal(
    gaps.reduce((sum, { count = 0 }) => sum + count, 0),
    lost,
  );
  t.equal((await log.totals()).dropped, lost);
});

test("S5. after the machine stopped, seqs go on behind what may have been given, and a gap says what may be lost", async (t) => {
  const path = join(t.testdir(), "telemetry.db");
  const thread = new SqliteThread({ clock: systemClock, log: silentLog });
  const first = await openLog(t, path, { thread, boot: "boot-1" });
  t.strictSame(await first.append([anEntry("A", 10), anEntry("C", 10)]), [1, 2]);
  // What the disk holds at this moment; a power cut may leave less, never more.
  const cut = (name: string): string => {
    const folder = join(t.testdirName, name);
    cpSync(path, join(folder, "telemetry.db"));
    cpSync(`${path}-wal`, join(folder, "telemetry.db-wal"));
    return join(folder, "telemetry.db");
  };

  const samePath = cut("same-boot");
  const same = await openLog(t, samePath, { boot: "boot-1" });
  t.strictSame(await same.append([anEntry("C", 10)]), [3], "after the process alone stopped nothing is lost and nothing skipped");

  const otherPath = cut("other-boot");
  const other = await openLog(t, otherPath, { boot: "boot-2" });
  const [seq = 0] = await other.append([anEntry("C", 10)]);
  t.ok(seq > 2, "no seq is given twice");
  t.match(
    (await readAll(other)).find((item) => item.kind === "gap"),
    { from: 3, to: seq - 1, count: undefined, class: undefined, reason: "not-flushed" },
  );
});

test("L2. a damaged log is moved aside, and the new one has another name, since its seqs begin again", async (t) => {
  const path = join(t.testdir(), "telemetry.db");
  const log = await openLog(t, path);
  await log.append([anEntry("A", 10)]);
  await log.close();
  writeFileSync(path, "this is not a database");
  const again = sqliteLog({ path, maxBytes: LOG_CONTRACT_BUDGET_BYTES, log: silentLog, clock: systemClock, random: new SeededRandom(2) });
  t.teardown(() => again.close());
  const opened = await again.open();
  t.ok(existsSync(join(opened.movedAside?.path ?? "", "telemetry.db")));
  t.not(opened.incarnation, new SeededRandom(1).id());
  t.equal(opened.totals.lastSeq, 0);
});

test("S6. the file stays near its budget however much is written, and a smaller budget is met at the next start", async (t) => {
  const path = join(t.testdir(), "telemetry.db");
  const maxBytes = 2 * 1024 * 1024;
  const log = await openLog(t, path, { maxBytes });
  for (let round = 0; round < 40; round++) await log.append(Array.from({ length: 64 }, (_, index) => anEntry("C", index * 150)));
  await log.close();
  t.ok(statSync(path).size <= maxBytes * 1.3, `${String(statSync(path).size)} bytes`);
  const smaller = await openLog(t, path, { maxBytes: maxBytes / 4 });
  t.ok((await smaller.totals()).bytes <= maxBytes / 4);
});

test("N5. class by class the oldest go, however the classes are mixed, what was acknowledged meanwhile, and across restarts", async (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = new SeededRandom(seed);
    const path = join(t.testdir(), `mixed-${String(seed)}.db`);
    let log = await openLog(t, path);
    let held: { readonly seq: number; readonly class: LogClass; readonly room: number }[] = [];
    const weights = MIXES[seed % MIXES.length] ?? [];
    for (let round = 0; round < 40; round++) {
      const batch = Array.from({ length: 1 + Math.floor(random.next() * 20) }, () =>
        anEntry(weights[Math.floor(random.next() * weights.length)] ?? "B", 100 + Math.floor(random.next() * 1_500)),
      );
      const before = (await log.totals()).bytes;
      const seqs = await log.append(batch);
      held = [...held, ...batch.map((entry, index) => ({ seq: seqs[index] ?? 0, class: entry.class, room: entry.bytes.byteLength + 48 }))];
      for (let bytes = before + held.slice(-batch.length).reduce((sum, { room }) => sum + room, 0); bytes > LOG_CONTRACT_BUDGET_BYTES; ) {
        const victim = (["C", "B", "A"] as const).map((logClass) => held.find((entry) => entry.class === logClass)).find((entry) => entry !== undefined);
        held = held.filter((entry) => entry !== victim);
        bytes -= victim?.room ?? bytes;
      }
      if (random.next() < 0.1) {
        const upTo = held[Math.floor(random.next() * held.length)]?.seq ?? 0;
        await log.acknowledge(upTo);
        held = held.filter(({ seq }) => seq > upTo);
      }
      if (random.next() < 0.05) {
        await log.close();
        log = await openLog(t, path);
      }
    }
    const kept = (await readAll(log)).filter((item) => item.kind === "entry").map(({ seq, class: logClass }) => ({ seq, class: logClass }));
    t.strictSame(
      kept,
      held.map(({ seq, class: logClass }) => ({ seq, class: logClass })),
      `seed ${String(seed)}`,
    );
    t.ok((await log.totals()).dropped > 0, "there was too much");
    await log.close();
  }
});

test("N5. a log of schema version 1 is brought up to date with its entries", async (t) => {
  const path = join(t.testdir(), "telemetry.db");
  const old = (await loadDriver()).open(path, { busyTimeoutMs: 0 });
  old.exec("PRAGMA journal_mode = WAL");
  old.exec(LOG_MIGRATIONS[0] ?? "");
  old.exec(`PRAGMA application_id = ${LOG_APPLICATION_ID}; PRAGMA user_version = 1`);
  old.exec("INSERT INTO log VALUES (1, 'i1', '', 2, 2, 0, 2, 98, 0)");
  old.exec("INSERT INTO entries VALUES (1, 'B', 5, x'01'), (2, 'A', 6, x'02')");
  old.close();
  const log = await openLog(t, path);
  t.match(await readAll(log), [
    { kind: "entry", seq: 1, class: "B", bytes: Uint8Array.of(1) },
    { kind: "entry", seq: 2, class: "A", bytes: Uint8Array.of(2) },
  ]);
  await log.close();
  const database = (await loadDriver()).open(path, { busyTimeoutMs: 0 });
  t.strictSame(database.ask("name", "sqlite_master WHERE type = 'index'"), ["entries_of_few"]);
  database.close();
});

test("a journal is not taken for a log", async (t) => {
  const path = join(t.testdir(), "other.db");
  execFileSync(process.execPath, [
    "--input-type=module",
    "-e",
    `import { DatabaseSync } from "@photostructure/sqlite"; const db = new DatabaseSync(${JSON.stringify(path)}); db.exec("CREATE TABLE mine (a)"); db.close();`,
  ]);
  const before = readdirSync(join(path, ".."));
  await t.rejects(openLog(t, path), { code: "DROVER_STORE_FAILED", message: /something else/ });
  t.strictSame(
    readdirSync(join(path, "..")).filter((name) => !name.includes(".lock") && !/-(?:wal|shm)$/.test(name)),
    before,
    "and left where it is",
  );
});

test("a log's budget and entries are checked", async (t) => {
  const path = join(t.testdir(), "telemetry.db");
  t.throws(() => sqliteLog({ path, maxBytes: 10, log: silentLog, clock: systemClock, random: new SeededRandom(1) }), { code: "DROVER_CONFIG_INVALID" });
  const log = await openLog(t, path);
  await t.rejects(log.append([{ at: Number.NaN, class: "A", bytes: new Uint8Array() }]), { code: "DROVER_STORE_FAILED" });
  await t.rejects(log.append([{ at: 1, class: "Z" as never, bytes: new Uint8Array() }]), { code: "DROVER_STORE_FAILED" });
  await t.rejects(log.append([{ at: 1, class: "A", bytes: "x" as never }]), { code: "DROVER_STORE_FAILED" });
  await t.rejects(log.read(0, 0), { code: "DROVER_STORE_FAILED" });
  t.match(log.metrics(), [{ name: "drover_log_entries" }, {}, {}]);
});
