// The cloud's side of telemetry: newest values into the mirror, gaps counted, then the acknowledgement. Time series are kept by a later issue.

import { Packr } from "msgpackr";
import { decodeEnvelope, encodeEnvelope, everyVehicle, parseName, LimitedLog } from "../../runtime/index.ts";
import type { Delivery, Log, Subscription, Transport } from "../../runtime/ports/index.ts";
import type { Sending } from "../../runtime/wire/index.ts";
import { type SampleRecord, type SignalInfo, sampleProblem } from "./signal-state.ts";
import type { SignalMirror } from "./signal-mirror.ts";

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

  function take(address: string, item: unknown): void {
    const { kind, bytes, count } = (item ?? {}) as { readonly kind?: unknown; readonly bytes?: unknown; readonly count?: unknown };
    if (kind === "gap") {
      counters.lost += typeof count === "number" && count > 0 && Number.isFinite(count) ? count : 0;
      counters.gaps++;
      limitedLog.warn({ vehicle: address, gap: item }, "telemetry was dropped in the vehicle");
      return;
    }
    let sample: unknown;
    try {
      sample = bytes instanceof Uint8Array ? packr.unpack(bytes) : undefined;
    } catch {
      sample = undefined;
    }
    if (sampleProblem(sample) !== undefined) {
      counters.bad++;
      return;
    }
    counters.samples++;
    mirror.take(address, sample as SampleRecord);
  }

  const served: Subscription = await transport.serve(everyVehicle.up("telemetry"), (delivery) => {
    const vehicle = vehicleOf(delivery);
    const decoded = decodeEnvelope(delivery.payload);
    const items = decoded.ok && decoded.envelope.kind === "telemetry" ? (decoded.envelope.body as { readonly items?: unknown } | null)?.items : undefined;
    const refused = vehicle === undefined || !Array.isArray(items) ? (decoded.ok ? "no items" : decoded.detail) : undefined;
    if (vehicle === undefined || !Array.isArray(items)) bad(delivery, refused ?? "");
    else {
      options.heard(vehicle.tenant, vehicle.vehicle);
      for (const item of items) take(vehicle.address, item);
    }
    // What could not be read was not taken: its sender keeps it.
    return Promise.resolve(encodeEnvelope({ kind: "stream-ack", id: options.newId(), sender: { node: sending.node }, body: refused === undefined ? null : { refused } }));
  });

  const live = await transport.subscribe(everyVehicle.up("signals"), (delivery) => {
    const vehicle = vehicleOf(delivery);
    const decoded = decodeEnvelope(delivery.payload);
    const problem = decoded.ok ? sampleProblem(decoded.envelope.body) : decoded.detail;
    if (vehicle === undefined || !decoded.ok || problem !== undefined) bad(delivery, problem ?? "foreign key");
    else mirror.take(vehicle.address, decoded.envelope.body as SampleRecord);
  });

  const info = await transport.watchLast(everyVehicle.up("signal-info"), (delivery) => {
    const vehicle = vehicleOf(delivery);
    if (vehicle === undefined || delivery.payload.byteLength === 0) return;
    const decoded = decodeEnvelope(delivery.payload);
    const body = decoded.ok ? (decoded.envelope.body as { readonly signals?: unknown; readonly simulated?: unknown; readonly staleAfterMs?: unknown } | null) : null;
    if (body === null || !Array.isArray(body.signals) || !body.signals.every(isInfo)) {
      bad(delivery, "no list of signals");
      return;
    }
    mirror.describe(vehicle.address, body.signals, { simulated: body.simulated === true, staleAfterMs: typeof body.staleAfterMs === "number" ? body.staleAfterMs : 60_000 });
  });

  return {
    counters,
    close: async () => {
      await Promise.all([served.close(), live.close(), info.close()]);
    },
  };
}

function isInfo(value: unknown): value is SignalInfo {
  return typeof value === "object" && value !== null && typeof (value as SignalInfo).name === "string" && Array.isArray((value as SignalInfo).labels);
}
