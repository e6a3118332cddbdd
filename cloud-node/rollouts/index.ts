// Rollouts of a cloud node: planned, shown, told what to do.

export { createRollouts } from "./rollouts.ts";
export { rolloutRoutes } from "./rollout-routes.ts";
