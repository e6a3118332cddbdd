// The fleet in simulated time.

export { fleet } from "./fleet.ts";
export { simulateVerb } from "./simulate-verb.ts";
