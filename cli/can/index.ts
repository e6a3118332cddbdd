// CAN on the command line: recordings and databases without a node.

export { runCanDecode } from "./decode.ts";
