// A power cut at every kind of moment: what was acknowledged is there, and nothing is taken for damage (promise S3; rules L2, L3).

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { loadDriver } from "../../../protocols/sqlite/driver.ts";
import { loadIdentity } from "../../../protocols/sqlite/index.ts";
import { JournalFile } from "../../../protocols/sqlite/journal-file.ts";
import { openFile } from "../../../protocols/sqlite/open-file.ts";
import { journalContents } from "../../../protocols/sqlite/serve-journal.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { faultyDisk, needsFaultyDisk } from "../../faulty-disk/index.ts";
import { type Operation, PowerCuts, readRecord, type Survival } from "../../faulty-disk/power-cuts.ts";
import { journalSpec, recordBytes } from "./_stored.ts";

const identityChild = fileURLToPath(new URL(`./_identity-child${import.meta.url.slice(-3)}`, import.meta.url));
const child = fileURLToPath(new URL(`./_faulty-child${import.meta.url.slice(-3)}`, import.meta.url));
const SURVIVALS: readonly Survival[] = ["nothing", "everything", "some sectors"];
/** Of moments that are no flush and no word, so many are looked at. */
const OTHER_MOMENTS = 16;
/** What is looked at lies in memory where the machine has a folder for that: each look flushes, and a disk that keeps its word takes its time. */
const SCRATCH = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

function lived(folder: string, record: string, runs: readonly (readonly [commits: number, bytes: number, end: "close" | "kill"])[]): readonly Operation[] {
  for (const [commits, bytes, end] of runs) {
    const { status, signal, stderr } = spawnSync(process.execPath, [child, join(folder, "journal.db"), String(commits), String(bytes), end], {
      env: faultyDisk({ under: folder, record }),
      encoding: "utf8",
    });
    if (status !== 0 && signal !== "SIGKILL") throw new Error(stderr);
  }
  return readRecord(record).filter(({ name }) => !name.includes(".lock"));
}

test("L1. after a power cut at any moment the identity that was saved last is there, or the one after it; nobody has to make one up", needsFaultyDisk, async (t) => {
  const folder = join(t.testdir(), "disk");
  const record = join(t.testdirName, "record");
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync(process.execPath, [identityChild, folder, "6"], { env: faultyDisk({ under: folder, record }), encoding: "utf8" });
  t.equal(status, 0, stderr);
  const operations = readRecord(record);
  const random = new SeededRandom(11);
  const disk = new PowerCuts();
  const scratch = mkdtempSync(join(SCRATCH, "drover-cuts-"));
  t.teardown(() => {
    rmSync(scratch, { recursive: true, force: true });
  });
  let saved = 0;
  let cuts = 0;
  for (const [index, operation] of operations.entries()) {
    if (operation.name === "said") saved++;
    else disk.step(operation);
    for (const survival of [...SURVIVALS, "some sectors", "some sectors"] as const) {
      const place = join(scratch, String(++cuts));
      mkdirSync(place);
      for (const [name, content] of disk.left(survival, random)) writeFileSync(join(place, name), content);
      const found = await loadIdentity(place).catch((error: unknown) => (error as Error).message);
      const epoch = typeof found === "string" ? found : (found?.identity.epoch ?? 0);
      if (epoch !== saved && epoch !== saved + 1)
        t.fail(`cut after operation ${String(index)} (${operation.call} ${operation.name}), ${survival} of what was not flushed: saved ${String(saved)}, found ${String(epoch)}`);
    }
  }
  t.equal(saved, 6);
  t.ok(cuts > 200);
});

test("S3, L2. after a power cut at any moment every acknowledged commit is there, whatever became of what was not flushed, and the store opens as it is", {
  ...needsFaultyDisk,
  timeout: 180_000,
}, async (t) => {
  const driver = await loadDriver();
  const random = new SeededRandom(7);
  const stories = {
    "small commits, a stop in order, a start and a kill": {
      everyTelling: 2,
      runs: [
        [15, 300, "close"],
        [15, 3_000, "kill"],
        [5, 300, "kill"],
      ],
    },
    "large commits with the log folded into the file between them": { everyTelling: 4, runs: [[45, 110_000, "kill"]] },
  } as const;
  const scratch = mkdtempSync(join(SCRATCH, "drover-cuts-"));
  t.teardown(() => {
    rmSync(scratch, { recursive: true, force: true });
  });
  let cuts = 0;
  for (const [name, { everyTelling, runs }] of Object.entries(stories)) {
    const folder = join(t.testdir(), "disk");
    mkdirSync(folder, { recursive: true });
    const operations = lived(folder, join(t.testdirName, "record"), runs);
    const isTelling = ({ call, name: file }: Operation): boolean => call !== "write" || file === "said";
    const every = Math.max(1, Math.floor(operations.filter((each) => !isTelling(each)).length / OTHER_MOMENTS));
    const disk = new PowerCuts();
    let said = "";
    let skipped = 0;
    let told = 0;
    for (const [index, operation] of operations.entries()) {
      if (operation.name === "said") said += Buffer.from(operation.data).toString();
      else disk.step(operation);
      if (isTelling(operation) ? ++told % everyTelling !== 0 : ++skipped % every !== 0) continue;
      const acknowledged = said.split("\n").filter((line) => line.includes('"committed"')).length;
      const total = runs.reduce((sum, [commits]) => sum + commits, 0);
      for (const survival of SURVIVALS) {
        cuts++;
        const problem = await look(disk.left(survival, random), acknowledged, total);
        if (problem !== undefined) t.fail(`${name}, cut after operation ${String(index)} (${operation.call} ${operation.name}), ${survival} of what was not flushed: ${problem}`);
      }
    }
    t.ok(operations.filter(({ call }) => call === "sync").length > 30, name);
    rmSync(t.testdirName, { recursive: true });
  }
  t.comment(`${String(cuts)} cuts`);
  t.ok(cuts > 200);

  /** What is wrong with a store that was left so, or undefined. */
  async function look(left: ReadonlyMap<string, Buffer>, acknowledged: number, total: number): Promise<string | undefined> {
    const folder = join(scratch, String(cuts));
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of left) writeFileSync(join(folder, name), content);
    const file = openFile(driver, journalSpec(join(folder, "journal.db"), Number.POSITIVE_INFINITY), journalContents);
    try {
      if (file.movedAside !== undefined) return `it was moved aside: ${file.movedAside.reason}`;
      const journal = new JournalFile(file.database);
      const loaded = journal.load("acme/vehicle/a");
      const revision = loaded?.revision ?? 0;
      if (revision < acknowledged || revision > Math.min(acknowledged + 1, total)) return `acknowledged ${String(acknowledged)}, stored ${String(revision)}`;
      for (const record of loaded?.records ?? []) {
        const { revision: at, record: bytes } = record;
        if (!Buffer.from(bytes).equals(recordBytes(at, bytes.length))) return `revision ${String(at)} has other bytes`;
      }
      const { outcomes } = journal.commit([{ entity: "acme/vehicle/a", type: "vehicle", incarnation: "i1", revision: revision + 1, epoch: 1, at: 0, record: new Uint8Array(3) }]);
      return outcomes[0]?.kind === "committed" ? undefined : `it does not go on: ${JSON.stringify(outcomes)}`;
    } finally {
      file.close();
      rmSync(folder, { recursive: true });
    }
  }
});
