// Messages and timers that end one process after the other, each on another machine of a cluster: no crash file tells the next one of it.

import { test } from "tap";
import { form } from "../../forms.ts";
import { Rest } from "../../../runtime/entity/rest.ts";
import { simulate, type Simulation } from "../../../runtime/simulation/index.ts";
import { elsewhere } from "./elsewhere.ts";
import { endings, PARKED_IN_TIME, poisoned, STONE } from "./poisoned.ts";

const SEEDS = form(8, 50);
const MOST_SEEDS = 500;
/** One that nobody could know of, and two with their attempts. */
const PROCESSES = 3;

function overNodes(seed: number): Simulation {
  return poisoned(seed, elsewhere, 2 * STONE, PROCESSES);
}

test("M4. what ends its process in the middle of a step is parked over all nodes, when it has ended three at most, through kills, takeovers and failing stores; nothing else is lost", {
  timeout: 120_000,
}, async (t) => {
  const { failed, missing, exits } = await endings(overNodes, SEEDS);
  t.same(failed, []);
  t.same(missing, []);
  // The second one finds its node careful for the first one's sake.
  const ended = (times: number): number => exits.filter((found) => found === times).length;
  t.ok(ended(PROCESSES) >= SEEDS / 2, `${String(ended(PROCESSES))} ended three processes`);
  t.equal(ended(PROCESSES) + ended(PROCESSES - 1), 2 * SEEDS, "none was parked for the ends of others");
});

test("M4. attempts that are not committed before the step are found", { timeout: 120_000 }, async (t) => {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called for the one that it was called for
  const { put } = Rest.prototype;
  t.teardown(() => {
    Rest.prototype.put = put;
  });
  Rest.prototype.put = function (this: Rest, table, key, row) {
    if (table !== "attempts") put.call(this, table, key, row);
  };
  let found: string | undefined;
  for (let seed = 1; seed <= MOST_SEEDS && found === undefined; seed++) {
    const violation = (await simulate({ ...poisoned(seed, elsewhere, STONE, PROCESSES), settleMs: 0 })).violations.find(({ checker }) => checker === PARKED_IN_TIME);
    if (violation !== undefined) found = `seed ${String(seed)}: ${violation.what}`;
  }
  t.ok(found !== undefined, `within ${String(MOST_SEEDS)} seeds`);
  t.comment(found);
});
