// The configuration of nodes that the command line starts.

export { type ConfigSources, loadConfig, type LoadedConfig } from "./load-config.ts";
