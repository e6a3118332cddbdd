// What the vehicle remembers of rollouts: the campaign under way, offers behind it, and modules that nobody may offer an update for until a person says so. Pure functions.
//
// U1. One campaign at a time. An offer that comes meanwhile waits for its end, a few of them.
// U2. A module at which all attempts have failed is in the penalty box: an offer for it is refused until a person clears it, or it proves that it runs the new firmware after all.
// U3. An offer speaks for a target of whoever sent it, and for nobody else's (promise S10).

import type { CampaignInput, CampaignShown } from "../campaign/index.ts";
import type { EventOf } from "../../runtime/index.ts";
import { isAtWork, isCampaignOver } from "../campaign/index.ts";
import type { vehicleMessages } from "./messages.ts";

type Offer = Extract<EventOf<typeof vehicleMessages>, { type: "campaign.offer" }>;

export interface Penalty {
  readonly rollout: string;
  readonly version: string;
  readonly attempts: number;
  readonly why: string | null;
  /** Wall ms. */
  readonly at: number;
}

/** Of a person's word. */
interface Noted {
  readonly who: string;
  readonly at: number;
}

export interface VehicleUpdates {
  /** The newest; it may have ended. */
  readonly campaign: CampaignShown | null;
  /** U1. */
  readonly waiting: readonly CampaignInput[];
  /** U2: by module. */
  readonly penalties: Readonly<Record<string, Penalty>>;
  /** The newest clearances of the penalty box. */
  readonly cleared: readonly (Noted & { readonly module: string; readonly rollout: string })[];
  /** Modules of the campaign whose outputs may be on while they are updated. */
  readonly released: Readonly<Record<string, Noted>>;
}

export const NO_UPDATES: VehicleUpdates = { campaign: null, waiting: [], penalties: {}, cleared: [], released: {} };

const MAX_WAITING = 4;
const MAX_CLEARED = 20;
function isUnderWay({ campaign }: VehicleUpdates): boolean {
  return campaign !== null && !isCampaignOver(campaign);
}

/** Its silence is its update's business. */
export function isBeingUpdated({ campaign }: VehicleUpdates, module: string): boolean {
  return campaign?.updates.some((each) => each.module === module && isAtWork(each)) === true;
}

export type OfferTaken =
  | { readonly kind: "begins"; readonly input: CampaignInput }
  | { readonly kind: "waits" | "full"; readonly input: CampaignInput }
  /** It has it already. */
  | { readonly kind: "again" }
  /** U3. */
  | { readonly kind: "not-its-own" };

export function offerTaken(updates: VehicleUpdates, offer: Offer): OfferTaken {
  const { rollout, target, sender, attempts, darkMs } = offer;
  if (!target.startsWith(`${sender}/`)) return { kind: "not-its-own" };
  if (updates.campaign?.rollout === rollout) return { kind: "again" };
  const waits = updates.waiting.find((each) => each.rollout === rollout);
  const input: CampaignInput = waits ?? { rollout, target, sender, updates: offer.updates, attempts, darkMs, refused: null };
  if (!isUnderWay(updates)) return { kind: "begins", input };
  return { kind: waits === undefined && updates.waiting.length >= MAX_WAITING ? "full" : "waits", input };
}

/** The one that waits under this name, by the word of who offered it. */
export function waitingOf({ waiting }: VehicleUpdates, { rollout, sender }: { readonly rollout: string; readonly sender: string }): CampaignInput | undefined {
  return waiting.find((each) => each.rollout === rollout && each.sender === sender);
}

/** Whoever offered it. */
export function isUnknown({ campaign, waiting }: VehicleUpdates, rollout: string): boolean {
  return campaign?.rollout !== rollout && waiting.every((each) => each.rollout !== rollout);
}

export function withWaiting(updates: VehicleUpdates, input: CampaignInput): VehicleUpdates {
  return { ...updates, waiting: [...updates.waiting.filter(({ rollout }) => rollout !== input.rollout), input] };
}

export function withoutWaiting(updates: VehicleUpdates, rollout: string): VehicleUpdates {
  return { ...updates, waiting: updates.waiting.filter((each) => each.rollout !== rollout) };
}

/** With why it is refused, as things stand when it begins. */
export function judged({ penalties }: VehicleUpdates, input: CampaignInput): CampaignInput {
  const modules = input.updates.map(({ module }) => module);
  const twice = modules.find((module, index) => modules.indexOf(module) !== index);
  if (twice !== undefined) return { ...input, refused: `it names ${twice} twice` };
  const barred = modules.find((module) => Object.hasOwn(penalties, module));
  const penalty = barred === undefined ? undefined : penalties[barred];
  if (barred === undefined || penalty === undefined) return input;
  const refused = `${barred} is in the penalty box: ${String(penalty.attempts)} attempts of the rollout ${penalty.rollout} have failed there; update.clear lets it out`;
  return { ...input, refused };
}

export function beginning(updates: VehicleUpdates, { rollout }: CampaignInput): VehicleUpdates {
  return { ...withoutWaiting(updates, rollout), campaign: { rollout, state: "staging", ask: 0, current: null, updates: [], safety: {}, why: null }, released: {} };
}

export function withCampaign(updates: VehicleUpdates, campaign: CampaignShown, now: number): VehicleUpdates {
  const { rollout } = campaign;
  const proved = campaign.updates.filter(({ state }) => state === "committed").map(({ module }) => module);
  // U2.
  const penalties: Record<string, Penalty> = Object.fromEntries(Object.entries(updates.penalties).filter(([module]) => !proved.includes(module)));
  for (const { module, version, state, attempt, why } of campaign.updates) {
    const isKnown = updates.campaign?.rollout === rollout && updates.campaign.updates.some((each) => each.module === module && each.state === "failed");
    if (state === "failed" && attempt > 0 && !isKnown) penalties[module] = { rollout, version, attempts: attempt, why, at: now };
  }
  const next = { ...updates, campaign, penalties };
  return isUnderWay(next) ? next : { ...next, released: {} };
}

export function withCleared(updates: VehicleUpdates, module: string, by: Noted): VehicleUpdates {
  const { [module]: penalty, ...penalties } = updates.penalties;
  return penalty === undefined ? updates : { ...updates, penalties, cleared: [...updates.cleared, { ...by, module, rollout: penalty.rollout }].slice(-MAX_CLEARED) };
}

/** A module of the campaign that is not over for it. */
export function mayRelease(updates: VehicleUpdates, module: string): boolean {
  return isUnderWay(updates) && updates.campaign?.updates.some((each) => each.module === module) === true;
}
