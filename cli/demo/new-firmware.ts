// New firmware for the demo's trailers, in the data folder: an image that a simulated module takes, and the plan of a rollout of it.

import { copyFileSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeImage } from "../rig/index.ts";
import { demoFile } from "./demo-file.ts";

const PLAN = "reservoir-1.1.yaml";
const IMAGE = { file: "reservoir-1.1.0.bin", identity: { type: "reservoir", hardware: "esp32s3", address: 0, version: [1, 1, 0] } } as const;

/** A plan that is there is left as it is: somebody may have changed it. @returns its path */
export function newFirmware(data: string): string {
  const folder = join(data, "firmware");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, IMAGE.file), makeImage(IMAGE.identity));
  const plan = join(folder, PLAN);
  try {
    copyFileSync(demoFile("firmware", PLAN), plan, constants.COPYFILE_EXCL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return plan;
}
