// The configuration of nodes that the command line starts.

export { loadConfig } from "./load-config.ts";
