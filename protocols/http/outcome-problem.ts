// What became of a message, as a problem: one row of the table for each refusal, with what the sender needs to decide what to do next.

import type { GuardReport, Refusal, SignalRead } from "../../runtime/index.ts";
import type { Problem } from "./problem.ts";

/** What is known here of the actor that was meant; for `owner-away`. */
export interface LastKnown {
  /** Wall ms of its last known state. */
  readonly asOf: number | undefined;
  readonly nowMs: number;
}

/** An owner that is away is worth another try after this. */
const OWNER_RETRY_MS = 5_000;
const STORE_RETRY_MS = 2_000;

/** @param id the message's id, so that it can be asked for again */
export function problemOf(refusal: Refusal, type: string, id: string, known: LastKnown): Problem {
  switch (refusal.kind) {
    case "invalid": {
      const { problems, accepts } = refusal;
      const first = problems[0];
      return {
        name: "invalid",
        detail: first === undefined ? `"${type}" does not fit.` : `${first.path === "" ? "the message" : first.path}: ${first.message}.`,
        members: { id, problems, accepts },
      };
    }
    case "refused": {
      const { accepts, reason, guard } = refusal;
      // `accepts` is said before guards: a word that stands there was refused by one.
      const unsaid = accepts.includes(type) ? "its present state takes it, but not as things are or not with these values" : "its present state does not take it";
      const why = guard === undefined ? (reason ?? unsaid) : guardText(guard);
      const members = { id, accepts, ...(reason === undefined ? {} : { reason }), ...(guard === undefined ? {} : { guard: guardMember(guard) }) };
      return { name: "refused", detail: `${type} was refused: ${why}.`, members };
    }
    case "id-reused":
      return { name: "id-reused", detail: `The key "${id}" belongs to another message.`, members: { id } };
    case "no-such-actor":
      return { name: "no-such-actor", detail: "Nobody has this address.", members: { id } };
    case "full":
      return full(refusal, type, id);
    case "owner-away": {
      const { asOf = known.asOf, reason } = refusal;
      const ageMs = asOf === undefined ? undefined : Math.max(0, known.nowMs - asOf);
      const age = ageMs === undefined ? "Nothing is known of its state here." : `Its last known state is ${seconds(ageMs)} old.`;
      return {
        name: "owner-away",
        detail: `${type} was not sent by this request. ${reason === undefined ? "" : `It is kept out of its node: ${reason}. `}${age}`,
        members: { id, asOf: asOf ?? null, ageMs: ageMs ?? null, ...(reason === undefined ? {} : { reason }) },
        retryAfterMs: OWNER_RETRY_MS,
      };
    }
    case "deadline":
      return { name: "deadline", detail: `${type} was not taken in time.`, members: { id } };
    case "not-stored":
      return { name: "not-stored", detail: `${type} was not stored: ${refusal.reason}.`, members: { id, reason: refusal.reason }, retryAfterMs: STORE_RETRY_MS };
    case "too-old":
      return { name: "too-old", detail: `${type} came after its expiry.`, members: { id } };
    case "unknown":
      return { name: "outcome-unknown", detail: `${type} was sent: ${refusal.reason}.`, members: { id, reason: refusal.reason } };
  }
}

function full({ retryAfterMs, reason }: Extract<Refusal, { kind: "full" }>, type: string, id: string): Problem {
  return {
    name: "full",
    detail: `${type} was not taken: ${reason ?? "the actor has no room for it now"}.`,
    members: { id, retryAfterMs, ...(reason === undefined ? {} : { reason }) },
    retryAfterMs,
  };
}

function guardText({ condition, open, reads, reason }: GuardReport): string {
  if (reason !== undefined) return reason;
  const values = reads.map(readText).join(", ");
  return `the condition "${condition}" is ${open === undefined ? "unknown" : open ? "true" : "not true"}${values === "" ? "" : ` (${values})`}`;
}

function readText({ signal, value, ageMs }: SignalRead): string {
  return `${signal} ${value === undefined ? "has no value" : `= ${String(Number(value.toPrecision(7)))}`}${ageMs === undefined ? ", never seen" : `, ${seconds(ageMs)} old`}`;
}

/** With null where there is nothing: JSON drops what is undefined, and a reader should see that it was looked for. */
function guardMember({ condition, open, reads, reason }: GuardReport): object {
  return {
    condition,
    open: open ?? null,
    reads: reads.map(({ signal, value, ageMs }) => ({ signal, value: value ?? null, ageMs: ageMs === undefined ? null : Math.round(ageMs) })),
    ...(reason === undefined ? {} : { reason }),
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
