// One record per cell, and back (hosting H8).

import type { CellRef } from "../xstate/index.ts";
import {
  type CodecHost,
  decodeData,
  type EncodedConfiguration,
  encodeConfiguration,
  encodeData,
  encodedSize,
  type LogicSnapshot,
  restoreConfiguration,
  textBytes,
} from "../xstate/index.ts";
import { acceptedBy } from "./accepted.ts";
import type { Cell, Life, Supervision } from "./cell.ts";
import type { CellRecord } from "./contract.ts";
import { encodedEntry, type EncodedEntry } from "./entering.ts";

/** What the codec needs beside the parts that everyone may read. */
export interface CellInner extends EncodedConfiguration {
  readonly id: string;
  readonly life: Life;
  /** Address and incarnation. */
  readonly parent?: readonly [string, number];
  readonly supervision?: Supervision;
  /** Ids and refs, in the machine's order. */
  readonly children?: readonly (readonly [string, unknown])[];
  readonly systemId?: string;
  readonly sync?: true;
  readonly book?: number;
  readonly input?: unknown;
  readonly key?: string;
  /** Since when it is in its state; not told by earlier versions. */
  readonly entered?: EncodedEntry;
}

/** Names and numbers of a record beside what it holds. */
const FLAT_BYTES = 512;
/** Before a text. */
const HEADER_BYTES = 5;

let bytes = 0;

/** Of the last record that was encoded: about what it takes in a snapshot, and never less. */
export function recordBytes(): number {
  return bytes;
}

/** Encodes a part of a record, and counts it. */
function part(value: unknown, host: CodecHost, path = ""): unknown {
  const plain = encodeData(value, host, path);
  bytes += encodedSize();
  return plain;
}

/**
 * The context is encoded last: `encodedSize()` is its size afterwards.
 * @throws NotCarried naming the path
 */
export function encodeCell(cell: Cell, host: CodecHost): CellRecord {
  const { snapshot, plan } = cell;
  const isMachine = plan.logic.kind === "machine" && "_nodes" in snapshot;
  const children = isMachine ? Object.entries((snapshot as unknown as { readonly children: Readonly<Record<string, CellRef>> }).children) : [];
  const value = isMachine ? (snapshot as unknown as { readonly value: unknown }).value : null;
  const entered = encodedEntry(cell);
  const accepts = cell.supervision === undefined ? undefined : acceptedBy(cell);
  bytes = FLAT_BYTES + cell.address.length + textBytes(cell.id) + plan.type.length;
  const inner: CellInner = {
    id: cell.id,
    life: cell.life,
    ...(cell.parent === undefined ? {} : { parent: [cell.parent.address, cell.parent.incarnation] as const }),
    ...(cell.supervision === undefined ? {} : { supervision: cell.supervision }),
    ...(isMachine ? encodeConfiguration(snapshot) : {}),
    ...(children.length === 0 ? {} : { children: children.map(([id, ref]) => [id, part(ref, host)] as const) }),
    ...(cell.systemId === undefined ? {} : { systemId: cell.systemId }),
    ...(cell.syncSnapshot ? { sync: true } : {}),
    ...(cell.book === 0 ? {} : { book: cell.book }),
    ...(cell.input === undefined ? {} : { input: part(cell.input, host, "input") }),
    ...(cell.key === undefined ? {} : { key: cell.key }),
    ...(entered === undefined ? {} : { entered }),
  };
  const end = {
    ...(snapshot.output === undefined ? {} : { output: part(snapshot.output, host, "output") }),
    ...(snapshot.error === undefined ? {} : { error: part(snapshot.error, host, "error") }),
  };
  bytes += cell.entering?.bytes ?? 0;
  if (inner.nodes !== undefined || inner.history !== undefined) part([inner.nodes, inner.history], host);
  for (const [id] of children) bytes += 2 * HEADER_BYTES + textBytes(id);
  for (const word of accepts ?? []) bytes += HEADER_BYTES + textBytes(word);
  bytes += cell.parent?.address.length ?? 0;
  if (cell.supervision?.kind === "child") bytes += cell.supervision.spec.length;
  if (cell.systemId !== undefined) bytes += textBytes(cell.systemId);
  bytes += cell.key?.length ?? 0;
  part(value, host);
  return {
    address: cell.address,
    incarnation: cell.incarnation,
    type: plan.type,
    version: plan.actor.version,
    status: snapshot.status,
    value,
    context: part(snapshot.context, host, "context"),
    ...end,
    ...(accepts === undefined ? {} : { accepts }),
    inner,
  };
}

export function innerOf(record: CellRecord): CellInner {
  return record.inner as CellInner;
}

/** Refs by id, in the machine's order. */
export function childrenOf(record: CellRecord, host: CodecHost): Readonly<Record<string, unknown>> {
  return Object.fromEntries((innerOf(record).children ?? []).map(([id, ref]) => [id, decodeData(ref, host)]));
}

/** The snapshot that a record describes. All cells that it may refer to are in the entity already. @throws Error when the machine has no such states */
export function decodeSnapshotOf(record: CellRecord, cell: Cell, host: CodecHost): LogicSnapshot {
  const { logic } = cell.plan;
  const inner = innerOf(record);
  const context = decodeData(record.context, host);
  const output = "output" in record ? decodeData(record.output, host) : undefined;
  const error = "error" in record ? decodeData(record.error, host) : undefined;
  if (logic.kind === "machine" && record.value !== null) {
    return restoreConfiguration(logic.machine, { ...inner, status: record.status, value: record.value }, context, output, error, childrenOf(record, host));
  }
  const snapshot = { status: record.status, output, error, context } as LogicSnapshot;
  return logic.kind === "source" ? ({ ...snapshot, input: cell.input } as LogicSnapshot) : snapshot;
}
