// The HTTP API of a node, as the command line uses it.

export { actorPath, type ApiClient, apiClient } from "./api-client.ts";
export { dataFolder, type EndpointOptions, findEndpoint, removeEndpoint, writeEndpoint, type WrittenEndpoint, writtenEndpoint } from "./endpoint.ts";
export { newFirstToken, tokenFileIn, tokenLine } from "./token-line.ts";
export type { ServerEvent } from "./event-stream.ts";
export { followEvents } from "./follow-events.ts";
