// Actors as they are shown: committed state only (rules C4), with revision and age, whoever holds it.

import type { ActorView, ListedActor } from "../../runtime/index.ts";

export type Decorate = (view: ListedActor) => Readonly<Record<string, unknown>> | undefined;

/** One actor, whole. */
export function actorDocument(view: ActorView, decorate: Decorate): object {
  return { ...view, ...decorate(view) };
}

/** One actor in a list: without what makes it large. */
export function actorItem(view: ListedActor, decorate: Decorate): object {
  const { context: _context, accepts: _accepts, ...item } = view as ListedActor & Partial<Pick<ActorView, "context" | "accepts">>;
  return { ...item, ...decorate(view) };
}
