// CAN on the command line: recordings and databases without a node.

export { type CanDecodeOptions, runCanDecode } from "./decode.ts";
