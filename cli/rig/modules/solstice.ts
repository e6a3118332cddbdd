// Solstice: battery shunt and solar charger on one board. Every status each 33 ms.
//
//   0x23 battery 1  volts (whole, hundredths), 1 = discharging, amperes (whole, hundredths), percent (whole, hundredths)
//   0x24 battery 2  0xFF = discharging, u16 W, u16 minutes to go (0xFFFF = never)
//   0x2B, 0x2F      extended shunt values: always zero, there is no transmit wire to the shunt
//   0x2C solar 1    panel volts, u16 W, battery volts, charger state 0 off 2 fault 3 bulk 4 absorption 5 float
//   0x2D solar 2    sign, amperes (whole, hundredths)
//   0x2E load       0 off, 1 on, 4 as configured (on)

import type { Board, Firmware, Program } from "../board.ts";
import { u16, wholeAndHundredths } from "../big-endian.ts";

export interface BatteryReading {
  readonly volts: number;
  /** Negative discharges. */
  readonly amperes: number;
  readonly percent: number;
}

export interface PowerReading {
  /** Negative discharges. */
  readonly watts: number;
  /** undefined: not in sight. */
  readonly minutesToGo: number | undefined;
}

export interface SolarReading {
  readonly panelVolts: number;
  readonly watts: number;
  readonly batteryVolts: number;
  readonly charger: "off" | "fault" | "bulk" | "absorption" | "float";
}

const CHARGER_CODE: Readonly<Record<SolarReading["charger"], number>> = { off: 0, fault: 2, bulk: 3, absorption: 4, float: 5 };
const PERIOD_MS = 33;
/** The shunt measures every so often; the frames in between repeat it. */
const MEASURE_MS = 1000;
const CAPACITY_WH = 2560;
const NEVER = 0xffff;

export function battery1Bytes(battery: BatteryReading): number[] {
  return [...wholeAndHundredths(battery.volts), battery.amperes < 0 ? 1 : 0, ...wholeAndHundredths(Math.abs(battery.amperes)), ...wholeAndHundredths(battery.percent)];
}

export function battery2Bytes(power: PowerReading): number[] {
  const minutes = power.minutesToGo === undefined ? NEVER : Math.min(power.minutesToGo, NEVER - 1);
  return [power.watts < 0 ? 0xff : 0, ...u16(Math.abs(power.watts)), ...u16(minutes)];
}

export function solar1Bytes(solar: SolarReading): number[] {
  return [...wholeAndHundredths(solar.panelVolts), ...u16(solar.watts), ...wholeAndHundredths(solar.batteryVolts), CHARGER_CODE[solar.charger]];
}

/** @param amperes negative flows back into the panel */
export function solar2Bytes(amperes: number): number[] {
  return [amperes < 0 ? 1 : 0, ...wholeAndHundredths(Math.abs(amperes))];
}

export const solsticeFirmware: Firmware = (board: Board): Program => {
  const { world } = board;
  let load = 4;
  world.loadOn = true;
  const measure = (): { readonly battery: BatteryReading; readonly power: PowerReading; readonly solar: SolarReading } => {
    const volts = world.batteryV(board.utc) + world.noise(0.004);
    const watts = world.batteryW(board.utc);
    const sun = world.solarW(board.utc);
    const percent = world.state.batteryPercent;
    const charger = sun < 1 ? "off" : percent >= 99.5 ? "float" : percent >= 95 ? "absorption" : "bulk";
    return {
      battery: { volts, amperes: watts / volts + world.noise(0.01), percent },
      power: { watts, minutesToGo: watts < 0 ? ((percent / 100) * CAPACITY_WH * 60) / -watts : undefined },
      solar: { panelVolts: sun < 1 ? 0.4 : 18.2 + sun / 200 + world.noise(0.05), watts: sun, batteryVolts: volts, charger },
    };
  };
  let reading = measure();
  const refresh = (): void => {
    reading = measure();
  };
  board.every(MEASURE_MS, refresh);
  const statuses: readonly [number, () => number[]][] = [
    [0x23, () => battery1Bytes(reading.battery)],
    [0x24, () => battery2Bytes(reading.power)],
    [0x2b, () => [0, 0, 0, 0, 0, 0]],
    [0x2c, () => solar1Bytes(reading.solar)],
    [0x2d, () => solar2Bytes(reading.solar.watts / reading.solar.panelVolts)],
    [0x2f, () => [0, 0, 0, 0, 0, 0]],
  ];
  for (const [id, bytes] of statuses) {
    board.every(PERIOD_MS, () => {
      board.send(id, bytes());
    });
  }
  return {
    receive(id, data) {
      const wished = data[0];
      if (id !== 0x2e || (wished !== 0 && wished !== 1 && wished !== 4)) return;
      load = wished;
      world.loadOn = wished !== 0;
      refresh();
    },
    state: () => ({ load, ...reading }),
  };
};
