// Messages and timers that end their process at once, through all that may fail besides.

import { test } from "tap";
import { form } from "../../forms.ts";
import { endings, poisoned } from "./poisoned.ts";

const SEEDS = form(8, 50);

test("M4. what ends its process in the middle of a step does so twice and is parked, through kills, power cuts, takeovers and failing stores; nothing else is lost", {
  timeout: 120_000,
}, async (t) => {
  const { failed, missing, exits } = await endings(poisoned, SEEDS);
  t.same(failed, []);
  t.same(missing, []);
  t.ok(exits.filter((times) => times === 2).length >= SEEDS, "most ended two processes");
});
