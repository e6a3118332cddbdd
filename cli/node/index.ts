// One node in this process.

export { startNode } from "./start-node.ts";
