// The in-process bus: who hears what, what becomes of a frame, and what a bus that is down or deaf does to it.

import { test } from "tap";
import { type BusState, type CanFrame, FrameFlag, frameAt } from "../../../protocols/can/index.ts";
import { createVirtualBus, type VirtualBus, type VirtualPort, type VirtualPortOptions } from "../../../protocols/virtual-can/index.ts";
import { ManualClock } from "../../../runtime/simulation/manual-clock.ts";

interface Heard {
  readonly port: VirtualPort;
  readonly frames: string[];
  readonly states: BusState[];
}

async function attached(bus: VirtualBus, options?: VirtualPortOptions): Promise<Heard> {
  const port = bus.attach(options);
  const frames: string[] = [];
  const states: BusState[] = [];
  await port.start({
    onFrames: (batch) => {
      for (let slot = 0; slot < batch.count; slot++) {
        const frame = frameAt(batch, slot);
        frames.push(
          `${frame.id.toString(16)}#${Buffer.from(frame.data).toString("hex")}${((batch.flags[slot] ?? 0) & FrameFlag.sentByUs) === 0 ? "" : " own"}@${Math.round((batch.timesS[slot] ?? 0) * 1e6)}`,
        );
      }
    },
    onState: (state) => states.push(state),
  });
  return { port, frames, states };
}

function frame(id: number, ...bytes: number[]): CanFrame {
  return { id, data: Uint8Array.from(bytes) };
}

test("others hear a frame, its sender its echo, and the outcome says when it was on the bus", async (t) => {
  const clock = new ManualClock();
  const bus = createVirtualBus({ clock, name: "can0" });
  const [a, b] = [await attached(bus), await attached(bus)];
  const sent = a.port.send(frame(0x15, 1, 255), { withinMs: 100 });
  t.strictSame(b.frames, [], "not from inside the call");
  await clock.advance(5);
  t.strictSame(await sent, { kind: "sent", timeS: 0 });
  t.strictSame(a.frames, ["15#01ff own@0"]);
  t.strictSame(b.frames, ["15#01ff@0"]);
  t.match(a.port.counters, { sent: 1, received: 1, sendFailed: 0, dropped: 0 });
  t.strictSame(a.port.buses, ["can0"]);
  bus.inject([frame(1), frame(2)]);
  t.strictSame(b.frames.slice(1), ["1#@5000", "2#@5000"]);
  t.equal(bus.frames, 3);
  t.equal(clock.pending, 0);
});

test("X1. a listen-only port sends nothing, ever", async (t) => {
  const clock = new ManualClock();
  const bus = createVirtualBus({ clock });
  const [deaf, other] = [await attached(bus, { mode: "listen-only" }), await attached(bus)];
  t.match(await deaf.port.send(frame(1), { withinMs: 100 }), { kind: "refused", reason: "listen-only" });
  await clock.advance(1_000);
  t.strictSame(other.frames, []);
  t.equal(deaf.port.counters.sendFailed, 1);
});

test("with a bit rate a frame takes its time, and of those that wait the lowest id goes first", async (t) => {
  const clock = new ManualClock();
  const bus = createVirtualBus({ clock, bitrateBps: 500_000 });
  const [a, b] = [await attached(bus), await attached(bus)];
  const ids = [0x300, 0x200, 0x100];
  const outcomes = ids.map((id) => a.port.send(frame(id, 0), { withinMs: 100 }));
  const extended = a.port.send({ id: 0x100 << 18, extended: true, data: Uint8Array.of(0) }, { withinMs: 100 });
  await clock.advance(10);
  t.strictSame(
    b.frames.map((text) => text.split("#")[0]),
    ["300", "100", "4000000", "200"],
    "the first was alone; of one prefix the standard id wins",
  );
  t.match(b.frames[0], /@110$/, "55 bits at 500 kbit/s");
  for (const outcome of [...outcomes, extended]) t.match(await outcome, { kind: "sent" });
  t.throws(() => createVirtualBus({ clock, bitrateBps: 0 }), { code: "DROVER_CAN_USE" });
});

test("a queue has an end: what does not fit is refused, what waited too long is withdrawn", async (t) => {
  const clock = new ManualClock();
  const bus = createVirtualBus({ clock, bitrateBps: 1_000 });
  const [a, b] = [await attached(bus, { queueLimit: 2 }), await attached(bus)];
  const sends = [1, 2, 3, 4].map((id) => a.port.send(frame(id), { withinMs: 20 }));
  t.match(await sends[3], { kind: "refused", reason: "queue-full" });
  await clock.advance(20);
  t.match(await sends[0], { kind: "unknown" }, "it was on its way");
  t.match(await sends[1], { kind: "refused", reason: "deadline" });
  await clock.advance(1_000);
  t.strictSame(
    b.frames.map((text) => text.split("#")[0]),
    ["1"],
    "and never reaches the bus later",
  );
});

test("without an acknowledgement a frame stays on its way: its fate is unknown until the bus answers again", async (t) => {
  const clock = new ManualClock();
  const bus = createVirtualBus({ clock });
  const [a, b] = [await attached(bus), await attached(bus)];
  bus.setAcknowledges(false);
  const first = a.port.send(frame(1), { withinMs: 50 });
  const second = a.port.send(frame(2), { withinMs: 500 });
  await clock.advance(100);
  t.match(await first, { kind: "unknown", reason: /no echo within 50 ms/ });
  t.strictSame(b.frames, []);
  bus.setAcknowledges(true);
  await clock.advance(10);
  t.match(await second, { kind: "sent" });
  t.strictSame(
    b.frames.map((text) => text.split("#")[0]),
    ["1", "2"],
  );
});

test("a bus that goes down refuses what waits, and nobody can know of what was on its way", async (t) => {
  const clock = new ManualClock();
  const bus = createVirtualBus({ clock, bitrateBps: 1_000 });
  const [a, b] = [await attached(bus), await attached(bus)];
  const onItsWay = a.port.send(frame(1), { withinMs: 1_000 });
  const waiting = a.port.send(frame(2), { withinMs: 1_000 });
  bus.setState({ kind: "down", reason: "cut" });
  t.match(await onItsWay, { kind: "unknown", reason: /cut/ });
  t.match(await waiting, { kind: "refused", reason: "down" });
  t.match(await a.port.send(frame(3), { withinMs: 10 }), { kind: "refused", reason: "down", detail: "cut" });
  bus.inject([frame(9)]);
  bus.setState({ kind: "up" });
  t.strictSame(a.states, [{ kind: "down", reason: "cut" }, { kind: "up" }]);
  const again = a.port.send(frame(4), { withinMs: 1_000 });
  await clock.advance(1_000);
  t.match(await again, { kind: "sent" });
  t.strictSame(
    b.frames.map((text) => text.split("#")[0]),
    ["4"],
  );
});

test("a stopped port ends what it sent and hears nothing; frames before its start count as dropped", async (t) => {
  const clock = new ManualClock();
  const bus = createVirtualBus({ clock });
  const early = bus.attach();
  const a = await attached(bus);
  bus.inject([frame(1)]);
  t.equal(early.counters.dropped, 1);
  t.match(early.state, { kind: "down", reason: "not started" });
  const sending = a.port.send(frame(2), { withinMs: 100 });
  await a.port.stop();
  t.match(await sending, { kind: "unknown" });
  t.match(await a.port.send(frame(2), { withinMs: 100 }), { kind: "refused", reason: "down" });
  bus.inject([frame(3)]);
  t.strictSame(
    a.frames.map((text) => text.split("#")[0]),
    ["1"],
  );
  await t.rejects(a.port.start({ onFrames: () => undefined }), { code: "DROVER_CAN_USE" });
  t.match(await (await attached(bus)).port.send({ id: 0x800, data: new Uint8Array(0) }, { withinMs: 1 }), { kind: "refused", reason: "invalid" });
  t.throws(() => bus.inject([{ id: 0x800, data: new Uint8Array(0) }]), { code: "DROVER_CAN_USE" });
});
