// The corpus on disk: a file for each group of stories, one journal a line. Records and snapshots are the bytes that a store holds, so that their codec is replayed with them.
//
// `bytes` of a line, compressed (Brotli) and in base64: each record and at last the snapshot, each behind its length as an unsigned 32 bit number, big-endian.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";

import type { Address } from "../../runtime/address.ts";
import type { StateHash } from "../../runtime/entity/contract.ts";
import { root } from "../project/checkout.ts";

export interface CorpusJournal {
  readonly story: string;
  readonly entity: Address;
  /** From its beginning on, without holes. */
  readonly turns: readonly CorpusTurn[];
  /** A full state of one revision within: a recovery begins there. */
  readonly snapshot: Uint8Array;
}

export interface CorpusTurn {
  readonly record: Uint8Array;
  /** Of the state after it. */
  readonly hash: StateHash;
}

/** What recorded a file. */
export interface RecordedBy {
  readonly drover: string;
  readonly node: string;
}

interface Line {
  readonly story: string;
  readonly entity: Address;
  /** Of the state after each turn: of cells and labels, and of the rest. */
  readonly hashes: readonly string[];
  readonly bytes: string;
}

const fileOf = (group: string): string => join(root, "test", "replay-corpus", "journals", `${group}.jsonl`);

/** @returns undefined where it was never recorded */
export function readJournals(group: string): readonly CorpusJournal[] | undefined {
  const file = fileOf(group);
  if (!existsSync(file)) return undefined;
  const [, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const { story, entity, hashes, bytes } = JSON.parse(line) as Line;
    const parts = partsOf(brotliDecompressSync(Buffer.from(bytes, "base64")));
    if (parts.length !== hashes.length + 1) throw new Error(`${group}: ${story} has ${String(hashes.length)} hashes and ${String(parts.length)} parts`);
    const turns = hashes.map((hash, at) => {
      const [cells = "", rest = ""] = hash.split(" ");
      return { record: parts[at] as Uint8Array, hash: { cells, rest } };
    });
    return { story, entity, turns, snapshot: parts.at(-1) as Uint8Array };
  });
}

export function writeJournals(group: string, by: RecordedBy, journals: readonly CorpusJournal[]): void {
  const lines = journals.map(
    ({ story, entity, turns, snapshot }): Line => ({
      story,
      entity,
      hashes: turns.map(({ hash }) => `${hash.cells} ${hash.rest}`),
      bytes: brotliCompressSync(framed([...turns.map(({ record }) => record), snapshot])).toString("base64"),
    }),
  );
  writeFileSync(fileOf(group), `${[by, ...lines].map((line) => JSON.stringify(line)).join("\n")}\n`);
}

function framed(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.byteLength);
      return [length, part];
    }),
  );
}

function partsOf(bytes: Buffer): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return parts;
}
