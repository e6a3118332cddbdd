// What a target of a rollout says to its vehicle, and what the vehicle's campaign reports to its target.
//
// C1. An offer lets a vehicle fetch and check images, nothing more. It begins with `campaign.go` alone.
// C2. A vehicle that is ready asks, and numbers its asks. A word is for one ask, and only while that is young by the vehicle's own clock (GO_WITHIN_MS): one that was long on its way, or that answers an
//     older ask, is void, and the vehicle says so by its next ask. So nobody begins on a word that has been taken back since, and no two clocks are compared.

import { messages, T } from "../../runtime/index.ts";
import { madeFor } from "../update/index.ts";

/** A word that lets a vehicle begin is good for so long after the vehicle asked for it, ms. */
export const GO_WITHIN_MS = 120_000;

const name = T.String({ minLength: 1, maxLength: 64 });

/** An image for one module of the vehicle. */
export const offeredUpdate = T.Object({
  module: name,
  version: T.String({ maxLength: 32 }),
  sha256: T.String({ minLength: 64, maxLength: 64 }),
  bytes: T.Integer({ minimum: 1, description: "Length of the image." }),
  /** The vehicle holds it against its own file, which may have changed since the rollout was planned. Absent in what an older cloud planned. */
  madeFor: T.Optional(madeFor),
});

/** States of a campaign as its vehicle reports them (vehicle.md, States; `failed`, `refused` and `cancelled` are ways to end it). */
export const CAMPAIGN_STATES = [
  "staging",
  "ready",
  "waiting for safe state",
  "activating",
  "soaking",
  "committed",
  "undoing",
  "undone",
  "inconsistent",
  "failed",
  "refused",
  "cancelled",
] as const;

export const campaignMessages = messages({
  /** C1. `target` is whom it reports to. */
  "campaign.offer": {
    body: {
      rollout: name,
      target: T.String({ maxLength: 512 }),
      updates: T.Array(offeredUpdate, { minItems: 1, maxItems: 64 }),
      /** At one module, before its penalty box. */
      attempts: T.Integer({ minimum: 1 }),
      /** Silence of a module after its upload that counts as dark, ms. */
      darkMs: T.Integer({ minimum: 1 }),
    },
    from: "actors",
  },
  /** C2. */
  "campaign.go": { body: { rollout: name, ask: T.Integer({ minimum: 1 }) }, from: "actors" },
  /** It reports where it stands. */
  "campaign.ask": { body: { rollout: name }, from: "actors" },
  /** As `campaign.ask`; a vehicle that does not know of it says so to `target`. */
  "campaign.recall": { body: { rollout: name, target: T.String({ maxLength: 512 }) }, from: "actors" },
  /** What has not begun is dropped; what has begun is asked to end where it still can. */
  "campaign.cancel": { body: { rollout: name, reason: T.String({ maxLength: 300 }) }, from: "actors" },
});

const why = T.String({ maxLength: 300 });

export const targetReports = messages({
  /** What it was asked of was never offered to it, or its node has lost what it knew. */
  "campaign.unknown": { body: { rollout: name }, from: "actors" },
  "campaign.reported": {
    body: {
      state: T.Enum(CAMPAIGN_STATES),
      /** The newest ask that the vehicle made for a word to begin; 0: none. Words for older asks are void (C2). */
      ask: T.Integer({ minimum: 0 }),
      why: T.Optional(why),
      /** The module that it speaks of, and the state of its update. */
      module: T.Optional(T.String({ maxLength: 64 })),
      update: T.Optional(T.String({ maxLength: 32 })),
      /** Of the module's image, per cent. */
      progress: T.Optional(T.Integer({ minimum: 0, maximum: 100 })),
      attempt: T.Optional(T.Integer({ minimum: 1 })),
    },
    from: "actors",
  },
});
