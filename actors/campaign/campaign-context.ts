// What a campaign remembers, and what it makes of it: pure functions.
//
// P1. Modules are updated one after the other, in the order of the offer.
// P2. Whether a module may be touched is known or it may not (vehicle V3, X1).

import { cutTo } from "../cut-to.ts";
import type { Static } from "typebox";
import { MAX_WHY, type UpdateProgress, type UpdateState } from "../update/index.ts";
import type { CAMPAIGN_STATES, offeredUpdate } from "./messages.ts";

export type OfferedUpdate = Static<typeof offeredUpdate>;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

export interface CampaignInput {
  readonly rollout: string;
  /** Whom it reports to. */
  readonly target: string;
  /** Address of the entity that offered it, the only one that it obeys. */
  readonly sender: string;
  readonly updates: readonly OfferedUpdate[];
  readonly attempts: number;
  readonly darkMs: number;
  /** Why it is refused as it stands; null: it is not. */
  readonly refused: string | null;
}

/** The update of one module, as its campaign has heard last. */
export interface UpdateShown {
  readonly module: string;
  readonly version: string;
  readonly state: UpdateState;
  readonly attempt: number;
  readonly progress: number;
  readonly why: string | null;
}

export interface CampaignContext extends CampaignInput {
  /** As it was reported last. */
  readonly state: CampaignState;
  /** C2 of messages.ts. */
  readonly ask: number;
  /** Wall ms: of the newest ask, and of the word that came for it. */
  readonly askedAt: number;
  readonly wordAt: number;
  readonly shown: readonly UpdateShown[];
  /** The module that was told to begin, and whether it has. */
  readonly current: string | null;
  readonly hasBegun: boolean;
  /** P2: by module. */
  readonly safety: Readonly<Record<string, { readonly open: boolean; readonly why: string | null }>>;
  /** M6: of its modules, as each was told last. */
  readonly presences: Readonly<Record<string, string>>;
  /** Why nobody wants it any more. */
  readonly unwanted: string | null;
}

/** What the vehicle shows of it. */
export interface CampaignShown {
  readonly rollout: string;
  readonly state: CampaignState;
  readonly ask: number;
  /** The module that is being updated. */
  readonly current: string | null;
  readonly updates: readonly UpdateShown[];
  /** What it knows of whether its modules may be updated; a module that is not in it is not known. */
  readonly safety: CampaignContext["safety"];
  readonly why: string | null;
}

/** Of the word that its vehicle hears. */
export interface CampaignChanged {
  readonly type: "campaign.changed";
  readonly campaign: CampaignShown;
}

export function begunCampaign(input: CampaignInput): CampaignContext {
  const shown = input.updates.map(({ module, version }): UpdateShown => ({ module, version, state: "offered", attempt: 0, progress: 0, why: null }));
  return { ...input, state: "staging", ask: 0, askedAt: 0, wordAt: 0, shown, current: null, hasBegun: false, safety: {}, presences: {}, unwanted: null };
}

const BAD: readonly UpdateState[] = ["failed", "wrong image", "dark", "rolled back"];
const ENDED: readonly UpdateState[] = [...BAD, "committed", "unprovable", "refused", "cancelled"];
const OVER: readonly CampaignState[] = ["committed", "failed", "inconsistent", "refused", "cancelled", "undone"];
/** Its module may fall silent, and nobody need hear of it. */
const AT_WORK: readonly UpdateState[] = ["triggering", "awaiting module", "uploading", "claimed", "rebooting", "trial"];

export function isBad({ state }: UpdateShown): boolean {
  return BAD.includes(state);
}

export function hasEnded({ state }: UpdateShown): boolean {
  return ENDED.includes(state);
}

export function isAtWork({ state }: UpdateShown): boolean {
  return AT_WORK.includes(state);
}

/** P1. */
export function nextOf({ shown }: Pick<CampaignContext, "shown">): string | undefined {
  return shown.find(({ state }) => state === "postponed")?.module;
}

/** P2. */
export function isSafe({ safety }: CampaignContext, module: string | undefined): boolean {
  return module !== undefined && Object.hasOwn(safety, module) && safety[module]?.open === true;
}

/** Images are there, and what was refused is. */
export function isStaged({ shown }: CampaignContext): boolean {
  return shown.every(({ state }) => state !== "offered");
}

export function stateOf({ shown }: CampaignContext, module: string | null): UpdateState | undefined {
  return shown.find((each) => each.module === module)?.state;
}

export function heardOf(context: CampaignContext, { module, state, attempt, progress, why, isHeldBack }: UpdateProgress): CampaignContext {
  const shown = context.shown.map((each) => (each.module === module ? { ...each, state, attempt, progress, why } : each));
  const hasBegun = context.hasBegun || (module === context.current && state !== "postponed");
  // P2: until the node says so anew.
  return { ...context, shown, hasBegun, ...(isHeldBack ? { safety: { ...context.safety, [module]: { open: false, why } } } : {}) };
}

export function isCampaignOver({ state }: Pick<CampaignShown, "state">): boolean {
  return OVER.includes(state);
}

/** Who has proved itself is watched while there is something under way, and while all are watched together. */
const WATCHED: readonly CampaignState[] = ["activating", "soaking"];

export function isWatched({ state }: CampaignContext): boolean {
  return WATCHED.includes(state);
}

/** M6: whether the update of this module is told that its presence has changed to this. */
export function minds(context: CampaignContext, { module, presence }: { readonly module: string; readonly presence: string }): boolean {
  const state = stateOf(context, module);
  return context.refused === null && state !== undefined && (state !== "committed" || presence !== "silent" || isWatched(context));
}

export function withPresence({ shown, presences }: CampaignContext, { module, presence }: { readonly module: string; readonly presence?: string }): CampaignContext["presences"] {
  return presence === undefined || !shown.some((each) => each.module === module) ? presences : { ...presences, [module]: presence };
}

/** Those that have proved themselves and are in this presence. */
export function provedThatAre({ shown, presences }: CampaignContext, ...wanted: readonly string[]): readonly string[] {
  return shown.flatMap(({ module, state }) => (state === "committed" && wanted.includes(presences[module] ?? "") ? [module] : []));
}

/** How it ends, once all of its updates have. */
export function verdictOn({ shown }: Pick<CampaignContext, "shown">): "committed" | "failed" | "inconsistent" | "refused" | "cancelled" {
  const has = (state: UpdateState): boolean => shown.some((each) => each.state === state);
  if (shown.some(isBad)) return has("committed") ? "inconsistent" : "failed";
  if (has("refused")) return "refused";
  if (has("cancelled")) return "cancelled";
  return has("committed") ? "committed" : "failed";
}

/** The update that tells most of where it stands. */
export function speaker({ shown, current }: CampaignContext): UpdateShown | undefined {
  const of = (holds: (each: UpdateShown) => boolean): UpdateShown | undefined => shown.find(holds);
  return (
    of(isBad) ??
    of(({ state }) => state === "refused") ??
    of(isAtWork) ??
    of(({ module, state }) => module === current && state !== "offered") ??
    of((each) => !hasEnded(each)) ??
    shown[0]
  );
}

/** Why it stands where it does. */
export function whyOf(context: CampaignContext, state: CampaignState): string | null {
  const { shown, safety, unwanted, refused } = context;
  const next = nextOf(context);
  const words = (): string | null => {
    switch (state) {
      case "waiting for safe state":
        return (next === undefined ? undefined : safety[next]?.why) ?? "whether it may begin is not known";
      case "soaking":
        return unwanted === null ? null : "its modules run the new firmware: another rollout takes that back";
      case "refused":
        return refused ?? speaker(context)?.why ?? null;
      case "cancelled":
      case "inconsistent":
        return [...(state === "cancelled" && unwanted !== null ? [unwanted] : []), shown.map((each) => `${each.module} ${each.state}`).join(", ")].join(": ");
      default:
        return speaker(context)?.why ?? null;
    }
  };
  const why = words();
  return why === null ? null : cutTo(why, MAX_WHY);
}

export function shownOf(context: CampaignContext): CampaignShown {
  const { rollout, state, ask, shown, current, safety } = context;
  return { rollout, state, ask, current, updates: shown, safety, why: whyOf(context, state) };
}
