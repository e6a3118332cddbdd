// CAN on the command line: recordings and databases without a node.

export { checkDatabases } from "./check.ts";
export { runCanConvert } from "./convert.ts";
export { runCanDecode } from "./decode.ts";
export { encodeMessage } from "./encode.ts";
export { generateDecoders } from "./generate.ts";
