// Aftline: what the seven-pin trailer plug carries. 0x3A, three bytes: flags in bits 7..3 of the first, u16 mV.
// The database gives no period; once a second here, and at once on a change.

import type { Board, Firmware, Program } from "../board.ts";
import { u16 } from "../big-endian.ts";

export interface Plug {
  readonly connected: boolean;
  readonly leftTurn: boolean;
  readonly rightTurn: boolean;
  readonly runningLights: boolean;
  readonly brakes: boolean;
  readonly millivolts: number;
}

const PERIOD_MS = 1000;
const LOOK_MS = 50;

/** Bit 7 connected, 6 left turn, 5 right turn, 4 running lights, 3 brakes: as the database places them, not as its comment counts. */
export function trailerStatusBytes(plug: Plug): number[] {
  const flags = [plug.connected, plug.leftTurn, plug.rightTurn, plug.runningLights, plug.brakes];
  return [flags.reduce((byte, on, place) => (on ? byte | (0x80 >>> place) : byte), 0), ...u16(plug.millivolts)];
}

export const aftlineFirmware: Firmware = (board: Board): Program => {
  const { world } = board;
  const plug = (): Plug => {
    const { plugged, speedKph } = world.state;
    return { connected: plugged, leftTurn: false, rightTurn: false, runningLights: plugged && speedKph > 0, brakes: false, millivolts: plugged ? 13_600 : 0 };
  };
  let told = String(trailerStatusBytes(plug()));
  const tell = (): void => {
    const bytes = trailerStatusBytes(plug());
    told = String(bytes);
    board.send(0x3a, bytes);
  };
  board.every(PERIOD_MS, tell);
  board.every(LOOK_MS, () => {
    if (String(trailerStatusBytes(plug())) !== told) tell();
  });
  return { receive: () => undefined, state: () => ({ ...plug() }) };
};
