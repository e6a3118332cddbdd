// Bit time, arbitration and load of the simulated bus.

import { test } from "tap";
import { frameBits, type RigFrame } from "../../../cli/rig/rig-frame.ts";
import { SimulatedBus, type BusNode, type BusPlug } from "../../../cli/rig/simulated-bus.ts";
import type { Clock } from "../../../runtime/ports/index.ts";
import { ManualClock } from "../../../runtime/simulation/manual-clock.ts";

const frame = (id: number, ...data: number[]): RigFrame => ({ id, extended: false, data: Uint8Array.from(data) });

interface Heard {
  readonly id: number;
  readonly at: number;
  readonly by: string;
}

function listener(heard: Heard[], name = "listener"): BusNode {
  return { name, kind: "module", queueLimit: 8, receive: (seen, at, by) => heard.push({ id: seen.id, at, by }), sent: () => undefined };
}

function sender(bus: SimulatedBus, name: string, queueLimit = 8, kind: BusNode["kind"] = "module"): { readonly plug: BusPlug; readonly sent: number[] } {
  const sent: number[] = [];
  const plug = bus.attach({ name, kind, queueLimit, receive: () => undefined, sent: (_frame, _at, token) => sent.push(token) });
  return { plug, sent };
}

test("a frame takes its bits: the fixed part, the data, and a stuff bit after each run of five", (t) => {
  t.ok(frameBits(frame(0x000)) > 47, "a dominant identifier is stuffed");
  for (const length of [0, 1, 4, 8]) {
    const zeros = frameBits(frame(0x000, ...Array.from({ length }, () => 0)));
    const worst = 47 + 8 * length + Math.floor((34 + 8 * length - 1) / 4);
    t.ok(zeros >= 47 + 8 * length && zeros <= worst, `${String(length)} zero bytes: ${String(zeros)} of at most ${String(worst)}`);
  }
  t.equal(frameBits(frame(0x123, 1, 2, 3, 4, 5, 6, 7, 8)), reference(0x123, [1, 2, 3, 4, 5, 6, 7, 8]));
  for (let seed = 0; seed < 200; seed++) {
    const data = Array.from({ length: seed % 9 }, (_, at) => (seed * 37 + at * 91) & 0xff);
    if (frameBits(frame((seed * 53) & 0x7ff, ...data)) !== reference((seed * 53) & 0x7ff, data)) t.fail(`seed ${String(seed)} differs from the reference`);
  }
  t.end();
});

/** The same by text: division of the message polynomial, then a regular expression that stuffs. */
function reference(id: number, data: readonly number[]): number {
  const binary = (value: number, width: number): string => value.toString(2).padStart(width, "0");
  const body = `0${binary(id, 11)}000${binary(data.length, 4)}${data.map((byte) => binary(byte, 8)).join("")}`;
  const rest = Array.from(`${body}${"0".repeat(15)}`, Number);
  const divisor = Array.from(binary(0xc599, 16), Number);
  for (let at = 0; at < body.length; at++) {
    if (rest[at] === 1) divisor.forEach((bit, offset) => (rest[at + offset] = (rest[at + offset] ?? 0) ^ bit));
  }
  let text = body + rest.slice(body.length).join("");
  let stuffed = "";
  for (let run = /^(.*?)(0{5}|1{5})/.exec(text); run !== null; run = /^(.*?)(0{5}|1{5})/.exec(text)) {
    const five = run[2] ?? "";
    stuffed += `${run[1] ?? ""}${five}`;
    // The stuff bit opens the next run, so it goes back in front of what is left.
    text = (five.startsWith("0") ? "1" : "0") + text.slice(run[0].length);
  }
  return stuffed.length + text.length + 13;
}

test("B1. one frame at a time, each heard at its last bit", async (t) => {
  const clock = new ManualClock();
  const bus = new SimulatedBus(clock, 500_000);
  const heard: Heard[] = [];
  bus.attach(listener(heard));
  const a = sender(bus, "a");
  const first = frame(0x100, 1, 2, 3);
  const second = frame(0x101);
  a.plug.send(first, 1);
  a.plug.send(second, 2);
  t.same(heard, [], "nothing is heard before the end of a frame");
  await clock.advance(1);
  const firstEnds = frameBits(first) / 500;
  t.same(
    heard.map((seen) => seen.id),
    [0x100, 0x101],
  );
  t.ok(Math.abs((heard[0]?.at ?? 0) - firstEnds) < 1e-6);
  t.ok(Math.abs((heard[1]?.at ?? 0) - firstEnds - frameBits(second) / 500) < 1e-6);
  t.same(a.sent, [1, 2]);
});

test("B2. the lowest identifier goes first, one node's own frames keep their order", async (t) => {
  const clock = new ManualClock();
  const bus = new SimulatedBus(clock, 500_000);
  const heard: Heard[] = [];
  bus.attach(listener(heard));
  const [a, b, c] = [sender(bus, "a"), sender(bus, "b"), sender(bus, "c")];
  a.plug.send(frame(0x300)); // the wire is free: it starts at once
  a.plug.send(frame(0x200));
  a.plug.send(frame(0x001)); // behind 0x200 in its own controller
  b.plug.send(frame(0x150));
  c.plug.send(frame(0x0ff));
  b.plug.send(frame(0x0fe)); // behind 0x150
  await clock.advance(2);
  t.same(
    heard.map((seen) => seen.id),
    [0x300, 0x0ff, 0x150, 0x0fe, 0x200, 0x001],
  );
});

test("a base frame beats the extended frame that begins with the same bits", async (t) => {
  const clock = new ManualClock();
  const bus = new SimulatedBus(clock, 500_000);
  const heard: Heard[] = [];
  bus.attach(listener(heard));
  const [a, b, c] = [sender(bus, "a"), sender(bus, "b"), sender(bus, "c")];
  a.plug.send(frame(0x7ff));
  b.plug.send({ id: 0x123 << 18, extended: true, data: new Uint8Array() });
  c.plug.send(frame(0x123));
  await clock.advance(2);
  t.same(
    heard.map((seen) => seen.id),
    [0x7ff, 0x123, 0x123 << 18],
  );
});

test("a late timer lets nobody overtake", async (t) => {
  const clock = new ManualClock();
  // As on a real machine: whole milliseconds, and one more.
  const late: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout: (run, delayMs) => clock.setTimeout(run, Math.ceil(delayMs) + 1),
    clearTimeout: (handle) => {
      clock.clearTimeout(handle);
    },
  };
  const bus = new SimulatedBus(late, 500_000);
  const heard: Heard[] = [];
  bus.attach(listener(heard));
  const [a, b, c] = [sender(bus, "a"), sender(bus, "b"), sender(bus, "c")];
  a.plug.send(frame(0x400)); // ends at 0.1 ms, seen to end at 2 ms
  b.plug.send(frame(0x500)); // so starts at 0.1 ms
  await clock.advance(1.5);
  c.plug.send(frame(0x001)); // long after b was on the wire
  await clock.advance(10);
  t.same(
    heard.map((seen) => seen.id),
    [0x400, 0x500, 0x001],
  );
  const [, second, third] = heard.map((seen) => seen.at);
  t.ok((second ?? 9) < 0.3, "at the time of its bits, not of the timer");
  t.ok((third ?? 0) > 1.5 && (third ?? 9) < 1.7);
});

test("a full controller takes nothing and says so", async (t) => {
  const clock = new ManualClock();
  const bus = new SimulatedBus(clock, 500_000);
  const a = sender(bus, "a", 2);
  t.equal(a.plug.send(frame(1)), true);
  t.equal(a.plug.send(frame(2)), true);
  t.equal(a.plug.send(frame(3)), false);
  t.equal(bus.counters.refused, 1);
  await clock.advance(1);
  t.equal(a.plug.send(frame(3)), true);
});

test("B3. without acknowledgement a frame stays with its node and leaves late, unless it is flushed", async (t) => {
  const clock = new ManualClock();
  const bus = new SimulatedBus(clock, 500_000);
  const heard: Heard[] = [];
  bus.attach(listener(heard));
  const [a, b] = [sender(bus, "a", 8, "client"), sender(bus, "b", 8, "client")];
  bus.noAcknowledgement = "bus";
  a.plug.send(frame(0x10), 1);
  b.plug.send(frame(0x20), 2);
  b.plug.send(frame(0x30), 3);
  await clock.advance(5000);
  t.same(heard, []);
  t.same(b.plug.flush(), [2, 3]);
  bus.noAcknowledgement = "none";
  await clock.advance(1);
  t.same(
    heard.map((seen) => seen.id),
    [0x10],
  );
  t.ok((heard[0]?.at ?? 0) > 5000);
  t.same(a.sent, [1]);
  t.same(b.sent, []);
});

test("clients alone can be without acknowledgement while modules talk", async (t) => {
  const clock = new ManualClock();
  const bus = new SimulatedBus(clock, 500_000);
  const heard: Heard[] = [];
  bus.attach(listener(heard));
  const [client, module] = [sender(bus, "client", 8, "client"), sender(bus, "module")];
  bus.noAcknowledgement = "clients";
  client.plug.send(frame(0x01), 1);
  module.plug.send(frame(0x50), 2);
  await clock.advance(5);
  t.same(
    heard.map((seen) => seen.id),
    [0x50],
  );
  bus.noAcknowledgement = "none";
  await clock.advance(1);
  t.same(client.sent, [1]);
});

test("a frame that loses its acknowledgement on the wire is repeated, not heard twice", async (t) => {
  const clock = new ManualClock();
  const bus = new SimulatedBus(clock, 500_000);
  const heard: Heard[] = [];
  bus.attach(listener(heard));
  const a = sender(bus, "a");
  a.plug.send(frame(0x10, 1, 2, 3, 4, 5, 6, 7, 8), 1);
  await clock.advance(0.1);
  bus.noAcknowledgement = "bus";
  await clock.advance(10);
  t.same(heard, []);
  bus.noAcknowledgement = "none";
  await clock.advance(1);
  t.equal(heard.length, 1);
  t.same(a.sent, [1]);
});

test("a saturated bus carries what its bit rate allows and no more", async (t) => {
  const clock = new ManualClock();
  const bus = new SimulatedBus(clock, 500_000);
  const a: BusNode = { name: "a", kind: "module", queueLimit: 4, receive: () => undefined, sent: () => plug.send(full) };
  const full = frame(0x100, 0xa5, 0x5a, 0xa5, 0x5a, 0xa5, 0x5a, 0xa5, 0x5a);
  const plug = bus.attach(a);
  plug.send(full);
  plug.send(full);
  await clock.advance(100);
  t.equal(bus.counters.frames, Math.floor(50_000 / frameBits(full)));
});
