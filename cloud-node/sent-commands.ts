// What this node has sent under which message id, so that whoever asks again is never told that nothing was sent (promise S3; rules M2).
//
// The outcome lives with the vehicle's entity and is asked for there; this memory answers only while the vehicle is away. What it heard is lost with the process; that it sent is not
// (left-commands.ts).
// A sender that asks again wishes it now: a vehicle that never heard of the first attempt acts on the second, which has its own time to live. Only what is brought again by this node,
// and what may wait, counts from its acceptance (waiting-commands.ts).

import { isDeepStrictEqual } from "node:util";
import { type Answer, entityOf, type Remote, type RemoteMessage, type Told } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { wasNotTaken } from "./command-word.ts";
import type { LeftCommands } from "./left-commands.ts";

const MOST_KEPT = 10_000;

type Outside = Extract<RemoteMessage["sender"], { kind: "outside" }>;
type Word = Told | Answer;

interface Sent {
  readonly message: RemoteMessage;
  readonly sender: Outside;
  /** Wall ms. */
  readonly at: number;
  /** The owner's final word, once it was heard. */
  outcome?: Word;
}

export interface SentMemory extends Remote {
  /** When this message was first sent to its owner, wall ms, if it may have been taken. */
  firstSentAt(message: RemoteMessage): number | undefined;
}

/** @param left outlives this process */
export function rememberingSent(direct: Remote, left: LeftCommands, clock: Pick<Clock, "now" | "monotonic">): SentMemory {
  const sent = new Map<string, Sent>();

  async function send(message: RemoteMessage): Promise<Word> {
    const { sender } = message;
    if (sender.kind !== "outside") return direct.send(message);
    const began = clock.monotonic();
    const before = sentBefore(message, sender);
    let entry = before;
    if (entry === undefined && direct.route(entityOf(message.to))?.reachable === true) {
      entry = note(message, sender);
      const noted = await left.leaves(message, sender);
      if (noted.kind !== "accepted") {
        forget(entry);
        return noted;
      }
    }
    const word = await direct.send({ ...message, withinMs: Math.max(0, message.withinMs - (clock.monotonic() - began)) });
    if (word.kind === "unknown") return word;
    if (!wasNotTaken(word)) {
      if (entry !== undefined) entry.outcome = word;
      left.answered(message, sender);
      return word;
    }
    if (before !== undefined) return known(before, message.ask);
    if (entry !== undefined) {
      forget(entry);
      await left.untaken(message, sender);
    }
    return word;
  }

  function forget(entry: Sent): void {
    if (sent.get(entry.sender.id) === entry) sent.delete(entry.sender.id);
  }

  function sentBefore(message: RemoteMessage, sender: Outside): Sent | undefined {
    const found = sent.get(sender.id);
    if (found === undefined || found.sender.expiresAt <= clock.now()) {
      const at = left.leftAt(message, sender);
      return at === undefined ? undefined : { message, sender, at };
    }
    const isSame = found.message.to === message.to && found.sender.author === sender.author && isDeepStrictEqual(found.message.event, message.event);
    return isSame ? found : undefined;
  }

  function note(message: RemoteMessage, sender: Outside): Sent {
    const entry: Sent = { message, sender, at: clock.now() };
    sent.delete(sender.id);
    sent.set(sender.id, entry);
    for (const [id, { sender: oldest }] of sent) {
      if (sent.size <= MOST_KEPT && oldest.expiresAt > clock.now()) break;
      sent.delete(id);
    }
    return entry;
  }

  return {
    route: (entity) => direct.route(entity),
    send,
    firstSentAt: (message) => (message.sender.kind === "outside" ? sentBefore(message, message.sender)?.at : undefined),
  };
}

function known({ outcome }: Sent, isAsk: boolean): Word {
  if (outcome?.kind === "replied") return isAsk ? outcome : { kind: "accepted", durable: "local" };
  if (outcome !== undefined && (outcome.kind !== "accepted" || !isAsk)) return outcome;
  return { kind: "unknown", reason: "an earlier attempt under the same id was sent, and its owner is away now; ask again with the same id when it is back" };
}
