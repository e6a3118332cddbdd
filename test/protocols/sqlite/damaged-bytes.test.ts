// One byte or one sector of a store is not what was written, anywhere in it: it opens with what is true, or is moved aside whole. Never an error, never a changed reply or state.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { t as file, test } from "tap";
import { type Driver, loadDriver } from "../../../protocols/sqlite/driver.ts";
import { JournalFile } from "../../../protocols/sqlite/journal-file.ts";
import { openFile, type OpenFile } from "../../../protocols/sqlite/open-file.ts";
import { journalContents } from "../../../protocols/sqlite/serve-journal.ts";
import type { EntityCommit, StoredEntity } from "../../../runtime/ports/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { journalSpec, recordBytes } from "./_stored.ts";

const SECTOR_BYTES = 512;
/** Lowest byte of the schema version: a version that is merely higher is taken at its word, and the file is refused untouched. */
const VERSION_BYTE = 63;
const ROUNDS = 60;
const VALUE = new TextEncoder().encode("123456");

// What is flushed does not matter here.
const scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "drover-damaged-"));
file.teardown(() => {
  rmSync(scratch, { recursive: true, force: true });
});
let folders = 0;
function folder(): string {
  const path = join(scratch, String(folders++));
  mkdirSync(path);
  return path;
}

interface Kind {
  readonly entity: string;
  readonly revisions: number;
  readonly recordSize: number;
  readonly snapshotEvery: number;
  readonly stateSize: number;
  readonly isForgetful: boolean;
}

/** A vehicle with a long history and modules in its state; requests, presences and alarms of a cloud; a replica with large states. */
const EDGE: readonly Kind[] = [{ entity: "demo/vehicle/trailer-01", revisions: 150, recordSize: 700, snapshotEvery: 60, stateSize: 9_000, isForgetful: false }];
const CLOUD: readonly Kind[] = [
  ...["rav4-01", "trailer-01", "truck-01"].flatMap((id): readonly Kind[] => [
    { entity: `demo/requests/${id}`, revisions: 12, recordSize: 300, snapshotEvery: 100, stateSize: 500, isForgetful: false },
    { entity: `demo/presence/${id}`, revisions: 9, recordSize: 250, snapshotEvery: 1, stateSize: 400, isForgetful: true },
    { entity: `demo/vehicle/${id}`, revisions: 40, recordSize: 500, snapshotEvery: 15, stateSize: 5_000, isForgetful: false },
  ]),
  { entity: "drover/alarm/cloud-1.store-moved-aside", revisions: 1, recordSize: 280, snapshotEvery: 100, stateSize: 600, isForgetful: false },
];

const stateBytes = (revision: number, size: number): Uint8Array => recordBytes(revision + 1_000, size);

/** @returns the path of a store with everything in its file, and that of one that was killed, with its newest commits in its log */
function makeStores(driver: Driver, kinds: readonly Kind[]): { readonly closed: string; readonly killed: string } {
  const path = join(folder(), "journal.db");
  const opened = openFile(driver, journalSpec(path, Number.POSITIVE_INFINITY), journalContents);
  const journal = new JournalFile(opened.database);
  const commits = kinds.flatMap((kind) => Array.from({ length: kind.revisions }, (_, index) => commitOf(kind, index + 1)));
  journal.setValue("hosted-ms", VALUE);
  // In turn, as entities live beside each other; the newest third goes into the log alone.
  const order = commits.sort((one, other) => one.at - other.at);
  const newer = Math.floor((order.length * 2) / 3);
  for (const [index, commit] of order.entries()) {
    if (index === newer) opened.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const { outcomes } = journal.commit([commit]);
    if (outcomes[0]?.kind !== "committed") throw new Error(JSON.stringify(outcomes));
  }
  const killed = copyOf(path);
  opened.close();
  return { closed: copyOf(path), killed };
}

function commitOf({ entity, recordSize, snapshotEvery, stateSize, isForgetful, revisions }: Kind, revision: number): EntityCommit {
  const isSnapshot = revision === 1 || revision % snapshotEvery === 0;
  return {
    entity,
    type: entity.split("/")[1] ?? "",
    incarnation: `of-${entity}`,
    revision,
    epoch: 1,
    at: revision / revisions,
    record: recordBytes(revision, recordSize),
    ...(isSnapshot ? { snapshot: stateBytes(revision, stateSize), forgetsOlder: isForgetful } : {}),
  };
}

function copyOf(path: string): string {
  const copy = join(folder(), "journal.db");
  for (const part of ["", "-wal"]) if (existsSync(path + part)) copyFileSync(path + part, copy + part);
  return copy;
}

/** What is not as it was, or undefined. @param mayMiss so many of the last writes: what was being written when the process was killed is not told from a last write that is damaged */
function untruth(opened: OpenFile, kinds: readonly Kind[], mayMiss: number): string | undefined {
  const journal = new JournalFile(opened.database);
  const found = journal.entities(undefined, 100);
  if (found.length > kinds.length) return `${String(found.length)} entities`;
  let missed = 0;
  for (const kind of kinds) {
    const loaded = journal.load(kind.entity);
    missed += kind.revisions - (loaded?.revision ?? 0);
    if (loaded === undefined) continue;
    const problem = untruthOf(kind, loaded);
    if (problem !== undefined) return `${kind.entity}: ${problem}`;
    for (const { revision, at, record } of journal.journal({ entity: kind.entity, limit: 1_000, order: "newest-first" }).records)
      if (at !== revision / kind.revisions || !same(record, recordBytes(revision, kind.recordSize)))
        return `the history of ${kind.entity} shows another revision ${String(revision)}`;
    const next = journal.commit([{ ...commitOf(kind, loaded.revision + 1), at: 2 }]);
    if (next.outcomes[0]?.kind !== "committed") return `${kind.entity} does not go on: ${JSON.stringify(next.outcomes)}`;
  }
  if (missed > mayMiss) return `${String(missed)} revisions are gone`;
  const value = journal.getValue("hosted-ms");
  return value === undefined || value === "damaged" || same(value, VALUE) ? undefined : "a value is another";
}

function untruthOf(kind: Kind, { type, incarnation, snapshot, records }: StoredEntity): string | undefined {
  if (type !== kind.entity.split("/")[1] || incarnation !== `of-${kind.entity}`) return `it is a ${type} of ${incarnation}`;
  if (snapshot !== undefined && !same(snapshot.state, stateBytes(snapshot.revision, kind.stateSize))) return `its state of revision ${String(snapshot.revision)} is another`;
  const wrong = records.find(({ revision, record }) => !same(record, recordBytes(revision, kind.recordSize)));
  return wrong === undefined ? undefined : `its revision ${String(wrong.revision)} is another`;
}

const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.from(one).equals(other);

for (const [name, kinds] of [
  ["edge", EDGE],
  ["cloud", CLOUD],
] as const) {
  for (const state of ["closed", "killed"] as const) {
    test(`L1, L2. ${name === "edge" ? "An" : "A"} ${name} store, ${state}, with a byte changed or a sector zeroed anywhere, opens with the truth or is moved aside whole`, {
      timeout: 120_000,
    }, async (t) => {
      const driver = await loadDriver();
      const original = makeStores(driver, kinds)[state];
      const random = new SeededRandom(kinds.length * 10 + state.length);
      const counts = { aside: 0, whole: 0 };
      for (let round = 0; round < ROUNDS; round++) {
        const path = copyOf(original);
        const part = state === "killed" && round % 3 === 0 ? "-wal" : "";
        const bytes = readFileSync(path + part);
        const at = Math.floor(random.next() * bytes.length);
        if (part === "" && at === VERSION_BYTE) continue;
        const isSector = round % 2 === 0;
        if (isSector) bytes.fill(0, at - (at % SECTOR_BYTES), at - (at % SECTOR_BYTES) + SECTOR_BYTES);
        else bytes[at] = (bytes[at] ?? 0) ^ (round % 5 === 0 ? 0xff : 1 << (round % 8));
        writeFileSync(path + part, bytes);
        const what = `round ${String(round)}: ${isSector ? "sector" : "byte"} ${String(at)} of journal.db${part}`;
        try {
          const opened = openFile(driver, journalSpec(path, Number.POSITIVE_INFINITY), journalContents);
          if (opened.movedAside !== undefined) counts.aside++;
          else {
            counts.whole++;
            // A sector may hold the ends of two writes.
            const problem = untruth(opened, kinds, part === "" ? 0 : isSector ? 2 : 1);
            if (problem !== undefined) t.fail(`${what}: ${problem}`);
          }
          opened.close();
        } catch (error) {
          t.fail(`${what}: ${(error as Error).message}`);
        }
        rmSync(join(path, ".."), { recursive: true });
      }
      t.comment(`${String(counts.aside)} moved aside, ${String(counts.whole)} opened`);
      t.ok(counts.aside > ROUNDS / 10 && counts.whole > ROUNDS / 20);
    });
  }
}
