import tap, { test } from "tap";
import { form } from "../forms.ts";
import { killLoop } from "./loop.ts";

const KILLS = form(4, 8);
tap.setTimeout(180_000);
tap.comment("timeout=180000");

test("S3, S7, F1, F2, M1, M2. a node that is killed again and again under load loses no acknowledged command, no idempotent effect and no timer, doubles no once effect, and reports every undecided one unknown", {
  timeout: 170_000,
}, async (t) => {
  const report = await killLoop({ kills: KILLS, seed: 3, folder: t.testdir() });
  t.comment(JSON.stringify({ ...report, wrong: report.wrong.length }));
  t.strictSame(report.wrong, []);
  t.ok((report.totals["acknowledged"] ?? 0) > 100, "there was load");
  t.equal(report.totals["onceTwice"], 0);
  t.ok((report.totals["idempotentRepeated"] ?? 0) + report.unknown > 0, "kills met effects under way");
});
