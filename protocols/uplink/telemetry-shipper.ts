// Ships the vehicle's telemetry log by offset and forgets what the cloud acknowledged. The log bounds itself and says what it dropped (promises S5, S6).
//
// L1. Live first: while a backlog drains, the newest sample also goes out at once, unacknowledged, so that a page shows the present.

import { decodeEnvelope, encodeEnvelope } from "../../runtime/index.ts";
import type { AppendLog, Log, LogItem, TimeoutHandle, Transport } from "../../runtime/ports/index.ts";
import type { Sending } from "./message-envelope.ts";
import type { SampleRecord } from "./signal-state.ts";

const ASK_WITHIN_MS = 10_000;
const MAX_ITEMS = 200;
const MAX_BATCH_BYTES = 256 * 1024;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 15_000;
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
  readonly words: Log;
  readonly random: () => number;
}

export interface TelemetryShipper {
  /** A sample has been appended under this seq. */
  appended(seq: number, sample: SampleRecord): void;
  readonly counters: { readonly shipped: number; readonly gaps: number };
  stop(): Promise<void>;
}

export function startTelemetryShipper(options: TelemetryShipperOptions, acknowledgedBefore: number, lastSeq: number): TelemetryShipper {
  const { transport, log, sending } = options;
  const counters = { shipped: 0, gaps: 0 };
  let acknowledged = acknowledgedBefore;
  let last = lastSeq;
  let running: Promise<void> | undefined;
  let retry: TimeoutHandle | undefined;
  let failures = 0;
  let stopped = false;

  const unstate = transport.onState((state) => {
    if (state.kind !== "ready") return;
    failures = 0;
    sending.clock.clearTimeout(retry);
    retry = undefined;
    pump();
  });
  pump();

  function pump(): void {
    if (running !== undefined || stopped || retry !== undefined || transport.state.kind !== "ready" || acknowledged >= last) return;
    running = ship()
      .then(
        () => {
          failures = 0;
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
    const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 8));
    failures++;
    if (failures === 3) options.words.warn({ err: cause }, "telemetry is not taken by the cloud; it is kept and tried on");
    retry = sending.clock.setTimeout(() => {
      retry = undefined;
      pump();
    }, ceiling * (0.5 + options.random() / 2));
  }

  async function ship(): Promise<void> {
    const found = await log.read(acknowledged, MAX_ITEMS);
    const items = bounded(found);
    const end = items.at(-1);
    if (end === undefined) {
      acknowledged = last;
      return;
    }
    const body = { incarnation: options.incarnation, items };
    const outcome = await transport.ask(options.key, encodeEnvelope({ kind: "telemetry", id: options.newId(), sender: { node: sending.node, session: sending.session }, body }), { withinMs: ASK_WITHIN_MS });
    if (outcome.kind !== "replied") throw new Error(`the cloud did not answer: ${outcome.kind}`);
    const decoded = decodeEnvelope(outcome.payload);
    if (!decoded.ok || decoded.envelope.kind !== "stream-ack") throw new Error("the cloud's answer could not be read");
    acknowledged = seqOf(end);
    counters.shipped += items.length;
    counters.gaps += items.filter((item) => item.kind === "gap").length;
    await log.acknowledge(acknowledged);
  }

  return {
    counters,
    appended: (seq, sample) => {
      last = Math.max(last, seq);
      if (last - acknowledged > LIVE_WHEN_BEHIND && transport.state.kind === "ready") {
        const payload = encodeEnvelope({ kind: "signals", id: options.newId(), sender: { node: sending.node, session: sending.session }, body: sample });
        void transport.publish(options.liveKey, payload, { qos: "drop" });
      }
      pump();
    },
    stop: async () => {
      stopped = true;
      unstate();
      sending.clock.clearTimeout(retry);
      await running;
    },
  };
}

function seqOf(item: LogItem): number {
  return item.kind === "gap" ? item.to : item.seq;
}

function bounded(items: readonly LogItem[]): readonly LogItem[] {
  const taken: LogItem[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = item.kind === "entry" ? item.bytes.byteLength : 32;
    if (taken.length > 0 && bytes + size > MAX_BATCH_BYTES) break;
    taken.push(item);
    bytes += size;
  }
  return taken;
}
