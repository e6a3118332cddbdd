// S3, M1. A message between entities arrives: once its sender has committed it, its receiver has taken it in the end, or one of them has a last word on it that is no acceptance.
//
// A1. Told by what the stores stand on at the end: the sender's row and its receipt, the receiver's turn that took that number of the line. What a link said is no evidence.
// A2. A row without a receipt may rightly remain where its receiver cannot take it (deactivated, failed for good, without a store that knows it), where its sender cannot send it, and
//     as long as both have not been there together, in peace, for longer than a relay waits between two attempts.
// A3. What a volatile entity has taken nobody knows (rules M3).

import type { DeliveryOutcome, Input, InputResult, OutboxRow } from "../../entity/contract.ts";
import { rowsOf } from "../open-work.ts";
import type { Checker, CommittedTurn, Evidence } from "./evidence.ts";
import { OwnerPresence } from "./owner-presence.ts";
import { standingTurns } from "./standing-turns.ts";

/** The longest pause of a relay, two attempts that nobody answers, and some time to act, ms. */
const OPEN_FOR_MS = 60_000;

interface Sent {
  readonly row: OutboxRow;
  readonly turn: CommittedTurn;
  receipt: { readonly outcome: DeliveryOutcome; readonly atMs: number } | undefined;
}

export const sentArrives: Checker = {
  name: "a message between entities arrives",
  promise: "S3",
  check: (evidence) => {
    const turns = standingTurns(evidence);
    const taken = takenIn(turns);
    const keeps = keepers(evidence);
    const peace = new Peace(evidence);
    return [...sentIn(turns)].flatMap(([name, { row, turn, receipt }]) => {
      if (taken.has(name) || !keeps(row.receiver)) return [];
      const what = `message ${String(row.seq)} of ${turn.entity} to ${row.receiver} (${row.event.type}), committed in r${String(turn.revision)},`;
      if (receipt !== undefined)
        return receipt.outcome.kind === "accepted"
          ? [{ atMs: receipt.atMs, what: `${what} was confirmed as accepted, and no turn that its store stands on at the end has taken it` }]
          : [];
      const untilMs = peace.waitedUntilMs(turn, row.receiver);
      return untilMs === undefined ? [] : [{ atMs: untilMs, what: `${what} still waits in the outbox` }];
    });
  },
};

function nameOf(sender: string, incarnation: string, receiver: string, seq: number): string {
  return `${sender} ${incarnation} ${receiver} ${String(seq)}`;
}

function sentIn(turns: readonly CommittedTurn[]): ReadonlyMap<string, Sent> {
  const sent = new Map<string, Sent>();
  for (const turn of turns) {
    const { entity, incarnation, record, atMs } = turn;
    // A receipt is of a row that was committed before.
    record.inputs.forEach((input, index) => {
      if (input.kind !== "delivered" || record.results[index]?.kind !== "accepted") return;
      const known = sent.get(nameOf(entity, incarnation, input.receiver, input.seq));
      if (known !== undefined) known.receipt = { outcome: input.outcome, atMs };
    });
    for (const [, value] of rowsOf(record, "outbox")) {
      if (value === undefined) continue;
      const row = value as OutboxRow;
      sent.set(nameOf(entity, incarnation, row.receiver, row.seq), { row, turn, receipt: undefined });
    }
  }
  return sent;
}

/** Numbers on which their receivers had their last word. */
function takenIn(turns: readonly CommittedTurn[]): ReadonlySet<string> {
  const taken = new Set<string>();
  for (const { entity, record } of turns)
    record.inputs.forEach((given, index) => {
      const sender = senderOf(given);
      if (sender?.kind === "entity" && isLastWord(record.results[index])) taken.add(nameOf(sender.entity, sender.incarnation, entity, sender.seq));
    });
  return taken;
}

function senderOf(input: Input): Extract<Input, { kind: "message" }>["sender"] | undefined {
  const meant = input.kind === "attempt" ? input.of : input;
  return meant.kind === "message" || meant.kind === "answered" ? meant.sender : undefined;
}

function isLastWord(result: InputResult | undefined): boolean {
  switch (result?.kind) {
    case "accepted":
    case "refused":
    case "invalid":
    case "id-reused":
    case "no-such-actor":
    case "deadline":
    case "too-old":
      return true;
    case "faulted":
      return result.outcome !== undefined;
    default:
      return false;
  }
}

/** A3. */
function keepers({ history, types }: Evidence): (entity: string) => boolean {
  const committed = new Set(history.flatMap((fact) => (fact.kind === "asked" && fact.epoch > 0 ? [fact.entity] : [])));
  return (entity) => (types.get(kindOf(entity))?.durability ?? "volatile") !== "volatile" || committed.has(entity);
}

function kindOf(entity: string): string {
  return entity.split("/")[1] ?? "";
}

/** A2. */
class Peace {
  readonly #owners: OwnerPresence;
  readonly #sinceMs: number;
  /** The stores of entities that are there at the end, or come when they are called. */
  readonly #stores = new Map<string, string>();

  constructor({ history, types, turns }: Evidence) {
    this.#owners = new OwnerPresence(history);
    this.#sinceMs = history.findLast((fact) => fact.kind === "note" && fact.text === "faults have ended")?.atMs ?? Number.POSITIVE_INFINITY;
    const live = new Set(history.flatMap((fact) => (fact.kind === "live" ? [fact.entity] : [])));
    for (const { entity, store } of turns) if (live.has(entity) || types.get(kindOf(entity))?.passivateAfterMs !== undefined) this.#stores.set(entity, store);
  }

  /** Until when the message waited, while both were there long enough; undefined: they were not. */
  waitedUntilMs({ entity, atMs }: CommittedTurn, receiver: string): number | undefined {
    let fromMs = Math.max(atMs, this.#sinceMs);
    let untilMs = Number.POSITIVE_INFINITY;
    for (const each of [entity, receiver]) {
      const run = this.#owners.runsOn(this.#stores.get(each) ?? "").at(-1);
      if (run?.started === undefined) return undefined;
      fromMs = Math.max(fromMs, run.started.atMs);
      untilMs = Math.min(untilMs, run.ended?.atMs ?? untilMs);
    }
    return untilMs - fromMs >= OPEN_FOR_MS ? untilMs : undefined;
  }
}
