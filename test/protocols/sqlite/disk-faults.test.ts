// What a disk may do to a store: errors of writing, of flushing, no room, and flushes that take seconds (rules C2, L1, L3).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Test, test } from "tap";
import { faultyDisk, needsFaultyDisk } from "../../faulty-disk/index.ts";
import { readRecord } from "../../faulty-disk/power-cuts.ts";
import { aCommit } from "../../contracts/store.ts";
import { form } from "../../forms.ts";
import { openStore, recordBytes } from "./_stored.ts";

const EIO = 5;
const ENOSPC = 28;
const childOf = (name: string): string => fileURLToPath(new URL(`./${name}${import.meta.url.slice(-3)}`, import.meta.url));

interface Said {
  readonly kind: "committed" | "refused" | "unknown" | "flush-failed" | "no-answer";
  readonly revision?: number;
  readonly reason?: string;
}

async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += String(chunk)));
  child.stderr.on("data", (chunk: Buffer) => (err += String(chunk)));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}

async function commits(path: string, count: number, bytes: number, fail: string, child = "_faulty-child"): Promise<readonly Said[]> {
  mkdirSync(join(path, ".."), { recursive: true });
  const { out } = await run(childOf(child), [path, String(count), String(bytes)], faultyDisk({ under: join(path, ".."), fail }));
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Said);
}

const highest = (said: readonly Said[]): number => Math.max(0, ...said.flatMap(({ kind, revision }) => (kind === "committed" && revision !== undefined ? [revision] : [])));

async function nothingLost(t: Test, path: string, said: readonly Said[], bytes: number): Promise<number> {
  const store = await openStore(t, path);
  const loaded = await store.load("acme/vehicle/a");
  const acknowledged = highest(said);
  t.ok((loaded?.revision ?? 0) >= acknowledged, `acknowledged ${String(acknowledged)}, stored ${String(loaded?.revision)}`);
  for (const { revision, record } of loaded?.records ?? []) if (!Buffer.from(record).equals(recordBytes(revision, bytes))) t.fail(`revision ${String(revision)} has other bytes`);
  t.match(await store.commit([aCommit("a", (loaded?.revision ?? 0) + 1)]), [{ kind: "committed" }], "and it goes on");
  await store.close();
  return loaded?.revision ?? 0;
}

test("L3. after a flush that failed nothing more is acknowledged in this process; the next one folds the log before it serves", needsFaultyDisk, async (t) => {
  const files = {
    "of the log, at a commit": ["-wal", 8, 300, 25],
    "of the file, when the log is folded into it": ["journal.db", 2, 300_000, 40],
    // Its 7th commit has a full state of as many bytes: 35 MB.
    "of the file, after a large commit": ["journal.db", 8, 17_500_000, 12],
    // Its first flush is that of an empty one.
    "of the mark, of a second era": [".mark", 3, 300_000, 40],
  } as const;
  for (const [name, [file, from, bytes, count]] of Object.entries(files)) {
    await t.test(`the flush ${name}`, async (t) => {
      const path = join(t.testdir(), "journal.db");
      const said = await commits(path, count, bytes, `sync:${file}:${from}:1:${EIO}`);
      const failedAt = said.findIndex(({ kind }) => kind === "flush-failed");
      t.ok(failedAt > 0, "it is told");
      t.ok(highest(said) > 0, "there were commits before it");
      t.equal(said.filter(({ kind }) => kind === "flush-failed").length, 1, "once");
      const later = said.slice(failedAt + 1).filter(({ kind }) => kind !== "no-answer");
      t.ok(later.length > 3);
      t.notOk(
        said.slice(failedAt).some(({ kind }) => kind === "committed"),
        "although only one flush failed, nothing after it is acknowledged",
      );
      t.ok(later.filter(({ kind }) => kind === "unknown").length <= 1, "and what was never handed over is refused, not unknown");
      t.ok(existsSync(`${path}.suspect`), "the next process knows");
      const store = await openStore(t, path);
      t.equal(statSync(`${path}-wal`).size, 0, "the log was folded into the file before the first commit");
      t.notOk(existsSync(`${path}.suspect`));
      await store.close();
      await nothingLost(t, path, said, bytes);
    });
  }
});

test("L3. a flush that failed is remembered on the disk before anybody is told of it, since whoever is told ends the process", needsFaultyDisk, async (t) => {
  const folder = t.testdir();
  const record = join(t.testdirName, "..", "changes-of-the-disk");
  t.teardown(() => {
    rmSync(record, { force: true });
  });
  // Flushes that take a while: what comes after the telling would come far too late.
  const disk = faultyDisk({ under: folder, fail: `sync:-wal:8:1:${EIO}`, flushMs: "60:60:1", record });
  await run(childOf("_faulty-child"), [join(folder, "journal.db"), "12", "300"], disk);
  const changes = readRecord(record);
  const told = changes.findIndex(({ name, data }) => name === "said" && Buffer.from(data).includes('"flush-failed"'));
  t.ok(told > 0, "it is told");
  const last = changes.slice(0, told).findLast(({ name }) => name !== "said");
  t.match(last, { call: "sync", name: "" }, "the change before it is the flush of the folder, with the note in it");
});

test("L3. a flush of the telemetry log that fails is told as one of the journal is, whoever folds its log", needsFaultyDisk, async (t) => {
  const path = join(t.testdir(), "telemetry.db");
  const said = await commits(path, 400, 10_000, `sync:telemetry.db:2:1:${EIO}`, "_faulty-log-child");
  const failedAt = said.findIndex(({ kind }) => kind === "flush-failed");
  t.ok(failedAt > 50 && failedAt < 250, `after ${String(failedAt)} of 10 kB`);
  t.notOk(said.slice(failedAt).some(({ kind }) => kind === "committed"));
  t.equal(said.filter(({ kind }) => kind === "flush-failed").length, 1);
});

test("L3. when no flush of the mark succeeds, the first commit is not acknowledged either", needsFaultyDisk, async (t) => {
  for (const [from, written, title] of [
    [1, 0, "of the empty one before it"],
    [2, 1, "of the one that names it: what it was is there"],
  ] as const) {
    const path = join(t.testdir(), `journal-${String(from)}`, "journal.db");
    const said = await commits(path, 8, 100, `sync:.mark:${String(from)}:0:${EIO}`);
    t.notOk(said.some(({ kind }) => kind === "committed"));
    t.equal(said.filter(({ kind }) => kind === "flush-failed").length, 1);
    t.ok(existsSync(`${path}.suspect`));
    t.equal(await nothingLost(t, path, said, 100), written, title);
  }
});

test("L3. when the next process cannot fold the log either, it does not serve", needsFaultyDisk, async (t) => {
  const path = join(t.testdir(), "journal.db");
  const said = await commits(path, 10, 300, `sync:-wal:6:0:${EIO}`);
  t.ok(statSync(`${path}-wal`).size > 0);
  t.ok(said.some(({ kind }) => kind === "flush-failed"));
  for (const fail of [`sync:journal.db:1:0:${EIO}`, `write:journal.db:1:0:${ENOSPC}`]) {
    const { code, out } = await run(childOf("_faulty-child"), [path, "3", "300"], faultyDisk({ under: join(path, ".."), fail }));
    t.not(code, 0, fail);
    t.notMatch(out, /committed/);
  }
  await nothingLost(t, path, said, 300);
});

test("L3. a node's process ends by itself when a flush fails, also one that is made as the guide tells, and says why whatever its log is", needsFaultyDisk, async (t) => {
  for (const node of ["cloud", "edge", "own", "own-log"]) {
    const folder = join(t.testdir(), node);
    mkdirSync(folder);
    const { code, out, err } = await run(childOf("_node-store-child"), [node, folder], faultyDisk({ under: folder, fail: `sync:-wal:6:1:${EIO}` }));
    t.equal(code, 1, `${node}: ${out}`);
    t.match(out, /committed/);
    t.notMatch(out, /failed|refused|unknown|still alive/);
    t.match(err, /this process ends: a flush of the store failed: /, node);
  }
});

test("C2. an error of writing to the log is never taken for a commit, and the store goes on behind it", needsFaultyDisk, async (t) => {
  for (const from of form([33, 60], [32, 33, 40, 41, 60])) {
    const path = join(t.testdir(), `at-${String(from)}`, "journal.db");
    const said = await commits(path, 25, 9_000, `write:-wal:${from}:1:${EIO}`);
    t.ok(
      said.some(({ kind }) => kind === "refused" || kind === "unknown"),
      `write ${String(from)} failed: ${said.map(({ kind }) => kind[0]).join("")}`,
    );
    t.notOk(said.some(({ kind }) => kind === "flush-failed"));
    t.ok(highest(said) > 15, "it was opened again");
    await nothingLost(t, path, said, 9_000);
  }
});

test("C2. a disk without room refuses, for certain, and takes commits again as soon as there is room", needsFaultyDisk, async (t) => {
  const path = join(t.testdir(), "journal.db");
  const said = await commits(path, 25, 9_000, `write:-wal:60:6:${ENOSPC}`);
  const refused = said.filter(({ kind }) => kind === "refused");
  t.ok(refused.length > 0 && refused.every(({ reason }) => (reason ?? "").includes("full")), `refused ${String(refused.length)}`);
  t.notOk(said.some(({ kind }) => kind === "unknown"));
  t.equal(said.at(-1)?.kind, "committed");
  t.equal(await nothingLost(t, path, said, 9_000), highest(said), "what was refused is not there");
});

test(
  "L1. on a card whose flushes take 20 ms and at worst 2 s the event loop is held up at most 50 ms in 99 of 100 looks, and nothing acknowledged is late or lost",
  needsFaultyDisk,
  async (t) => {
    const folder = t.testdir();
    const { code, out } = await run(childOf("_busy-node-child"), [join(folder, "journal.db"), "8000"], faultyDisk({ under: folder, flushMs: "20:2000:60" }));
    t.equal(code, 0, out);
    const { lagP99Ms, lagWorstMs, acknowledged, worstAckMs, counted } = JSON.parse(out.trim().split("\n").at(-1) ?? "{}") as Record<string, number>;
    t.comment(`lag p99 ${String(lagP99Ms)} ms, worst ${String(lagWorstMs)} ms; ${String(acknowledged)} acknowledged, the slowest after ${String(worstAckMs)} ms`);
    t.ok((lagP99Ms ?? 99) <= 50, `p99 ${String(lagP99Ms)} ms`);
    t.ok((acknowledged ?? 0) > 100);
    t.ok((worstAckMs ?? 0) >= 1_900, "a stall was met");
    t.equal(counted, acknowledged);
  },
);
