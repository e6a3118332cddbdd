// What a process holds in its heap: what a collection leaves, with the buffers that belong to it.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

export function heldHeapBytes(): number {
  collectGarbage();
  collectGarbage(); // what finalizers let go in the first
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
