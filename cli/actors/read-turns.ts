// Turns of an actor from the API, page by page: one answer looks through so many turns of the actor's entity, and may hold fewer than were asked for, or none.

import { actorPath, type ApiClient } from "../api/index.ts";

export interface TurnQuery {
  readonly limit: number;
  readonly order: "newest-first" | "oldest-first";
  readonly after?: number;
  readonly before?: number;
}

interface Missing {
  readonly after: number;
  readonly upTo: number;
  readonly forked?: { readonly incarnation: string; readonly revision: number; readonly known: number; readonly at: number };
}

export interface Turns<Turn> {
  readonly items: readonly Turn[];
  /** Turns of the actor's entity, after one revision up to another, that are not kept or cannot be read; in the order of the pages. */
  readonly missing: readonly Missing[];
  /** Revision to go on from; absent at the end. */
  readonly next?: number;
}

/** As many as `limit`, where so many are kept. */
export async function readTurns<Turn>(api: ApiClient, address: string, query: TurnQuery): Promise<Turns<Turn>> {
  const { limit, order } = query;
  const items: Turn[] = [];
  const missing: Missing[] = [];
  for (let { after, before } = query; ; ) {
    const { body } = await api.ask<Omit<Turns<Turn>, "missing"> & { readonly missing?: readonly Missing[] }>(actorPath(address, "/history"), {
      query: { limit: limit - items.length, order, after, before },
    });
    items.push(...body.items);
    missing.push(...(body.missing ?? [])); // a node of an older version says nothing of it
    if (body.next === undefined || items.length >= limit) return { ...body, items, missing };
    if (order === "oldest-first") after = body.next;
    else before = body.next;
  }
}
