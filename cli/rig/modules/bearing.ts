// Bearing: satellite time and place. Every message each 1000 ms (the database's period; its README speaks of 30 Hz).
//
//   0x06 time      u16 year, month, day, hour, minute, second (UTC)
//   0x07 movement  satellites, u16 speed 0.01 kn, u16 course 0.1°, mode (bit 0 GPS, 1 BeiDou, 2 GLONASS)
//   0x08 altitude  u32 0.01 m, no place below sea level
//   0x09 place     1 = south, u24 0.0001°, 1 = west, u24 0.0001°

import type { Board, Firmware, Program } from "../board.ts";
import { u16, u24, u32, u8 } from "../big-endian.ts";

export interface Movement {
  readonly satellites: number;
  readonly speedKnots: number;
  readonly courseDegrees: number;
  readonly mode: number;
}

const PERIOD_MS = 1000;
const KPH_PER_KNOT = 1.852;
const GPS_AND_GLONASS = 0b101;
/** A receiver at rest reports a slow walk; 0.3 kn is about 0.5 km/h. */
const REST_NOISE_KNOTS = 0.3;
/** About 3 m. */
const PLACE_NOISE_DEGREES = 0.00003;

/** @param utcMs ms since 1970; years before 2000 do not occur in a receiver with a fix */
export function dateTimeBytes(utcMs: number): number[] {
  // Civil date from days since 1970 by counting 400-year eras that begin in March (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  const days = Math.floor(utcMs / 86_400_000);
  const second = Math.floor(utcMs / 1000) - days * 86_400;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [...u16(year), month, day, Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
}

export function movementBytes(movement: Movement): number[] {
  return [...u8(movement.satellites), ...u16(movement.speedKnots * 100), ...u16(movement.courseDegrees * 10), ...u8(movement.mode)];
}

export function altitudeBytes(metres: number): number[] {
  return u32(metres * 100);
}

export function placeBytes(latitude: number, longitude: number): number[] {
  return [latitude < 0 ? 1 : 0, ...u24(Math.abs(latitude) * 10_000), longitude < 0 ? 1 : 0, ...u24(Math.abs(longitude) * 10_000)];
}

export const bearingFirmware: Firmware = (board: Board): Program => {
  const { world } = board;
  const movement = (): Movement => {
    const { speedKph, courseDegrees } = world.state;
    const isAtRest = speedKph === 0;
    return {
      satellites: 11 + Math.round(world.noise(2)),
      speedKnots: isAtRest ? Math.abs(world.noise(REST_NOISE_KNOTS)) : Math.max(0, speedKph / KPH_PER_KNOT + world.noise(0.1)),
      courseDegrees: (((courseDegrees + world.noise(isAtRest ? 180 : 1)) % 360) + 360) % 360,
      mode: GPS_AND_GLONASS,
    };
  };
  const messages: readonly [number, () => number[]][] = [
    [0x06, () => dateTimeBytes(board.utc)],
    [0x07, () => movementBytes(movement())],
    [0x08, () => altitudeBytes(world.state.altitudeM + world.noise(0.8))],
    [0x09, () => placeBytes(world.state.latitude + world.noise(PLACE_NOISE_DEGREES), world.state.longitude + world.noise(PLACE_NOISE_DEGREES))],
  ];
  for (const [id, bytes] of messages) {
    board.every(PERIOD_MS, () => {
      board.send(id, bytes());
    });
  }
  return {
    receive: () => undefined,
    state: () => ({ speedKph: world.state.speedKph, latitude: world.state.latitude, longitude: world.state.longitude }),
  };
};
