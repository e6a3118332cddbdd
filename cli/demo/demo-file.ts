// Files that come with the demo.

import { fileURLToPath } from "node:url";

export function demoFile(folder: "data" | "firmware" | "vehicles", name: string): string {
  return fileURLToPath(new URL(`./${folder}/${name}`, import.meta.url));
}
