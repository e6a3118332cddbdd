// Which commands left for one vehicle, so that whoever asks again is not told that nothing was sent, also over a kill of the node (promise S3; rules M2). Pure functions.
//
// L1. Written down before each attempt leaves, until its id expires. The outcome lives with the vehicle's entity and is asked for there.
// L2. Bounded, since each turn writes the whole list: of those that the vehicle has not answered the newest 1,000, of those that it has the newest 64. Of what is not known here an
//     answer speaks of its own attempt alone.
// L3. Another command under the same id is another one, and takes nothing from the first.

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

type Left = readonly LeftRequest[];

type LeftEvent = Extract<EventOf<typeof requestsMessages>, { type: "request.left" }>;
type UntakenEvent = Extract<EventOf<typeof requestsMessages>, { type: "request.untaken" }>;

export function leftAfter(left: Left, { answered, others = [], ...first }: LeftEvent, now: number): Left {
  const heard = new Set(answered);
  const known = new Map(left.filter((each) => each.expiresAt > now).map((each) => [keyOf(each), heard.has(each.request) ? { ...each, answered: true as const } : each]));
  for (const { request, fingerprint, expiresAt } of [first, ...others]) {
    const key = keyOf({ request, fingerprint });
    const before = known.get(key);
    // The newest are the last.
    known.delete(key);
    known.set(key, { request, fingerprint, expiresAt: Math.max(expiresAt, before?.expiresAt ?? 0), at: before?.at ?? now });
  }
  const all = [...known.values()];
  const kept = new Set([...all.filter((each) => each.answered === true).slice(-MAX_ANSWERED), ...all.filter((each) => each.answered !== true).slice(-MAX_OPEN)]);
  return all.filter((each) => kept.has(each));
}

/** undefined where none of them left. */
export function withoutUntaken(left: Left, { others = [], ...first }: UntakenEvent): Left | undefined {
  const untaken = new Set([first, ...others].map(keyOf));
  const rest = left.filter((each) => !untaken.has(keyOf(each)));
  return rest.length === left.length ? undefined : rest;
}

/** The first that left under this id. */
export function leftRequestIn(left: Left, request: string, now: number): LeftRequest | undefined {
  return left.find((each) => each.request === request && each.expiresAt > now);
}

/** L3. */
function keyOf({ request, fingerprint }: Pick<LeftRequest, "request" | "fingerprint">): string {
  return `${fingerprint} ${request}`;
}
