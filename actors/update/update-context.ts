// What the update of a module remembers, what it is told and what it tells. Pure functions over it decide which version report counts.

import { cutTo } from "../cut-to.ts";
import type { MadeFor } from "./made-for.ts";
import type { ModuleChecked } from "./work.ts";

export interface UpdateInput {
  readonly module: string;
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly madeFor?: MadeFor;
  readonly attempts: number;
  readonly darkMs: number;
}

export interface UpdateContext extends UpdateInput {
  readonly attempt: number;
  /** Of the present upload, per cent. */
  readonly progress: number;
  readonly part: string;
  readonly windowMs: number;
  /** Of this attempt: its trigger may have left, and the module may still open its port for it. */
  readonly isWindowOpen: boolean;
  /** An upload of this attempt was begun. */
  readonly isSent: boolean;
  /** Of the module since its upload was taken, as it changed; null: it did not. */
  readonly presence: string | null;
  /** When the newest upload began, of whichever attempt; null: nothing was sent to the module. */
  readonly beganAt: number | null;
  /** When the module had said that it took all of it; null: it never did. */
  readonly takenAt: number | null;
  /** The newest version report while its upload was under way: its answer may be told later. */
  readonly heard: { readonly version: string; readonly at: number } | null;
  /** Of the present rest. */
  readonly tries: number;
  /** It is to begin as soon as it has rested. */
  readonly isCalled: boolean;
  /** Why nobody wants it any more. */
  readonly unwanted: string | null;
  readonly why: string | null;
}

/** vehicle.md, States; `failed`: no attempt brought the image there, `refused`: it is not for this module. */
export type UpdateState =
  | "offered"
  | "postponed"
  | "triggering"
  | "awaiting module"
  | "uploading"
  | "claimed"
  | "rebooting"
  | "trial"
  | "committed"
  | "rolled back"
  | "wrong image"
  | "dark"
  | "unprovable"
  | "cancelled"
  | "failed"
  | "refused";

export type UpdateEvent =
  | { readonly type: "update.begin" }
  | { readonly type: "update.cancel"; readonly reason: string }
  /** Its own timer: the module takes nothing more for the present attempt's trigger. */
  | { readonly type: "window.closed" }
  | { readonly type: "upload.progressed"; readonly attempt: number; readonly percent: number }
  /** As the module said it; `at`: when its frame was on the bus, `now`: when that is told, wall ms. */
  | { readonly type: "version.reported"; readonly part: string; readonly version: string; readonly at: number; readonly now: number }
  | { readonly type: "presence.changed"; readonly presence: string }
  /** Of the node's wall clock, by so many ms: what is dated from now on is dated by another clock. */
  | { readonly type: "clock.corrected"; readonly byMs: number };

/** What its campaign is told. */
export interface UpdateProgress {
  readonly type: "update.progressed";
  readonly module: string;
  readonly state: UpdateState;
  readonly attempt: number;
  readonly progress: number;
  readonly why: string | null;
  /** Its trigger was not let out. */
  readonly isHeldBack: boolean;
}

export function beginning(input: UpdateInput): UpdateContext {
  return {
    ...input,
    attempt: 0,
    progress: 0,
    part: "",
    windowMs: 0,
    isWindowOpen: false,
    isSent: false,
    presence: null,
    beganAt: null,
    takenAt: null,
    heard: null,
    tries: 0,
    isCalled: false,
    unwanted: null,
    why: null,
  };
}

/** U8: its dates as the clock that was set by so many ms would have given them. */
export function shifted({ beganAt, takenAt, heard }: UpdateContext, byMs: number): Pick<UpdateContext, "beganAt" | "takenAt" | "heard"> {
  const by = (at: number | null): number | null => (at === null ? null : at + byMs);
  return { beganAt: by(beganAt), takenAt: by(takenAt), heard: heard === null ? null : { ...heard, at: heard.at + byMs } };
}

interface Told {
  readonly context: UpdateContext;
  readonly event: UpdateEvent;
}

/** The module runs what was sent to it: before that it reported another version (U5). */
export function provesIt({ context, event }: Told): boolean {
  return event.type === "version.reported" && event.part === context.part && isSince(context.beganAt, event) && event.version === context.version;
}

/** It has restarted with something else, after it had said that it took all of it. */
export function disprovesIt({ context, event }: Told): boolean {
  return event.type === "version.reported" && event.part === context.part && isSince(context.takenAt, event) && event.version !== context.version;
}

/** It has restarted with something else after it had proved itself. Reports are told in their order. */
export function takesItBack({ context, event }: Told): boolean {
  return event.type === "version.reported" && event.part === context.part && event.version !== context.version;
}

/** As `disprovesIt`, of what was heard before that was told. */
export function wasDisproved({ heard, takenAt, version }: UpdateContext): boolean {
  return heard !== null && takenAt !== null && heard.at >= takenAt && heard.version !== version;
}

/** U8. */
function isSince(date: number | null, { at, now }: { readonly at: number; readonly now: number }): boolean {
  return date !== null && (at >= date || date > now);
}

/** The proof of an earlier attempt that was not heard of when it came. */
export function wasProved({ beganAt, version }: UpdateContext, checked: ModuleChecked): boolean {
  return checked.kind === "fits" && checked.firmware === version && beganAt !== null && checked.reportedAt !== null && checked.reportedAt >= beganAt;
}

/** What a task threw, in words. */
export function wordsOf(event: object): string {
  const error: unknown = "error" in event ? event.error : undefined;
  const said = error instanceof Error ? error.message : typeof error === "object" && error !== null && "reason" in error ? String(error.reason) : "it is not known why";
  return cutTo(said, MAX_WHY);
}

/** What is told of a reason, characters. */
export const MAX_WHY = 300;
