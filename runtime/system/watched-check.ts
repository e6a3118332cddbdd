// Checks of messages outside of a turn, under watch where they may go on for ever: a pattern goes back and forth as long as a sender's text makes it (rules M4).

import type { AnyMessages, Checked } from "../actor/index.ts";
import type { EventData } from "../entity/contract.ts";
import type { StepWatch } from "../ports/index.ts";
import { watched, type Work } from "./watched.ts";

/** Most need no watch, and no name for it. @throws DROVER_ACTOR_HUNG */
export function checkUnderWatch(watch: StepWatch | undefined, messages: AnyMessages, event: EventData, work: () => Work): Checked {
  return watch === undefined || messages.isBounded(event.type) ? messages.check(event) : watched(watch, work(), () => messages.check(event));
}
