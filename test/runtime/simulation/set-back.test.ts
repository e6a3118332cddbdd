// Timers that keep a rhythm and wall clocks that are set back by hours.

import { test } from "tap";
import { form } from "../../forms.ts";
import { explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { metronomes } from "./set-back.ts";

const SEEDS = form(3, 15);

for (const [title, scenario] of [
  ["on a node that nothing else befalls", metronomes],
  ["on a node that is killed meanwhile", (seed: number) => metronomes(seed, { faults: { kinds: ["kill", "power-cut", "slow-store"], everyMs: 20_000 }, forMs: 300_000 })],
] as const)
  test(`S7, K1, K3. timers out of memory fire in time by their policies when the clock is set back or forward by hours, ${title}`, { timeout: 300_000 }, async (t) => {
    let fired = 0;
    let putRight = 0;
    const { runs, failed } = await simulateSeeds(scenario, {
      count: SEEDS,
      each: ({ history }) => {
        for (const fact of history) {
          if (fact.kind !== "asked") continue;
          const firings = (fact.record?.inputs ?? []).filter((input) => input.kind === "timer");
          fired += firings.length;
          putRight += firings.filter(({ missed }) => missed === true).length;
        }
      },
    });
    t.equal(runs, SEEDS);
    t.same(failed.map(explain), []);
    t.ok(fired > SEEDS * 50 && putRight > SEEDS, `${String(fired)} timers fired, ${String(putRight)} of them missed`);
  });
