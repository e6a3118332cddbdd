// Messages that found the mailbox full and wait in the entity's own record (overflow policy `shelve`; promise S5).
//
// F1. A message is shelved by an input like any other: its id or number is recorded and its protocol checked, its state is not asked. Its sender is told `accepted` after that commit (rules M3).
// F2. The host brings it back as an input of its own, in the order of shelving; the turn that takes it takes it off the shelf, so that it acts once.
// F3. What its state does not take then is a dead letter, and whoever waits for a reply is told; what it postpones waits there, beyond that limit if need be: it was accepted.
//     So what has been postponed beyond its limit takes up room here.
// F4. One whose time to be kept has passed, or whose asker waits no longer, is not acted on.

import type { Input, InputResult } from "./contract.ts";
import type { Inside } from "./inside.ts";
import { hasRoomFor } from "./table-limits.ts";

type MessageInput = Extract<Input, { kind: "message" }>;
export type ShelvedInput = Extract<Input, { kind: "shelved" }>;

const RETRY_AFTER_MS = 1_000;

/** How much there is of something that waits. */
export interface Load {
  readonly messages: number;
  readonly bytes: number;
}

export function shelve(interior: Inside, { shelve: asked, ...input }: MessageInput): InputResult {
  const bytes = asked?.bytes ?? 0;
  if (!hasShelfRoom(interior, { messages: 1, bytes })) return { kind: "full", retryAfterMs: RETRY_AFTER_MS };
  const { rest, stamp } = interior;
  rest.count("shelfBytes", bytes);
  rest.put("shelf", String(rest.next("shelf")), { input, at: stamp.now, bytes });
  return { kind: "accepted" };
}

/** Takes a message off the shelf; undefined when it is not there any more. */
export function unshelve({ rest }: Inside, key: string): MessageInput | undefined {
  const row = rest.get("shelf", key);
  if (row === undefined) return undefined;
  rest.count("shelfBytes", -row.bytes);
  rest.delete("shelf", key);
  return row.input;
}

export function loadOf({ rest }: Inside): Load {
  return { messages: rest.size("shelf"), bytes: rest.counted("shelfBytes") };
}

/** F3. */
export function hasShelfRoom(interior: Inside, more: Load): boolean {
  const { postponed, shelved, shelvedBytes } = interior.type.root.mailbox;
  const is = loadOf(interior);
  const beyond = Math.max(0, interior.rest.size("stash") - postponed);
  // Messages of this node's own count flat (mailbox): what they hold counts here.
  const bytes = Math.max(is.bytes, interior.rest.heavyIn("shelf")) + more.bytes;
  return is.messages + beyond + more.messages <= shelved && bytes <= shelvedBytes && hasRoomFor(interior, more.bytes);
}

/** In order, from the one after `after` on; each with the wall time of its shelving. */
export function shelvedAfter(
  { rest }: Inside,
  after: number | undefined,
  atMost: number,
): readonly { readonly number: number; readonly input: ShelvedInput; readonly at: number }[] {
  const found: { readonly number: number; readonly input: ShelvedInput; readonly at: number }[] = [];
  if (rest.size("shelf") === 0) return found;
  const last = rest.counted("shelf");
  for (let number = (after ?? oldest(rest.entries("shelf")) - 1) + 1; number <= last && found.length < atMost; number++) {
    const row = rest.get("shelf", String(number));
    if (row !== undefined) found.push({ number, input: { kind: "shelved", key: String(number) }, at: row.at });
  }
  return found;
}

function oldest(rows: Iterable<readonly [string, unknown]>): number {
  let number = Number.POSITIVE_INFINITY;
  for (const [key] of rows) number = Math.min(number, Number(key));
  return number;
}
