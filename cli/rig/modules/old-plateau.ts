// A Plateau with the firmware from before its identifiers were moved (research/trailcurrent.md 2.2): a fault of version skew, plugged in by command.
//
//   0x30 tilt     i16 pitch 0.01°, i16 roll 0.01°, i16 front-back mm, i16 left-right mm; every 500 ms
//   0x31 corners  u16 mm to lift, front left and right, rear left and right; every 500 ms
//   0x32 status   flags, calibration, mount, 0; every 2000 ms
//   0x20          it takes for its own configuration, though Borealis sends its gas alarms there: [1 = set, mount, u16 cm, u16 cm, 1 = keep]

import type { Board, Firmware, Program } from "../board.ts";
import { i16, u16 } from "../big-endian.ts";

const TILT_PERIOD_MS = 500;
const STATUS_PERIOD_MS = 2000;
const IMU_CALIBRATED_ACTIVE = 0b111;

/** @param pitchDegrees nose up is positive @param rollDegrees right side down is positive */
export function tiltBytes(pitchDegrees: number, rollDegrees: number, frontBackMm: number, leftRightMm: number): number[] {
  return [...i16(pitchDegrees * 100), ...i16(rollDegrees * 100), ...i16(frontBackMm), ...i16(leftRightMm)];
}

export function cornerBytes(frontLeft: number, frontRight: number, rearLeft: number, rearRight: number): number[] {
  return [...u16(frontLeft), ...u16(frontRight), ...u16(rearLeft), ...u16(rearRight)];
}

export const oldPlateauFirmware: Firmware = (board: Board): Program => {
  let mount = 0;
  let lengthCm = 600;
  let widthCm = 220;
  let misconfigured = 0;
  const pitch = -0.8;
  const roll = 1.3;
  const slope = (degrees: number, cm: number): number => Math.tan((degrees * Math.PI) / 180) * cm * 10;
  board.every(TILT_PERIOD_MS, () => {
    board.send(0x30, tiltBytes(pitch + board.world.noise(0.02), roll + board.world.noise(0.02), slope(pitch, lengthCm), slope(roll, widthCm)));
  });
  board.every(TILT_PERIOD_MS, () => {
    const rear = Math.abs(slope(pitch, lengthCm));
    const right = Math.abs(slope(roll, widthCm));
    board.send(0x31, cornerBytes(rear, rear + right, 0, right));
  });
  board.every(STATUS_PERIOD_MS, () => {
    board.send(0x32, [IMU_CALIBRATED_ACTIVE, 0xff, mount, 0]);
  });
  return {
    receive(id, data) {
      // Borealis with 256..511 ppm of CO has 1 in its first byte: "set".
      if (id !== 0x20 || data[0] !== 1 || data.length < 7) return;
      misconfigured++;
      mount = data[1] ?? 0;
      lengthCm = ((data[2] ?? 0) << 8) | (data[3] ?? 0);
      widthCm = ((data[4] ?? 0) << 8) | (data[5] ?? 0);
    },
    state: () => ({ mount, lengthCm, widthCm, misconfigured }),
  };
};
