// Actors, seen and steered from the command line.

export { getActor } from "./get-actor.ts";
export { listActors } from "./list-actors.ts";
export { askActor, sendToActor } from "./send-to-actor.ts";
export { showHistory } from "./show-history.ts";
export { watchActor } from "./watch-actor.ts";
