// The vehicle's side of its stream: reads the journal, ships it by offset, trims what the cloud has committed (rules T1, T3; promise S6).
//
// H1. One batch is under way at a time; a lost answer means that the position is asked for again, never that records are assumed taken.
// H2. What is not acknowledged stays until the journal's limit is reached (`UNSHIPPED_JOURNAL`, which its system keeps to, with a link or without); then the oldest goes, and the next batch
//     opens with a full state that names the loss.
//     Where the cloud says that it took a batch and stands before its end, or keeps refusing and moving, the next try waits: no answer of it makes this node busy.
// H3. A full state follows each start, since the machines may be of another version then, and every 1,000 records.
// H4. Before anything is shipped in a session, and after each refusal, what the cloud holds is compared with the journal: where it stands beyond the journal's end, or has another record
//     under the same revision, or has taken a later history in the place of this one, this vehicle came back from an older copy of its store. Nothing is shipped then until the entity is a new incarnation, which a full state opens (rules T1).
//     Where no hash tells, because the record is not kept any more or the cloud is an older one, how far this store may have sent does (sent-bound.ts).

import {
  type Address,
  type Change,
  decodeEnvelope,
  decodeRecord,
  decodeState,
  encodeEnvelope,
  type Envelope,
  isPastHistories,
  isSameHead,
  linkOf,
  linkProblem,
  OPENING_EVERY,
  Retry,
  settledWithin,
  type StreamBatch,
  type StreamPosition,
  type System,
  type TransitEstimator,
} from "../../runtime/index.ts";
import type { Log, Store, Transport } from "../../runtime/ports/index.ts";
import type { Sending } from "../../runtime/wire/index.ts";
import type { SentBound } from "./sent-bound.ts";

const ASK_WITHIN_MS = 10_000;
/** The question for the position is small, and lost where the cloud does not listen yet: it is given up soon, twice as late after each failure. */
const FIRST_ASK_WITHIN_MS = 1_000;
const MAX_RECORDS = 100;
const MAX_BATCH_BYTES = 256 * 1024;
const RETRY = { firstMs: 250, longestMs: 15_000 };
/** What stays of a journal that is shipped (H2): `journalLimits` of its system. */
export const UNSHIPPED_JOURNAL = { records: 50_000, bytes: 268_435_456 } as const;
/** Acknowledged records are trimmed when this many have gathered: one delete instead of many (rules L4). */
const TRIM_EVERY = 200;
/** A stop waits this long for the batch under way. */
const STOP_WITHIN_MS = 1_000;
const WARN_AT = 3;
/** Refusals in a row that may move the position before the next try waits. */
const MAX_MOVES = 3;

export interface StreamShipperOptions {
  readonly transport: Transport;
  /** Served by the cloud, e.g. the vehicle's `up/stream`. */
  readonly key: string;
  readonly entity: Address;
  readonly system: Pick<System, "watch" | "settledStateOf">;
  readonly store: Pick<Store, "journal" | "trim" | "revisionOf">;
  /** Of the entity; open since before it took a turn. */
  readonly sent: Pick<SentBound, "isExceededBy" | "lift" | "lower">;
  readonly sending: Sending;
  readonly newId: () => string;
  /** Told of each acknowledgement: how long the way from the cloud takes. */
  readonly transit?: TransitEstimator;
  readonly log: Log;
  /** Jitter, uniform in [0, 1). */
  readonly random: () => number;
  /** Makes the entity a new incarnation, durably, and tells of it (H4). Rejects where that could not be done now: it is asked for again. */
  readonly fork: (found: FoundFork) => Promise<void>;
  /** Acknowledged records that stay for the history of the vehicle's own API. Default 5,000. */
  readonly keepRecords?: number;
}

export interface FoundFork {
  /** Of the journal: the incarnation to leave, and its newest revision. */
  readonly incarnation: string;
  readonly revision: number;
  /** Where the cloud stands in it. */
  readonly known: number;
}

export interface StreamShipper {
  /** Revision that the cloud has committed; 0 when nothing is known. */
  readonly acknowledged: number;
  /** `lost`: records that the cloud never had when a full state closed the gap. `forks`: see H4. */
  readonly counters: { readonly shipped: number; readonly openings: number; readonly lost: number; readonly refused: number; readonly forks: number };
  stop(): Promise<void>;
}

type FullState = NonNullable<Awaited<ReturnType<System["settledStateOf"]>>>;

export function startStreamShipper(options: StreamShipperOptions): StreamShipper {
  const { transport, store, sent, system, sending, entity, log } = options;
  const keepRecords = options.keepRecords ?? 5_000;
  const counters = { shipped: 0, openings: 0, lost: 0, refused: 0, forks: 0 };
  const retry = new Retry(sending.clock, options.random, RETRY);
  /** What the cloud said last in this session; undefined: ask. */
  let position: StreamPosition | undefined;
  /** H4. */
  let isCompared = false;
  /** H3. */
  let sinceOpening = OPENING_EVERY;
  /** A full state waiting until the cloud has all records before it (rules T3). */
  let checkpoint: FullState | undefined;
  let trimmed = 0;
  let moves = 0;
  let revision = 0;
  let incarnation = "";
  let running: Promise<void> | undefined;
  let stopped = false;

  const unwatch = system.watch((change: Change) => {
    if (change.entity !== entity || change.record === undefined) return;
    if (change.incarnation !== incarnation) trimmed = 0;
    revision = change.revision;
    incarnation = change.incarnation;
    pump();
  });
  const unstate = transport.onState((state) => {
    position = undefined;
    isCompared = false;
    if (state.kind !== "ready") {
      sent.lower();
      return;
    }
    retry.reset();
    pump();
  });
  if (transport.state.kind !== "ready") sent.lower();
  pump();

  function pump(): void {
    if (running !== undefined || stopped || retry.isWaiting || transport.state.kind !== "ready") return;
    running = ship()
      .then(
        (more) => {
          retry.reset();
          return more;
        },
        (cause: unknown) => {
          later(cause);
          return false;
        },
      )
      .then((more) => {
        running = undefined;
        if (more) pump();
      });
  }

  function later(cause: unknown): void {
    position = undefined;
    isCompared = false;
    if (stopped) return;
    retry.later(pump);
    if (retry.failures === WARN_AT) log.warn({ err: cause, entity }, "the stream is not taken by the cloud; it is tried on");
  }

  /** One batch. True when there may be more. @throws what keeps it from being taken now */
  async function ship(): Promise<boolean> {
    if (revision === 0) await learnHead();
    if (revision === 0) return false;
    position ??= await ask({ entity, type: typeOf(entity), incarnation, after: 0, records: [] });
    const at = position;
    const known = isCompared ? undefined : await parted(at);
    if (known !== undefined) {
      counters.forks++;
      await options.fork({ incarnation, revision, known });
      return true;
    }
    isCompared = true;
    const follows = at.incarnation === incarnation && at.revision <= revision;
    if (follows && sinceOpening >= OPENING_EVERY) checkpoint ??= await system.settledStateOf(entity);
    if (!follows || checkpoint?.incarnation !== incarnation || checkpoint.revision < at.revision) checkpoint = undefined;
    if (checkpoint?.revision === at.revision) await open(checkpoint, at);
    else if (follows && at.revision === revision) return false;
    else {
      const batch = follows ? await next(at, checkpoint?.revision) : undefined;
      if (batch === undefined || (await send(batch, at)) === "too-large") await open(await system.settledStateOf(entity), at);
    }
    await trimAcknowledged();
    return position.revision < revision || position.incarnation !== incarnation || sinceOpening >= OPENING_EVERY;
  }

  /** H4. How far the cloud knew a history of this name that is not this one; undefined: they are one, as far as both say. */
  async function parted(at: StreamPosition): Promise<number | undefined> {
    if (at.incarnation !== incarnation) return at.past?.find(([name]) => name === incarnation)?.[1];
    if (at.revision > revision) {
      // The store may be ahead of what was told here.
      const head = await store.revisionOf(entity);
      if (head?.incarnation !== at.incarnation) throw new Error("the entity has another history since");
      if (at.revision > head.revision) return at.revision;
    }
    if (at.revision === 0) return undefined;
    const own = at.head === undefined ? undefined : await linkAt(at.revision);
    const isOther = own === undefined ? await sent.isExceededBy({ incarnation, revision: at.revision }) : !isSameHead(at.head, own);
    return isOther ? at.revision : undefined;
  }

  /** Hash of the record of a revision; undefined: neither it nor what followed it is kept, or it was not noted then. */
  async function linkAt(at: number): Promise<string | undefined> {
    const [found] = await store.journal({ entity, after: at - 1, limit: 1, order: "oldest-first" });
    if (found?.revision === at) return linkOf(found.record);
    if (found?.revision === at + 1) return decodeRecord(found.record).prev;
    const state = await system.settledStateOf(entity);
    return state?.revision === at ? decodeState(state.encoded).head : undefined;
  }

  /** What the store holds, unless a change told it while the store was asked. */
  async function learnHead(): Promise<void> {
    const head = await store.revisionOf(entity);
    if (head !== undefined && revision === 0) ({ revision, incarnation } = head);
  }

  /** undefined: the journal does not continue there (it was trimmed by its bound). */
  async function next({ revision: after, head }: StreamPosition, upTo = Number.POSITIVE_INFINITY): Promise<(StreamBatch & { readonly head: string | undefined }) | undefined> {
    const found = await store.journal({ entity, after, limit: Math.min(MAX_RECORDS, upTo - after), order: "oldest-first" });
    if (found[0]?.revision !== after + 1) return undefined;
    const records: Uint8Array[] = [];
    let bytes = 0;
    let link = head;
    for (const { record } of found) {
      // What does not follow by its hash no cloud takes: a full state leads over it.
      if (linkProblem(decodeRecord(record), link) !== undefined) break;
      if (records.length > 0 && bytes + record.byteLength > Math.min(MAX_BATCH_BYTES, transport.capabilities.maxMessageBytes / 2)) break;
      records.push(record);
      bytes += record.byteLength;
      link = linkOf(record);
    }
    return records.length === 0 ? undefined : { entity, type: typeOf(entity), incarnation, after, records, head: link };
  }

  async function send({ head, ...batch }: StreamBatch & { readonly head: string | undefined }, from: StreamPosition): Promise<"sent" | "too-large"> {
    await sent.lift();
    const outcome = await exchange(batch);
    if (outcome === "too-large") return outcome;
    if (outcome.refused === undefined) {
      counters.shipped += batch.records.length;
      sinceOpening += batch.records.length;
    }
    goOnFrom(outcome, from, { incarnation: batch.incarnation, revision: batch.after + batch.records.length, head });
    return "sent";
  }

  /** A full state: begins a history there, closes a gap, or lies beside the records as a checkpoint. */
  async function open(state: FullState | undefined, from: StreamPosition): Promise<void> {
    if (state === undefined) throw new Error("the entity is not hosted here now");
    await sent.lift();
    const lost = from.incarnation === state.incarnation && from.revision < state.revision ? { from: from.revision + 1, to: state.revision } : undefined;
    const outcome = await exchange({
      entity,
      type: state.type,
      incarnation: state.incarnation,
      opening: state.encoded,
      after: state.revision,
      records: [],
      ...(lost === undefined ? {} : { lost }),
    });
    if (outcome === "too-large") throw new Error(`the full state of ${String(state.encoded.byteLength)} bytes is larger than one message`);
    checkpoint = undefined;
    goOnFrom(outcome, from, state);
    if (outcome.refused !== undefined) return;
    sinceOpening = 0;
    counters.openings++;
    if (lost === undefined) return;
    counters.lost += lost.to - lost.from + 1;
    log.warn({ entity, ...lost }, "records were dropped before the cloud had them; a full state closed the gap");
  }

  /**
   * @param upTo where a cloud stands that took the batch
   * @throws when the cloud refuses and stands where it stood, or took it and stands elsewhere (H1): the same again would come to the same at once
   */
  function goOnFrom(outcome: Taken, from: StreamPosition, upTo: { readonly incarnation: string; readonly revision: number; readonly head?: string | undefined }): void {
    position = outcome.position;
    if (outcome.refused === undefined) {
      if (position.incarnation !== upTo.incarnation || position.revision < upTo.revision)
        throw new Error(`the cloud took a batch up to revision ${String(upTo.revision)} and does not stand there`);
      if (position.revision === upTo.revision && !isSameHead(position.head, upTo.head))
        throw new Error(`the cloud took a batch up to revision ${String(upTo.revision)} and holds another record there`);
      moves = 0;
      return;
    }
    isCompared = false;
    counters.refused++;
    if (++moves > MAX_MOVES) {
      moves = 0;
      throw new Error(`the cloud refuses batch after batch: ${outcome.refused}`);
    }
    const isMoved = outcome.position.incarnation !== from.incarnation || outcome.position.revision !== from.revision;
    if (!isMoved) throw new Error(`the cloud refused a batch: ${outcome.refused}`);
    log.info({ entity, reason: outcome.refused }, "the cloud did not take a batch; going on from where it stands");
  }

  async function ask(batch: StreamBatch): Promise<StreamPosition> {
    const outcome = await exchange(batch, Math.min(ASK_WITHIN_MS, FIRST_ASK_WITHIN_MS * 2 ** retry.failures));
    if (outcome === "too-large") throw new Error("the question for the position is too large");
    if (outcome.refused !== undefined) throw new Error(`the cloud refused to tell the position: ${outcome.refused}`);
    return outcome.position;
  }

  async function exchange(batch: StreamBatch, withinMs = ASK_WITHIN_MS): Promise<Taken | "too-large"> {
    if (stopped) throw new Error("the stream is shipped no more");
    const payload = encodeEnvelope({ kind: "stream", id: options.newId(), sender: { node: sending.node, session: sending.session }, body: batch });
    const outcome = await transport.ask(options.key, payload, { withinMs });
    if (outcome.kind === "too-large") return "too-large";
    if (outcome.kind !== "replied") throw new Error(`the cloud did not answer: ${outcome.kind}`);
    const decoded = decodeEnvelope(outcome.payload);
    const taken = decoded.ok ? takenOf(decoded.envelope) : undefined;
    if (decoded.ok) noteTransit(decoded.envelope);
    if (taken === undefined) throw new Error("the cloud's answer could not be read");
    return taken;
  }

  function noteTransit({ sender: { node, session, sentAt } }: Envelope): void {
    if (session !== undefined && sentAt !== undefined) options.transit?.extraMs(node, session, sentAt, sending.clock.monotonic());
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
      retry.cancel();
      await settledWithin(running ?? Promise.resolve(), sending.clock, STOP_WITHIN_MS, undefined);
    },
  };
}

interface Taken {
  readonly position: StreamPosition;
  readonly refused: string | undefined;
}

function takenOf(envelope: Envelope): Taken | undefined {
  if (envelope.kind !== "stream-ack") return undefined;
  const { position, refused } = (envelope.body ?? {}) as {
    readonly position?: { readonly incarnation?: unknown; readonly revision?: unknown; readonly head?: unknown; readonly past?: unknown };
    readonly refused?: unknown;
  };
  const { incarnation, revision, head, past } = position ?? {};
  if (!Number.isSafeInteger(revision) || !(incarnation === undefined || incarnation === null || typeof incarnation === "string")) return undefined;
  const more = { ...(typeof head === "string" ? { head } : {}), ...(isPastHistories(past) ? { past } : {}) };
  return { position: { incarnation: incarnation ?? undefined, revision: revision as number, ...more }, refused: typeof refused === "string" ? refused : undefined };
}

function typeOf(entity: Address): string {
  return entity.split("/")[1] ?? "";
}
