// The demo's three vehicles are files like anyone's: checked here, and fed with their recordings through the signal table.

import { test } from "tap";
import { appendFrame, createFrameBatch, createSignalTable, parseJ1939Id, type SignalTable } from "../../../protocols/can/index.ts";
import { checkDemo, recording, vehicleText, withoutData } from "./demo-files.ts";
import { validModel } from "./small-world.ts";

const RAV4 = "opendbc_toyota_rav4_2017_pt_generated.dbc";
const TRUCK = ["canmatrix_j1939.dbc", "css_canmod-gps.dbc"];
const TRAILER = "TrailCurrent-tracer-c1bd446.nocomments.dbc";
const TRUCK_LOG = "j1939_truck_gnss.log";

/** Feeds hand-written frames, or the first lines of a recording. */
function feed(table: SignalTable, lines: readonly string[]): number {
  const names = ["can0", "can1", "can2"];
  const batch = createFrameBatch(lines.length);
  let lastMs = 0;
  for (const line of lines) {
    const match = /^\(([0-9.]+)\) (\w+) ([0-9A-F]+)#([0-9A-F]*)$/.exec(line);
    if (match === null) continue;
    const [, time = "", bus = "", id = "", data = ""] = match;
    lastMs = Number(time) * 1000;
    appendFrame(batch, { id: Number.parseInt(id, 16), extended: id.length > 3, data: Uint8Array.from(Buffer.from(data, "hex")) }, { timeS: Number(time), bus: names.indexOf(bus) });
  }
  table.feed(batch, names);
  return lastMs;
}

test("D2, X1. The RAV4's file is valid, listen-only and without commands", { skip: withoutData(RAV4) }, (t) => {
  const model = validModel(checkDemo("rav4-01.yaml"));
  t.match(model, { vehicle: "demo/vehicle/rav4-01", model: "toyota-rav4", labels: { fleet: "demo" }, commands: [] });
  t.ok(model.buses.every((bus) => bus.mode === "listen-only"));
  t.end();
});

test("the RAV4's recording gives its speed, steering and gear in real units", { skip: withoutData(RAV4, "comma2k19_rav4_60s.log") }, (t) => {
  const model = validModel(checkDemo("rav4-01.yaml"));
  const table = createSignalTable({ buses: model.buses, signals: model.signals });
  const lines = recording("comma2k19_rav4_60s.log", 20_000);
  const nowMs = feed(table, lines);
  const value = (name: string): number => table.read(name, nowMs)?.value ?? Number.NaN;
  t.ok(value("Vehicle.Speed") > 28 && value("Vehicle.Speed") < 100, String(value("Vehicle.Speed")));
  t.ok(Math.abs(value("Vehicle.Chassis.SteeringWheel.Angle")) < 45);
  t.ok(value("Vehicle.Powertrain.CombustionEngine.Speed") > 1_000 && value("Vehicle.Powertrain.CombustionEngine.Speed") < 3_000);
  t.ok(Math.abs(value("Vehicle.Chassis.Axle.Row2.Wheel.Left.Speed") - value("Vehicle.Speed")) < 3);
  t.equal(table.read("Vehicle.Powertrain.Transmission.Gear", nowMs)?.label, "D");
  t.end();
});

test("D2, X1. The truck's file is valid and listen-only on both buses", { skip: withoutData(...TRUCK) }, (t) => {
  const model = validModel(checkDemo("truck-01.yaml"));
  t.same(
    model.buses.map((bus) => [bus.name, bus.match, bus.mode]),
    [
      ["can1", "j1939", "listen-only"],
      ["can2", "exact", "listen-only"],
    ],
  );
  t.same(model.commands, []);
  t.match(model.modules[0], { name: "engine", type: "j1939/ecu", sourceAddress: 0, presence: { messages: [], silentAfterMs: undefined } });
  t.end();
});

test("D3. The truck's recording gives rpm, coolant, fuel and odometer in real units through the overlay, and its place from the second bus", {
  skip: withoutData(...TRUCK, TRUCK_LOG),
}, (t) => {
  const model = validModel(checkDemo("truck-01.yaml"));
  const table = createSignalTable({ buses: model.buses, signals: model.signals });
  const nowMs = feed(table, recording(TRUCK_LOG, 20_000));
  const shown = (name: string): readonly unknown[] => {
    const reading = table.read(name, nowMs);
    return [Math.round((reading?.value ?? Number.NaN) * 1000) / 1000, reading?.unit];
  };
  const rpm = shown("Vehicle.Powertrain.CombustionEngine.Speed");
  t.ok(Number(rpm[0]) > 600 && Number(rpm[0]) < 700 && rpm[1] === "rpm", String(rpm));
  // Raw 111, 187 and 110663 in the recording.
  t.same(shown("Vehicle.Powertrain.CombustionEngine.ECT"), [71, "degC"]);
  t.same(shown("Vehicle.Powertrain.FuelSystem.RelativeLevel"), [74.8, "%"]);
  t.same(shown("Vehicle.TraveledDistance"), [13832.875, "km"]);
  t.same(shown("Vehicle.Speed"), [0, "km/h"]);
  const volts = shown("Vehicle.LowVoltageBattery.CurrentVoltage");
  t.ok(Number(volts[0]) > 12 && Number(volts[0]) < 15);
  const latitude = Number(shown("Vehicle.CurrentLocation.Latitude")[0]);
  t.ok(Math.abs(latitude) > 1 && Math.abs(latitude) < 90, String(latitude));
  t.end();
});

test("every parameter of the J1939 overlay names its source and occurs in the truck's recording", { skip: withoutData(...TRUCK, TRUCK_LOG) }, (t) => {
  const bus = validModel(checkDemo("truck-01.yaml")).buses[0];
  const heard = new Set<number>();
  for (const line of recording(TRUCK_LOG)) {
    const id = / can1 ([0-9A-F]{8})#/.exec(line)?.[1];
    if (id !== undefined) heard.add(parseJ1939Id(Number.parseInt(id, 16)).pgn);
  }
  t.ok((bus?.overlay.length ?? 0) >= 25, String(bus?.overlay.length));
  for (const entry of bus?.overlay ?? []) {
    const message = bus?.database.messages.find((candidate) => candidate.name === entry.message);
    t.ok(message !== undefined && heard.has(parseJ1939Id(message.id).pgn), `${entry.message} is in the recording`);
    t.match(entry.source, /^SPN [0-9]+, .+/, `${entry.message}.${entry.signal}`);
  }
  t.end();
});

test("D2, D4, X1. The trailer's file is valid, its bus open, and its commands expanded to its outputs", { skip: withoutData(TRAILER) }, (t) => {
  const model = validModel(checkDemo("trailer-01.yaml"));
  t.equal(model.buses[0]?.mode, "normal");
  t.same(
    model.commands.map((command) => [
      command.name,
      command.as,
      command.guard,
      command.whenAway,
      command.targets.map((target) => `${target.module}.${target.output?.name ?? ""}`).join(" "),
    ]),
    [
      ["light.set", "light.set", undefined, "refuse", "torrent-0.galley torrent-0.porch torrent-0.bed torrent-1.bath torrent-1.step"],
      ["relay.set", "relay.set", undefined, "refuse", "switchback-0.pump"],
      ["awning.set", "relay.set", "parked", "refuse", "switchback-0.awning"],
      ["climate.setpoint.request", "climate.setpoint.request", undefined, "wait", "therma."],
      ["output.identify", "output.identify", undefined, "refuse", "torrent-0.galley torrent-0.porch torrent-0.bed torrent-1.bath torrent-1.step"],
    ],
  );
  const silence = Object.fromEntries(model.modules.map((module) => [module.name, module.presence.silentAfterMs]));
  t.same(silence, { bearing: 3000, "torrent-0": 1000, "torrent-1": 1000, "switchback-0": 1000, therma: 3000, borealis: 3000, solstice: 1000, reservoir: 3000, aftline: 5000 });
  t.end();
});

test("D3. The trailer's defects are overlaid, and sums, sign flags, bits and words come out right", { skip: withoutData(TRAILER) }, (t) => {
  const model = validModel(checkDemo("trailer-01.yaml"));
  const table = createSignalTable({ buses: model.buses, signals: model.signals });
  const nowMs = feed(table, [
    "(1.0) can0 01F#FB170FA0028A0064", // -5 degC, 23 degF, 40.00 %, 650 ppm, VOC index 100
    "(1.0) can0 020#004803E809", // CO 72 ppm, ratio 1.000, flags 0 and 3
    "(1.0) can0 023#0C41010532504B", // 12 V + 65/100, discharging, 5 A + 50/100, 80 % + 75/100
    "(1.0) can0 024#FF0050FFFF", // discharging, 80 W
    "(1.0) can0 02C#1250007D0D0A03", // panel 18.80 V, 125 W, battery 13.10 V, bulk
    "(1.0) can0 007#08003203E801", // 8 satellites, 0.50 kn, 100.0 deg, GPS
    "(1.0) can0 009#0105161501012345", // 33.3333 S, 7.4565 W
    "(1.0) can0 03A#803039", // plugged, 12345 mV
    "(1.0) can0 028#02", // relay 2
    "(1.0) can0 01B#80FF000000000000", // outputs 1 and 2
    "(1.0) can0 03F#00D705", // 21.5 degC, deadband 0.5
  ]);
  const shown = (name: string): readonly unknown[] => {
    const reading = table.read(name, nowMs);
    return [Math.round((reading?.value ?? Number.NaN) * 10_000) / 10_000, reading?.unit, reading?.label];
  };
  t.same(shown("Cabin.Temperature"), [-5, "degC", undefined]);
  t.same(shown("Cabin.GasAlarm"), [1, undefined, undefined]);
  t.same(shown("Battery.Voltage"), [12.65, "V", undefined]);
  t.same(shown("Battery.Current"), [-5.5, "A", undefined]);
  t.same(shown("Battery.StateOfCharge"), [80.75, "%", undefined]);
  t.same(shown("Battery.Power"), [-80, "W", undefined]);
  t.same(shown("Solar.State"), [3, undefined, "Bulk_Charging"]);
  t.same(shown("Vehicle.Speed"), [0.926, "km/h", undefined]);
  t.same(shown("Vehicle.CurrentLocation.Latitude"), [-33.3333, "deg", undefined]);
  t.same(shown("Vehicle.CurrentLocation.Longitude"), [-7.4565, "deg", undefined]);
  t.same(shown("Tow.Connected"), [1, undefined, "plugged"]);
  t.same(shown("Tow.Voltage"), [12.345, "V", undefined]);
  t.same(shown("switchback-0.pump"), [0, undefined, undefined]);
  t.same(shown("switchback-0.awning"), [1, undefined, undefined]);
  t.same(shown("torrent-0.galley"), [128, "level", undefined]);
  t.same(shown("therma.setpoint"), [21.5, "degC", undefined]);
  t.end();
});

test("D1. A vehicle's file says who it is and nothing of its buses", (t) => {
  for (const name of ["rav4-01", "truck-01", "trailer-01"]) {
    t.match(vehicleText(`${name}.yaml`), new RegExp(`^vehicle: demo/vehicle/${name}$`, "m"));
    t.notMatch(vehicleText(`${name}.yaml`), /^(buses|modules|signals|commands):/m);
  }
  t.end();
});
