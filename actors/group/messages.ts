// What a group's targets and the group say to each other within their entity, and what a vehicle's campaign reports to its target.

import { messages, T } from "../../runtime/index.ts";
import { targetReports } from "../campaign/index.ts";

const why = T.String({ maxLength: 300 });
const index = T.Integer({ minimum: 0, description: "The target's place in its group." });

export const targetMessages = messages({
  /** It has a slot: its vehicle is offered its updates, or told to begin. */
  "target.slot": { body: {}, internal: true },
  /** Nothing more of it begins. */
  "target.cancel": { body: { reason: T.String({ maxLength: 600 }) }, internal: true },
  /** The vehicle is no longer of the fleet. */
  "target.removed": { body: { reason: why }, internal: true },
  /** Nobody could have been heard: its silence is counted anew. */
  "target.listen": { body: {}, internal: true },
  /** Its silence counts. */
  "target.given-up": { body: {}, internal: true },
  ...targetReports.specs,
});

/** What a group hears of its targets. */
export const groupOwnMessages = messages({
  "target.changed": {
    body: { index, vehicle: T.String(), phase: T.String(), why: T.Union([T.String(), T.Null()]), module: T.Union([T.String(), T.Null()]), critical: T.Boolean() },
    internal: true,
  },
  "target.wants": { body: { index }, internal: true },
  /** Nothing was heard of it for the time of the dark. */
  "target.silent": { body: { index }, internal: true },
  /** Its node has no link to the bus. */
  "group.deaf": { body: {}, internal: true },
  /** It has one. */
  "group.hears": { body: {}, internal: true },
  "group.report": { body: {}, internal: true },
});
