// One node in this process.

export { startNode, type StartOptions } from "./start-node.ts";
