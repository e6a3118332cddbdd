// Which commands left for one vehicle, so that whoever asks again is not told that nothing was sent, also over a kill of the node (promise S3; rules M2). Pure functions.
//
// L1. Written down before each attempt leaves, until its id expires. The outcome lives with the vehicle's entity and is asked for there.
// L2. Bounded, since each turn writes the whole list: of those that the vehicle has not answered the newest 1,000, of those that it has the newest 64. Of what is not known here an
//     answer speaks of its own attempt alone.
// L3. Another command under the same id is another one, and takes nothing from the first.
// L4. In the context each is a row without names of fields, which would be most of what a turn writes.

import type { EventOf } from "../../runtime/index.ts";
import type { requestsMessages } from "./messages.ts";

/** L2, for one vehicle. */
const MAX_OPEN = 1_000;
const MAX_ANSWERED = 64;

export interface LeftRequest {
  /** Its message id. */
  readonly request: string;
  /** Of receiver, author and event: another command under the same id is another. */
  readonly fingerprint: string;
  /** Its id is known until then (rules M2), wall ms. */
  readonly expiresAt: number;
  /** When it first left, wall ms. */
  readonly at: number;
  /** The vehicle gave its word. */
  readonly answered?: true;
}

/** L4. Id, fingerprint, end and beginning as in `LeftRequest`, and 1 where it is answered. */
export type LeftRow = readonly [request: string, fingerprint: string, expiresAt: number, at: number, answered?: 1];

type Left = readonly LeftRow[];

type LeftEvent = Extract<EventOf<typeof requestsMessages>, { type: "request.left" }>;
type UntakenEvent = Extract<EventOf<typeof requestsMessages>, { type: "request.untaken" }>;

export function leftAfter(left: Left, { answered, others = [], ...first }: LeftEvent, now: number): Left {
  const heard = new Set(answered);
  const known = new Map(left.filter((row) => row[2] > now).map((row) => [keyOf(row), heard.has(row[0]) ? answeredRow(row) : row]));
  for (const { request, fingerprint, expiresAt } of [first, ...others]) {
    const key = keyOf([request, fingerprint]);
    const before = known.get(key);
    // The newest are the last.
    known.delete(key);
    known.set(key, [request, fingerprint, Math.max(expiresAt, before?.[2] ?? 0), before?.[3] ?? now]);
  }
  const all = [...known.values()];
  const kept = new Set([...all.filter(isAnswered).slice(-MAX_ANSWERED), ...all.filter((row) => !isAnswered(row)).slice(-MAX_OPEN)]);
  return all.filter((row) => kept.has(row));
}

/** undefined where none of them left. */
export function withoutUntaken(left: Left, { others = [], ...first }: UntakenEvent): Left | undefined {
  const untaken = new Set([first, ...others].map(({ request, fingerprint }) => keyOf([request, fingerprint])));
  const rest = left.filter((row) => !untaken.has(keyOf(row)));
  return rest.length === left.length ? undefined : rest;
}

/** The first that left under this id. */
export function leftRequestIn(left: Left, request: string, now: number): LeftRequest | undefined {
  const row = left.find(([id, , expiresAt]) => id === request && expiresAt > now);
  if (row === undefined) return undefined;
  return { request, fingerprint: row[1], expiresAt: row[2], at: row[3], ...(isAnswered(row) ? { answered: true } : {}) };
}

export function rowOfLeft({ request, fingerprint, expiresAt, at, answered }: LeftRequest): LeftRow {
  return answered === true ? [request, fingerprint, expiresAt, at, 1] : [request, fingerprint, expiresAt, at];
}

function answeredRow([request, fingerprint, expiresAt, at]: LeftRow): LeftRow {
  return [request, fingerprint, expiresAt, at, 1];
}

function isAnswered(row: LeftRow): boolean {
  return row[4] === 1;
}

/** L3. */
function keyOf([request, fingerprint]: readonly [request: string, fingerprint: string, ...more: unknown[]]): string {
  return `${fingerprint} ${request}`;
}
