// What a thread or process writes and emits is bounded, and what is dropped is told.

import { test } from "tap";

import { systemClock } from "../../../runtime/host/index.ts";
import { stopWithin } from "../../../runtime/workers/index.ts";
import { isolated, start, up } from "./echoing.ts";

test("S5. what it writes goes to the log as lines, bounded in rate", async (t) => {
  for (const isolation of isolated) {
    const { running, items, lines } = await start(isolation, { after: "chatter" });
    await items.first(up);
    await stopWithin(running, systemClock, { shutdownMs: 5_000 });
    await lines.first((line) => line.message === "a complaint");
    const written = lines.items.filter((line) => line.fields["stream"] === "stdout");
    t.match(written[0], { level: "info", message: /^line 0 x+$/ }, isolation);
    t.ok(written.length >= 200 && written.length < 400, `${isolation}: ${String(written.length)} of 1000 lines passed`);
  }
});

test("S5. items beyond the window are refused to their sender, counted and told", async (t) => {
  for (const isolation of isolated) {
    const { running, items, lines } = await start(isolation, { after: "flood" }, { window: { items: 100, bytes: 1_048_576 } });
    const last = await items.first((item) => "refused" in item);
    const refused = "refused" in last ? (last.refused ?? 0) : 0;
    const arrived = items.items.filter((item) => "said" in item && typeof item.said === "number").length;
    t.equal(arrived + refused, 3_000, `${isolation}: ${String(arrived)} arrived`);
    t.equal(arrived, 100, `${isolation}: one window while it did not let anyone speak`);
    t.match(await lines.first((line) => line.message.includes("found no room")), { level: "warn" }, isolation);
    running.kill();
    await running.exited;
  }
});
