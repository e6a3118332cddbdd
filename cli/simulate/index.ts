// The fleet, and a rollout over two hundred vehicles, in simulated time.

export { fleet } from "./fleet.ts";
export { rollouts } from "./rollouts/index.ts";
export { simulateVerb } from "./simulate-verb.ts";
