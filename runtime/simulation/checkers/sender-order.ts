// M1. Between two entities order is kept and nothing is altered: numbers of one line are taken upwards, each with what its sender had written under it. Who speaks from outside has no numbers:
//     what he tells one actor is taken as he told it (told-in-order.ts).

import { isDeepStrictEqual } from "node:util";
import type { OutboxRow } from "../../entity/contract.ts";
import { rowsOf } from "../open-work.ts";
import type { Checker, Evidence, Violation } from "./evidence.ts";
import { toldInOrder } from "./told-in-order.ts";

export const senderOrder: Checker = {
  name: "per-sender order",
  promise: "M1",
  check: (evidence) => [...numberedInOrder(evidence), ...toldInOrder(evidence)],
};

function numberedInOrder({ turns }: Evidence): readonly Omit<Violation, "checker" | "promise">[] {
  const found: { atMs: number; what: string }[] = [];
  const sent = new Map<string, OutboxRow>();
  const last = new Map<string, number>();
  for (const { atMs, store, entity, incarnation, record } of turns) {
    record.inputs.forEach((input, index) => {
      if (input.kind !== "message" || input.sender.kind !== "entity" || record.results[index]?.kind !== "accepted") return;
      const { sender } = input;
      const line = `${store} ${entity} ${incarnation} ${sender.entity} ${sender.incarnation}`;
      const before = last.get(line) ?? 0;
      if (sender.seq <= before) found.push({ atMs, what: `${entity} took message ${String(sender.seq)} of ${sender.entity} after ${String(before)}` });
      last.set(line, Math.max(before, sender.seq));
      const row = sent.get(`${sender.entity} ${sender.incarnation} ${entity} ${String(sender.seq)}`);
      if (row !== undefined && !isDeepStrictEqual(row.event, input.event))
        found.push({
          atMs,
          what: `${entity} took message ${String(sender.seq)} of ${sender.entity} as ${JSON.stringify(input.event)}; it was written as ${JSON.stringify(row.event)}`,
        });
    });
    for (const row of rowsOf(record, "outbox")) if (row.length > 1) sent.set(`${entity} ${incarnation} ${row[0]}`, row[1] as OutboxRow);
  }
  return found;
}
