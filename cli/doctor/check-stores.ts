// Can the stores be opened as a node would open them?

import { statSync } from "node:fs";
import { basename, relative } from "node:path";
import { sqliteLog, sqliteStore } from "../../protocols/sqlite/index.ts";
import { systemClock, systemRandom } from "../../runtime/index.ts";
import { DroverError, silentLog } from "../../runtime/ports/index.ts";
import { type Finding, note, ok, problem } from "./finding.ts";
import { type Entry, entriesBelow, failureOfReading } from "./found-files.ts";
import { onCopy, storeFiles } from "./store-copy.ts";

const JOURNAL = "journal.db";
const TELEMETRY = "telemetry.db";
const MAX_STORES = 64;
/** Larger ones take too long to copy for a look. */
const MAX_COPIED_BYTES = 512 * 1_048_576;
/** Bound of a telemetry log that is only looked at: nothing is dropped from it. */
const NO_BUDGET = Number.MAX_SAFE_INTEGER;

export async function checkStores(folder: string): Promise<readonly Finding[]> {
  const unreadable = problemOfReading(folder);
  if (unreadable !== undefined) return [unreadable];
  const stores = findStores(folder).slice(0, MAX_STORES);
  const findings: Finding[] = [];
  for (const path of stores) findings.push(await checkStore(path, relative(folder, path)));
  for (const aside of findAsides(folder))
    findings.push(
      note(
        "store-aside",
        `${relative(folder, aside)} is a store that was damaged and moved aside`,
        "What it held and no other node knows is not in use any more.",
        "Look into it with SQLite's tools, then remove or keep it elsewhere.",
        { path: aside },
      ),
    );
  return findings.length === 0 ? [ok("stores", "there is no store yet")] : findings;
}

/** Journals in a data folder and below. */
export function journalsIn(folder: string): readonly string[] {
  return findStores(folder).filter((path) => basename(path) === JOURNAL);
}

async function checkStore(path: string, shown: string): Promise<Finding> {
  const bytes = storeFiles(path).reduce((sum, file) => sum + statSync(file).size, 0);
  const facts = { path, bytes };
  if (bytes > MAX_COPIED_BYTES)
    return note("store", `${shown} was not looked at: ${String(Math.round(bytes / 1_048_576))} MB`, "A look copies it first.", "Its node looks through it when it starts.", facts);
  try {
    const opened = await onCopy(path, open);
    if (opened === "changed") return ok("store", `${shown} is in use by a running node`, { ...facts, inUse: true });
    if (opened.damage === undefined) return ok("store", `${shown} is whole`, facts);
    return problem(
      "store",
      `${shown} is damaged: ${opened.damage}`,
      "At its next start its node moves it aside and begins a new history; what was not yet told to the cloud is lost.",
      "Put it back from a backup before the node starts, together with its -wal file, and remove the .mark file.",
      facts,
    );
  } catch (error) {
    const fix =
      error instanceof DroverError && error.code === "DROVER_STORE_NEWER"
        ? "Run the newer version of Drover again, or point to another data folder."
        : "See the cause; check the rights of the folder.";
    return problem("store", `${shown} cannot be opened: ${(error as Error).message}`, "Its node does not start.", fix, facts);
  }
}

/** Why it would be moved aside, or undefined when it is whole. @throws what a node would throw */
async function open(path: string): Promise<{ readonly damage: string | undefined }> {
  // Of a copy nothing is acknowledged: that it cannot be flushed is what its opening throws.
  const ports = { clock: systemClock, log: silentLog, onFlushFailed: () => undefined };
  const store = basename(path) === JOURNAL ? sqliteStore({ path, ...ports }) : sqliteLog({ path, maxBytes: NO_BUDGET, random: systemRandom, ...ports });
  try {
    return { damage: (await store.open()).movedAside?.reason };
  } finally {
    await store.close();
  }
}

function findStores(folder: string): readonly string[] {
  return entriesBelow(folder, ({ name }) => name.includes(".damaged-"))
    .filter(({ name, isFolder }) => !isFolder && (name === JOURNAL || name === TELEMETRY))
    .map(({ path }) => path);
}

function findAsides(folder: string): readonly string[] {
  return entriesBelow(folder, isAside)
    .filter((entry) => entry.isFolder && isAside(entry))
    .map(({ path }) => path);
}

function isAside({ name }: Entry): boolean {
  return name.includes(".db.damaged-");
}

function problemOfReading(folder: string): Finding | undefined {
  const failure = failureOfReading(folder);
  if (failure === undefined || failure.code === "ENOENT") return undefined;
  return problem("stores", `${folder} cannot be read: ${failure.message}`, "Whether its stores are whole is not known.", "Run this as the user of its node.", { folder });
}
