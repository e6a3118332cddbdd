// The configuration of nodes that the command line starts.

export { loadConfig, type LoadedConfig } from "./load-config.ts";
export { withPlaces } from "./placed-error.ts";
