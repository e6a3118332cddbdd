// Actors, seen and steered from the command line.

export { getActor } from "./get-actor.ts";
export { inspectActor, showPastState } from "./inspect-actor.ts";
export { listActors } from "./list-actors.ts";
export { replayHistory } from "./replay-history.ts";
export { askActor, sendToActor, tryOnActor } from "./send-to-actor.ts";
export { showHistory } from "./show-history.ts";
export { watchActor } from "./watch-actor.ts";
