// What a vehicle is told of a rollout, what it makes of it, and what it tells (vehicle.md, States).

export type { CampaignChanged, CampaignInput, CampaignShown, OfferedUpdate, UpdateShown } from "./campaign-context.ts";
export { hasEnded, isAtWork, isCampaignOver } from "./campaign-context.ts";
export { campaignMachine } from "./machine.ts";
export { campaignMessages, GO_WITHIN_MS, targetReports } from "./messages.ts";
