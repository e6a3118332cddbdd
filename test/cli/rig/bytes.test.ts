// Each message of the rig against bytes worked out by hand from research/trailcurrent.md 2.1. Nothing of the decoder is used here; decoder.test.ts compares the two.

import { test } from "tap";
import { altitudeBytes, dateTimeBytes, movementBytes, placeBytes } from "../../../cli/rig/modules/bearing.ts";
import { trailerStatusBytes } from "../../../cli/rig/modules/aftline.ts";
import { alarmFlags, calibrationBytes, environmentBytes, safetyBytes } from "../../../cli/rig/modules/borealis.ts";
import { cornerBytes, tiltBytes } from "../../../cli/rig/modules/old-plateau.ts";
import { waterBytes } from "../../../cli/rig/modules/reservoir.ts";
import { battery1Bytes, battery2Bytes, solar1Bytes, solar2Bytes } from "../../../cli/rig/modules/solstice.ts";
import { switchbackStatusBytes } from "../../../cli/rig/modules/switchback.ts";
import { thermaDesiredBytes, thermaStatusBytes } from "../../../cli/rig/modules/therma.ts";
import { torrentStatusBytes } from "../../../cli/rig/modules/torrent.ts";

const hex = (bytes: readonly number[]): string => Buffer.from(bytes).toString("hex");

test("Torrent and Switchback report their outputs, first output first or in bit 0", (t) => {
  t.equal(hex(torrentStatusBytes([255, 0, 0, 128, 0, 0, 0, 1])), "ff00008000000001"); // outputs 1, 4 and 8
  t.equal(hex(switchbackStatusBytes([1, 0, 0, 0, 0, 0, 0, 1])), "81"); // relay 1 is bit 0, relay 8 is bit 7
  t.end();
});

test("Bearing tells time, movement, height and place", (t) => {
  t.equal(hex(dateTimeBytes(Date.UTC(2026, 1, 28, 23, 59, 58))), "07ea021c173b3a"); // 2026 = 0x07EA, 2, 28, 23, 59, 58
  t.equal(hex(dateTimeBytes(Date.UTC(2024, 1, 29, 0, 0, 0))), "07e8021d000000"); // a leap day
  t.equal(hex(dateTimeBytes(Date.UTC(2000, 11, 31, 12, 34, 56))), "07d00c1f0c2238"); // the last day of a leap century
  t.equal(hex(movementBytes({ satellites: 9, speedKnots: 53.21, courseDegrees: 271.4, mode: 5 })), "0914c90a9a05"); // 5321 = 0x14C9, 2714 = 0x0A9A
  t.equal(hex(altitudeBytes(2240.55)), "00036b37"); // 224055 = 0x036B37
  t.equal(hex(altitudeBytes(-12)), "00000000"); // the field has no place below sea level
  t.equal(hex(placeBytes(44.4605, -110.8281)), "0006c8bd0110e939"); // north 444605 = 0x06C8BD, west 1108281 = 0x10E939
  t.equal(hex(placeBytes(-33.8568, 151.2153)), "01052a88001712d9"); // south 338568 = 0x052A88, east 1512153 = 0x1712D9
  t.end();
});

test("Borealis tells air in signed degrees and decides its alarms", (t) => {
  t.equal(hex(environmentBytes({ celsius: -5, humidityPercent: 45.67, co2Ppm: 612, vocIndex: 100 })), "fb1711d702640064"); // -5 = 0xFB, 23 °F, 4567 = 0x11D7, 612 = 0x0264
  t.equal(hex(environmentBytes({ celsius: 21, humidityPercent: 0, co2Ppm: 400, vocIndex: 1 })), "1546000001900001"); // 21 °C = 69.8 °F, sent as 70 = 0x46
  t.equal(hex(environmentBytes({ celsius: 60, humidityPercent: 100, co2Ppm: 40_000, vocIndex: 500 })), "3c7f27109c4001f4"); // 140 °F does not fit a signed byte: 127
  t.equal(hex(safetyBytes({ coPpm: 300, lpgRatio: 0.45, co2Ppm: 1600, vocIndex: 50 })), "012c01c217000000"); // 300, 450; bits 0, 1, 2, 4
  t.equal(alarmFlags({ coPpm: 69, lpgRatio: 0.5, co2Ppm: 1499, vocIndex: 399 }), 0, "one below each threshold");
  t.equal(alarmFlags({ coPpm: 200, lpgRatio: 0.29, co2Ppm: 2500, vocIndex: 400 }), 0b111_1111, "all thresholds reached");
  t.equal(hex(calibrationBytes(-1.5)), "fff1"); // -15 tenths
  t.end();
});

test("Solstice splits volts and amperes in whole and hundredths", (t) => {
  t.equal(hex(battery1Bytes({ volts: 12.74, amperes: -3.05, percent: 84.5 })), "0c4a0103055432"); // 12 | 74, discharging, 3 | 05, 84 | 50
  t.equal(hex(battery1Bytes({ volts: 13.999, amperes: 4.2, percent: 100 })), "0e000004146400"); // 13.999 rounds to 14 | 00, never to 13 | 100
  t.equal(hex(battery2Bytes({ watts: -38.9, minutesToGo: 3200 })), "ff00270c80"); // discharging, 39, 3200 = 0x0C80
  t.equal(hex(battery2Bytes({ watts: 120, minutesToGo: undefined })), "000078ffff"); // charging: never empty
  t.equal(hex(battery2Bytes({ watts: -1, minutesToGo: 1e6 })), "ff0001fffe"); // the longest time that is not "never"
  t.equal(hex(solar1Bytes({ panelVolts: 18.5, watts: 260, batteryVolts: 13.41, charger: "bulk" })), "123201040d2903"); // 18 | 50, 260, 13 | 41, 3
  t.equal(hex(solar2Bytes(14.05)), "000e05");
  t.equal(hex(solar2Bytes(-0.3)), "01001e");
  t.end();
});

test("Therma tells its set point and what its relays report", (t) => {
  t.equal(hex(thermaDesiredBytes(21.5, 0.5)), "00d705"); // 215 = 0x00D7
  t.equal(
    hex(thermaStatusBytes({ mode: "heat", currentC: -2.5, heaterOn: true, coolerOn: false, sensorStale: false, heaterMismatch: false, coolerMismatch: false })),
    "01ffe7010000",
  ); // -25 = 0xFFE7
  t.equal(hex(thermaStatusBytes({ mode: "idle", currentC: 19, heaterOn: true, coolerOn: false, sensorStale: true, heaterMismatch: true, coolerMismatch: false })), "0000be010003"); // faults 0 and 1
  t.equal(
    hex(thermaStatusBytes({ mode: "cool", currentC: 30, heaterOn: false, coolerOn: false, sensorStale: false, heaterMismatch: false, coolerMismatch: true })),
    "02012c000004",
  );
  t.end();
});

test("Aftline counts its flags from bit 7 down", (t) => {
  const dark = { connected: false, leftTurn: false, rightTurn: false, runningLights: false, brakes: false, millivolts: 0 };
  t.equal(hex(trailerStatusBytes({ ...dark, connected: true, millivolts: 13_600 })), "803520"); // 13600 = 0x3520
  t.equal(hex(trailerStatusBytes({ ...dark, leftTurn: true, brakes: true })), "480000"); // bits 6 and 3
  t.equal(hex(trailerStatusBytes({ ...dark, rightTurn: true, runningLights: true })), "300000"); // bits 5 and 4
  t.end();
});

test("Reservoir and the old Plateau", (t) => {
  t.equal(hex(waterBytes(75, 25, 0)), "4b1900");
  t.equal(hex(tiltBytes(-0.8, 1.3, -84, 50)), "ffb00082ffac0032"); // -80, 130, -84, 50
  t.equal(hex(cornerBytes(84, 134, 0, 50)), "0054008600000032");
  t.end();
});
