// Rollouts over processes that are killed at any moment, triggers counted at the bus (test/prove-kill). In the long form only; `npm run prove:kill` has more trailers and kills.

import tap, { test } from "tap";
import { killedRollout } from "../prove-kill/killed-rollout.ts";
import { longOnly } from "./update-fleet.ts";

const FILE_MS = 300_000;
const TRAILERS = 2;
const KILLS = 10;

tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

for (const seed of [1, 2])
  test(
    `F1, S8. cloud and edge nodes killed at ${KILLS} moments, some between a trigger and the commit of its result, seed ${seed}: the same counts, at most one trigger for each attempt`,
    longOnly,
    async (t) => {
      const report = await killedRollout(t, { seed, trailers: TRAILERS, kills: KILLS });
      t.comment(JSON.stringify(report));
      t.same(report.wrong, []);
      t.same(report.counts, { committed: TRAILERS });
      t.ok(report.killed["edge at its trigger"] > 0, "a kill met a trigger");
    },
  );
