// Sends actor messages to the node that owns their entity, and tells the truth about what became of them.
//
// U1. `owner-away` only when nothing was sent; once sent, the outcome is the owner's word or `unknown` (promise S3).
// U2. Nobody waits for a session that has ended: what was sent to it is `unknown` at once, and can be asked for under its id in the next one.

import { type Address, entityOf } from "../address.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Remote, RemoteMessage } from "../system/contract.ts";
import type { AskOutcome, Transport } from "../ports/index.ts";
import { decodeEnvelope } from "./envelope.ts";
import { answerOf } from "./answer-check.ts";
import { messageEnvelope, type Sending } from "./message-envelope.ts";

/** The owner waits this much less than the sender, so that its own `unknown` still arrives. */
const HEADROOM_MS = 50;
const RETRY_AFTER_MS = 1_000;

export interface BusRemoteOptions {
  readonly transport: Transport;
  readonly sending: Sending;
  readonly newId: () => string;
  /** Key to send to and whether its owner is there; undefined: not an entity of this remote. */
  readonly find: (entity: Address) => { readonly key: string; readonly node: string; readonly reachable: boolean; readonly asOf?: number } | undefined;
}

export interface BusRemote extends Remote {
  /** The owner's session has ended, or another one has begun (U2). */
  sessionEnded(entity: Address): void;
}

export function busRemote(options: BusRemoteOptions): BusRemote {
  async function send(message: RemoteMessage): Promise<Told | Answer> {
    const place = options.find(entityOf(message.to));
    if (place === undefined) return { kind: "no-such-actor" };
    const away: Answer = place.asOf === undefined ? { kind: "owner-away" } : { kind: "owner-away", asOf: place.asOf };
    if (!place.reachable) return away;
    if (!(message.withinMs > 0)) return { kind: "deadline" };
    const id = message.sender.kind === "outside" ? message.sender.id : options.newId();
    let payload: Uint8Array;
    try {
      payload = messageEnvelope(message.ask ? { ...message, withinMs: Math.max(1, message.withinMs - HEADROOM_MS) } : message, id, options.sending);
    } catch (cause) {
      return { kind: "invalid", problems: [{ path: "", message: `it cannot be sent: ${cause instanceof Error ? cause.message : String(cause)}` }], accepts: [] };
    }
    const outcome = await options.transport.ask(place.key, payload, { withinMs: message.withinMs });
    return outcomeOf(outcome, away);
  }

  return {
    route: (entity) => {
      const place = options.find(entity);
      return place === undefined ? undefined : { node: place.node, reachable: place.reachable, ...(place.asOf === undefined ? {} : { asOf: place.asOf }) };
    },
    send,
    sessionEnded: (entity) => {
      const place = options.find(entity);
      if (place !== undefined) options.transport.peerLost(place.key, "the session of its owner ended before it answered");
    },
  };
}

function outcomeOf(outcome: AskOutcome, away: Answer): Told | Answer {
  switch (outcome.kind) {
    case "replied": {
      const decoded = decodeEnvelope(outcome.payload);
      return decoded.ok && decoded.envelope.kind === "answer" ? answerOf(decoded.envelope.body) : { kind: "unknown", reason: "the owner's answer could not be read" };
    }
    case "unavailable":
    case "no-route":
      return away;
    case "overloaded":
      return { kind: "full", retryAfterMs: RETRY_AFTER_MS, reason: outcome.reason };
    case "too-large":
      return { kind: "invalid", problems: [{ path: "/", message: `the message is larger than ${String(outcome.maxBytes)} bytes` }], accepts: [] };
    case "unknown":
      return { kind: "unknown", reason: outcome.reason };
  }
}
