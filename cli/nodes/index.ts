// Nodes and what runs on them, from the command line.

export { listDeadLetters } from "./list-dead-letters.ts";
export { listNodes } from "./list-nodes.ts";
export { showTree } from "./show-tree.ts";
export { redeliver } from "./redeliver.ts";
export { listVersions, raiseVersions } from "./versions.ts";
