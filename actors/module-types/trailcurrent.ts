// The TrailCurrent family. Names are those of its newer database (Tracer `c1bd446`, 88 messages); what the database leaves out was read in the firmware.
//
// Sources, by short name:
//   DBC        TrailCurrent.dbc of TrailCurrentTracer at c1bd446, attribute CycleTime in ms
//   firmware   TrailCurrentTorrent, -Switchback, -Borealis, -Solstice, -Therma: main/ of March to May 2026
//   comments   the CM_ texts of the same database
// Channels are written 1 to 8, as the status frames number their outputs; the command frames count the same outputs from 0.

import type { CommandFrame, ModuleSignal, ModuleType, ModuleUpdate } from "./module-type.ts";

const FAMILY = "trailcurrentoss, DBC of TrailCurrentTracer c1bd446";

const torrentBrightness: CommandFrame = {
  message: "TorrentBrightness{address}",
  fields: { ChannelIndex: { kind: "channel", first: 0 }, BrightnessLevel: { kind: "value" } },
};

const switchbackToggle: CommandFrame = {
  message: "SwitchbackToggle{address}",
  fields: { RelayOrCommand: { kind: "channel", first: 0 }, CommandValue: { kind: "constant", value: 0 } },
};

function value(name: string, message: string, signal: string, more: { readonly unit?: string; readonly wakes?: boolean } = {}): ModuleSignal {
  return { name, message, signal, wakes: more.wakes ?? false, ...(more.unit === undefined ? {} : { unit: more.unit }) };
}

/** The same in every module that is an ESP32. */
const espUpdate: ModuleUpdate = {
  source: "TrailCurrentTorrent main/ota.c: POST /ota on port 80 for 180 s; dual partitions, and no rollback in the bootloader",
  // The database counts them from 1; they are the last three of the MAC, those that the report counts from 4.
  trigger: { message: "OtaUpdateNotification", part: ["MacAddressByte1", "MacAddressByte2", "MacAddressByte3"] },
  report: {
    message: "FirmwareVersionReport",
    part: ["MacAddressByte4", "MacAddressByte5", "MacAddressByte6"],
    version: ["VersionMajor", "VersionMinor", "VersionPatch"],
  },
  // It joins its network first, which may take 20 s; its port is open for 180 s from there.
  windowMs: 200_000,
  undo: false,
};

/** A sensor or gateway of which only presence, values and health are known. */
function sensor(
  name: string,
  title: string,
  sends: ModuleType["sends"],
  more: Partial<Pick<ModuleType, "place" | "signals" | "health">> & { readonly update?: ModuleUpdate | "none" } = {},
): ModuleType {
  const { update = espUpdate } = more;
  return {
    name: `trailcurrent/${name}`,
    title,
    source: FAMILY,
    place: more.place ?? { kind: "single" },
    sends,
    signals: more.signals ?? [],
    commands: {},
    health: more.health ?? [],
    ...(update === "none" ? {} : { update }),
  };
}

const torrent: ModuleType = {
  name: "trailcurrent/torrent",
  title: "Torrent: eight dimmable outputs",
  source: `${FAMILY}; firmware main/can_handler.c for the 33 ms status`,
  place: { kind: "numbered", from: 0, to: 2 },
  sends: [{ message: "TorrentStatus{address}", presence: true, periodMs: 33, source: "DBC CycleTime 33, firmware 33 ms" }],
  signals: [],
  outputs: { from: 1, to: 8, value: { kind: "level", from: 0, to: 255 }, reported: { message: "TorrentStatus{address}", signal: "Output{channel}Value" } },
  commands: {
    // Brightness names the wanted level, so a repetition does nothing; TorrentToggle turns over and is not used at all (vehicle V2).
    "light.set": {
      scope: "output",
      value: { kind: "level", from: 0, to: 255 },
      method: { kind: "set", frame: torrentBrightness },
      effect: "state",
      repeat: "until-confirmed",
      reads: ["{output}"],
      confirm: { signal: "{output}", tolerance: 0 },
      defaults: { deadlineMs: 500, ttlMs: 10_000, whenAway: "refuse" },
    },
    "output.identify": {
      scope: "output",
      value: { kind: "none" },
      method: { kind: "blink", frame: torrentBrightness, values: [255, 0, 255, 0], holdMs: 400 },
      effect: "once",
      repeat: "never",
      reads: ["{output}"],
      defaults: { deadlineMs: 500, ttlMs: 10_000, whenAway: "refuse" },
    },
  },
  health: [],
  update: espUpdate,
};

const switchback: ModuleType = {
  name: "trailcurrent/switchback",
  title: "Switchback: eight relays and eight inputs",
  source: `${FAMILY}; comments say "on change" for the status, the firmware sends it every 33 ms`,
  place: { kind: "numbered", from: 0, to: 2 },
  sends: [{ message: "SwitchbackStatus{address}", presence: true, periodMs: 33, source: "no CycleTime in the DBC; firmware 33 ms" }],
  signals: [],
  outputs: { from: 1, to: 8, value: { kind: "switch" }, reported: { message: "SwitchbackStatus{address}", signal: "RelayStateBitmask", firstBit: 0 } },
  commands: {
    // A single relay has no "on" or "off" frame: only a toggle, so V2's rules decide when one may leave.
    "relay.set": {
      scope: "output",
      value: { kind: "switch" },
      method: {
        kind: "toggle",
        frame: switchbackToggle,
        statusAtMostPeriods: 2,
        answerAfterPeriods: 1,
        foreign: { message: "SwitchbackToggle{address}", channelField: "RelayOrCommand", everyChannel: [8] },
      },
      effect: "once",
      repeat: "never",
      reads: ["{output}"],
      confirm: { signal: "{output}", tolerance: 0 },
      defaults: { deadlineMs: 500, ttlMs: 5_000, whenAway: "refuse" },
    },
  },
  health: [],
  update: espUpdate,
};

const therma: ModuleType = {
  name: "trailcurrent/therma",
  title: "Therma: thermostat that owns its set point",
  source: `${FAMILY}; comments for the owner rule and the accepted range`,
  place: { kind: "single" },
  sends: [
    { message: "ThermaStatus", presence: true, periodMs: 1000, source: "DBC CycleTime 1000" },
    { message: "ThermaDesiredTemperature", presence: true, periodMs: 1000, source: "DBC CycleTime 1000, and on change" },
  ],
  signals: [
    value("setpoint", "ThermaDesiredTemperature", "SetpointDeciC", { unit: "degC", wakes: true }),
    value("deadband", "ThermaDesiredTemperature", "ThresholdDeciC", { unit: "degC" }),
    value("mode", "ThermaStatus", "ThermaMode", { wakes: true }),
    value("temperature", "ThermaStatus", "CurrentDeciC", { unit: "degC" }),
    value("faults", "ThermaStatus", "FaultBitmask", { wakes: true }),
  ],
  commands: {
    // The owner validates 5.0..35.0 degC, keeps the value in its own memory and broadcasts what is in force; a sender never shows its own wish.
    "climate.setpoint.request": {
      scope: "module",
      value: { kind: "number", from: 5, to: 35, unit: "degC" },
      method: { kind: "set", frame: { message: "ThermaSetDesiredRequest", fields: { RequestedSetpointDeciC: { kind: "value" } } } },
      effect: "state",
      repeat: "until-confirmed",
      reads: ["setpoint"],
      confirm: { signal: "setpoint", tolerance: 0.05 },
      defaults: { deadlineMs: 3_000, ttlMs: 600_000, whenAway: "wait" },
    },
  },
  health: [
    {
      kind: "bits",
      signal: "faults",
      bits: [
        { bit: 0, code: "therma.sensor-stale", health: "faulted", title: "the room temperature is older than 10 s; heating and cooling rest" },
        { bit: 1, code: "therma.heater-mismatch", health: "faulted", title: "the heater relay does not follow" },
        { bit: 2, code: "therma.cooler-mismatch", health: "faulted", title: "the cooler relay does not follow" },
      ],
    },
  ],
  update: espUpdate,
};

const borealis: ModuleType = sensor(
  "borealis",
  "Borealis: air quality and gas alarms",
  [
    { message: "BorealisSafetyData", presence: true, periodMs: 1000, source: "no CycleTime in the DBC; firmware 1000 ms" },
    { message: "EnvironmentSensorData", presence: true, periodMs: 1000, source: "DBC CycleTime 2000; comment and firmware 1000 ms" },
  ],
  {
    signals: [
      value("alarms", "BorealisSafetyData", "AlarmFlags", { wakes: true }),
      value("co", "BorealisSafetyData", "CarbonMonoxidePpm", { unit: "ppm" }),
      value("temperature", "EnvironmentSensorData", "TemperatureCelsius", { unit: "degC" }),
      value("humidity", "EnvironmentSensorData", "HumidityScaled", { unit: "%" }),
      value("co2", "EnvironmentSensorData", "CO2Ppm", { unit: "ppm" }),
    ],
    // The module decides its alarms on board; warnings degrade, alarms fault. Thresholds are the firmware's.
    health: [
      {
        kind: "bits",
        signal: "alarms",
        bits: [
          { bit: 0, code: "borealis.co-warning", health: "degraded", title: "carbon monoxide at or above 70 ppm" },
          { bit: 1, code: "borealis.co-alarm", health: "faulted", title: "carbon monoxide at or above 200 ppm" },
          { bit: 2, code: "borealis.lpg-warning", health: "degraded", title: "gas sensor ratio below 0.5" },
          { bit: 3, code: "borealis.lpg-alarm", health: "faulted", title: "gas sensor ratio below 0.3" },
          { bit: 4, code: "borealis.co2-warning", health: "degraded", title: "carbon dioxide at or above 1500 ppm" },
          { bit: 5, code: "borealis.co2-alarm", health: "faulted", title: "carbon dioxide at or above 2500 ppm" },
          { bit: 6, code: "borealis.voc-alarm", health: "faulted", title: "VOC index at or above 400" },
        ],
      },
    ],
  },
);

const solstice: ModuleType = sensor(
  "solstice",
  "Solstice: battery shunt and solar charger",
  [
    { message: "ShuntBasicData1", presence: true, periodMs: 33, source: "DBC CycleTime 33" },
    { message: "ShuntBasicData2", presence: true, periodMs: 33, source: "DBC CycleTime 33" },
    { message: "SolarMpptData1", presence: true, periodMs: 33, source: "DBC CycleTime 33" },
    { message: "SolarMpptData2", presence: true, periodMs: 33, source: "DBC CycleTime 33" },
  ],
  {
    signals: [value("charger", "SolarMpptData1", "SolarChargeStatus", { wakes: true })],
    health: [{ kind: "equals", signal: "charger", value: 2, code: "solstice.charger-fault", health: "faulted", title: "the solar charger reports a fault" }],
  },
);

const bearing: ModuleType = sensor("bearing", "Bearing: satellite position and time", [
  { message: "GpsDateTime", presence: true, periodMs: 1000, source: "DBC CycleTime 1000" },
  { message: "GpsSatSpeedCourseMode", presence: true, periodMs: 1000, source: "DBC CycleTime 1000" },
  { message: "GpsAltitude", presence: true, periodMs: 1000, source: "DBC CycleTime 1000" },
  { message: "GpsLatitudeLongitude", presence: true, periodMs: 1000, source: "DBC CycleTime 1000" },
]);

/** Presence only: nothing of theirs is commanded or judged yet. */
const picket = sensor("picket", "Picket: door and cabinet contacts", [{ message: "PicketStatus{address}", presence: true, periodMs: 200, source: "DBC CycleTime 200" }], {
  place: { kind: "numbered", from: 0, to: 7 },
});
const reservoir = sensor("reservoir", "Reservoir: three water tanks", [{ message: "WaterTankLevels", presence: true, periodMs: 1000, source: "DBC CycleTime 1000" }]);
const plateau = sensor("plateau", "Plateau: tilt and corner heights", [
  { message: "TiltData", presence: true, periodMs: 500, source: "the DBC keeps the period under the old id 48; comment 500 ms" },
  { message: "CornerData", presence: true, periodMs: 500, source: "the DBC keeps the period under the old id 49; comment 500 ms" },
  { message: "StatusData", presence: false, periodMs: 2000, source: "the DBC keeps the period under the old id 50; comment 2000 ms" },
]);
const aftline = sensor("aftline", "Aftline: trailer plug", [{ message: "TrailerStatus", presence: true, source: "no CycleTime in the DBC, no period known" }]);
const playbill = sensor(
  "playbill",
  "Playbill: media player",
  [
    { message: "PlaybillTransportStatus{address}", presence: true, periodMs: 500, source: "DBC CycleTime 500" },
    { message: "PlaybillRadioStatus{address}", presence: true, periodMs: 1000, source: "DBC CycleTime 1000" },
    { message: "PlaybillScreenStatus{address}", presence: true, periodMs: 1000, source: "DBC CycleTime 1000" },
    { message: "PlaybillPresence{address}", presence: false, periodMs: 60_000, source: "DBC CycleTime 60000" },
  ],
  // A Linux board: its software is no image of a module.
  { place: { kind: "numbered", from: 0, to: 2 }, update: "none" },
);

export const trailcurrentModuleTypes: readonly ModuleType[] = [torrent, switchback, therma, borealis, solstice, bearing, picket, reservoir, plateau, aftline, playbill];
