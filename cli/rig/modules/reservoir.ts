// Reservoir: three tanks, four level switches each, so steps of 25 %. 0x3E every 1000 ms: fresh, grey, black in percent.

import type { Board, Firmware, Program } from "../board.ts";
import { u8 } from "../big-endian.ts";

const PERIOD_MS = 1000;
const STEP_PERCENT = 25;

export function waterBytes(fresh: number, grey: number, black: number): number[] {
  return [...u8(fresh), ...u8(grey), ...u8(black)];
}

export const reservoirFirmware: Firmware = (board: Board): Program => {
  const level = (percent: number): number => Math.floor(percent / STEP_PERCENT) * STEP_PERCENT;
  const levels = (): [number, number, number] => {
    const { freshPercent, greyPercent, blackPercent } = board.world.state;
    return [level(freshPercent), level(greyPercent), level(blackPercent)];
  };
  board.every(PERIOD_MS, () => {
    board.send(0x3e, waterBytes(...levels()));
  });
  return {
    receive: () => undefined,
    state: () => {
      const [fresh, grey, black] = levels();
      return { fresh, grey, black };
    },
  };
};
