// Who a node is, in a small file of its own beside the journal (rules L1): it stays when the journal is moved aside (L2).
//
// I1. Two copies, each with a serial and a checksum, each written beside its place, flushed, renamed over it, and the folder flushed. At every moment one copy is whole.
// I2. The valid copy with the higher serial counts; the other is written anew from it.
// I3. Copies that are there and of which none is valid are an error: who the node is must not be made up.
// I4. The epoch never goes back (rules E1).

import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { DroverError } from "../../runtime/ports/index.ts";

export interface Identity {
  /** Name of the node. */
  readonly node: string;
  /** Highest epoch that this node has held; a whole number from 0. */
  readonly epoch: number;
  /** Of the node's store: replaced whenever its history may have gone back (rules T1). */
  readonly incarnation: string;
  /** Buses of a vehicle on which nothing may be sent, so that the loss of its journal does not open them (vehicle X1); none when left out. */
  readonly muted?: readonly string[];
}

export interface LoadedIdentity {
  readonly identity: Identity;
  /** What was wrong with a copy that was written anew, if one was. */
  readonly repaired: string | undefined;
}

type Copy =
  | { readonly kind: "absent" }
  | { readonly kind: "valid"; readonly serial: number; readonly identity: Identity }
  | { readonly kind: "damaged"; readonly reason: string }
  | { readonly kind: "newer"; readonly version: unknown };

type Valid = Extract<Copy, { readonly kind: "valid" }>;

/** Its two copies. */
export const IDENTITY_FILES = ["identity-1.json", "identity-2.json"] as const;
const VERSION = 1;

/** What `loadIdentity` would load; nothing is changed. `behind`: the copy that it would write anew, and why. undefined: there is none yet. @throws DROVER_IDENTITY_DAMAGED, DROVER_STORE_NEWER */
export async function readIdentity(directory: string): Promise<{ readonly identity: Identity; readonly behind: string | undefined } | undefined> {
  const found = await findIdentity(directory);
  return found === undefined ? undefined : { identity: found.best.identity, behind: found.behind?.why };
}

/** undefined: there is none yet. Repairs a copy that is damaged or behind. @throws DROVER_IDENTITY_DAMAGED, DROVER_STORE_NEWER, DROVER_STORE_FAILED */
export async function loadIdentity(directory: string): Promise<LoadedIdentity | undefined> {
  const found = await findIdentity(directory);
  if (found === undefined) return undefined;
  const { best, behind } = found;
  if (behind !== undefined) await writeCopy(directory, behind.index, best.serial, best.identity);
  return { identity: best.identity, repaired: behind?.why };
}

/** The copy that counts, and the one that does not. */
async function findIdentity(directory: string): Promise<{ readonly best: Valid; readonly behind: { readonly index: number; readonly why: string } | undefined } | undefined> {
  const copies = await readCopies(directory);
  const best = newestOf(copies, directory);
  if (best === undefined) return undefined;
  const index = copies.findIndex((copy) => copy.kind !== "valid" || copy.serial < best.serial);
  const copy = copies[index];
  if (copy === undefined) return { best, behind: undefined };
  const reason = copy.kind === "damaged" ? copy.reason : copy.kind === "absent" ? "it was missing" : "it was behind";
  return { best, behind: { index, why: `${IDENTITY_FILES[index] ?? ""}: ${reason}` } };
}

/** Lasting when it resolves. Calls for one folder are made one after the other. @throws DROVER_STORE_FAILED when it would lower the epoch or name another node, or cannot be written; DROVER_IDENTITY_DAMAGED, DROVER_STORE_NEWER */
export async function saveIdentity(directory: string, identity: Identity): Promise<void> {
  const problem = identityProblem(identity);
  if (problem !== undefined) throw new DroverError("DROVER_STORE_FAILED", `this is no identity: ${problem}`);
  const copies = await readCopies(directory);
  const before = newestOf(copies, directory);
  if (before !== undefined && identity.epoch < before.identity.epoch)
    throw new DroverError("DROVER_STORE_FAILED", `the epoch of a node never goes back: it is ${String(before.identity.epoch)}, not ${String(identity.epoch)}`);
  if (before !== undefined && identity.node !== before.identity.node)
    throw new DroverError("DROVER_STORE_FAILED", `${directory} is that of node ${before.identity.node}, not of ${identity.node}`);
  const serial = (before?.serial ?? 0) + 1;
  // The copy that does not hold the newest serial goes first, so that the newest stays whole until its successor is.
  const first = copies[0]?.kind === "valid" && copies[0].serial === before?.serial ? 1 : 0;
  for (const index of [first, 1 - first]) await writeCopy(directory, index, serial, identity);
}

function newestOf(copies: readonly Copy[], directory: string): Valid | undefined {
  const newer = copies.find((copy) => copy.kind === "newer");
  if (newer !== undefined)
    throw new DroverError("DROVER_STORE_NEWER", `the identity in ${directory} has version ${String(newer.version)}, this version of Drover knows up to ${String(VERSION)}`);
  const valid = copies.filter((copy) => copy.kind === "valid").sort((one, other) => other.serial - one.serial)[0];
  const damaged = copies.flatMap((copy, index) => (copy.kind === "damaged" ? [`${IDENTITY_FILES[index] ?? ""} (${copy.reason})`] : []));
  if (valid === undefined && damaged.length > 0) throw new DroverError("DROVER_IDENTITY_DAMAGED", `no copy of the identity in ${directory} can be read: ${damaged.join(", ")}`);
  return valid;
}

async function readCopies(directory: string): Promise<readonly Copy[]> {
  return Promise.all(IDENTITY_FILES.map((name) => readCopy(join(directory, name))));
}

async function readCopy(path: string): Promise<Copy> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { kind: "absent" };
    // A copy that the disk cannot read is a damaged copy; the other may be whole.
    return { kind: "damaged", reason: (error as Error).message };
  }
  try {
    return parseCopy(JSON.parse(text));
  } catch {
    return { kind: "damaged", reason: text.length === 0 ? "it is empty" : "it is not JSON" };
  }
}

function parseCopy(content: unknown): Copy {
  if (typeof content !== "object" || content === null) return { kind: "damaged", reason: "it is not an object" };
  const { version, serial, node, epoch, incarnation, muted, checksum } = content as Readonly<Record<string, unknown>>;
  if (typeof version === "number" && version > VERSION) return { kind: "newer", version };
  const identity = { node, epoch, incarnation, ...(muted === undefined ? {} : { muted }) } as Identity;
  const problem = identityProblem(identity) ?? (Number.isSafeInteger(serial) ? undefined : "its serial is no number");
  if (problem !== undefined) return { kind: "damaged", reason: problem };
  if (checksum !== checksumOf(serial as number, identity)) return { kind: "damaged", reason: "it does not fit its checksum" };
  return { kind: "valid", serial: serial as number, identity };
}

function identityProblem({ node, epoch, incarnation, muted = [] }: Identity): string | undefined {
  if (!Array.isArray(muted) || !muted.every((bus) => typeof bus === "string")) return "what it has muted is no list of names";
  if (typeof node !== "string" || node === "") return "its node has no name";
  if (typeof incarnation !== "string" || incarnation === "") return "its incarnation has no name";
  return Number.isSafeInteger(epoch) && epoch >= 0 ? undefined : `its epoch ${String(epoch)} is not a whole number from 0`;
}

async function writeCopy(directory: string, index: number, serial: number, identity: Identity): Promise<void> {
  const { node, epoch, incarnation, muted = [] } = identity;
  const path = join(directory, IDENTITY_FILES[index] ?? "");
  const text = `${JSON.stringify({ version: VERSION, serial, node, epoch, incarnation, ...(muted.length === 0 ? {} : { muted }), checksum: checksumOf(serial, identity) }, undefined, 2)}\n`;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    await syncFolder(directory);
  } catch (error) {
    throw new DroverError("DROVER_STORE_FAILED", `the identity could not be written to ${path}: ${(error as Error).message}`, { cause: error, retryable: true });
  }
}

async function syncFolder(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function checksumOf(serial: number, { node, epoch, incarnation, muted = [] }: Identity): string {
  return createHash("sha256")
    .update(JSON.stringify([VERSION, serial, node, epoch, incarnation, ...(muted.length === 0 ? [] : [muted])]))
    .digest("hex");
}
