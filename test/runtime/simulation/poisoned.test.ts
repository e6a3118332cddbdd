// Messages and timers that end their process at once, through all that may fail besides.

import { test } from "tap";
import { form } from "../../forms.ts";
import { explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { type Ground, MILL, poisoned } from "./poisoned.ts";

const SEEDS = form(8, 50);

test("M4. what ends its process in the middle of a step does so twice and is parked, through kills, power cuts, takeovers and failing stores; nothing else is lost", {
  timeout: 120_000,
}, async (t) => {
  const exits = new Map<string, number>();
  const missing: string[] = [];
  const { failed } = await simulateSeeds(poisoned, {
    count: SEEDS,
    each: ({ seed, history }) => {
      for (const fact of history)
        if (fact.kind === "node" && fact.what === "exited") exits.set(`${String(seed)} ${fact.reason ?? ""}`, (exits.get(`${String(seed)} ${fact.reason ?? ""}`) ?? 0) + 1);
      const ground = history
        .flatMap((fact) => (fact.kind === "view" && fact.address === MILL && !fact.isReplica ? [...(fact.context as Ground).ground] : []))
        .sort((a, b) => a - b);
      if (ground.join() !== "1,2,3,4,5,6,8,9,10,11,12,13") missing.push(`seed ${String(seed)}: ${ground.join()}`);
    },
  });
  t.same(failed.map(explain), []);
  t.same(missing, []);
  t.ok([...exits.values()].filter((times) => times === 2).length >= SEEDS, "most ended two processes");
});
