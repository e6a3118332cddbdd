// What is known of an entity after a revision that lies before its newest full state, where its journal does not reach back to the beginning.

import { test } from "tap";
import { PastTurns } from "../../../runtime/entity/past-state.ts";
import type { CellRecord, EntityState, JournalRecord } from "../../../runtime/entity/contract.ts";

const cell = (address: string, context: unknown): CellRecord => ({ address, incarnation: address.charCodeAt(0), context }) as unknown as CellRecord;
const turn = (revision: number, cells: readonly CellRecord[], rest: object = {}, ended: readonly string[] = []): JournalRecord =>
  ({ entity: "t/book/one", incarnation: "i", revision, stamp: { now: revision }, inputs: [], results: [], outcome: { cells, ended, rest } }) as unknown as JournalRecord;
const newest = {
  v: 1,
  entity: "t/book/one",
  type: "book",
  revision: 10,
  labels: { of: "newest" },
  cells: [cell("a", "newest"), cell("b", "newest"), cell("c", "newest")],
  rest: { rows: [["x", "newest"]] },
} as unknown as EntityState;

function after8(later: readonly JournalRecord[], upTo: readonly JournalRecord[]): unknown {
  const turns = new PastTurns(8, newest);
  for (const record of later) turns.tellLater(record);
  for (const record of upTo) turns.tell(record);
  const { state, unknown } = turns.state ?? {};
  return { cells: state?.cells.map(({ address, context }) => [address, context]), rest: state?.rest, labels: state?.labels, unknown };
}

test("what no later turn has touched is as the newest state says, what one has and no earlier one is not known, and what had ended was not there", (t) => {
  const later = [turn(9, [cell("b", "later"), cell("c", "later")]), turn(10, [], { rows: [["x", "newest"]] })];
  t.same(after8(later, [turn(7, [cell("c", 7)], { rows: [["y", 7]] }), turn(8, [], { rows: [["y"]] })]), {
    cells: [
      ["a", "newest"],
      ["c", 7],
    ],
    rest: {},
    labels: { of: "newest" },
    unknown: 2,
  });
  t.match(
    after8(later, [turn(7, [cell("b", 7)]), turn(8, [cell("d", 8)], {}, ["b", "c"])]),
    {
      cells: [
        ["a", "newest"],
        ["d", 8],
      ],
      unknown: 1,
    },
    "b and c were not there",
  );
  t.end();
});

test("a turn that is missing hides what stood before it, and one that is missing later what the newest state says", (t) => {
  const later = [turn(9, []), turn(10, [])];
  t.match(after8(later, [turn(5, [cell("a", 5)]), turn(7, [cell("b", 7)]), turn(8, [])]), {
    cells: [
      ["a", "newest"],
      ["b", 7],
      ["c", "newest"],
    ],
    unknown: 0,
  });
  t.match(after8([turn(10, [])], [turn(7, [cell("b", 7)]), turn(8, [])]), { cells: [["b", 7]], unknown: 3 });
  t.match(after8(later, [turn(7, [cell("b", 7)])]), { cells: undefined }, "the revision itself");
  t.end();
});
