// Actor messages and their outcomes in envelopes, in both directions.

import type { Answer, Told } from "../outcome.ts";
import type { Clock } from "../ports/index.ts";
import type { RemoteMessage } from "../system/contract.ts";
import { encodeEnvelope, type Envelope } from "./envelope.ts";

const MAX_WITHIN_MS = 24 * 3_600_000;
/** A copy may come this much after its message's time, ms: the clocks that tell it drift, by less than this in a day (transit.ts), and a receiver that was started again has none to compare. */
const LATE_COPY_MS = 60_000;

export interface Sending {
  /** This node and the run of it that speaks. */
  readonly node: string;
  readonly session: string;
  readonly clock: Clock;
}

export function messageEnvelope(message: RemoteMessage, id: string, from: Sending): Uint8Array {
  const { sender } = message;
  const now = from.clock.now();
  return encodeEnvelope({
    kind: message.ask ? "ask" : "tell",
    id,
    sender: {
      node: from.node,
      session: from.session,
      sentAt: from.clock.monotonic(),
      ...(sender.kind === "entity"
        ? { entity: sender.entity, incarnation: sender.incarnation, seq: sender.seq, epoch: sender.epoch, ...(sender.oldest === undefined ? {} : { oldest: sender.oldest }) }
        : {}),
    },
    to: message.to,
    remainingMs: Math.max(0, Math.min(MAX_WITHIN_MS, message.withinMs)),
    ...(sender.expiresAt === undefined ? {} : { expiresInMs: Math.max(0, sender.expiresAt - now) }),
    ...(sender.kind === "outside" ? { author: sender.author } : {}),
    // Nobody knows its id: copies of this envelope are all that comes again.
    ...(sender.kind === "outside" && sender.repeatedMs !== undefined ? { repeatedMs: Math.max(0, message.withinMs) + LATE_COPY_MS } : {}),
    ...(message.replyKey === undefined ? {} : { replyKey: message.replyKey }),
    ...(message.answers === undefined ? {} : { answers: message.answers }),
    ...(message.trace === undefined ? {} : { trace: message.trace }),
    ...(message.against === undefined ? {} : { against: message.against }),
    ...(message.waitedMs === undefined ? {} : { waitedMs: message.waitedMs }),
    body: message.event,
  });
}

/** @param lateMs what the transit took beyond the fastest of its session; its deadline has lost that much */
export function envelopeMessage(envelope: Envelope, lateMs: number, clock: Clock): RemoteMessage | { readonly bad: string } {
  const { to, body, sender, author } = envelope;
  if (to === undefined) return { bad: "no address" };
  if (typeof body !== "object" || body === null || typeof (body as { type?: unknown }).type !== "string") return { bad: "the body is no event" };
  const withinMs = (envelope.remainingMs ?? 0) - lateMs;
  const expiresAt = envelope.expiresInMs === undefined ? undefined : clock.now() + envelope.expiresInMs;
  const { entity, incarnation, seq, epoch, oldest } = sender;
  const common = {
    to,
    event: body as RemoteMessage["event"],
    ask: envelope.kind === "ask",
    withinMs,
    ...(envelope.replyKey === undefined ? {} : { replyKey: envelope.replyKey }),
    ...(envelope.answers === undefined ? {} : { answers: envelope.answers }),
    ...(envelope.trace === undefined ? {} : { trace: envelope.trace }),
    ...(envelope.against === undefined ? {} : { against: envelope.against }),
    ...(envelope.waitedMs === undefined ? {} : { waitedMs: envelope.waitedMs + lateMs }),
  };
  if (entity !== undefined) {
    if (incarnation === undefined || seq === undefined || epoch === undefined) return { bad: "an entity's message without incarnation, seq or epoch" };
    return {
      ...common,
      sender: { kind: "entity", entity, incarnation, seq, epoch, ...(expiresAt === undefined ? {} : { expiresAt }), ...(oldest === undefined ? {} : { oldest }) },
    };
  }
  if (expiresAt === undefined) return { bad: "a message from outside without an expiry" };
  const { repeatedMs } = envelope;
  return { ...common, sender: { kind: "outside", id: envelope.id, author: author ?? `node:${sender.node}`, expiresAt, ...(repeatedMs === undefined ? {} : { repeatedMs }) } };
}

export function answerEnvelope(answer: Told | Answer, correlation: string, id: string, from: Sending): Uint8Array {
  return encodeEnvelope({ kind: "answer", id, sender: { node: from.node, session: from.session, sentAt: from.clock.monotonic() }, correlation, body: answer });
}
