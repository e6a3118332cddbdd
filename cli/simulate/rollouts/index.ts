// A rollout over two hundred vehicles in simulated time.

export { rollouts } from "./rollouts.ts";
