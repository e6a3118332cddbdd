// A message from outside as it enters the node: who says what to whom, until when, under which id (rules M2).
//
// O1. An id that the node made is known to nobody else: within the node nothing sends its message again, so that its outcome is kept for the reply to an ask alone, whatever `keepMs` is. Who
//     carries it to another node, or sends it again himself, says for how long (wire/message-envelope.ts).

import { addressProblem, parseAddress } from "../address.ts";
import type { EventData } from "../entity/contract.ts";
import { isSentAgain } from "../entity/index.ts";
import type { Refusal } from "../outcome.ts";
import { aWholeNumberFrom, complaintAbout } from "../shape/index.ts";
import { asItIsNow, isWellFormed } from "../xstate/index.ts";
import type { RemoteMessage, TellOptions } from "./contract.ts";
import { optionNames, unknownOption } from "./option-names.ts";

export const DEFAULT_WITHIN_MS = 10_000;
export const LONGEST_MS = 24 * 3_600_000;
const MAX_ID_CHARACTERS = 128;
const MAX_AUTHOR_CHARACTERS = 256;
/** Of milliseconds and bytes. */
const COUNT = aWholeNumberFrom(0);
const OPTIONS = optionNames<TellOptions>({ id: true, author: true, withinMs: true, keepMs: true, trace: true, bytes: true, create: true });
const CREATE_OPTIONS = optionNames<NonNullable<TellOptions["create"]>>({ input: true, labels: true });

export interface Sent {
  readonly address: string;
  readonly event: EventData;
  readonly options: TellOptions | undefined;
  readonly ask: boolean;
  /** A dead letter: its id is no sender's. */
  readonly again?: true;
}

/** @param from this node: its name, the wall time, a fresh id */
export function outsideMessage(
  { address, event, options = {}, ask, again }: Sent,
  from: { readonly node: string; readonly now: number; readonly id: string },
): RemoteMessage | Extract<Refusal, { kind: "invalid" }> {
  if (!isObject(options)) return invalid({ path: "/options", message: "an object is expected" });
  const { id = from.id, author = `node:${from.node}`, withinMs = DEFAULT_WITHIN_MS, keepMs = LONGEST_MS, trace, bytes } = options;
  const { create } = options;
  const wrong = unknownOption(options, OPTIONS) ?? problemOf({ address, event, id, author, withinMs, keepMs, trace, bytes, create, again });
  if (wrong !== undefined) return invalid(wrong);
  const within = Math.min(LONGEST_MS, withinMs);
  return {
    to: parseAddress(address),
    event: asItIsNow(event),
    sender: {
      kind: "outside",
      id,
      author,
      expiresAt: from.now + Math.min(LONGEST_MS, Math.max(within, keepMs)),
      // O1.
      ...(options.id === undefined ? { repeatedMs: ask ? within : 0 } : {}),
    },
    ask,
    withinMs: within,
    ...(trace === undefined ? {} : { trace }),
    ...(bytes === undefined ? {} : { bytes }),
  };
}

interface Fault {
  readonly path: string;
  readonly message: string;
}

function invalid(problem: Fault): Extract<Refusal, { kind: "invalid" }> {
  return { kind: "invalid", problems: [problem], accepts: [] };
}

/** Nothing of it is believed: whoever calls may not be type-checked (hosting A4). */
function problemOf(given: Readonly<Record<"address" | "event" | "id" | "author" | "withinMs" | "keepMs" | "trace" | "bytes" | "create" | "again", unknown>>): Fault | undefined {
  const { address, event, id, author, withinMs, keepMs, trace, bytes, create, again } = given;
  const problem = typeof address === "string" ? addressProblem(address) : "an address is a text";
  if (problem !== undefined) return { path: "/to", message: problem };
  if (!isObject(event) || typeof (event as { readonly type?: unknown }).type !== "string") return { path: "", message: "a message is an object with a type" };
  if (!isText(id, MAX_ID_CHARACTERS)) return { path: "/id", message: `1 to ${String(MAX_ID_CHARACTERS)} whole characters are expected` };
  if (again === undefined && isSentAgain(id)) return { path: "/id", message: "such an id belongs to a dead letter that is sent again" };
  if (!isText(author, MAX_AUTHOR_CHARACTERS)) return { path: "/author", message: `1 to ${String(MAX_AUTHOR_CHARACTERS)} whole characters are expected` };
  if (!isCount(withinMs)) return { path: "/withinMs", message: noCount(withinMs) };
  if (!isCount(keepMs)) return { path: "/keepMs", message: noCount(keepMs) };
  if (trace !== undefined && typeof trace !== "string") return { path: "/trace", message: "a text is expected" };
  if (bytes !== undefined && !isCount(bytes)) return { path: "/bytes", message: noCount(bytes) };
  if (create === undefined) return undefined;
  if (!isObject(create)) return { path: "/create", message: "an object with the input is expected" };
  const unknown = unknownOption(create, CREATE_OPTIONS);
  return unknown === undefined ? undefined : { ...unknown, path: `/create${unknown.path}` };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As `COUNT` says, without its price for each message. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function noCount(value: unknown): string {
  return complaintAbout(value, COUNT) ?? "";
}

/** Both are keys or words of the record. */
function isText(value: unknown, maximum: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= maximum && isWellFormed(value);
}
