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

export function leftAfter(left: Left, { answered, request, fingerprint, expiresAt }: LeftEvent, now: number): Left {
  const unexpired = left.filter((each) => each.expiresAt > now).map((each): LeftRequest => (answered.includes(each.request) ? { ...each, answered: true } : each));
  const before = unexpired.find((each) => isSame(each, { request, fingerprint }));
  const newest: LeftRequest = { request, fingerprint, expiresAt: Math.max(expiresAt, before?.expiresAt ?? 0), at: before?.at ?? now };
  const all = [...unexpired.filter((each) => each !== before), newest];
  const kept = new Set([...all.filter((each) => each.answered === true).slice(-MAX_ANSWERED), ...all.filter((each) => each.answered !== true).slice(-MAX_OPEN)]);
  return all.filter((each) => kept.has(each));
}

/** undefined where it did not leave. */
export function withoutUntaken(left: Left, untaken: UntakenEvent): Left | undefined {
  return left.some((each) => isSame(each, untaken)) ? left.filter((each) => !isSame(each, untaken)) : undefined;
}

/** The first that left under this id. */
export function leftRequestIn(left: Left, request: string, now: number): LeftRequest | undefined {
  return left.find((each) => each.request === request && each.expiresAt > now);
}

/** L3. */
function isSame(one: Pick<LeftRequest, "request" | "fingerprint">, other: Pick<LeftRequest, "request" | "fingerprint">): boolean {
  return one.request === other.request && one.fingerprint === other.fingerprint;
}
