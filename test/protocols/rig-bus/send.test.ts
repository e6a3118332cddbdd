// Sending through the rig's bus: outcomes, deadlines, and what happens without echo (vehicle.md X1, X4).

import { test } from "tap";
import type { SendOutcome } from "../../../protocols/can/index.ts";
import { settle } from "../../../runtime/simulation/manual-clock.ts";
import { clientOf, connectedRig } from "./connected-rig.ts";

const light = (channel: number, level: number): { id: number; data: Uint8Array } => ({ id: 0x15, data: Uint8Array.of(channel, level) });

test("a frame is sent when its echo came back, at the time of its last bit, and is handed on as our own", async (t) => {
  const { clock, started, bus, frames } = await connectedRig(t);
  const sending = bus.send(light(3, 200), { withinMs: 100 });
  await clock.advance(20);
  const outcome = await sending;
  t.match(outcome, { kind: "sent" });
  const echo = frames.filter((frame) => frame.isOurs);
  t.match(echo, [{ id: 0x15, hex: "03c8", timeS: outcome.kind === "sent" ? outcome.timeS : -1 }]);
  t.same(
    started.rig.acts.list().map(({ module, channel, to }) => ({ module, channel, to })),
    [{ module: "torrent-0", channel: 3, to: 200 }],
  );
  t.equal(bus.counters.sent, 1);
});

test("C2. the outcome comes after everything that was on the bus before it", async (t) => {
  const { clock, bus, frames } = await connectedRig(t, { batchMs: 20 });
  let heardAtOutcome = -1;
  void bus.send(light(1, 1), { withinMs: 500 }).then(() => (heardAtOutcome = frames.length));
  await clock.advance(50);
  t.equal(frames[heardAtOutcome - 1]?.isOurs, true, "its own echo is the last frame before it");
  t.ok(frames.length > heardAtOutcome, "the bus went on");
});

test("X1. a bus that was not opened for sending sends nothing", async (t) => {
  const { clock, started, bus } = await connectedRig(t, { mode: "listen-only" });
  t.match(await bus.send(light(0, 255), { withinMs: 100 }), { kind: "refused", reason: "listen-only" });
  await clock.advance(100);
  t.equal(started.rig.frames.counts().total, 0);
  t.equal(bus.counters.sendFailed, 1);
});

test("X1. listen-only is the default", async (t) => {
  const { clock, started } = await connectedRig(t);
  const unasked = clientOf(started.busSocket, clock);
  await unasked.start();
  t.match(await unasked.bus.send(light(0, 255), { withinMs: 100 }), { kind: "refused", reason: "listen-only" });
  await unasked.bus.stop();
});

test("frames that no classic bus carries, and deadlines in the past, are refused at once", async (t) => {
  const { bus, started } = await connectedRig(t);
  const refused = async (frame: Parameters<typeof bus.send>[0], options: Parameters<typeof bus.send>[1], reason: string): Promise<void> => {
    t.match(await bus.send(frame, options), { kind: "refused", reason });
  };
  await refused({ id: 0x800, data: new Uint8Array() }, { withinMs: 10 }, "invalid");
  await refused({ id: -1, data: new Uint8Array() }, { withinMs: 10 }, "invalid");
  await refused({ id: 1.5, data: new Uint8Array() }, { withinMs: 10 }, "invalid");
  await refused({ id: 1, data: new Uint8Array(9) }, { withinMs: 10 }, "invalid");
  await refused({ id: 1, data: new Uint8Array(8), fd: true }, { withinMs: 10 }, "invalid");
  await refused({ id: 1, data: new Uint8Array(), remote: true }, { withinMs: 10 }, "invalid");
  await refused(light(0, 1), { withinMs: 10, bus: 1 }, "invalid");
  for (const withinMs of [0, -5, Number.NaN]) await refused(light(0, 1), { withinMs }, "deadline");
  await settle();
  t.equal(started.rig.frames.counts().total, 0);
});

test("G1. one frame is with the bus at a time; order is kept; a buffer may be used again after the call", async (t) => {
  const { clock, started, bus, frames } = await connectedRig(t);
  let most = 0;
  const frame = light(0, 0);
  const sendings = Array.from({ length: 20 }, (_, at) => {
    frame.data[0] = at % 8;
    frame.data[1] = at + 1;
    return bus.send(frame, { withinMs: 1000 });
  });
  for (let step = 0; step < 100; step++) {
    await clock.advance(1);
    most = Math.max(most, started.rig.bus.waitingOf("client"));
  }
  t.ok((await Promise.all(sendings)).every((outcome) => outcome.kind === "sent"));
  t.equal(most <= 1, true, `${String(most)} were with the bus at once`);
  t.same(
    frames.filter((seen) => seen.isOurs).map((seen) => seen.hex),
    Array.from({ length: 20 }, (_, at) => Buffer.of(at % 8, at + 1).toString("hex")),
  );
});

test("a full queue refuses and loses nothing of what it holds", async (t) => {
  const { clock, bus } = await connectedRig(t, { queueLimit: 4 });
  const sendings = Array.from({ length: 8 }, (_, at) => bus.send(light(at, 9), { withinMs: 1000 }));
  await clock.advance(100);
  const outcomes = await Promise.all(sendings);
  t.same(
    outcomes.map((outcome) => outcome.kind),
    ["sent", "sent", "sent", "sent", "sent", "refused", "refused", "refused"],
  );
  t.match(outcomes[5], { reason: "queue-full" });
});

test("X4. without an echo by the deadline: unknown, the queue refused, the controller emptied; open again after another node's frame", async (t) => {
  const { clock, started, bus, frames } = await connectedRig(t);
  started.rig.noAcknowledgement("bus");
  const first = bus.send(light(0, 255), { withinMs: 200 });
  const second = bus.send(light(1, 255), { withinMs: 5000 });
  await clock.advance(199);
  t.equal(started.rig.bus.waitingOf("client"), 1, "one is with the controller");
  await clock.advance(2);
  t.match(await first, { kind: "unknown" });
  t.match(await second, { kind: "refused", reason: "down", detail: /tx-stalled/ });
  t.equal(bus.isTransmitStalled, true);
  t.match(await bus.send(light(2, 255), { withinMs: 100 }), { kind: "refused", reason: "down", detail: /tx-stalled/ });
  await clock.advance(50);
  t.equal(started.rig.bus.waitingOf("client"), 0, "flushed");

  await clock.advance(5000);
  t.equal(bus.isTransmitStalled, true, "silence opens nothing");
  started.rig.noAcknowledgement("none");
  await clock.advance(100);
  t.equal(bus.isTransmitStalled, false);
  t.equal(
    frames.some((frame) => frame.isOurs),
    false,
  );
  t.equal(started.rig.acts.total, 0, "nothing acted late");
  const third = bus.send(light(3, 7), { withinMs: 200 });
  await clock.advance(50);
  t.match(await third, { kind: "sent" });
  t.equal(started.rig.acts.total, 1);
});

test("X4. other nodes' frames during a broken transmit path do not hide the missing echo", async (t) => {
  const { clock, started, bus, frames } = await connectedRig(t);
  started.rig.noAcknowledgement("clients");
  const sending = bus.send(light(0, 255), { withinMs: 200 });
  await clock.advance(300);
  t.match(await sending, { kind: "unknown" });
  t.ok(frames.length > 100, "the bus is heard all the while");
  t.equal(started.rig.acts.total, 0);
});

test("G2. a frame whose deadline passes while it waits is refused: it was never sent", async (t) => {
  const { clock, started, bus } = await connectedRig(t);
  started.rig.noAcknowledgement("clients");
  const first = bus.send(light(0, 255), { withinMs: 500 });
  const second = bus.send(light(1, 255), { withinMs: 100 });
  await clock.advance(150);
  t.match(await second, { kind: "refused", reason: "deadline" });
  started.rig.noAcknowledgement("none");
  await clock.advance(50);
  t.match(await first, { kind: "sent" });
  t.same(
    started.rig.acts.list().map((act) => act.channel),
    [0],
  );
});

test("G4. stopping settles what is open", async (t) => {
  const { clock, started, bus } = await connectedRig(t);
  started.rig.noAcknowledgement("bus");
  const sendings: Promise<SendOutcome>[] = [bus.send(light(0, 255), { withinMs: 5000 }), bus.send(light(1, 255), { withinMs: 5000 })];
  await clock.advance(10);
  await bus.stop();
  const [first, second] = await Promise.all(sendings);
  t.match(first, { kind: "unknown", reason: "stopped" });
  t.match(second, { kind: "refused", reason: "down" });
  t.match(await bus.send(light(0, 1), { withinMs: 10 }), { kind: "refused", reason: "down", detail: "stopped" });
});
