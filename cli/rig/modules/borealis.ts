// Borealis: air quality and gas alarms, decided on board.
//
//   0x1F environment  i8 °C, i8 °F, u16 humidity 0.01 %, u16 CO2 ppm, u16 VOC index; the firmware sends it every 1 s (the database says 2 s)
//   0x20 safety       u16 CO ppm, u16 LPG Rs/R0 0.001, alarm flags, three bytes 0; every 1 s
//   0x21 calibration  i16 0.1 °C added to the sensor's temperature, kept over power loss

import type { Board, Firmware, Program } from "../board.ts";
import { i16, i8, readI16, u16 } from "../big-endian.ts";

export interface Environment {
  readonly celsius: number;
  readonly humidityPercent: number;
  readonly co2Ppm: number;
  /** 1..500 */
  readonly vocIndex: number;
}

export interface Gas {
  readonly coPpm: number;
  readonly lpgRatio: number;
  readonly co2Ppm: number;
  readonly vocIndex: number;
}

const PERIOD_MS = 1000;
const OFFSET_LIMIT_TENTHS = 1000;

export function environmentBytes(air: Environment): number[] {
  return [...i8(air.celsius), ...i8(air.celsius * 1.8 + 32), ...u16(air.humidityPercent * 100), ...u16(air.co2Ppm), ...u16(air.vocIndex)];
}

/** Bit 0 CO warning, 1 CO alarm, 2 LPG warning, 3 LPG alarm, 4 CO2 warning, 5 CO2 alarm, 6 VOC alarm. */
export function alarmFlags(gas: Gas): number {
  const raised = [gas.coPpm >= 70, gas.coPpm >= 200, gas.lpgRatio < 0.5, gas.lpgRatio < 0.3, gas.co2Ppm >= 1500, gas.co2Ppm >= 2500, gas.vocIndex >= 400];
  return raised.reduce((flags, on, bit) => (on ? flags | (1 << bit) : flags), 0);
}

export function safetyBytes(gas: Gas): number[] {
  return [...u16(gas.coPpm), ...u16(gas.lpgRatio * 1000), alarmFlags(gas), 0, 0, 0];
}

export const borealisFirmware: Firmware = (board: Board): Program => {
  const offset = (): number => board.nvs.get("offset") ?? 0;
  const air = (): Environment & Gas => {
    const { cabinC, humidityPercent, co2Ppm, vocIndex, coPpm, lpgRatio } = board.world.state;
    return {
      celsius: cabinC + offset() / 10,
      humidityPercent: humidityPercent + board.world.noise(0.3),
      co2Ppm: co2Ppm + board.world.noise(8),
      vocIndex: Math.min(500, Math.max(1, vocIndex + board.world.noise(2))),
      coPpm,
      lpgRatio,
    };
  };
  board.every(PERIOD_MS, () => {
    board.send(0x1f, environmentBytes(air()));
  });
  board.every(PERIOD_MS, () => {
    board.send(0x20, safetyBytes(air()));
  });
  return {
    receive(id, data) {
      if (id !== 0x21 || data.length < 2) return;
      const tenths = readI16(data, 0);
      if (Math.abs(tenths) <= OFFSET_LIMIT_TENTHS) board.nvs.set("offset", tenths);
    },
    state: () => ({ offsetC: offset() / 10, ...air() }),
  };
};

/** For tests and tools: the request that sets the offset. */
export function calibrationBytes(offsetC: number): number[] {
  return i16(offsetC * 10);
}
