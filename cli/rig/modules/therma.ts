// Therma: the thermostat, owner of its set point. Anyone may request; it decides, keeps what it accepted over power loss, and tells everyone.
//
//   0x41 request    i16 0.1 °C, accepted in 5.0..35.0        0x3F desired  i16 0.1 °C, u8 0.1 °C deadband; every 1 s and on change
//   0x42 deadband   u8 0.1 °C, accepted in 0.1..5.0          0x40 status   mode, i16 0.1 °C, heater and cooler feedback, faults; every 1 s
//   0x1F Borealis' temperature, whole °C signed: older than 10 s is a fault and forces idle

import type { Board, Firmware, Program } from "../board.ts";
import { i16, readI16, u8 } from "../big-endian.ts";

export type ThermaMode = "idle" | "heat" | "cool";

export interface ThermaStatus {
  readonly mode: ThermaMode;
  readonly currentC: number;
  /** What the relay boards report back, not what was asked of them. */
  readonly heaterOn: boolean;
  readonly coolerOn: boolean;
  readonly sensorStale: boolean;
  readonly heaterMismatch: boolean;
  readonly coolerMismatch: boolean;
}

const MODE_CODE: Readonly<Record<ThermaMode, number>> = { idle: 0, heat: 1, cool: 2 };
/** Its two relay boards, as outputs of the board. */
const HEATER = 0;
const COOLER = 1;
const PERIOD_MS = 1000;
const STALE_AFTER_MS = 10_000;
const SETPOINT = { low: 50, high: 350, factory: 200 } as const;
const DEADBAND = { low: 1, high: 50, factory: 10 } as const;

/** @param setpointC °C @param deadbandC °C */
export function thermaDesiredBytes(setpointC: number, deadbandC: number): number[] {
  return [...i16(setpointC * 10), ...u8(deadbandC * 10)];
}

export function thermaStatusBytes(status: ThermaStatus): number[] {
  const faults = (status.sensorStale ? 1 : 0) | (status.heaterMismatch ? 2 : 0) | (status.coolerMismatch ? 4 : 0);
  return [MODE_CODE[status.mode], ...i16(status.currentC * 10), status.heaterOn ? 1 : 0, status.coolerOn ? 1 : 0, faults];
}

export const thermaFirmware: Firmware = (board: Board): Program => {
  let setpoint = stored(board, "setpoint", SETPOINT);
  let deadband = stored(board, "deadband", DEADBAND);
  let currentC: number | undefined;
  let heardAt = board.now;
  let mode: ThermaMode = "idle";
  board.drive(HEATER, 0);
  board.drive(COOLER, 0);

  const isOn = (relay: number): boolean => board.output(relay) === 1;
  const isStale = (): boolean => board.now - heardAt > STALE_AFTER_MS;
  const regulate = (): void => {
    if (currentC === undefined || isStale()) mode = "idle";
    else {
      const above = currentC * 10 - setpoint;
      if (mode === "heat" && above >= 0) mode = "idle";
      else if (mode === "cool" && above <= 0) mode = "idle";
      if (mode === "idle" && above <= -deadband) mode = "heat";
      else if (mode === "idle" && above >= deadband) mode = "cool";
    }
    // A stuck relay stays as it is; the cabin feels the relay, not the wish.
    if (!board.faults.has("heater-stuck")) board.drive(HEATER, mode === "heat" ? 1 : 0);
    if (!board.faults.has("cooler-stuck")) board.drive(COOLER, mode === "cool" ? 1 : 0);
  };
  const status = (): ThermaStatus => ({
    mode,
    currentC: currentC ?? 0,
    heaterOn: isOn(HEATER),
    coolerOn: isOn(COOLER),
    sensorStale: isStale(),
    heaterMismatch: isOn(HEATER) !== (mode === "heat"),
    coolerMismatch: isOn(COOLER) !== (mode === "cool"),
  });
  const tellDesired = (): void => {
    board.send(0x3f, thermaDesiredBytes(setpoint / 10, deadband / 10));
  };
  board.every(PERIOD_MS, tellDesired);
  board.every(PERIOD_MS, () => {
    regulate();
    board.send(0x40, thermaStatusBytes(status()));
  });

  return {
    receive(id, data) {
      if (id === 0x1f && data.length >= 1) {
        const byte = data[0] ?? 0;
        currentC = byte >= 0x80 ? byte - 0x100 : byte;
        heardAt = board.now;
      } else if (id === 0x41 && data.length >= 2) {
        const wished = readI16(data, 0);
        if (wished < SETPOINT.low || wished > SETPOINT.high || wished === setpoint) return;
        setpoint = wished;
        board.nvs.set("setpoint", wished);
        tellDesired();
        regulate();
      } else if (id === 0x42 && data.length >= 1) {
        const wished = data[0] ?? 0;
        if (wished < DEADBAND.low || wished > DEADBAND.high || wished === deadband) return;
        deadband = wished;
        board.nvs.set("deadband", wished);
        tellDesired();
        regulate();
      }
    },
    state: () => ({ setpointC: setpoint / 10, deadbandC: deadband / 10, ...status() }),
  };
};

/** A value of another firmware's making, or of a worn cell, counts as none. */
function stored(board: Board, key: string, range: { readonly low: number; readonly high: number; readonly factory: number }): number {
  const value = board.nvs.get(key);
  return value === undefined || !Number.isInteger(value) || value < range.low || value > range.high ? range.factory : value;
}
