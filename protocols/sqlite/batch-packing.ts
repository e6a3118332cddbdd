// A commit batch on its way to the store's thread: columns, and all bytes in one buffer that is handed over instead of copied again. A structured clone of the
// batch itself would copy the whole memory behind every view, 8 KiB and more for a record of 250 bytes that an encoder cut from its pool.

import type { EntityCommit, NamedValue } from "../../runtime/ports/index.ts";

export interface PackedBatch {
  readonly entities: readonly string[];
  readonly types: readonly string[];
  readonly incarnations: readonly string[];
  readonly replaces: readonly (string | undefined)[];
  /** By their places in the batch: few carry one. */
  readonly values: readonly (readonly [index: number, carried: NamedValue])[];
  /** Per commit: revision, epoch, at, bytes of the record, bytes of the snapshot (-1: none), whether older records are forgotten. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Records and snapshots in the order of the batch. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const NUMBERS_PER_COMMIT = 6;

/** @param batch of commits that are well formed */
export function packBatch(batch: readonly EntityCommit[]): PackedBatch {
  const numbers = new Float64Array(batch.length * NUMBERS_PER_COMMIT);
  let total = 0;
  batch.forEach(({ revision, epoch, at, record, snapshot, forgetsOlder }, index) => {
    numbers.set([revision, epoch, at, record.byteLength, snapshot === undefined ? -1 : snapshot.byteLength, forgetsOlder === true ? 1 : 0], index * NUMBERS_PER_COMMIT);
    total += record.byteLength + (snapshot?.byteLength ?? 0);
  });
  const bytes = new Uint8Array(total);
  let end = 0;
  for (const { record, snapshot } of batch) {
    bytes.set(record, end);
    end += record.byteLength;
    if (snapshot === undefined) continue;
    bytes.set(snapshot, end);
    end += snapshot.byteLength;
  }
  return {
    entities: batch.map(({ entity }) => entity),
    types: batch.map(({ type }) => type),
    incarnations: batch.map(({ incarnation }) => incarnation),
    replaces: batch.map(({ replaces }) => replaces),
    values: batch.flatMap(({ value }, index) => (value === undefined ? [] : [[index, { key: value.key, value: new Uint8Array(value.value) }] as const])),
    numbers,
    bytes,
  };
}

/** The buffers to hand over with a packed batch. */
export function buffersOf({ numbers, bytes }: PackedBatch): readonly ArrayBuffer[] {
  return [numbers.buffer, bytes.buffer];
}

export function unpackBatch({ entities, types, incarnations, replaces, values, numbers, bytes }: PackedBatch): readonly EntityCommit[] {
  let end = 0;
  const carried = new Map(values);
  const take = (length: number): Uint8Array => bytes.subarray(end, (end += length));
  return entities.map((entity, index) => {
    const [revision = 0, epoch = 0, at = 0, recordBytes = 0, snapshotBytes = -1, forgets = 0] = numbers.subarray(index * NUMBERS_PER_COMMIT, (index + 1) * NUMBERS_PER_COMMIT);
    const replaced = replaces[index];
    const value = carried.get(index);
    const commit = { entity, type: types[index] ?? "", incarnation: incarnations[index] ?? "", revision, epoch, at, record: take(recordBytes) };
    return {
      ...commit,
      ...(snapshotBytes < 0 ? {} : { snapshot: take(snapshotBytes) }),
      ...(replaced === undefined ? {} : { replaces: replaced }),
      ...(forgets === 0 ? {} : { forgetsOlder: true }),
      ...(value === undefined ? {} : { value }),
    };
  });
}
