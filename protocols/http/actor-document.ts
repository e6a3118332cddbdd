// Actors as they are shown: committed state only (rules C4), with revision and age, whoever holds it.

import type { ActorView } from "../../runtime/index.ts";

export type Decorate = (view: ActorView) => Readonly<Record<string, unknown>> | undefined;

/** One actor, whole. */
export function actorDocument(view: ActorView, decorate: Decorate): object {
  return { ...view, ...decorate(view) };
}

/** One actor in a list: without what makes it large. */
export function actorItem(view: ActorView, decorate: Decorate): object {
  const { context: _context, accepts: _accepts, ...item } = view;
  return { ...item, ...decorate(view) };
}
