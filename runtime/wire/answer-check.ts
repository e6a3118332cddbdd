// What another node answers, field by field: it decides what a person reads and what a sender does next, so nothing of it is taken on trust.

import type { Answer, GuardReport, Refusal, SignalRead, Told } from "../outcome.ts";
import { type DataLimits, isRecord, isText, isWallTime, plainDataProblem } from "./plain-data.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Bounded by the envelope that carries it. */
const VALUE: DataLimits = { depth: 64, items: 1_048_576, characters: 1_048_576 };
const MAX_WORD_CHARACTERS = 512;
const MAX_TEXT_CHARACTERS = 16_384;
const MAX_LISTED = 1_000;
const LONGEST_RETRY_MS = 3_600_000;

/** What a body of kind `answer` says; anything that is none is `unknown`, since the message was sent. */
export function answerOf(body: unknown): Told | Answer {
  return (isRecord(body) ? checked(body) : undefined) ?? { kind: "unknown", reason: "the owner's answer could not be read" };
}

function checked(body: Fields): Told | Answer | undefined {
  const { kind } = body;
  switch (kind) {
    case "accepted":
      return acceptedOf(body);
    case "replied":
      return plainDataProblem(body["value"], VALUE) === undefined ? { kind, value: body["value"] } : undefined;
    case "refused":
      return refusedOf(body);
    case "invalid":
      return invalidOf(body);
    case "id-reused":
    case "no-such-actor":
    case "deadline":
    case "too-old":
      return { kind };
    case "full": {
      const { retryAfterMs, reason } = body;
      if (typeof retryAfterMs !== "number" || !(retryAfterMs >= 0) || !(isAbsent(reason) || isText(reason, MAX_TEXT_CHARACTERS))) return undefined;
      return { kind, retryAfterMs: Math.min(LONGEST_RETRY_MS, retryAfterMs), ...(isAbsent(reason) ? {} : { reason }) };
    }
    case "owner-away": {
      const { asOf, reason } = body;
      if (!(isAbsent(asOf) || isWallTime(asOf)) || !(isAbsent(reason) || isText(reason, MAX_TEXT_CHARACTERS))) return undefined;
      return { kind, ...(isAbsent(asOf) ? {} : { asOf }), ...(isAbsent(reason) ? {} : { reason }) };
    }
    case "not-stored":
    case "unknown": {
      const { reason } = body;
      if (!isText(reason, MAX_TEXT_CHARACTERS)) return undefined;
      return kind === "unknown" ? { kind, reason, byOwner: true } : { kind, reason };
    }
    default:
      return undefined;
  }
}

function acceptedOf({ durable, revision, waiting }: Fields): Told | Answer | undefined {
  if (waiting === true) return durable === "local" ? { kind: "accepted", durable, waiting } : undefined;
  if (durable !== "memory" && durable !== "local" && durable !== "replicated") return undefined;
  if (isAbsent(revision)) return { kind: "accepted", durable };
  return Number.isSafeInteger(revision) && (revision as number) >= 0 ? { kind: "accepted", durable, revision: revision as number } : undefined;
}

function refusedOf({ accepts, reason, guard }: Fields): Refusal | undefined {
  if (!isWords(accepts) || !(isAbsent(reason) || isText(reason, MAX_TEXT_CHARACTERS))) return undefined;
  const report = isAbsent(guard) ? undefined : guardOf(guard);
  if (report === undefined && !isAbsent(guard)) return undefined;
  return { kind: "refused", accepts, ...(isAbsent(reason) ? {} : { reason }), ...(report === undefined ? {} : { guard: report }) };
}

function invalidOf({ accepts, problems }: Fields): Refusal | undefined {
  if (!isWords(accepts) || !Array.isArray(problems) || problems.length > MAX_LISTED) return undefined;
  const list = problems.flatMap((problem: unknown) => {
    const { path, message } = isRecord(problem) ? problem : {};
    return isText(path, MAX_TEXT_CHARACTERS) && isText(message, MAX_TEXT_CHARACTERS) ? [{ path, message }] : [];
  });
  return list.length === problems.length ? { kind: "invalid", problems: list, accepts } : undefined;
}

function guardOf(guard: unknown): GuardReport | undefined {
  const { condition, open, reads, reason } = isRecord(guard) ? guard : {};
  if (!isText(condition, MAX_TEXT_CHARACTERS) || !(isAbsent(open) || typeof open === "boolean") || !Array.isArray(reads) || reads.length > MAX_LISTED) return undefined;
  if (!(isAbsent(reason) || isText(reason, MAX_TEXT_CHARACTERS))) return undefined;
  const list = reads.flatMap((read: unknown) => readOf(read) ?? []);
  return list.length === reads.length ? { condition, open: open ?? undefined, reads: list, ...(isAbsent(reason) ? {} : { reason }) } : undefined;
}

/** A number that JSON lacks is no value. */
function readOf(read: unknown): SignalRead | undefined {
  const { signal, value, ageMs } = isRecord(read) ? read : {};
  if (!isText(signal, MAX_WORD_CHARACTERS) || !isNumberOrAbsent(value) || !isNumberOrAbsent(ageMs)) return undefined;
  return { signal, value: finite(value), ageMs: finite(ageMs) };
}

function isWords(list: unknown): list is readonly string[] {
  return Array.isArray(list) && list.length <= MAX_LISTED && list.every((word) => isText(word, MAX_WORD_CHARACTERS));
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isNumberOrAbsent(value: unknown): value is number | undefined | null {
  return isAbsent(value) || typeof value === "number";
}

function finite(value: number | undefined | null): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
