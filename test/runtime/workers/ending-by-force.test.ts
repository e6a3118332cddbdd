// Workers that loop, fall silent, eat memory or do not listen: ended by whoever supervises them.

import { test } from "tap";

import { systemClock } from "../../../runtime/host/index.ts";
import { reasonOf, stopWithin } from "../../../runtime/workers/index.ts";
import { everywhere, isolated, start } from "./echoing.ts";

test("S4, S5. a thread or process that loops is killed when its time to stop is over", async (t) => {
  for (const isolation of isolated) {
    const { running, items } = await start(isolation, { after: "loop" });
    await items.first((item) => "said" in item && item.said === "looping");
    t.match(await stopWithin(running, systemClock, { shutdownMs: 200 }), { kind: "killed", error: { code: "DROVER_WORKER_KILLED" } }, isolation);
  }
});

test("an inline worker that does not stop is let go of: nothing it says is heard any more", async (t) => {
  const { running, items } = await start("inline", { after: "ignore-stop" });
  t.match(await stopWithin(running, systemClock, { shutdownMs: 50 }), { kind: "killed" });
  const before = items.items.length;
  t.notOk(running.send("hello"));
  t.equal(items.items.length, before);
});

test("S4. silence is a failure from ready on, in a loop too, with or without a sign of life before", async (t) => {
  for (const isolation of everywhere) {
    const { running } = await start(isolation, { after: isolation === "inline" ? "silent" : "loop" }, { livenessMs: 200 });
    const mute = await start(isolation, { after: isolation === "inline" ? "ignore-stop" : "mute-loop" }, { livenessMs: 200 });
    for (const one of [running, mute.running]) t.match(await one.exited, { kind: "failed", error: { message: /no sign of life for \d+ ms, allowed are 200 ms/ } }, isolation);
  }
});

test("S4. a heap that runs over its limit is the end of its thread or process only", async (t) => {
  for (const isolation of isolated) {
    const { running } = await start(isolation, { after: "fill-heap" }, { maxHeapMb: 64 });
    const exit = await running.exited;
    t.equal(exit.kind, "failed", `${isolation}: ${reasonOf(exit)}`);
  }
});
