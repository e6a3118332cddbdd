// What this node has sent under which message id, so that whoever asks again is never told that nothing was sent (promise S3; rules M2).
//
// The outcome lives with the vehicle's entity and is asked for there; this memory answers only while the vehicle is away. What it heard is lost with the process; that it sent is not
// (left-commands.ts).
//
// K1. An id stands for one command of one author to one vehicle until it expires; another one under it is refused here, and takes nothing from what is known of the first.
// K2. Attempts under one id may overlap. It counts as never sent only when all of them are over, nothing of it is still being written down, and the vehicle keeps no word on any.
//
// A sender that asks again wishes it now: a vehicle that never heard of the first attempt acts on the second, which has its own time to live. Only what is brought again by this node,
// and what may wait, counts from its acceptance (waiting-commands.ts).

import { type Answer, entityOf, fingerprintOf, type Remote, type RemoteMessage, type Told } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { mayBeRemembered, wasNotTaken } from "./command-word.ts";
import type { CommandId, LeftCommands } from "./left-commands.ts";

const MOST_KEPT = 10_000;

type Outside = Extract<RemoteMessage["sender"], { kind: "outside" }>;
type Word = Told | Answer;

interface Sent extends CommandId {
  /** When it was first sent, wall ms. */
  readonly at: number;
  /** Those whose word is not there yet. */
  attempts: number;
  /** Those that are still being written down. */
  writings: number;
  isWritten: boolean;
  /** An attempt is over, and the vehicle may remember it. */
  mayBeRemembered: boolean;
  /** The owner's last word, once it was heard. */
  outcome?: Word;
}

export interface SentMemory extends Remote {
  /** What was sent under the message's id, if it may have been taken: this command, first sent at a wall time in ms, or another one (K1). */
  sentBefore(message: RemoteMessage): { readonly at: number } | "another" | undefined;
}

/** @param left outlives this process */
export function rememberingSent(direct: Remote, left: LeftCommands, clock: Pick<Clock, "now" | "monotonic">): SentMemory {
  /** By vehicle and id, oldest first. */
  const sent = new Map<string, Sent>();

  async function send(message: RemoteMessage): Promise<Word> {
    const { sender } = message;
    if (sender.kind !== "outside") return direct.send(message);
    const command = commandOf(message, sender);
    let before = find(command);
    if (before !== undefined && isAnother(before, command)) {
      await forget(before);
      before = find(command);
      if (before !== undefined && isAnother(before, command)) return { kind: "id-reused" };
    }
    const isThere = direct.route(command.vehicle)?.reachable === true;
    const entry = before ?? (isThere ? note(command) : undefined);
    if (entry === undefined) return direct.send(message);
    entry.attempts++;
    let word: Word;
    try {
      word = await (isThere ? sendWritten(entry, command, message) : direct.send(message));
    } finally {
      // In one go with what follows: of two that end together the second to be judged must know of the first.
      entry.attempts--;
    }
    if (mayBeRemembered(word, sender.id)) {
      heard(entry, word);
      return word;
    }
    const others = wordOfOthers(entry, word, message.ask);
    if (others !== undefined) return others;
    await forget(entry);
    // Another one may have come, or ended, meanwhile.
    return wordOfOthers(entry, word, message.ask) ?? word;
  }

  /** It leaves when it is written down. */
  async function sendWritten(entry: Sent, command: CommandId, message: RemoteMessage): Promise<Word> {
    const began = clock.monotonic();
    entry.writings++;
    const writing = left.leaves(command, message.withinMs);
    void writing.settled.then((isWritten) => {
      entry.writings--;
      entry.isWritten ||= isWritten;
      return forget(entry);
    });
    try {
      const told = await writing.told;
      if (told.kind !== "accepted") return told;
      return await direct.send({ ...message, withinMs: Math.max(0, message.withinMs - (clock.monotonic() - began)) });
    } finally {
      writing.over();
    }
  }

  function heard(entry: Sent, word: Word): void {
    entry.mayBeRemembered = true;
    if (word.kind === "unknown") return;
    entry.outcome = word;
    left.answered(entry);
  }

  /** K2. Where the store does not take that nothing came of it, it is said again the next time. */
  async function forget(entry: Sent): Promise<void> {
    if (isInUse(entry) || entry.mayBeRemembered) return;
    if (entry.isWritten) {
      entry.writings++;
      entry.isWritten = !(await left.untaken(entry));
      entry.writings--;
    }
    if (!isInUse(entry) && !entry.isWritten && sent.get(keyOf(entry)) === entry) sent.delete(keyOf(entry));
  }

  function find(command: CommandId): Sent | undefined {
    const found = sent.get(keyOf(command));
    if (found !== undefined && (found.expiresAt > clock.now() || isInUse(found))) return found;
    const written = left.find(command.vehicle, command.request);
    return written === undefined ? undefined : keep({ ...written, vehicle: command.vehicle, attempts: 0, writings: 0, isWritten: true, mayBeRemembered: true });
  }

  function note(command: CommandId): Sent {
    return keep({ ...command, at: clock.now(), attempts: 0, writings: 0, isWritten: false, mayBeRemembered: false });
  }

  function keep(entry: Sent): Sent {
    sent.delete(keyOf(entry));
    sent.set(keyOf(entry), entry);
    for (const [key, oldest] of sent) {
      if (sent.size <= MOST_KEPT && oldest.expiresAt > clock.now()) break;
      if (!isInUse(oldest) && oldest !== entry) sent.delete(key);
    }
    return entry;
  }

  return {
    route: (entity) => direct.route(entity),
    send,
    sentBefore: (message) => {
      if (message.sender.kind !== "outside") return undefined;
      const command = commandOf(message, message.sender);
      const before = find(command);
      if (before === undefined || !(isInUse(before) || before.mayBeRemembered)) return undefined;
      return isAnother(before, command) ? "another" : before;
    },
  };
}

function commandOf({ to, event }: RemoteMessage, sender: Outside): CommandId {
  return { vehicle: entityOf(to), request: sender.id, fingerprint: fingerprintOf(to, event, sender), expiresAt: sender.expiresAt };
}

function keyOf({ vehicle, request }: CommandId): string {
  return `${vehicle} ${request}`;
}

/** K1. */
function isAnother(one: CommandId, other: CommandId): boolean {
  return one.fingerprint !== other.fingerprint;
}

function isInUse({ attempts, writings }: Sent): boolean {
  return attempts > 0 || writings > 0;
}

/** K2. What is said where nothing came of one attempt, and something may have come of another. */
function wordOfOthers(entry: Sent, word: Word, isAsk: boolean): Word | undefined {
  if (!wasNotTaken(word)) return undefined;
  if (entry.mayBeRemembered) return earlierWord(entry, isAsk);
  return entry.attempts > 0 ? { kind: "unknown", reason: "another attempt under the same id is on its way; ask again with the same id" } : undefined;
}

function earlierWord({ outcome }: Sent, isAsk: boolean): Word {
  if (outcome?.kind === "replied") return isAsk ? outcome : { kind: "accepted", durable: "local" };
  if (outcome !== undefined && (outcome.kind !== "accepted" || !isAsk)) return outcome;
  return { kind: "unknown", reason: "an earlier attempt under the same id was sent, and its owner cannot be asked about it now; ask again with the same id" };
}
