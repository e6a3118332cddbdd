// Turns of an actor from the API, page by page: one answer looks through so many turns of the actor's entity, and may hold fewer than were asked for, or none.

import { actorPath, type ApiClient } from "../api/index.ts";

export interface TurnQuery {
  readonly limit: number;
  readonly order: "newest-first" | "oldest-first";
  readonly after?: number;
  readonly before?: number;
}

export interface Turns<Turn> {
  readonly items: readonly Turn[];
  /** Revision to go on from; absent at the end. */
  readonly next?: number;
}

/** As many as `limit`, where so many are kept. */
export async function readTurns<Turn>(api: ApiClient, address: string, query: TurnQuery): Promise<Turns<Turn>> {
  const { limit, order } = query;
  const items: Turn[] = [];
  for (let { after, before } = query; ; ) {
    const { body } = await api.ask<Turns<Turn>>(actorPath(address, "/history"), { query: { limit: limit - items.length, order, after, before } });
    items.push(...body.items);
    if (body.next === undefined || items.length >= limit) return { ...body, items };
    if (order === "oldest-first") after = body.next;
    else before = body.next;
  }
}
