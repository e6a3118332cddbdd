// The vehicle's side of its stream: reads the journal, ships it by offset, trims what the cloud has committed (rules T1, T3; promise S6).
//
// H1. One batch is under way at a time; a lost answer means that the position is asked for again, never that records are assumed taken.
// H2. What is not acknowledged stays until the journal's bound is reached; then the oldest goes, and the next batch opens with a full state that names the loss.

import { type Address, type Change, decodeEnvelope, encodeEnvelope, OPENING_EVERY, type StreamBatch, type StreamPosition, type System } from "../../runtime/index.ts";
import type { Log, Store, TimeoutHandle, Transport } from "../../runtime/ports/index.ts";
import type { Sending } from "./message-envelope.ts";

const ASK_WITHIN_MS = 10_000;
const MAX_RECORDS = 100;
const MAX_BATCH_BYTES = 256 * 1024;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 15_000;
/** Acknowledged records are trimmed when this many have gathered: one delete instead of many (rules L4). */
const TRIM_EVERY = 200;

export interface StreamShipperOptions {
  readonly transport: Transport;
  /** Served by the cloud, e.g. the vehicle's `up/stream`. */
  readonly key: string;
  readonly entity: Address;
  readonly system: Pick<System, "watch" | "stateOf">;
  readonly store: Pick<Store, "journal" | "trim" | "revisionOf">;
  readonly sending: Sending;
  readonly newId: () => string;
  readonly log: Log;
  /** Jitter, uniform in [0, 1). */
  readonly random: () => number;
  /** Unacknowledged records kept while the cloud is away. Default 50,000. */
  readonly maxRecords?: number;
  /** Acknowledged records that stay for the history of the vehicle's own API. Default 5,000. */
  readonly keepRecords?: number;
}

export interface StreamShipper {
  /** Revision that the cloud has committed; 0 when nothing is known. */
  readonly acknowledged: number;
  readonly counters: { readonly shipped: number; readonly openings: number; readonly lost: number };
  stop(): Promise<void>;
}

type EncodedState = NonNullable<ReturnType<System["stateOf"]>>;

export function startStreamShipper(options: StreamShipperOptions): StreamShipper {
  const { transport, store, system, sending, entity, log } = options;
  const maxRecords = options.maxRecords ?? 50_000;
  const keepRecords = options.keepRecords ?? 5_000;
  const counters = { shipped: 0, openings: 0, lost: 0 };
  /** What the cloud said last in this session; undefined: ask. */
  let position: StreamPosition | undefined;
  let sinceOpening = 0;
  /** A full state waiting until the cloud has all records before it (rules T3). */
  let checkpoint: EncodedState | undefined;
  let trimmed = 0;
  let revision = 0;
  let incarnation = "";
  let running = false;
  let stopped = false;
  let failures = 0;
  let retry: TimeoutHandle | undefined;
  let done: (() => void) | undefined;

  const unwatch = system.watch((change: Change) => {
    if (change.entity !== entity || change.record === undefined) return;
    revision = change.revision;
    incarnation = change.incarnation;
    pump();
  });
  const unstate = transport.onState((state) => {
    position = undefined;
    if (state.kind === "ready") {
      failures = 0;
      sending.clock.clearTimeout(retry);
      retry = undefined;
      pump();
    }
  });
  pump();

  function pump(): void {
    if (running || stopped || retry !== undefined || transport.state.kind !== "ready") return;
    running = true;
    void ship()
      .then((more) => {
        running = false;
        failures = 0;
        if (more) pump();
      })
      .catch((cause: unknown) => {
        running = false;
        position = undefined;
        later(cause);
      })
      .finally(() => done?.());
  }

  function later(cause: unknown): void {
    if (stopped) return;
    const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 8));
    failures++;
    if (failures === 3) log.warn({ err: cause, entity }, "the stream is not taken by the cloud; it is tried on");
    retry = sending.clock.setTimeout(() => {
      retry = undefined;
      pump();
    }, ceiling * (0.5 + options.random() / 2));
  }

  /** One batch. True when there may be more. */
  async function ship(): Promise<boolean> {
    if (revision === 0) {
      const head = await store.revisionOf(entity);
      if (head === undefined) return false;
      revision = Math.max(revision, head.revision);
      incarnation = head.incarnation;
    }
    position ??= await ask({ entity, type: typeOf(entity), incarnation, after: 0, records: [] });
    await bound(position);
    const follows = position.incarnation === incarnation && position.revision >= trimmed && position.revision <= revision;
    if (!follows) checkpoint = undefined;
    else if (sinceOpening >= OPENING_EVERY) checkpoint ??= system.stateOf(entity);
    if (checkpoint !== undefined && checkpoint.revision === position.revision) await sendOpening(checkpoint, undefined);
    if (follows && position.revision === revision) return false;
    const batch = follows ? await next(position.revision, checkpoint?.revision) : undefined;
    if (batch === undefined) await sendOpening(system.stateOf(entity), position);
    else {
      position = await ask(batch);
      counters.shipped += batch.records.length;
      sinceOpening += batch.records.length;
    }
    await trimAcknowledged();
    return position !== undefined && position.revision < revision;
  }

  /** undefined: the journal does not continue there (it was trimmed by its bound). */
  async function next(after: number, upTo = Number.POSITIVE_INFINITY): Promise<StreamBatch | undefined> {
    const found = await store.journal({ entity, after, limit: Math.min(MAX_RECORDS, upTo - after), order: "oldest-first" });
    if (found[0]?.revision !== after + 1) return undefined;
    const records: Uint8Array[] = [];
    let bytes = 0;
    for (const { record } of found) {
      if (records.length > 0 && bytes + record.byteLength > MAX_BATCH_BYTES) break;
      records.push(record);
      bytes += record.byteLength;
    }
    return { entity, type: typeOf(entity), incarnation, after, records };
  }

  async function sendOpening(state: EncodedState | undefined, before: StreamPosition | undefined): Promise<void> {
    if (state === undefined) throw new Error("the entity is not hosted here now");
    const lost = before !== undefined && before.incarnation === incarnation && before.revision < trimmed ? { from: before.revision + 1, to: state.revision } : undefined;
    if (lost !== undefined) log.warn({ entity, ...lost }, "records were dropped before the cloud had them; a full state closes the gap");
    position = await ask({ entity, type: state.type, incarnation: state.incarnation, opening: state.encoded, after: state.revision, records: [], ...(lost === undefined ? {} : { lost }) });
    sinceOpening = 0;
    checkpoint = undefined;
    counters.openings++;
  }

  async function ask(batch: StreamBatch): Promise<StreamPosition> {
    const payload = encodeEnvelope({ kind: "stream", id: options.newId(), sender: { node: sending.node, session: sending.session }, body: batch });
    const outcome = await transport.ask(options.key, payload, { withinMs: ASK_WITHIN_MS });
    if (outcome.kind !== "replied") throw new Error(`the cloud did not answer: ${outcome.kind}`);
    const decoded = decodeEnvelope(outcome.payload);
    const body = decoded.ok && decoded.envelope.kind === "stream-ack" ? (decoded.envelope.body as { position?: StreamPosition; refused?: string | null }) : undefined;
    if (body?.position === undefined) throw new Error("the cloud's answer could not be read");
    if (typeof body.refused === "string") log.info({ entity, reason: body.refused }, "the cloud did not take a batch; going on from where it stands");
    return { incarnation: body.position.incarnation ?? undefined, revision: body.position.revision };
  }

  /** H2. */
  async function bound(at: StreamPosition): Promise<void> {
    const acknowledged = at.incarnation === incarnation ? at.revision : 0;
    const floor = revision - maxRecords;
    if (floor <= trimmed || floor <= acknowledged) return;
    counters.lost += floor - Math.max(trimmed, acknowledged);
    await store.trim(entity, floor);
    trimmed = floor;
  }

  async function trimAcknowledged(): Promise<void> {
    if (position?.incarnation !== incarnation) return;
    const upTo = Math.min(position.revision, revision - keepRecords);
    if (upTo - trimmed < TRIM_EVERY) return;
    await store.trim(entity, upTo);
    trimmed = upTo;
  }

  return {
    counters,
    get acknowledged() {
      return position?.incarnation === incarnation ? position.revision : 0;
    },
    stop: async () => {
      stopped = true;
      unwatch();
      unstate();
      sending.clock.clearTimeout(retry);
      if (running) {
        await new Promise<void>((resolve) => {
          done = resolve;
        });
      }
    },
  };
}

function typeOf(entity: Address): string {
  return entity.split("/")[1] ?? "";
}
