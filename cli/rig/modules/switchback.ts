// Switchback: eight relays, known only by toggling them, and eight inputs. Ids are base + address 0..2.
//
//   0x25 toggle  [0-7] that relay · [8, 0|1] all off or on
//   0x28 status  bit per relay, every 33 ms
//   0x12 inputs  [DI 1-8 as bits, 0], every 200 ms (the Picket's message at addresses 8..10)

import type { Board, Firmware, Program } from "../board.ts";

const RELAYS = 8;
const STATUS_PERIOD_MS = 33;
const INPUTS_PERIOD_MS = 200;
const DOUBLE_FLIP_MS = 5;

export function switchbackStatusBytes(relays: readonly number[]): number[] {
  return [relays.reduce((mask, on, relay) => mask | (on === 0 ? 0 : 1 << relay), 0)];
}

export const switchbackFirmware: Firmware = (board: Board): Program => {
  const { address } = board;
  for (let relay = 0; relay < RELAYS; relay++) board.drive(relay, 0);
  const relays = (): number[] => Array.from({ length: RELAYS }, (_, relay) => board.output(relay));
  board.every(STATUS_PERIOD_MS, () => {
    board.send(0x28 + address, switchbackStatusBytes(relays()));
  });
  board.every(INPUTS_PERIOD_MS, () => {
    board.send(0x12 + address, [0, 0]);
  });
  const flip = (relay: number): void => {
    board.drive(relay, board.output(relay) === 0 ? 1 : 0);
  };

  return {
    receive(id, data) {
      const command = data[0];
      if (id !== 0x25 + address || command === undefined) return;
      const value = data[1] ?? 0;
      if (command < RELAYS) {
        flip(command);
        if (board.faults.has("toggles-twice")) {
          board.after(DOUBLE_FLIP_MS, () => {
            flip(command);
          });
        }
      } else if (command === 8 && value <= 1) {
        for (let relay = 0; relay < RELAYS; relay++) board.drive(relay, value);
      }
    },
    state: () => ({ outputs: relays() }),
  };
};
