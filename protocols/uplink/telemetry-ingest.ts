// The cloud's side of telemetry: newest values into the mirror, gaps counted, then the acknowledgement. Time series are kept by a later issue.

import { Packr } from "msgpackr";
import { decodeEnvelope, encodeEnvelope, everyVehicle, parseName, LimitedLog } from "../../runtime/index.ts";
import type { Delivery, Log, MetricsSource, Subscription, Transport } from "../../runtime/ports/index.ts";
import { isRecord, isText, messagePackProblem, type Sending } from "../../runtime/wire/index.ts";
import { descriptionOf, type SampleRecord, sampleProblem, type ToldAt, toldAtOf } from "./signal-state.ts";
import type { SignalMirror } from "./signal-mirror.ts";

/** Entries of one batch. */
const MAX_ITEMS = 10_000;

const packr = new Packr({ useRecords: false, moreTypes: false, structuredClone: false });

/** As a sample stands in the telemetry log. */
export function encodeSample(sample: SampleRecord): Uint8Array {
  return new Uint8Array(packr.pack(sample));
}

export interface TelemetryIngestOptions {
  readonly transport: Transport;
  readonly mirror: SignalMirror;
  readonly sending: Sending;
  readonly newId: () => string;
  readonly log: Log;
  readonly heard: (tenant: string, vehicle: string) => void;
}

export interface TelemetryIngest {
  readonly counters: { readonly samples: number; readonly bad: number; readonly gaps: number; readonly lost: number };
  readonly metrics: MetricsSource;
  close(): Promise<void>;
}

export async function openTelemetryIngest(options: TelemetryIngestOptions): Promise<TelemetryIngest> {
  const { transport, mirror, sending } = options;
  const counters = { samples: 0, bad: 0, gaps: 0, lost: 0 };
  const limitedLog = new LimitedLog(options.log, sending.clock);

  function vehicleOf(delivery: Delivery): { readonly tenant: string; readonly vehicle: string; readonly address: string } | undefined {
    const name = parseName(delivery.key);
    return name?.kind === "vehicle" ? { tenant: name.tenant, vehicle: name.vehicle, address: `${name.tenant}/vehicle/${name.vehicle}` } : undefined;
  }

  function bad(delivery: Delivery, detail: string): void {
    counters.bad++;
    limitedLog.warn({ reason: "bad-telemetry", key: delivery.key, detail }, "telemetry could not be read");
  }

  function take(address: string, item: unknown, shipped: ToldAt | undefined): void {
    const { kind, bytes, from, to, count, reason } = isRecord(item) ? item : {};
    if (kind === "gap") {
      const isUncounted = count === undefined || count === null;
      if (!isCount(from) || !isCount(to) || !(isUncounted || isCount(count))) {
        badItem(address, "a gap is two numbers, and how many were lost where that is known");
        return;
      }
      if (!isUncounted) counters.lost += count;
      counters.gaps++;
      limitedLog.warn(
        { vehicle: address, gap: { from, to, ...(isUncounted ? {} : { count }), ...(isText(reason, 64) ? { reason } : {}) } },
        "telemetry was dropped in the vehicle",
      );
      return;
    }
    const sample = bytes instanceof Uint8Array ? unpacked(bytes) : { problem: "an entry has no bytes" };
    const problem = "problem" in sample ? sample.problem : sampleProblem(sample.value);
    if ("problem" in sample || problem !== undefined) {
      badItem(address, problem);
      return;
    }
    counters.samples++;
    mirror.take(address, sample.value as SampleRecord, shipped);
  }

  /** The others of its batch are taken. */
  function badItem(vehicle: string, detail: string | undefined): void {
    counters.bad++;
    limitedLog.warn({ reason: "bad-telemetry-entry", vehicle, detail }, "a telemetry entry could not be read");
  }

  const served: Subscription = await transport.serve(everyVehicle.up("telemetry"), (delivery) => {
    const vehicle = vehicleOf(delivery);
    const decoded = decodeEnvelope(delivery.payload);
    const items = decoded.ok && decoded.envelope.kind === "telemetry" ? listOf(decoded.envelope.body) : undefined;
    const refused = vehicle === undefined || items === undefined ? (decoded.ok ? `no list of at most ${String(MAX_ITEMS)} items` : decoded.detail) : undefined;
    if (vehicle === undefined || items === undefined) bad(delivery, refused ?? "");
    else {
      options.heard(vehicle.tenant, vehicle.vehicle);
      const { told } = decoded.ok && isRecord(decoded.envelope.body) ? decoded.envelope.body : {};
      for (const item of items) take(vehicle.address, item, toldAtOf(told));
    }
    // What could not be read was not taken: its sender keeps it.
    return Promise.resolve(
      encodeEnvelope({ kind: "stream-ack", id: options.newId(), sender: { node: sending.node, session: sending.session }, body: refused === undefined ? null : { refused } }),
    );
  });

  const live = await transport.subscribe(everyVehicle.up("signals"), (delivery) => {
    const vehicle = vehicleOf(delivery);
    const decoded = decodeEnvelope(delivery.payload);
    const problem = decoded.ok ? (decoded.envelope.kind === "signals" ? sampleProblem(decoded.envelope.body) : `kind ${decoded.envelope.kind}`) : decoded.detail;
    if (vehicle === undefined || !decoded.ok || problem !== undefined) bad(delivery, problem ?? "foreign key");
    else {
      const sample = decoded.envelope.body as SampleRecord;
      mirror.take(vehicle.address, sample, sample.told);
    }
  });

  const info = await transport.watchLast(everyVehicle.up("signal-info"), (delivery) => {
    const vehicle = vehicleOf(delivery);
    if (vehicle === undefined || delivery.payload.byteLength === 0) return;
    const decoded = decodeEnvelope(delivery.payload);
    const description = decoded.ok
      ? decoded.envelope.kind === "signals"
        ? descriptionOf(decoded.envelope.body)
        : { problem: `kind ${decoded.envelope.kind}` }
      : { problem: decoded.detail };
    if ("problem" in description) {
      bad(delivery, description.problem);
      return;
    }
    mirror.describe(vehicle.address, description.signals, description);
  });

  const metrics: MetricsSource = () => [
    { name: "drover_telemetry_samples_total", help: "Samples taken from vehicles' telemetry logs.", kind: "counter", value: counters.samples },
    { name: "drover_telemetry_gaps_total", help: "Gaps that vehicles told of in their telemetry.", kind: "counter", value: counters.gaps },
    { name: "drover_telemetry_lost_total", help: "Telemetry lost in vehicles, by their gaps, as far as they know how much.", kind: "counter", value: counters.lost },
    { name: "drover_telemetry_bad_total", help: "Telemetry that could not be read.", kind: "counter", value: counters.bad },
  ];

  return {
    counters,
    metrics,
    close: async () => {
      await Promise.all([served.close(), live.close(), info.close()]);
    },
  };
}

function listOf(body: unknown): readonly unknown[] | undefined {
  const items = isRecord(body) ? body["items"] : undefined;
  return Array.isArray(items) && items.length <= MAX_ITEMS ? items : undefined;
}

/** A sample as the log holds it: bytes of their own, walked like an envelope before anything is made of them. */
function unpacked(bytes: Uint8Array): { readonly value: unknown } | { readonly problem: string } {
  const problem = messagePackProblem(bytes, 0);
  if (problem !== undefined) return { problem };
  try {
    return { value: packr.unpack(bytes) };
  } catch (cause) {
    return { problem: cause instanceof Error ? cause.message : "not MessagePack" };
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
