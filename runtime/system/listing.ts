// Filtering and paging of views, in the order of addresses.

import type { ActorQuery, ActorView } from "./views.ts";

export interface Listing {
  readonly items: readonly ActorView[];
  /** Pass as `after` for the next page; undefined at the end. */
  readonly next: string | undefined;
}

export function listViews(views: Iterable<ActorView>, query: ActorQuery): Listing {
  const matching: ActorView[] = [];
  for (const view of views) if (matches(view, query)) matching.push(view);
  matching.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  const items = matching.slice(0, query.limit);
  return { items, next: matching.length > items.length ? items.at(-1)?.address : undefined };
}

function matches(view: ActorView, query: ActorQuery): boolean {
  if (query.after !== undefined && view.address <= query.after) return false;
  if (query.kind !== undefined && view.kind !== query.kind) return false;
  if (query.node !== undefined && view.owner.node !== query.node) return false;
  if (query.text !== undefined && !view.address.toLowerCase().includes(query.text.toLowerCase())) return false;
  if (query.state !== undefined && !containsState(view.state, query.state.split("."))) return false;
  return Object.entries(query.labels ?? {}).every(([key, value]) => view.labels[key] === value);
}

/** `["motion", "moving"]` matches `{ motion: "moving", health: "ok" }`; `["moving"]` matches it too. */
export function containsState(value: unknown, path: readonly string[]): boolean {
  const [head, ...rest] = path;
  if (head === undefined) return true;
  if (typeof value === "string") return value === head && rest.length === 0;
  if (typeof value !== "object" || value === null) return false;
  const entries = Object.entries(value);
  return entries.some(([key, inner]) => (key === head && (rest.length === 0 || containsState(inner, rest))) || containsState(inner, path));
}
