// A message from outside as it enters the node: who says what to whom, until when, under which id (rules M2).

import { addressProblem, parseAddress } from "../address.ts";
import type { EventData } from "../entity/contract.ts";
import type { Refusal } from "../outcome.ts";
import { isWellFormed } from "../xstate/index.ts";
import type { RemoteMessage, TellOptions } from "./contract.ts";

export const DEFAULT_WITHIN_MS = 10_000;
export const LONGEST_MS = 24 * 3_600_000;
const MAX_ID_CHARACTERS = 128;
const MAX_AUTHOR_CHARACTERS = 256;

export interface Sent {
  readonly address: string;
  readonly event: EventData;
  readonly options: TellOptions;
  readonly ask: boolean;
}

/** @param from this node: its name, the wall time, a fresh id */
export function outsideMessage(
  { address, event, options, ask }: Sent,
  from: { readonly node: string; readonly now: number; readonly id: string },
): RemoteMessage | Extract<Refusal, { kind: "invalid" }> {
  const { id = from.id, author = `node:${from.node}`, withinMs = DEFAULT_WITHIN_MS, keepMs = LONGEST_MS, trace, bytes } = options;
  const wrong = problemOf(address, event, id, author, withinMs, keepMs);
  if (wrong !== undefined) return { kind: "invalid", problems: [wrong], accepts: [] };
  const within = Math.min(LONGEST_MS, withinMs);
  return {
    to: parseAddress(address),
    event,
    sender: { kind: "outside", id, author, expiresAt: from.now + Math.min(LONGEST_MS, Math.max(within, keepMs)) },
    ask,
    withinMs: within,
    ...(trace === undefined ? {} : { trace }),
    ...(bytes === undefined ? {} : { bytes }),
  };
}

function problemOf(address: string, event: unknown, id: string, author: string, withinMs: number, keepMs: number): { readonly path: string; readonly message: string } | undefined {
  const problem = addressProblem(address);
  if (problem !== undefined) return { path: "/to", message: problem };
  if (typeof event !== "object" || event === null || typeof (event as { readonly type?: unknown }).type !== "string")
    return { path: "", message: "a message is an object with a type" };
  if (!isText(id, MAX_ID_CHARACTERS)) return { path: "/id", message: `1 to ${String(MAX_ID_CHARACTERS)} whole characters are expected` };
  if (!isText(author, MAX_AUTHOR_CHARACTERS)) return { path: "/author", message: `1 to ${String(MAX_AUTHOR_CHARACTERS)} whole characters are expected` };
  if (Number.isNaN(withinMs)) return { path: "/withinMs", message: "a number of milliseconds is expected" };
  if (Number.isNaN(keepMs)) return { path: "/keepMs", message: "a number of milliseconds is expected" };
  return undefined;
}

/** Both are keys or words of the record. */
function isText(value: unknown, maximum: number): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= maximum && isWellFormed(value);
}
