// Journal records as one actor sees them.

import type { Address } from "../address.ts";
import type { Input, JournalRecord } from "../entity/contract.ts";
import type { HistoryEntry } from "./views.ts";

/** undefined when the turn neither addressed nor changed the actor. */
export function historyEntry(record: JournalRecord, address: Address): HistoryEntry | undefined {
  const cell = record.outcome.cells.find((candidate) => candidate.address === address);
  const inputs = record.inputs.flatMap((input, index) => {
    const seen = describeInput(input, address);
    return seen === undefined ? [] : [{ ...seen, result: record.results[index]?.kind ?? "accepted" }];
  });
  const emitted = record.outcome.emitted.filter((item) => item.cell === address).map((item) => item.event);
  if (cell === undefined && inputs.length === 0 && emitted.length === 0) return undefined;
  return { revision: record.revision, at: record.stamp.now, inputs, state: cell?.value, emitted };
}

function describeInput(input: Input, address: Address): { type: string; author: string | undefined; id: string | undefined; trace?: string } | undefined {
  const entity = address.split("/").length === 3;
  switch (input.kind) {
    case "message": {
      if (input.to !== address) return undefined;
      const { sender } = input;
      return {
        type: input.event.type,
        author: sender.kind === "outside" ? sender.author : sender.kind === "entity" ? sender.entity : sender.name,
        id: sender.kind === "outside" ? sender.id : undefined,
        ...(input.trace === undefined ? {} : { trace: input.trace }),
      };
    }
    case "source":
    case "fault":
      return input.cell === address ? { type: `(${input.kind})`, author: undefined, id: undefined } : undefined;
    case "timer":
      return input.timer.startsWith(address) ? { type: "(timer)", author: undefined, id: input.timer } : undefined;
    case "performed":
      return input.key.startsWith(address) ? { type: `(effect ${input.outcome.kind})`, author: undefined, id: input.key } : undefined;
    default:
      return entity ? { type: `(${input.kind})`, author: undefined, id: undefined } : undefined;
  }
}
