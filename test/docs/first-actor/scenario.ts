// The scenario of the guide: guests at the pot while everything fails. `drover simulate` runs it too.

// #region scenario
import type { NodeSpec, Simulation } from "../../../runtime/simulation/index.ts";
import { equipment, kitchenType, pot } from "./kitchen.ts";

export function scenario(seed: number, more: Pick<NodeSpec, "lyingDisk"> = {}): Simulation {
  return {
    seed,
    nodes: {
      home: {
        types: [kitchenType(), pot.with({ effects: { heat: () => undefined } })],
        entities: { "home/kitchen/one": equipment },
        ...more,
      },
    },
    forMs: 600_000,
    faults: { everyMs: 60_000 },
    script: async ({ insist, sleep, random }) => {
      for (let guest = 1; guest <= 4; guest++) {
        const tea = random.next() < 0.2 ? "chalk" : "green";
        await insist("home/kitchen/one/pot/blue", { type: "tea.brew", tea }, { forMs: 60_000 });
        await sleep(120_000 + random.next() * 30_000);
        await insist("home/kitchen/one/pot/blue", { type: "tea.pour" }, { forMs: 60_000 });
      }
    },
  };
}
// #endregion
