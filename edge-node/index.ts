// A vehicle's node, embeddable: `createEdgeNode(config)` returns `{ start, stop, system, tree, signals }`.

export type { BusOpener, BusRequest } from "./bus-opener.ts";
export { type EdgeConfig, edgeConfigSchema } from "./config.ts";
export type { EdgeCounters, EdgeNode } from "./contract.ts";
export { createEdgeNode } from "./edge-node.ts";
export { type EdgeStats, edgeWorker, type EdgeWorkerConfig } from "./edge.worker.ts";
export { type EdgePorts, realPorts } from "./ports.ts";
export { checkEdgeStart, readEdgeConfig } from "./read-config.ts";
export { checkVehicleAt, readVehicle, type VehicleFiles } from "./vehicle-files.ts";
