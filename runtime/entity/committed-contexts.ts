// The contexts that were committed, while their turns are run again: what a step changes in place of one stands in no outcome (restore.ts R5).

import { copyOfParts, encodeData } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import type { CellRecord, TurnOutcome } from "./contract.ts";
import { difference } from "./difference.ts";
import { messageOf } from "../message-of.ts";
import type { Interior } from "./interior.ts";

export class CommittedContexts {
  readonly #records = new Map<string, CellRecord>();

  constructor(cells: readonly CellRecord[]) {
    for (const cell of cells) this.#note(cell);
  }

  note({ ended, cells }: TurnOutcome): void {
    for (const address of ended) this.#records.delete(address);
    for (const cell of cells) this.#note(cell);
  }

  /** A copy: an actor may hold the very parts of the record. */
  #note(record: CellRecord): void {
    this.#records.set(record.address, { ...record, context: copyOfParts(record.context) });
  }

  /**
   * @param place puts a recorded state in place
   * @returns the first place that was another one
   */
  putBack(interior: Interior, place: (interior: Interior, cell: Cell, record: CellRecord) => void): string | undefined {
    let first: string | undefined;
    for (const [address, record] of this.#records) {
      const cell = interior.cells.get(address);
      // What an older version has written waits for its upgrade as it is.
      if (cell?.incarnation !== record.incarnation || cell.recorded !== undefined) continue;
      const found = contextDifference(record, cell, interior);
      if (found === undefined) continue;
      first ??= `${address}: a step changed its context in place and came to nothing: ${found}`;
      place(interior, cell, { ...record, context: copyOfParts(record.context) });
      cell.committed = cell.snapshot;
    }
    return first;
  }
}

function contextDifference({ context }: CellRecord, { snapshot }: Cell, interior: Interior): string | undefined {
  try {
    return difference(context, encodeData(snapshot.context, interior), "context");
  } catch (cause) {
    return messageOf(cause);
  }
}
