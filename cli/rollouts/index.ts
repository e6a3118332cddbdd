// Rollouts of firmware, from the command line.

export { listRollouts } from "./list-rollouts.ts";
export { planRollout } from "./plan-rollout.ts";
export { sayToRollout } from "./say-to-rollout.ts";
export { showRollout } from "./show-rollout.ts";
export { startRollout } from "./start-rollout.ts";
export { watchRollout } from "./watch-rollout.ts";
