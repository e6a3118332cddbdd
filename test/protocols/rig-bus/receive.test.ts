// Frames from the rig, in batches, on our clock.

import { test } from "tap";
import { createRigBus } from "../../../protocols/rig-bus/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { connectedRig } from "./connected-rig.ts";

test("every frame of the bus arrives in order, numbered, with the time of its last bit", async (t) => {
  const { clock, started, bus, frames } = await connectedRig(t);
  const direct: number[] = [];
  started.rig.bus.attach({ name: "probe", kind: "module", queueLimit: 1, receive: (frame) => direct.push(frame.id), sent: () => undefined });
  const before = frames.length;
  const since = clock.monotonic();
  await clock.advance(2000);
  const tail = frames.slice(before).filter((frame) => frame.timeS * 1000 > since);
  t.ok(tail.length > 500);
  t.same(
    tail.map((frame) => frame.id),
    direct.slice(0, tail.length),
  );
  t.ok(direct.length - tail.length <= 6, "at most one batch is on its way");
  t.same(
    frames.map((frame) => frame.line),
    frames.map((_, at) => at + 1),
  );
  t.ok(
    frames.every((frame, at) => at === 0 || frame.timeS >= (frames[at - 1]?.timeS ?? 0)),
    "time never goes back",
  );
  t.ok(
    frames.every((frame) => frame.timeS * 1000 <= clock.monotonic()),
    "nor is it in the future",
  );
  t.same(bus.counters, { received: frames.length, dropped: 0, sent: 0, sendFailed: 0 });
});

test("C1. a batch is handed on within its time, and holds more than one frame when the bus is busy", async (t) => {
  const { clock, frames, batches } = await connectedRig(t, { batchMs: 20 });
  await clock.advance(1000);
  let at = 0;
  for (const batch of batches) {
    const first = frames[at];
    t.ok(batch.at - (first?.timeS ?? 0) * 1000 <= 20.001, `first frame waited ${String(batch.at - (first?.timeS ?? 0) * 1000)} ms`);
    at += batch.count;
  }
  t.equal(at, frames.length);
  t.ok(frames.length / batches.length > 3);
});

test("what the rig says of itself is there for everyone above: simulated", async (t) => {
  const { bus, states } = await connectedRig(t);
  t.same(bus.hello, { bus: "can0", bitrate: 500_000, simulated: true });
  t.equal(bus.simulated, true);
  t.same(states, [{ kind: "up" }]);
  t.same(bus.buses, ["can0"]);
});

test("a bit rate that is not the vehicle's keeps the bus down", async (t) => {
  const { clock, bus, frames } = await connectedRig(t, { bitrate: 250_000 });
  await clock.advance(3000);
  t.match(bus.state, { kind: "down", reason: "the bus runs at 500000 bit/s, expected 250000" });
  t.equal(frames.length, 0);
  t.match(await bus.send({ id: 0x15, data: Uint8Array.of(0, 1) }, { withinMs: 100 }), { kind: "refused", reason: "down" });
});

test("a reader that throws loses its batch, counted; the bus goes on", async (t) => {
  const { clock, started, bus } = await connectedRig(t);
  const other = createRigBus({ path: started.busSocket }, { clock, random: new SeededRandom(3) });
  let calls = 0;
  await other.start({
    onFrames: () => {
      calls++;
      if (calls === 2) throw new Error("a fault of the reader's");
    },
  });
  await clock.advance(300);
  t.ok(calls > 5);
  t.ok(other.counters.dropped > 0 && other.counters.dropped < 10);
  t.equal(bus.counters.dropped, 0, "other clients never notice");
  await other.stop();
});
