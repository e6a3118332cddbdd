// The cloud node: a composition, embeddable.

export { type CloudConfig, cloudConfigSchema } from "./config.ts";
export { type CloudNode, createCloudNode } from "./cloud-node.ts";
export { type CloudListening, cloudWorker } from "./cloud.worker.ts";
export { type Api, type CloudPorts, realPorts } from "./ports.ts";
