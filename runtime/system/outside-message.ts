// A message from outside as it enters the node: who says what to whom, until when, under which id (rules M2).
//
// O1. An id that the node made is known to nobody else: within the node nothing sends its message again, so that its outcome is kept for the reply to an ask alone, whatever `keepMs` is. Who
//     carries it to another node, or sends it again himself, says for how long (wire/message-envelope.ts).
// O2. What throws when it is read (a getter, a proxy) is invalid like anything else that cannot be meant: nobody is thrown at (hosting A4). Each option is read here, and nowhere else.

import { addressProblem, parseAddress } from "../address.ts";
import type { EventData } from "../entity/contract.ts";
import { fingerprintOf, isSentAgain, NotPlain } from "../entity/index.ts";
import { isA } from "../is-a.ts";
import type { Refusal } from "../outcome.ts";
import { aWholeNumberFrom, complaintAbout } from "../shape/index.ts";
import { asItIsNow, isWellFormed } from "../xstate/index.ts";
import type { RemoteMessage, TellOptions } from "./contract.ts";
import { optionNames, unknownOption } from "./option-names.ts";

export const DEFAULT_WITHIN_MS = 10_000;
export const LONGEST_MS = 24 * 3_600_000;
const MAX_ID_CHARACTERS = 128;
const MAX_AUTHOR_CHARACTERS = 256;
const THROWS = "it throws when it is read";
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

export interface OutsideMessage {
  readonly message: RemoteMessage;
  readonly create: TellOptions["create"];
  /** Its id was made here. */
  readonly isFirst: boolean;
}

interface From {
  readonly node: string;
  readonly now: number;
  readonly id: string;
}

type Invalid = Extract<Refusal, { kind: "invalid" }>;

/** @param from this node: its name, the wall time, a fresh id */
export function outsideMessage(sent: Sent, from: From): OutsideMessage | Invalid {
  try {
    return entered(sent, from);
  } catch {
    return invalid({ path: "/options", message: THROWS });
  }
}

function entered({ address, event, options = {}, ask, again }: Sent, from: From): OutsideMessage | Invalid {
  if (!isObject(options)) return invalid({ path: "/options", message: "an object is expected" });
  const { id: given, author = `node:${from.node}`, withinMs = DEFAULT_WITHIN_MS, keepMs = LONGEST_MS, trace, bytes, create } = options;
  const isFirst = given === undefined;
  const id = isFirst ? from.id : given;
  const wrong = unknownOption(options, OPTIONS) ?? problemOf({ address, event, id, author, withinMs, keepMs, trace, bytes, create, again });
  if (wrong !== undefined) return invalid(wrong);
  const now = asItIsNow(event);
  const unread = now === event ? unreadable(address, event, id, author) : undefined;
  if (unread !== undefined) return invalid(unread);
  const within = Math.min(LONGEST_MS, withinMs);
  const message: RemoteMessage = {
    to: parseAddress(address),
    event: now,
    sender: {
      kind: "outside",
      id,
      author,
      expiresAt: from.now + Math.min(LONGEST_MS, Math.max(within, keepMs)),
      // O1.
      ...(isFirst ? { repeatedMs: ask ? within : 0 } : {}),
    },
    ask,
    withinMs: within,
    ...(trace === undefined ? {} : { trace }),
    ...(bytes === undefined ? {} : { bytes }),
  };
  return { message, create: create === undefined ? undefined : beginningOf(create), isFirst };
}

/** What is inherited is read as well. */
function beginningOf({ input, labels }: NonNullable<TellOptions["create"]>): TellOptions["create"] {
  return { input, ...(labels === undefined ? {} : { labels }) };
}

interface Fault {
  readonly path: string;
  readonly message: string;
}

function invalid(problem: Fault): Invalid {
  return { kind: "invalid", problems: [problem], accepts: [] };
}

/** Nothing of it is believed: whoever calls may not be type-checked (hosting A4). */
function problemOf(given: Readonly<Record<"address" | "event" | "id" | "author" | "withinMs" | "keepMs" | "trace" | "bytes" | "create" | "again", unknown>>): Fault | undefined {
  const { address, event, id, author, withinMs, keepMs, trace, bytes, create, again } = given;
  const problem = typeof address === "string" ? addressProblem(address) : "an address is a text";
  if (problem !== undefined) return { path: "/to", message: problem };
  const unlike = eventProblem(event);
  if (unlike !== undefined) return { path: "", message: unlike };
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

/** Of an event that could not be copied what keeps it from being read at all. */
function unreadable(to: string, event: EventData, id: string, author: string): Fault | undefined {
  try {
    fingerprintOf(to, event, { id, author });
    return undefined;
  } catch (cause) {
    return isA(cause, NotPlain) ? { path: cause.path, message: cause.message } : { path: "", message: THROWS };
  }
}

function eventProblem(event: unknown): string | undefined {
  try {
    return isObject(event) && typeof (event as { readonly type?: unknown }).type === "string" ? undefined : "a message is an object with a type";
  } catch {
    return THROWS;
  }
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
