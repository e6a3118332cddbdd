// What a power cut leaves of the files that a program wrote: rebuilt from the record of a faulty disk, at any moment of it.
//
// P1. What was flushed is there. Of what was written to a file since its last flush anything may be there: nothing, all, or some sectors of 512 bytes of some of the writes (a torn page).
// P2. A file that was made and never flushed may be missing. A removal lasts when the folder was flushed after it, and may last before.
// P3. So does a renaming; of several that may last it is the first ones that do, since a file system keeps the order of what it does to a folder.

import { readFileSync } from "node:fs";
import type { Random } from "../../runtime/ports/index.ts";

type Call = "write" | "truncate" | "sync" | "rename" | "remove";

export interface Operation {
  readonly call: Call;
  /** Below the disk's folder; empty for the folder itself. */
  readonly name: string;
  readonly offset: number;
  readonly data: Uint8Array;
}

/** How much of what was not flushed is there. */
export type Survival = "nothing" | "everything" | "some sectors";

const CALLS: Readonly<Record<string, Call>> = { w: "write", t: "truncate", s: "sync", r: "rename", x: "remove" };
const HEAD_BYTES = 15;
const SECTOR_BYTES = 512;

export function readRecord(path: string): readonly Operation[] {
  const bytes = readFileSync(path);
  const operations: Operation[] = [];
  for (let at = 0; at < bytes.length; ) {
    const nameBytes = bytes.readUInt16LE(at + 1);
    const dataBytes = bytes.readUInt32LE(at + 11);
    const nameAt = at + HEAD_BYTES;
    operations.push({
      call: CALLS[String.fromCharCode(bytes[at] ?? 0)] ?? "write",
      name: bytes.toString("utf8", nameAt, nameAt + nameBytes),
      offset: Number(bytes.readBigUInt64LE(at + 3)),
      data: bytes.subarray(nameAt + nameBytes, nameAt + nameBytes + dataBytes),
    });
    at = nameAt + nameBytes + dataBytes;
  }
  return operations;
}

/** One file: what was flushed of it, and what was not. */
interface DiskFile {
  flushed: Buffer | undefined;
  pending: Operation[];
  isRemoved: boolean;
}

interface Renaming {
  readonly from: string;
  readonly to: string;
  readonly file: DiskFile;
  /** What had the name before. */
  readonly replaced: DiskFile | undefined;
}

/** Goes through a record and says at each moment what a cut would leave. */
export class PowerCuts {
  readonly #files = new Map<string, DiskFile>();
  /** Not flushed with the folder (P3). */
  #renamings: Renaming[] = [];

  step(operation: Operation): void {
    const { call, name } = operation;
    if (name === "") {
      // The folder: from now on its removals and renamings last.
      this.#renamings = [];
      for (const [other, file] of this.#files) if (file.isRemoved) this.#files.delete(other);
      return;
    }
    let file = this.#files.get(name);
    if (file === undefined || (file.isRemoved && call === "write")) this.#files.set(name, (file = { flushed: undefined, pending: [], isRemoved: false }));
    if (call === "remove") file.isRemoved = true;
    else if (call === "sync") {
      file.flushed = applied(file.flushed ?? Buffer.alloc(0), file.pending, () => true);
      file.pending = [];
    } else if (call === "rename") {
      const to = Buffer.from(operation.data).toString("utf8");
      this.#renamings.push({ from: name, to, file, replaced: this.#files.get(to) });
      this.#files.delete(name);
      this.#files.set(to, file);
    } else file.pending.push(operation);
  }

  /** The files after a cut now. */
  left(survival: Survival, random: Random): ReadonlyMap<string, Buffer> {
    const left = new Map<string, Buffer>();
    const survives = (): boolean => survival === "everything" || (survival === "some sectors" && random.next() < 0.5);
    for (const [name, { flushed, pending, isRemoved }] of this.#named(survives)) {
      if (isRemoved && survives()) continue;
      if (flushed === undefined && !survives()) continue;
      left.set(name, survival === "nothing" ? (flushed ?? Buffer.alloc(0)) : applied(flushed ?? Buffer.alloc(0), pending, survives));
    }
    return left;
  }

  /** P3: the folder after a cut. */
  #named(survives: () => boolean): ReadonlyMap<string, DiskFile> {
    const named = new Map(this.#files);
    const lasting = this.#renamings.findIndex(() => !survives());
    for (const { from, to, file, replaced } of lasting === -1 ? [] : this.#renamings.slice(lasting).reverse()) {
      named.set(from, file);
      if (replaced === undefined) named.delete(to);
      else named.set(to, replaced);
    }
    return named;
  }
}

function applied(before: Buffer, operations: readonly Operation[], survives: () => boolean): Buffer {
  const end = operations.reduce((size, { call, offset, data }) => (call === "write" ? Math.max(size, offset + data.length) : size), before.length);
  const file = Buffer.alloc(end);
  before.copy(file);
  let size = before.length;
  for (const { call, offset, data } of operations) {
    if (call === "truncate") {
      if (!survives()) continue;
      if (offset < size) file.fill(0, offset, size);
      size = offset;
      continue;
    }
    for (let from = 0; from < data.length; from += SECTOR_BYTES) {
      const to = Math.min(data.length, from + SECTOR_BYTES);
      if (!survives()) continue;
      file.set(data.subarray(from, to), offset + from);
      size = Math.max(size, offset + to);
    }
  }
  return file.subarray(0, size);
}
