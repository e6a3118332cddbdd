// Tapper: the button panel on the wall. Silent until a button is pressed; then it sends the toggle of the module it is paired with.

import type { Firmware } from "../board.ts";

export const tapperFirmware: Firmware = () => ({ receive: () => undefined, state: () => ({}) });
