// The rig's bytes, written by hand from the table, against our decoder reading the newer database: message by message, value by value.
// A bit order that both sides got wrong cannot cancel out here, since the rig knows no database and the decoder no table.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { parseDocument } from "yaml";
import * as aftline from "../../../cli/rig/modules/aftline.ts";
import * as bearing from "../../../cli/rig/modules/bearing.ts";
import * as borealis from "../../../cli/rig/modules/borealis.ts";
import * as reservoir from "../../../cli/rig/modules/reservoir.ts";
import * as solstice from "../../../cli/rig/modules/solstice.ts";
import { switchbackStatusBytes } from "../../../cli/rig/modules/switchback.ts";
import * as therma from "../../../cli/rig/modules/therma.ts";
import { torrentStatusBytes } from "../../../cli/rig/modules/torrent.ts";
import { applyOverlay, createDecoder, parseDbc, type Decoder } from "../../../protocols/can/index.ts";
import { needs, shared } from "../../needs.ts";
import { virtualRig } from "./virtual-rig.ts";

const FILE = "TrailCurrent-tracer-c1bd446.nocomments.dbc";
const inRepository = fileURLToPath(new URL(`../../../cli/demo/data/${FILE}`, import.meta.url));
const file = existsSync(inRepository) ? inRepository : shared("data", "trailcurrent", FILE);
const part = needs("shared", file !== undefined);

function read(decoder: Decoder, id: number, bytes: readonly number[]): Readonly<Record<string, number>> {
  const index = decoder.match(id);
  const message = decoder.database.messages[index];
  if (message === undefined) throw new Error(`no message 0x${id.toString(16)}`);
  const out = new Float64Array(message.signals.length);
  const present = new Uint8Array(message.signals.length);
  decoder.rowOf(index).checked(Uint8Array.from(bytes), 0, bytes.length, out, 0, present);
  return Object.fromEntries(message.signals.flatMap((signal, at) => (present[at] === 1 ? [[signal.name, Math.round((out[at] ?? 0) * 1e6) / 1e6]] : [])));
}

test("each message of the rig means the same to our decoder", part, (t) => {
  const decoder = createDecoder(parseDbc(readFileSync(file ?? ""), { file: FILE }));
  const means = (id: number, bytes: readonly number[], values: Readonly<Record<string, number>>): void => {
    t.same(read(decoder, id, bytes), values, `0x${id.toString(16)}`);
  };
  const outputs = (levels: readonly number[]): Record<string, number> => Object.fromEntries(levels.map((level, at) => [`Output${String(at + 1)}Value`, level]));
  const levels = [255, 1, 2, 3, 128, 64, 32, 16];
  means(0x1b, torrentStatusBytes(levels), outputs(levels));
  means(0x1c, torrentStatusBytes(levels), outputs(levels));
  means(0x28, switchbackStatusBytes([1, 0, 1, 0, 0, 0, 0, 1]), { RelayStateBitmask: 0b1000_0101 });
  means(0x06, bearing.dateTimeBytes(Date.UTC(2026, 10, 9, 8, 7, 6)), { Year: 2026, Month: 11, Day: 9, Hour: 8, Minute: 7, Second: 6 });
  means(0x07, bearing.movementBytes({ satellites: 12, speedKnots: 48.6, courseDegrees: 359.9, mode: 7 }), {
    NumSatellitesUsed: 12,
    SpeedOverGround: 48.6,
    CourseOverGround: 359.9,
    GnssMode: 7,
  });
  means(0x08, bearing.altitudeBytes(2240.5), { Altitude: 2240.5 });
  means(0x09, bearing.placeBytes(-44.4605, -110.8281), { LatitudeSign: 1, LatitudeRaw: 44.4605, LongitudeSign: 1, LongitudeRaw: 110.8281 });
  means(0x1f, borealis.environmentBytes({ celsius: 21, humidityPercent: 45.67, co2Ppm: 612, vocIndex: 100 }), {
    TemperatureCelsius: 21,
    TemperatureFahrenheit: 70,
    HumidityScaled: 45.67,
    CO2Ppm: 612,
    VOCIndex: 100,
  });
  means(0x20, borealis.safetyBytes({ coPpm: 300, lpgRatio: 0.45, co2Ppm: 1600, vocIndex: 50 }), { CarbonMonoxidePpm: 300, LpgRatioScaled: 0.45, AlarmFlags: 0b1_0111 });
  means(0x23, solstice.battery1Bytes({ volts: 12.74, amperes: -3.05, percent: 84.5 }), {
    BattVoltageWhole: 12,
    BattVoltageDecimal: 74,
    IsCurrentNegative: 1,
    ShuntCurrentWhole: 3,
    ShuntCurrentDecimal: 5,
    BattSocWhole: 84,
    BattSocDecimal: 50,
  });
  means(0x24, solstice.battery2Bytes({ watts: -38.9, minutesToGo: 3200 }), { IsWattageNegative: 255, Wattage: 39, TimeToGo: 3200 });
  means(0x2c, solstice.solar1Bytes({ panelVolts: 18.5, watts: 260, batteryVolts: 13.41, charger: "absorption" }), {
    PanelVoltageWhole: 18,
    PanelVoltageDecimal: 50,
    SolarWattage: 260,
    SolarBattVoltageWhole: 13,
    SolarBattVoltageDecimal: 41,
    SolarChargeStatus: 4,
  });
  means(0x2d, solstice.solar2Bytes(-14.05), { IsPanelCurrentNegative: 1, PanelCurrentWhole: 14, PanelCurrentDecimal: 5 });
  means(0x3a, aftline.trailerStatusBytes({ connected: true, leftTurn: false, rightTurn: true, runningLights: false, brakes: true, millivolts: 13_600 }), {
    Connected: 1,
    LeftTurn: 0,
    RightTurn: 1,
    RunningLights: 0,
    Brakes: 1,
    TrailerVoltageMv: 13_600,
  });
  means(0x3e, reservoir.waterBytes(75, 50, 25), { FreshWaterLevel: 75, GreyWaterLevel: 50, BlackWaterLevel: 25 });
  means(0x3f, therma.thermaDesiredBytes(-2.5, 0.7), { SetpointDeciC: -2.5, ThresholdDeciC: 0.7 });
  means(0x40, therma.thermaStatusBytes({ mode: "cool", currentC: -12.3, heaterOn: false, coolerOn: true, sensorStale: true, heaterMismatch: false, coolerMismatch: true }), {
    ThermaMode: 2,
    CurrentDeciC: -12.3,
    HeatRelayFb: 0,
    CoolRelayFb: 1,
    FaultBitmask: 0b101,
  });
  t.end();
});

test("each command that the rig obeys means to our decoder what the rig takes it for", part, async (t) => {
  const decoder = createDecoder(parseDbc(readFileSync(file ?? ""), { file: FILE }));
  const { rig, clock, send } = virtualRig();
  await clock.advance(500);
  const obeys = async (id: number, hex: string, values: Readonly<Record<string, number>>, module: string, shown: Readonly<Record<string, unknown>>): Promise<void> => {
    t.same(read(decoder, id, [...Buffer.from(hex, "hex")]), values, `0x${id.toString(16)} ${hex}`);
    send(id, hex);
    await clock.advance(5);
    t.match(rig.moduleState(module), shown, module);
  };
  await obeys(0x15, "03c8", { ChannelIndex: 3, BrightnessLevel: 200 }, "torrent-0", { outputs: [0, 0, 0, 200, 0, 0, 0, 0] });
  await obeys(0x16, "0001", { ChannelIndex: 0, BrightnessLevel: 1 }, "torrent-1", { outputs: [1, 0, 0, 0, 0, 0, 0, 0] });
  await obeys(0x18, "0800", { ButtonOrCommand: 8, CommandValue: 0 }, "torrent-0", { outputs: [0, 0, 0, 0, 0, 0, 0, 0] });
  await obeys(0x25, "0100", { RelayOrCommand: 1, CommandValue: 0 }, "switchback-0", { outputs: [0, 1, 0, 0, 0, 0, 0, 0] });
  await obeys(0x41, "00e1", { RequestedSetpointDeciC: 22.5 }, "therma", { setpointC: 22.5 });
  await obeys(0x42, "07", { RequestedThresholdDeciC: 0.7 }, "therma", { deadbandC: 0.7 });
  await obeys(0x2e, "00", { LoadState: 0 }, "solstice", { load: 0 });
  await obeys(0x21, Buffer.from(borealis.calibrationBytes(-1.5)).toString("hex"), { TempOffsetTenths: -1.5 }, "borealis", { offsetC: -1.5 });
  rig.stop();
});

test("a temperature below zero shows the database's defect, and the trailer's overlay mends it", part, (t) => {
  const published = parseDbc(readFileSync(file ?? ""), { file: FILE });
  const freezing = borealis.environmentBytes({ celsius: -5, humidityPercent: 50, co2Ppm: 400, vocIndex: 1 });
  t.match(read(createDecoder(published), 0x1f, freezing), { TemperatureCelsius: 251, TemperatureFahrenheit: 23 });
  const overlay = fileURLToPath(new URL("../../../cli/demo/vehicles/trailcurrent-defects.yaml", import.meta.url));
  const corrections = Object.entries(parseDocument(readFileSync(overlay, "utf8")).toJS() as Readonly<Record<string, { signed?: boolean; source: string }>>);
  const outcome = applyOverlay(
    published,
    corrections.map(([name, correction]) => {
      const [message = "", signal = ""] = name.split(".");
      return { message, signal, ...correction };
    }),
  );
  if (outcome.kind === "refused") t.fail(JSON.stringify(outcome.problems));
  else t.match(read(createDecoder(outcome.database), 0x1f, freezing), { TemperatureCelsius: -5, TemperatureFahrenheit: 23 });
  t.end();
});

test("everything that the trailer says in ten seconds is in the database, whole, and within its ranges", part, async (t) => {
  const decoder = createDecoder(parseDbc(readFileSync(file ?? ""), { file: FILE }));
  const { rig, clock, overheard, send } = virtualRig();
  await clock.advance(500);
  send(0x15, "0380");
  send(0x25, "0000");
  rig.drive(60);
  await clock.advance(10_000);
  rig.stop();
  const seen = new Set<number>();
  for (const frame of overheard) {
    const message = decoder.database.messages[decoder.match(frame.id)];
    if (message === undefined) {
      t.fail(`0x${frame.id.toString(16)} is not in the database`);
      continue;
    }
    if (frame.hex.length !== message.length * 2) t.fail(`${message.name} has ${String(frame.hex.length / 2)} bytes, the database says ${String(message.length)}`);
    const values = read(decoder, frame.id, [...Buffer.from(frame.hex, "hex")]);
    for (const signal of message.signals) {
      const value = values[signal.name];
      if (value === undefined) t.fail(`${message.name}.${signal.name} is absent`);
      else if (signal.range !== undefined && (value < signal.range.min || value > signal.range.max)) t.fail(`${message.name}.${signal.name} is ${String(value)}`);
    }
    seen.add(frame.id);
  }
  t.ok(seen.size >= 21, `${String(seen.size)} messages were seen`);
});
