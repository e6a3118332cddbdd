// The cloud's side of the vehicles' streams: commits, then acknowledges (design section 7).

import { batchProblem, decodeEnvelope, encodeEnvelope, everyVehicle, parseName, type Replicas, type StreamBatch, LimitedLog } from "../../runtime/index.ts";
import type { Delivery, Log, Subscription, Transport } from "../../runtime/ports/index.ts";
import type { Sending } from "../../runtime/wire/index.ts";

export interface StreamIngestOptions {
  readonly transport: Transport;
  readonly replicas: Pick<Replicas, "apply" | "position">;
  readonly sending: Sending;
  readonly newId: () => string;
  readonly log: Log;
  /** Any valid batch of a vehicle, empty ones too: it was heard. */
  readonly heard: (tenant: string, vehicle: string) => void;
}

export interface StreamIngest {
  readonly counters: { readonly applied: number; readonly refused: number; readonly bad: number };
  close(): Promise<void>;
}

export async function openStreamIngest(options: StreamIngestOptions): Promise<StreamIngest> {
  const { sending, replicas } = options;
  const counters = { applied: 0, refused: 0, bad: 0 };
  const limitedLog = new LimitedLog(options.log, sending.clock);

  async function take(delivery: Delivery): Promise<Uint8Array> {
    const name = parseName(delivery.key);
    const decoded = decodeEnvelope(delivery.payload);
    const problem = decoded.ok ? (decoded.envelope.kind === "stream" ? batchProblem(decoded.envelope.body) : `kind ${decoded.envelope.kind}`) : decoded.detail;
    if (!decoded.ok || problem !== undefined || name?.kind !== "vehicle") {
      counters.bad++;
      limitedLog.warn({ reason: "bad-batch", key: delivery.key, detail: problem }, "a stream batch could not be read");
      return reply({ position: { incarnation: undefined, revision: 0 }, refused: problem ?? "foreign key" });
    }
    const body = decoded.envelope.body as Omit<StreamBatch, "opening"> & { readonly opening?: Uint8Array | null };
    const { opening, ...rest } = body;
    const batch: StreamBatch = opening === undefined || opening === null ? rest : { ...rest, opening };
    // A vehicle's key carries that vehicle's entity and no other (promise S10).
    if (batch.entity !== `${name.tenant}/vehicle/${name.vehicle}`) {
      counters.bad++;
      limitedLog.warn({ reason: "foreign-entity", key: delivery.key, entity: batch.entity }, "a stream batch was of another vehicle");
      return reply({ position: { incarnation: undefined, revision: 0 }, refused: "this key carries another vehicle" });
    }
    options.heard(name.tenant, name.vehicle);
    const applied = await replicas.apply(batch);
    counters[applied.kind]++;
    if (applied.kind === "refused") limitedLog.warn({ reason: "refused-batch", entity: batch.entity, detail: applied.reason }, "a stream batch was refused");
    return reply({ position: applied.position, refused: applied.kind === "refused" ? applied.reason : null });
  }

  function reply(body: object): Uint8Array {
    return encodeEnvelope({ kind: "stream-ack", id: options.newId(), sender: { node: sending.node, session: sending.session, sentAt: sending.clock.monotonic() }, body });
  }

  const served: Subscription = await options.transport.serve(everyVehicle.up("stream"), take);
  return { counters, close: () => served.close() };
}
