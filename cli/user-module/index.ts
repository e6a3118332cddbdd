// A module that a user of a command names.

export { loadModule } from "./load-module.ts";
