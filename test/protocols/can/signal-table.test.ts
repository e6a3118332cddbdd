// The latest values of a vehicle: how they are made of bus signals, how old they are, and when they are nothing.

import { test } from "tap";
import { createSignalTable, FrameFlag, parseDbc } from "../../../protocols/can/index.ts";
import { feed, signal, tableOver, trailer } from "./fed-table.ts";

const volts = signal({ name: "Battery.Voltage", from: "can0.Volts.Whole", and: [[0.01, "can0.Volts.Cents"]], unit: "V" });

test("V1. a value is unknown before its first frame, known with its time after it, stale when that is too long ago", (t) => {
  const table = tableOver([volts]);
  t.strictSame(table.read("Battery.Voltage", 5_000), {
    name: "Battery.Voltage",
    value: undefined,
    quality: "unknown",
    timeMs: undefined,
    unit: "V",
    label: undefined,
    source: "can0.Volts.Whole",
  });
  feed(table, 5_000, "can0", 1, [12, 40, 0, 0]);
  t.match(table.read("Battery.Voltage", 5_999), { value: 12.4, quality: "good", timeMs: 5_000 });
  t.match(table.read("Battery.Voltage", 6_000), { value: 12.4, quality: "stale" });
  t.equal(table.read("Nothing", 0), undefined);
  t.end();
});

test("V1. after a gap or a takeover every value is unknown again, and listeners hear of it", (t) => {
  const table = tableOver([volts, signal({ name: "Engine.Speed", from: "can1.EEC1.Speed" })]);
  const heard: unknown[] = [];
  feed(table, 1_000, "can0", 1, [12, 40, 0, 0]);
  feed(table, 1_000, "can1", 0x0cf0_0400, [125, 0, 0, 0x40, 0x1f, 0, 0, 0]);
  const stop = table.onSamples(["Battery.Voltage", "Engine.Speed"], (index, value) => heard.push([index, value]));
  table.forget(1_500, "can0");
  t.equal(table.read("Battery.Voltage", 1_500)?.quality, "unknown");
  t.equal(table.read("Engine.Speed", 1_500)?.value, 1000);
  table.forget(1_600);
  table.forget(1_700);
  t.strictSame(heard, [
    [0, undefined],
    [1, undefined],
  ]);
  t.equal(table.lastFrameMs("can1"), undefined);
  stop();
  feed(table, 2_000, "can0", 1, [12, 40, 0, 0]);
  t.equal(heard.length, 2);
  t.end();
});

test("V3. a sample reaches those who asked for its signal, in order, and nobody else", (t) => {
  const table = tableOver([volts, signal({ name: "Power", from: "can0.Power.Watts" })]);
  const heard: unknown[] = [];
  table.onSamples(["Battery.Voltage", "no such signal"], (index, value, timeMs, nowMs) => heard.push([index, value, timeMs, nowMs]));
  feed(table, 10, "can0", 1, [12, 0, 0, 0]);
  feed(table, 20, "can0", 2, [1, 0, 0]);
  feed(table, 30, "can0", 1, [13, 0, 0, 0]);
  t.strictSame(heard, [
    [0, 12, 10, 10],
    [0, 13, 30, 30],
  ]);
  t.strictSame(table.counters, { frames: 3, matched: 3, samples: 3 });
  t.end();
});

test("D3. signals are renamed, scaled, summed, signed by a flag, cut to a bit and given words", (t) => {
  const table = tableOver([
    volts,
    signal({ name: "Scaled", from: "can0.Volts.Temp", factor: 1.8, offset: 32 }),
    signal({ name: "Power", from: "can0.Power.Watts", negateIf: { bus: "can0", message: "Power", signal: "Negative" } }),
    signal({ name: "Bit3", from: "can0.Volts.Flags", bit: 3 }),
    signal({ name: "BitOfNegative", from: "can0.Volts.Temp", bit: 7 }),
    signal({ name: "Word", from: "can0.Volts.Flags", labels: [[8, "eight"]] }),
    signal({ name: "Valid", from: "can0.Power.Watts", validIf: { bus: "can0", message: "Power", signal: "Negative" } }),
  ]);
  feed(table, 0, "can0", 1, [12, 34, 8, 0xf6]);
  feed(table, 0, "can0", 2, [0x2c, 1, 1]);
  const values = Object.fromEntries(table.readAll(0).map((reading) => [reading.name, reading.value]));
  t.strictSame(values, { "Battery.Voltage": 12.34, Scaled: -15 * 1.8 + 32, Power: -300, Bit3: 1, BitOfNegative: 1, Word: 8, Valid: 300 });
  t.equal(table.read("Word", 0)?.label, "eight");
  feed(table, 1, "can0", 2, [0, 0, 1]);
  t.ok(Object.is(table.read("Power", 1)?.value, 0), "never -0");
  feed(table, 2, "can0", 2, [0x2c, 1, 0]);
  t.match(table.read("Power", 2), { value: 300, quality: "good" });
  t.match(table.read("Valid", 2), { value: undefined, quality: "not-available" });
  t.end();
});

test("a sum of two messages is known once both were seen, and as old as the older", (t) => {
  const table = tableOver([signal({ name: "Both", from: "can0.Volts.Whole", and: [[1, "can0.Power.Watts"]] })]);
  feed(table, 100, "can0", 1, [12, 0, 0, 0]);
  t.equal(table.read("Both", 100)?.quality, "unknown");
  feed(table, 900, "can0", 2, [8, 0, 0]);
  t.match(table.read("Both", 900), { value: 20, timeMs: 100 });
  t.equal(table.read("Both", 1_150)?.quality, "stale");
  t.end();
});

test("short and multiplexed frames update what they hold; the rest keeps its value and grows old", (t) => {
  const table = tableOver([volts, signal({ name: "Temp", from: "can0.Volts.Temp" }), signal({ name: "One", from: "can0.Mux.One" }), signal({ name: "Two", from: "can0.Mux.Two" })]);
  feed(table, 0, "can0", 1, [12, 0, 0, 20]);
  feed(table, 500, "can0", 1, [13, 0]);
  t.match(table.read("Battery.Voltage", 500), { value: 13, timeMs: 500 });
  t.match(table.read("Temp", 500), { value: 0, timeMs: 0 });
  feed(table, 600, "can0", 3, [1, 77]);
  feed(table, 700, "can0", 3, [2, 88]);
  feed(table, 800, "can0", 3, [9, 99]);
  t.match(
    [table.read("One", 800), table.read("Two", 800)],
    [
      { value: 77, timeMs: 600 },
      { value: 88, timeMs: 700 },
    ],
  );
  t.end();
});

test("J1939: all ones are no value, and a signal may be bound to one sender", (t) => {
  const table = tableOver([
    signal({ name: "Any.Speed", from: "can1.EEC1.Speed" }),
    signal({ name: "Engine.Speed", from: "can1.EEC1.Speed", sa: 0 }),
    signal({ name: "Torque", from: "can1.EEC1.Torque", sa: 0 }),
    signal({ name: "Switch", from: "can1.EEC1.Switch", sa: 0 }),
  ]);
  feed(table, 0, "can1", 0x0cf0_0400, [0xfa, 1, 0, 0x40, 0x1f, 0, 0, 0]);
  feed(table, 10, "can1", 0x18f0_0421, [0, 0, 0, 0x80, 0x3e, 0, 0, 0]);
  t.match(
    table.readAll(10).map((reading) => reading.value),
    [2000, 1000, 125, 1],
  );
  feed(table, 20, "can1", 0x0cf0_0400, [0xfe, 3, 0, 0xff, 0xff, 0, 0, 0]);
  t.strictSame(
    table.readAll(20).map((reading) => reading.quality),
    ["not-available", "not-available", "not-available", "not-available"],
  );
  t.end();
});

test("frames of our own, error frames and unknown buses are no values", (t) => {
  const table = tableOver([volts]);
  feed(table, 0, "can0", 1, [12, 0, 0, 0], FrameFlag.sentByUs);
  feed(table, 0, "can7", 1, [12, 0, 0, 0]);
  t.equal(table.read("Battery.Voltage", 0)?.quality, "unknown");
  t.equal(table.lastFrameMs("can0"), undefined);
  feed(table, 7, "can0", 0x700, []);
  t.equal(table.lastFrameMs("can0"), 7, "any frame proves that the bus speaks");
  t.end();
});

test("a source that does not exist is refused when the table is made", (t) => {
  t.throws(() => createSignalTable({ buses: [{ name: "can0", database: trailer, match: "exact" }], signals: [signal({ name: "X", from: "can0.Volts.Nope" })] }), {
    code: "DROVER_CAN_USE",
    message: /can0\.Volts\.Nope/,
  });
  t.end();
});

test("V1. what is not a number, or infinite, is not available: a float that holds it, and a value that leaves the range of numbers when it is scaled", (t) => {
  const database = parseDbc(
    'BO_ 1 F: 8 A\n SG_ F32 : 0|32@1- (1,0) [0|0] "" X\nBO_ 2 D: 8 A\n SG_ F64 : 0|64@1- (1,0) [0|0] "" X\nSIG_VALTYPE_ 1 F32 : 1;\nSIG_VALTYPE_ 2 F64 : 2;\n',
  );
  const signals = [signal({ name: "Single", from: "can0.F.F32" }), signal({ name: "Double", from: "can0.D.F64" }), signal({ name: "Scaled", from: "can0.D.F64", factor: 1e10 })];
  const table = createSignalTable({ buses: [{ name: "can0", database, match: "exact" }], signals });
  const heard: unknown[] = [];
  table.onSamples(["Single", "Double", "Scaled"], (index, value) => heard.push([index, value]));
  const bytes = (value: number, size: 4 | 8): readonly number[] => {
    const view = new DataView(new ArrayBuffer(8));
    if (size === 4) view.setFloat32(0, value, true);
    else view.setFloat64(0, value, true);
    return [...new Uint8Array(view.buffer)];
  };
  const none = { value: undefined, quality: "not-available", timeMs: 1_000 };
  for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
    feed(table, 1_000, "can0", 1, bytes(value, 4));
    feed(table, 1_000, "can0", 2, bytes(value, 8));
    for (const name of ["Single", "Double", "Scaled"]) t.match(table.read(name, 1_000), none, `${name} of ${String(value)}`);
  }
  t.strictSame(
    heard,
    [0, 1, 2, 0, 1, 2, 0, 1, 2].map((index) => [index, undefined]),
    "who listens hears of no value",
  );
  feed(table, 2_000, "can0", 2, bytes(-1e300, 8));
  t.match(table.read("Double", 2_000), { value: -1e300, quality: "good" });
  t.match(table.read("Scaled", 2_000), { ...none, timeMs: 2_000 });
  t.end();
});
