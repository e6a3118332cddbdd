// Messages under way, within bounds. Whoever can write to a bus can begin as many messages as it likes, in anybody's name (storms of J1939 RTS from forged addresses were recorded on trucks).
//
// R1. A sender has at most `perSender` sessions and all have at most `sessions`: a further one takes the place of an overdue one, else of the oldest that has shown no progress, else it
//     is refused. One that makes progress is never pushed out; it ends by its own deadline. What a frame costs does not grow with the number of sessions: all of them are looked through
//     for overdue ones at most once in 50 ms.
// R2. Memory is taken as data comes, not when it is announced, and at most `bytes` in all.
// R3. A session is overdue when a frame comes, of whatever session, whose time is beyond its deadline.

import type { ReassemblyCounters } from "./reassembler.ts";

export interface SessionLimits {
  readonly perSender: number;
  readonly sessions: number;
  /** Of payload, in all. */
  readonly bytes: number;
}

export interface Session {
  /** Whom the limit per sender is for. */
  readonly sender: number;
  /** Tells the sessions of one sender apart. */
  readonly key: number;
  /** Length of the message in bytes. */
  readonly size: number;
  /** Grows as data comes; see `SessionTable.reserve`. */
  data: Uint8Array;
  /** In seconds. */
  deadlineS: number;
}

export interface SessionTable<S extends Session> {
  readonly held: { readonly sessions: number; readonly bytes: number };
  /** The session, unless it is overdue at `nowS`. */
  readonly find: (sender: number, key: number, nowS: number) => S | undefined;
  /** A session that has shown no progress. False when it was refused, which is counted. */
  readonly add: (session: S, nowS: number) => boolean;
  /** More of it came than its announcement. */
  readonly progress: (session: S) => void;
  /** Makes `session.data` at least `bytes` long (at most its size). False when there is no memory left: the session was given up, which is counted. */
  readonly reserve: (session: S, bytes: number) => boolean;
  /** Ends a session, counted as `outcome`. */
  readonly end: (session: S, outcome: keyof ReassemblyCounters) => void;
  readonly expire: (nowS: number) => void;
}

/** What a session begins with. */
export const NO_DATA = new Uint8Array(0);
/** The memory that it takes with its first piece. */
const FIRST_BYTES = 64;
const SWEEP_EVERY_S = 0.05;

export function createSessionTable<S extends Session>(limits: SessionLimits, counters: ReassemblyCounters): SessionTable<S> {
  const bySender = new Map<number, S[]>();
  /** Sessions without progress, the oldest first. */
  const waiting = new Set<S>();
  const held = { sessions: 0, bytes: 0 };
  let nextSweepS = Number.NEGATIVE_INFINITY;

  function end(session: S, outcome: keyof ReassemblyCounters): void {
    const siblings = bySender.get(session.sender) ?? [];
    siblings.splice(siblings.indexOf(session), 1);
    if (siblings.length === 0) bySender.delete(session.sender);
    waiting.delete(session);
    held.sessions--;
    held.bytes -= session.data.length;
    counters[outcome]++;
  }

  function expire(nowS: number): void {
    for (const siblings of [...bySender.values()]) expireOf(siblings, nowS);
  }

  function expireOf(siblings: readonly S[], nowS: number): void {
    for (const session of siblings.filter((each) => each.deadlineS < nowS)) end(session, "timedOut");
  }

  function sweep(nowS: number): void {
    if (nowS < nextSweepS) return;
    nextSweepS = nowS + SWEEP_EVERY_S;
    expire(nowS);
  }

  function pushOut(session: S | undefined): void {
    if (session !== undefined) end(session, "pushedOut");
  }

  const countOf = (sender: number): number => bySender.get(sender)?.length ?? 0;

  return {
    held,
    find: (sender, key, nowS) => {
      const session = bySender.get(sender)?.find((each) => each.key === key);
      if (session === undefined || session.deadlineS >= nowS) return session;
      end(session, "timedOut");
      return undefined;
    },
    add: (session, nowS) => {
      const { sender } = session;
      if (countOf(sender) >= limits.perSender) expireOf(bySender.get(sender) ?? [], nowS);
      if (countOf(sender) >= limits.perSender) pushOut(bySender.get(sender)?.find((each) => waiting.has(each)));
      if (held.sessions >= limits.sessions) sweep(nowS);
      if (held.sessions >= limits.sessions) pushOut(waiting.values().next().value);
      if (countOf(sender) >= limits.perSender || held.sessions >= limits.sessions) {
        counters.refused++;
        return false;
      }
      const siblings = bySender.get(sender);
      if (siblings === undefined) bySender.set(sender, [session]);
      else siblings.push(session);
      waiting.add(session);
      held.sessions++;
      return true;
    },
    progress: (session) => {
      waiting.delete(session);
    },
    reserve: (session, bytes) => {
      const { length } = session.data;
      if (bytes <= length) return true;
      const wanted = Math.min(session.size, Math.max(bytes, 2 * length, FIRST_BYTES));
      if (held.bytes + wanted - length > limits.bytes) {
        end(session, "refused");
        return false;
      }
      const grown = new Uint8Array(wanted);
      grown.set(session.data);
      session.data = grown;
      held.bytes += wanted - length;
      return true;
    },
    end,
    expire,
  };
}
