// Takes actor messages from the bus and answers each with what became of it: the receiving side, the same in a vehicle and in the cloud.

import { LimitedLog } from "../limited-log.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Delivery, Log, Subscription, Transport } from "../ports/index.ts";
import type { RemoteMessage } from "../system/contract.ts";
import { decodeEnvelope } from "./envelope.ts";
import { answerEnvelope, envelopeMessage, type Sending } from "./message-envelope.ts";
import { TransitEstimator } from "./transit.ts";

export interface MessageDoorOptions {
  readonly transport: Transport;
  /** Pattern that is served, e.g. a vehicle's `down/in`. */
  readonly pattern: string;
  readonly system: { receive(message: RemoteMessage, key: string): Promise<Told | Answer> };
  readonly sending: Sending;
  readonly log: Log;
  readonly newId: () => string;
  /** Shared with whatever else hears of the same senders: who was heard before is known to be late with its first message too. */
  readonly transit?: TransitEstimator;
  /** Whether the sender may send this; default: all that arrives. */
  readonly admits?: (key: string, message: RemoteMessage) => boolean;
}

export interface MessageDoor {
  readonly counters: { readonly taken: number; readonly bad: number; readonly foreign: number };
  close(): Promise<void>;
}

export async function openMessageDoor(options: MessageDoorOptions): Promise<MessageDoor> {
  const { sending, system } = options;
  const transit = options.transit ?? new TransitEstimator();
  const counters = { taken: 0, bad: 0, foreign: 0 };
  const limitedLog = new LimitedLog(options.log, sending.clock);

  async function take(delivery: Delivery): Promise<Uint8Array> {
    const decoded = decodeEnvelope(delivery.payload);
    if (!decoded.ok) {
      counters.bad++;
      limitedLog.warn({ reason: decoded.reason, key: delivery.key, detail: decoded.detail }, "an envelope could not be read");
      return answerEnvelope({ kind: "invalid", problems: [{ path: "/", message: decoded.detail }], accepts: [] }, "none", options.newId(), sending);
    }
    const { envelope } = decoded;
    const { session, sentAt, node } = envelope.sender;
    const lateMs = session === undefined || sentAt === undefined ? 0 : transit.extraMs(node, session, sentAt, sending.clock.monotonic());
    const message = envelopeMessage(envelope, lateMs, sending.clock);
    if ("bad" in message) {
      counters.bad++;
      limitedLog.warn({ reason: "invalid-message", key: delivery.key, detail: message.bad }, "a message could not be read");
      return answerEnvelope({ kind: "invalid", problems: [{ path: "/", message: message.bad }], accepts: [] }, envelope.id, options.newId(), sending);
    }
    if (options.admits?.(delivery.key, message) === false) {
      counters.foreign++;
      limitedLog.warn(
        { reason: "foreign-sender", key: delivery.key, entity: envelope.sender.entity, to: message.to },
        "a message named a sender that it is not, or went where its sender may not",
      );
      return answerEnvelope({ kind: "no-such-actor" }, envelope.id, options.newId(), sending);
    }
    counters.taken++;
    const outcome = message.withinMs <= 0 ? ({ kind: "deadline" } as const) : await system.receive({ ...message, bytes: delivery.payload.byteLength }, delivery.key);
    return answerEnvelope(outcome, envelope.id, options.newId(), sending);
  }

  const served: Subscription = await options.transport.serve(options.pattern, take);
  return { counters, close: () => served.close() };
}
