// The modules of the simulated trailer: place, address, part and firmware. MAC bytes are the last three of each part.

import type { BoardSpec, Firmware } from "../board.ts";
import { aftlineFirmware } from "./aftline.ts";
import { bearingFirmware } from "./bearing.ts";
import { borealisFirmware } from "./borealis.ts";
import { oldPlateauFirmware } from "./old-plateau.ts";
import { reservoirFirmware } from "./reservoir.ts";
import { solsticeFirmware } from "./solstice.ts";
import { switchbackFirmware } from "./switchback.ts";
import { tapperFirmware } from "./tapper.ts";
import { thermaFirmware } from "./therma.ts";
import { torrentFirmware } from "./torrent.ts";

/** What an image of each type runs. */
export const FIRMWARE: ReadonlyMap<string, Firmware> = new Map([
  ["bearing", bearingFirmware],
  ["torrent", torrentFirmware],
  ["switchback", switchbackFirmware],
  ["therma", thermaFirmware],
  ["borealis", borealisFirmware],
  ["solstice", solsticeFirmware],
  ["aftline", aftlineFirmware],
  ["reservoir", reservoirFirmware],
  ["tapper", tapperFirmware],
  ["plateau", oldPlateauFirmware],
]);

/** On the bus from the start. */
export const TRAILER_MODULES: readonly BoardSpec[] = [
  { name: "bearing", type: "bearing", hardware: "esp32", address: 0, mac: [0x0a, 0x1e, 0x01], version: [1, 2, 0], firmware: bearingFirmware },
  { name: "torrent-0", type: "torrent", hardware: "esp32", address: 0, mac: [0x0a, 0x1e, 0x05], version: [1, 4, 2], firmware: torrentFirmware },
  { name: "torrent-1", type: "torrent", hardware: "esp32", address: 1, mac: [0x0a, 0x1e, 0x06], version: [1, 4, 2], firmware: torrentFirmware },
  { name: "switchback-0", type: "switchback", hardware: "esp32s3", address: 0, mac: [0x0a, 0x1e, 0x11], version: [1, 1, 0], firmware: switchbackFirmware },
  { name: "therma", type: "therma", hardware: "esp32s3", address: 0, mac: [0x0a, 0x1e, 0x21], version: [2, 0, 1], firmware: thermaFirmware },
  { name: "borealis", type: "borealis", hardware: "esp32s3", address: 0, mac: [0x0a, 0x1e, 0x22], version: [3, 1, 0], firmware: borealisFirmware },
  { name: "solstice", type: "solstice", hardware: "esp32s3", address: 0, mac: [0x0a, 0x1e, 0x31], version: [1, 0, 4], firmware: solsticeFirmware, updateBlocksCan: true },
  { name: "aftline", type: "aftline", hardware: "esp32c6", address: 0, mac: [0x0a, 0x1e, 0x41], version: [0, 9, 3], firmware: aftlineFirmware },
  { name: "reservoir", type: "reservoir", hardware: "esp32s3", address: 0, mac: [0x0a, 0x1e, 0x51], version: [1, 0, 0], firmware: reservoirFirmware },
  { name: "tapper", type: "tapper", hardware: "esp32", address: 0, mac: [0x0a, 0x1e, 0x61], version: [1, 3, 0], firmware: tapperFirmware },
];

/** Plugged in by the fault `old-plateau`. */
export const OLD_PLATEAU: BoardSpec = {
  name: "old-plateau",
  type: "plateau",
  hardware: "esp32s3",
  address: 0,
  mac: [0x0a, 0x1e, 0x71],
  version: [1, 0, 7],
  firmware: oldPlateauFirmware,
};
