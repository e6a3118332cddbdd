// Ships the vehicle's telemetry log by offset and forgets what the cloud acknowledged. The log bounds itself and says what it dropped (promises S5, S6).
//
// L1. Live first: while a backlog drains, the newest sample also goes out at once, unacknowledged, so that a page shows the present.
// L2. A batch that is small is lost where the cloud does not listen rather than late: it is given up soon, twice as late after each failure. A cloud whose answers name another
//     run than before has begun anew.

import { decodeEnvelope, encodeEnvelope, Retry, settledWithin } from "../../runtime/index.ts";
import type { AppendLog, Log, LogItem, Transport } from "../../runtime/ports/index.ts";
import type { Sending } from "../../runtime/wire/index.ts";
import type { SampleRecord } from "./signal-state.ts";

const ASK_WITHIN_MS = 10_000;
/** L2. */
const FIRST_ASK_WITHIN_MS = 2_000;
const SMALL_BYTES = 8 * 1024;
const MAX_ITEMS = 200;
const MAX_BATCH_BYTES = 256 * 1024;
const RETRY = { firstMs: 250, longestMs: 15_000 };
/** A stop waits this long for the batch under way. */
const STOP_WITHIN_MS = 1_000;
const LIVE_WHEN_BEHIND = 20;

export interface TelemetryShipperOptions {
  readonly transport: Transport;
  /** Served by the cloud, e.g. the vehicle's `up/telemetry`. */
  readonly key: string;
  /** Published to, unacknowledged, e.g. `up/signals`. */
  readonly liveKey: string;
  readonly log: AppendLog;
  readonly incarnation: string;
  readonly sending: Sending;
  readonly newId: () => string;
  /** The cloud has begun anew since its last answer (L2). */
  readonly cloudBegan: () => void;
  readonly words: Log;
  readonly random: () => number;
}

export interface TelemetryShipper {
  /** A sample has been appended under this seq. */
  appended(seq: number, sample: SampleRecord): void;
  /** One that stands in no log: told at once, unacknowledged, as far as there is a link. */
  live(sample: SampleRecord): void;
  readonly counters: { readonly shipped: number; readonly gaps: number; readonly unsendable: number };
  stop(): Promise<void>;
}

export function startTelemetryShipper(options: TelemetryShipperOptions, acknowledgedBefore: number, lastSeq: number): TelemetryShipper {
  const { transport, log, sending } = options;
  const counters = { shipped: 0, gaps: 0, unsendable: 0 };
  let acknowledged = acknowledgedBefore;
  let last = lastSeq;
  let running: Promise<void> | undefined;
  let stopped = false;
  /** The run of the cloud that answered last. */
  let answering: string | undefined;
  const retry = new Retry(sending.clock, options.random, RETRY);

  const unstate = transport.onState((state) => {
    if (state.kind !== "ready") return;
    retry.reset();
    pump();
  });
  pump();

  function pump(): void {
    if (running !== undefined || stopped || retry.isWaiting || transport.state.kind !== "ready" || acknowledged >= last) return;
    running = ship()
      .then(
        () => {
          retry.reset();
        },
        (cause: unknown) => {
          later(cause);
        },
      )
      .finally(() => {
        running = undefined;
        pump();
      });
  }

  function later(cause: unknown): void {
    if (stopped) return;
    retry.later(pump);
    if (retry.failures === 3) options.words.warn({ err: cause }, "telemetry is not taken by the cloud; it is kept and tried on");
  }

  async function ship(): Promise<void> {
    const found = await log.read(acknowledged, MAX_ITEMS);
    const items = bounded(found);
    const end = items.at(-1);
    if (end === undefined) {
      acknowledged = last;
      return;
    }
    const body = { incarnation: options.incarnation, told: { session: sending.session, ms: sending.clock.monotonic() }, items };
    const outcome = await transport.ask(options.key, encodeEnvelope({ kind: "telemetry", id: options.newId(), sender: { node: sending.node, session: sending.session }, body }), {
      withinMs: sizeOf(items) > SMALL_BYTES ? ASK_WITHIN_MS : Math.min(ASK_WITHIN_MS, FIRST_ASK_WITHIN_MS * 2 ** Math.min(retry.failures, 8)),
    });
    if (outcome.kind === "too-large" && items.length === 1) {
      // It would stand in the way of all that follows for ever.
      counters.unsendable++;
      options.words.error({ seq: seqOf(end), maxBytes: outcome.maxBytes }, "one telemetry entry is too large for the link and was left out");
    } else {
      if (outcome.kind !== "replied") throw new Error(`the cloud did not answer: ${outcome.kind}`);
      const decoded = decodeEnvelope(outcome.payload);
      if (!decoded.ok || decoded.envelope.kind !== "stream-ack") throw new Error("the cloud's answer could not be read");
      heardFrom(decoded.envelope.sender.session);
      const refused = (decoded.envelope.body as { readonly refused?: unknown } | null)?.refused;
      if (refused !== undefined) throw new Error(`the cloud refused it: ${typeof refused === "string" ? refused : JSON.stringify(refused)}`);
      counters.shipped += items.length;
      counters.gaps += items.filter((item) => item.kind === "gap").length;
    }
    acknowledged = seqOf(end);
    await log.acknowledge(acknowledged);
  }

  /** L2. */
  function heardFrom(session: string | undefined): void {
    if (session === undefined || session === answering) return;
    const isAnother = answering !== undefined;
    answering = session;
    if (isAnother) options.cloudBegan();
  }

  function live(sample: SampleRecord): void {
    if (transport.state.kind !== "ready") return;
    const payload = encodeEnvelope({ kind: "signals", id: options.newId(), sender: { node: sending.node, session: sending.session }, body: sample });
    void transport.publish(options.liveKey, payload, { qos: "drop" });
  }

  return {
    counters,
    live,
    appended: (seq, sample) => {
      last = Math.max(last, seq);
      if (last - acknowledged > LIVE_WHEN_BEHIND) live(sample);
      pump();
    },
    stop: async () => {
      stopped = true;
      unstate();
      retry.cancel();
      await settledWithin(running ?? Promise.resolve(), sending.clock, STOP_WITHIN_MS, undefined);
    },
  };
}

function seqOf(item: LogItem): number {
  return item.kind === "gap" ? item.to : item.seq;
}

function sizeOf(items: readonly LogItem[]): number {
  return items.reduce((sum, item) => sum + (item.kind === "entry" ? item.bytes.byteLength : 32), 0);
}

function bounded(items: readonly LogItem[]): readonly LogItem[] {
  const taken: LogItem[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOf([item]);
    if (taken.length > 0 && bytes + size > MAX_BATCH_BYTES) break;
    taken.push(item);
    bytes += size;
  }
  return taken;
}
