// Which commands left for one vehicle, so that whoever asks again is not told that nothing was sent, also over a kill of the node (promise S3; rules M2). Pure functions.
//
// L1. Written down before the command leaves, until its id expires. The outcome lives with the vehicle's entity and is asked for there.
// L2. Bounded, since each turn writes the whole list: of those that the vehicle has not answered the newest 1,000, of those that it has the newest 64. Of what is not known here an
//     answer speaks of its own attempt alone.

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

export function leftAfter(left: Left, event: Extract<EventOf<typeof requestsMessages>, { type: "request.left" }>, now: number): Left {
  const { request, fingerprint, expiresAt, answered } = event;
  const known = left
    .filter((each) => each.expiresAt > now && each.request !== request)
    .map((each): LeftRequest => (answered.includes(each.request) ? { ...each, answered: true } : each));
  const all = [...known, { request, fingerprint, expiresAt, at: now }];
  const kept = new Set([...all.filter((each) => each.answered === true).slice(-MAX_ANSWERED), ...all.filter((each) => each.answered !== true).slice(-MAX_OPEN)]);
  return all.filter((each) => kept.has(each));
}

/** undefined where it did not leave. */
export function withoutUntaken(left: Left, request: string): Left | undefined {
  return left.some((each) => each.request === request) ? left.filter((each) => each.request !== request) : undefined;
}

export function leftRequestIn(left: Left, request: string, fingerprint: string, now: number): LeftRequest | undefined {
  return left.find((each) => each.request === request && each.fingerprint === fingerprint && each.expiresAt > now);
}
