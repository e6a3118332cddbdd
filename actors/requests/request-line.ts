// The line of requests that wait for one vehicle, as data: who is next, who is gone and why. Pure functions (rules O2).
//
// R1. A request is forwarded only at the head of the line, so that the vehicle's order is the one in which they were kept.
// R2. Its time to live counts from when it was kept. What ends unsent is `expired`; what may have been sent ends with the vehicle's word alone (promise S3).
// R3. An outcome that the vehicle does not keep is kept here until its id expires, and nothing unexpired is evicted (rules M2). A dead letter that was sent again and came to nothing is only shown: the next
//     time it is judged anew.
// R4. A request's id comes from outside: it is a value in a list, never the name of a field.
// R5. What may have been sent and was overtaken by a newer one for the same actor is only asked for: a vehicle that never heard of it does not act on it any more.

import { type EventOf, isSentAgain } from "../../runtime/index.ts";
import { leftAfter, type LeftRequest, type LeftRow, rowOfLeft, withoutUntaken } from "./left-requests.ts";
import type { requestsMessages } from "./messages.ts";

/** Requests that wait for one vehicle; a further one is not taken. */
export const MAX_WAITING = 100;
/** R3: those that wait and the outcomes that are kept here; a further request is not taken. */
export const MAX_REMEMBERED = 500;
/** Nothing was done. */
const CAME_TO_NOTHING: readonly string[] = ["expired", "refused", "invalid", "id-reused", "no-such-actor"];
/** Other outcomes, kept to be read. */
const MAX_SHOWN = 50;

export interface WaitingRequest {
  /** Its message id. */
  readonly request: string;
  readonly to: string;
  readonly event: { readonly type: string; readonly [key: string]: unknown };
  readonly author: string;
  /** Its id is known until then (rules M2), wall ms. */
  readonly expiresAt: number;
  readonly keptAt: number;
  /** Its time to live is over then, wall ms; at most `expiresAt`. */
  readonly endsAt: number;
  readonly against?: number;
  /** It may have reached the vehicle. */
  readonly sent?: true;
  /** R5. */
  readonly overtaken?: true;
}

export interface SettledRequest extends WaitingRequest {
  /** The vehicle's word: `confirmed`, `superseded`, `refused`, …; `expired`: nothing was sent in its time; `unknown`: the vehicle gave no word. */
  readonly outcome: string;
  readonly at: number;
}

export interface RequestsContext {
  /** In the order in which they were kept. */
  readonly waiting: readonly WaitingRequest[];
  /** Oldest first. */
  readonly settled: readonly SettledRequest[];
  /** Commands that left for the vehicle, also those that do not wait; oldest first. */
  readonly left?: readonly LeftRow[];
}

type RequestsEvent = EventOf<typeof requestsMessages>;

/** The line after an event; undefined where the event is not taken. */
export function lineAfter(context: RequestsContext, event: RequestsEvent, now: number): RequestsContext | undefined {
  switch (event.type) {
    case "request.keep":
      return kept(context, event);
    case "request.sent":
      return isHead(context, event.request) ? { ...context, waiting: context.waiting.map((each, place) => (place === 0 ? { ...each, sent: true } : each)) } : undefined;
    case "request.settled":
      return settled(context, ({ request }) => request === event.request, event.outcome, now);
    case "request.postponed":
      return postponed(context, event.request);
    case "request.left":
      return { ...context, left: leftAfter(context.left ?? [], event, now) };
    case "request.untaken": {
      const left = withoutUntaken(context.left ?? [], event);
      return left === undefined ? undefined : { ...context, left };
    }
    case "requests.ended":
      return settled(context, (each) => each.sent !== true && each.endsAt <= now, "expired", now) ?? context;
  }
}

function kept(context: RequestsContext, { type: _, ttlMs, ...request }: Extract<RequestsEvent, { type: "request.keep" }>): RequestsContext | undefined {
  const { waiting, settled: before } = context;
  const remembered = before.filter((each) => isRemembered(each, request.keptAt));
  const isThere = waiting.some((each) => each.request === request.request) || remembered.some((each) => each.request === request.request);
  if (isThere || waiting.length >= MAX_WAITING || waiting.length + remembered.length >= MAX_REMEMBERED) return undefined;
  const endsAt = ttlMs === undefined ? request.expiresAt : Math.min(request.expiresAt, request.keptAt + ttlMs);
  return { ...context, waiting: [...waiting, { ...request, endsAt }] };
}

function settled(context: RequestsContext, isMeant: (each: WaitingRequest) => boolean, outcome: string, now: number): RequestsContext | undefined {
  const gone = context.waiting.filter(isMeant);
  if (gone.length === 0) return undefined;
  const all = [...context.settled, ...gone.map((each): SettledRequest => ({ ...each, outcome, at: now }))];
  const shown = new Set(all.filter((each) => !isRemembered(each, now)).slice(-MAX_SHOWN));
  return { ...context, waiting: context.waiting.filter((each) => !isMeant(each)), settled: all.filter((each) => shown.has(each) || isRemembered(each, now)) };
}

/** Those for the same actor step behind the others, in their order. */
function postponed(context: RequestsContext, request: string): RequestsContext | undefined {
  const [head] = context.waiting;
  if (head?.request !== request) return undefined;
  const others = context.waiting.filter(({ to }) => to !== head.to);
  if (others.length === 0) return undefined;
  const { sent: _, ...unsent } = head;
  return { ...context, waiting: [...others, unsent, ...context.waiting.slice(1).filter(({ to }) => to === head.to)] };
}

function isHead({ waiting }: RequestsContext, request: string): boolean {
  return waiting[0]?.request === request;
}

/** R3. */
function isRemembered(each: SettledRequest, now: number): boolean {
  return (each.outcome === "expired" || each.outcome === "unknown") && isKnown(each, now);
}

/** Whether its id stands for it. */
function isKnown({ request, outcome, expiresAt }: SettledRequest, now: number): boolean {
  return expiresAt > now && !(isSentAgain(request) && CAME_TO_NOTHING.includes(outcome));
}

/** How long it has waited, ms, as its vehicle is told. R5: longer than anything lives, where it may only be asked for; a key that the vehicle knows has its outcome all the same. */
export function waitedMsOf({ keptAt, overtaken }: WaitingRequest, now: number): number {
  return overtaken === true ? Number.MAX_SAFE_INTEGER : Math.max(0, now - keptAt);
}

/** A request of this id that waits, or whose outcome is still known here. */
export function requestIn(context: RequestsContext, request: string, now: number): WaitingRequest | SettledRequest | undefined {
  return context.waiting.find((each) => each.request === request) ?? context.settled.findLast((each) => each.request === request && isKnown(each, now));
}

/** When the first of those that were not sent ends. */
export function firstEndOf({ waiting }: RequestsContext): number | undefined {
  const ends = waiting.filter(({ sent }) => sent !== true).map(({ endsAt }) => endsAt);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

interface RequestsContext1 {
  readonly waiting: Readonly<Record<string, Omit<WaitingRequest, "request" | "endsAt">>>;
}

/** Version 1 kept them by id, forwarded all at once, and did not write down which it had sent. */
export function fromVersion1({ context }: { readonly context: RequestsContext1 }): { readonly value: "open"; readonly context: RequestsContext } {
  const line = Object.entries(context.waiting).map(([request, each]): WaitingRequest => ({ ...each, request, endsAt: each.expiresAt, sent: true }));
  return { value: "open", context: { waiting: line.sort((a, b) => a.keptAt - b.keptAt), settled: [] } };
}

interface RequestsContext2 extends Omit<RequestsContext, "left"> {
  readonly left?: readonly LeftRequest[];
}

/** Version 2 kept what left with names of fields. */
export function fromVersion2({ context: { left, ...line } }: { readonly context: RequestsContext2 }): { readonly value: "open"; readonly context: RequestsContext } {
  return { value: "open", context: left === undefined ? line : { ...line, left: left.map(rowOfLeft) } };
}
