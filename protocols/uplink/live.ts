// Presence of vehicles as the bus tells it, and the trees that nodes announce (design section 7). Hints, never ownership: who may act is decided by epochs.

import { decodeEnvelope, encodeEnvelope, everyVehicle, parseName, LimitedLog } from "../../runtime/index.ts";
import type { Log, Transport } from "../../runtime/ports/index.ts";
import { isRecord, isText, type Sending } from "../../runtime/wire/index.ts";

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

const MAX_VERSION_CHARACTERS = 64;

function liveIn(payload: Uint8Array): LiveInfo | { readonly problem: string } {
  const decoded = decodeEnvelope(payload);
  if (!decoded.ok) return { problem: decoded.detail };
  const { kind, sender, body } = decoded.envelope;
  if (kind !== "live") return { problem: `kind ${kind}` };
  const version = isRecord(body) ? (body["version"] ?? "") : body === null ? "" : undefined;
  if (!isText(version, MAX_VERSION_CHARACTERS)) return { problem: `version: a text of at most ${String(MAX_VERSION_CHARACTERS)} characters is expected` };
  return { node: sender.node, session: sender.session ?? "", epoch: sender.epoch ?? 0, version };
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
    const live = liveIn(delivery.payload);
    if ("problem" in live) {
      limitedLog.warn({ reason: "bad-live", key: delivery.key, detail: live.problem }, "a presence could not be read");
      return;
    }
    changed({ tenant, vehicle, live });
  });
  return () => watched.close();
}
