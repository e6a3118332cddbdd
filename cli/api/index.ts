// The HTTP API of a node, as the command line uses it.

export { actorPath, type ApiClient, apiClient, type OpenAnswer } from "./api-client.ts";
export { dataFolder, type EndpointOptions, findEndpoint, removeEndpoint, writeEndpoint, type WrittenEndpoint, writtenEndpoint } from "./endpoint.ts";
export { newFirstToken, tokenFileIn, tokenLine } from "./token-line.ts";
export { eventsOf, type ServerEvent } from "./event-stream.ts";
