// Torrent: eight PWM outputs. Ids are base + address 0..2 (research/trailcurrent.md 2.1).
//
//   0x15 brightness  [channel 0-7, PWM 0-255]
//   0x18 toggle      [0-7] that output · [8, 0|1] all off or on · [9, 1] all on
//   0x33 sequence    [0 interior | 1 exterior] a light show inside the CAN task: no status, no commands until it ends
//   0x1B status      PWM of outputs 1..8, every 33 ms

import type { Board, Firmware, Program } from "../board.ts";

const CHANNELS = 8;
const FULL = 255;
const STATUS_PERIOD_MS = 33;
const SHOW_STEP_MS = 250;
/** A doubled listener hears one press twice: the second flip follows at once, before the next status. */
const DOUBLE_FLIP_MS = 5;

export function torrentStatusBytes(levels: readonly number[]): number[] {
  return Array.from({ length: CHANNELS }, (_, channel) => levels[channel] ?? 0);
}

export const torrentFirmware: Firmware = (board: Board): Program => {
  const { address } = board;
  for (let channel = 0; channel < CHANNELS; channel++) board.drive(channel, 0);
  const levels = (): number[] => Array.from({ length: CHANNELS }, (_, channel) => board.output(channel));
  board.every(STATUS_PERIOD_MS, () => {
    board.send(0x1b + address, torrentStatusBytes(levels()));
  });

  const all = (level: number): void => {
    for (let channel = 0; channel < CHANNELS; channel++) board.drive(channel, level);
  };
  const flip = (channel: number): void => {
    board.drive(channel, board.output(channel) > 0 ? 0 : FULL);
  };
  const toggle = (command: number, value: number): void => {
    if (command < CHANNELS) {
      flip(command);
      if (board.faults.has("toggles-twice")) {
        board.after(DOUBLE_FLIP_MS, () => {
          flip(command);
        });
      }
    } else if (command === 8 && value <= 1) all(value === 1 ? FULL : 0);
    else if (command === 9 && value === 1) all(FULL);
  };
  const show = (exterior: boolean): void => {
    board.occupy(SHOW_STEP_MS * CHANNELS);
    for (let step = 0; step < CHANNELS; step++) {
      const channel = exterior ? CHANNELS - 1 - step : step;
      let before = 0;
      board.after(SHOW_STEP_MS * step, () => {
        before = board.output(channel);
        board.drive(channel, before > 0 ? 0 : FULL);
      });
      board.after(SHOW_STEP_MS * (step + 1) - 1, () => {
        board.drive(channel, before);
      });
    }
  };

  return {
    receive(id, data) {
      const first = data[0];
      if (first === undefined) return;
      if (id === 0x15 + address && data.length >= 2 && first < CHANNELS) board.drive(first, data[1] ?? 0);
      else if (id === 0x18 + address) toggle(first, data[1] ?? 0);
      else if (id === 0x33 + address && first <= 1) show(first === 1);
    },
    state: () => ({ outputs: levels() }),
  };
};
