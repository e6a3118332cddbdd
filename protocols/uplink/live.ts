// Presence of vehicles as the bus tells it, and the trees that nodes announce (design section 7). Hints, never ownership: who may act is decided by epochs.

import { decodeEnvelope, encodeEnvelope, everyVehicle, parseName, LimitedLog } from "../../runtime/index.ts";
import type { Log, Transport } from "../../runtime/ports/index.ts";
import type { Sending } from "../../runtime/wire/index.ts";

export interface LiveInfo {
  readonly node: string;
  /** Names one run of the node: a new process is a new run. */
  readonly session: string;
  readonly epoch: number;
  readonly version: string;
}

export function livePayload(info: LiveInfo, newId: () => string): Uint8Array {
  return encodeEnvelope({ kind: "live", id: newId(), sender: { node: info.node, session: info.session, epoch: info.epoch }, body: { version: info.version } });
}

export interface LinkEvent {
  readonly tenant: string;
  readonly vehicle: string;
  /** undefined: its session has ended. */
  readonly live: LiveInfo | undefined;
}

/** Calls back on every change of presence, and with what stands when it begins. */
export async function watchLive(transport: Transport, sending: Sending, log: Log, changed: (event: LinkEvent) => void): Promise<() => Promise<void>> {
  const limitedLog = new LimitedLog(log, sending.clock);
  const watched = await transport.watchLast(everyVehicle.live, (delivery) => {
    const name = parseName(delivery.key);
    if (name?.kind !== "vehicle") return;
    const { tenant, vehicle } = name;
    if (delivery.payload.byteLength === 0) {
      changed({ tenant, vehicle, live: undefined });
      return;
    }
    const decoded = decodeEnvelope(delivery.payload);
    if (!decoded.ok || decoded.envelope.kind !== "live") {
      limitedLog.warn({ reason: "bad-live", key: delivery.key, detail: decoded.ok ? decoded.envelope.kind : decoded.detail }, "a presence could not be read");
      return;
    }
    const { node, session, epoch } = decoded.envelope.sender;
    const version = (decoded.envelope.body as { readonly version?: unknown } | null)?.version;
    changed({ tenant, vehicle, live: { node, session: session ?? "", epoch: epoch ?? 0, version: typeof version === "string" ? version : "" } });
  });
  return () => watched.close();
}
