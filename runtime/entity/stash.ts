// Messages that wait for another state of their actor (gen_statem's postpone): committed with the entity, offered again when the state has changed.
//
// P1. A message is postponed when its protocol entry says `postpone` and the machine's state does not take it, or when a reducer says so. It counts as accepted.
// P2. When its actor's state has changed it is offered again as an input of its own, with its own savepoint, before all that waits, in the order of postponing; what the new
//     state does not take either keeps its place. "Changed" is the state value of a machine, and any new state of a reducer.
// P3. So many wait at most (`mailbox.postponed`, and by bytes: table-limits.ts), then the next is told `full`. One whose time to be kept has passed is not acted on (rules M2).
// P4. What comes to nothing after it has waited is a dead letter, as what was shelved is; whoever waits for a reply is told.

import type { Address } from "../address.ts";
import type { LogicSnapshot } from "../xstate/index.ts";
import { acceptedBy } from "./accepted.ts";
import type { Cell } from "./cell.ts";
import type { Input, InputResult } from "./contract.ts";
import type { Inside } from "./inside.ts";
import { bytesOfData } from "./row-weight.ts";
import { hasRowRoom, MAX_MESSAGE_BYTES } from "./table-limits.ts";

type MessageInput = Extract<Input, { kind: "message" }>;

const RETRY_AFTER_MS = 1_000;
const KEY_DIGITS = 12;

/** What is known of a message that was accepted before it came to its step: it is never told `full`. */
export interface AcceptedBefore {
  /** Its place among the postponed, when it had one. */
  readonly stash: string | undefined;
}

export function postpone(interior: Inside, input: MessageInput, before?: AcceptedBefore): InputResult {
  if (before === undefined) {
    if (interior.rest.size("stash") >= interior.type.root.mailbox.postponed || !hasRowRoom(interior, "stash")) return { kind: "full", retryAfterMs: RETRY_AFTER_MS };
    const cell = interior.cells.get(input.to);
    const bytes = bytesOfData(input.event);
    if (bytes > MAX_MESSAGE_BYTES)
      return {
        kind: "refused",
        accepts: cell === undefined ? [] : acceptedBy(cell),
        reason: `${input.to} does not take it now; with about ${String(bytes)} bytes it cannot wait, the limit is ${String(MAX_MESSAGE_BYTES)}`,
      };
  }
  interior.rest.put("stash", before?.stash ?? String(interior.rest.next("stash")).padStart(KEY_DIGITS, "0"), { input, isReleased: false });
  return { kind: "accepted" };
}

/** Call when a cell has another snapshot, where something is postponed. */
export function releaseOn(interior: Inside, cell: Cell, before: LogicSnapshot): void {
  const is = cell.snapshot;
  const isMachine = "value" in before && "value" in is;
  if (isMachine ? JSON.stringify(before.value) !== JSON.stringify(is.value) || before.status !== is.status : before !== is) release(interior, cell.address);
}

/** The actor's postponed messages are offered again. */
export function release(interior: Inside, address: Address): void {
  for (const [key, row] of [...interior.rest.entries("stash")]) {
    if (row.isReleased || row.input.to !== address) continue;
    interior.rest.put("stash", key, { ...row, isReleased: true });
    interior.hasReleased = true;
  }
}

/** What is on its way, in order. */
export function releasedInputs(interior: Inside): readonly Input[] {
  return [...interior.rest.entries("stash")]
    .filter(([, row]) => row.isReleased)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key]) => ({ kind: "postponed", key }));
}
