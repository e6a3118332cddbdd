// What is known here, filtered, page by page, in the order of addresses: what is in memory, and of types that passivate what the store's index tells of the others.
//
// P1. The index is read first; then memory is looked at, and what is not there is taken from the index, in one go. So an entity that comes or goes meanwhile is listed once.
// P2. A page ends where the reading of the index has ended: what lies behind it, in memory or not, is for the next one.
// P3. The index tells no state, no labels and no children: who asks for these is told how many absent entities could not be judged.
// P4. A view is made for what the page shows, and where only the state tells whether an actor matches: a page costs no walk through the contexts of a whole fleet.

import { type Address, kindOf } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import type { EntityHead, Store } from "../ports/index.ts";
import type { Observation } from "./observation.ts";
import type { Absence, AbsentEntity, ActorQuery, ActorView, ListedActor, Listing } from "./views.ts";

/** Read of the index at once, and for one page at most. */
const INDEX_ROWS = 500;
const MAX_INDEX_ROWS = 5_000;

export interface ListingPorts {
  readonly node: string;
  readonly epoch: number;
  readonly types: ReadonlyMap<string, EntityType>;
  readonly store: Pick<Store, "entities">;
  readonly observation: Pick<Observation, "addresses" | "read">;
  /** Of an entity that the store knows; undefined: it is in memory. */
  readonly absence: (entity: Address) => Absence | undefined;
}

/** Of an entity's address: a text with more of them is part of an actor's below it. */
const ENTITY_SLASHES = 2;

/** What the index has for a page. */
interface Indexed {
  readonly listed: readonly EntityHead[];
  /** Only their state tells whether they match. */
  readonly unjudged: readonly EntityHead[];
  /** The last address that was read; undefined: there is no more. */
  readonly upTo: string | undefined;
}

export function createListing({ node, epoch, types, store, observation, absence }: ListingPorts): (query: ActorQuery) => Promise<Listing> {
  async function readIndex(query: ActorQuery): Promise<Indexed> {
    const judged = new Map([...types.values()].filter(({ passivateAfterMs }) => passivateAfterMs !== undefined).map((type) => [type.name, judge(type, node, query)]));
    if (![...judged.values()].some((verdict) => verdict !== "no")) return { listed: [], unjudged: [], upTo: undefined };
    const listed: EntityHead[] = [];
    const unjudged: EntityHead[] = [];
    let upTo = query.after;
    for (let read = 0; read < MAX_INDEX_ROWS && listed.length <= query.limit; read += INDEX_ROWS) {
      const rows = await store.entities(upTo, INDEX_ROWS);
      for (const row of rows) {
        const verdict = judged.get(kindOf(row.entity as Address)) ?? "no";
        if (verdict === "no" || !hasText(row.entity, query.text)) continue;
        if (verdict === "yes") listed.push(row);
        else unjudged.push(row);
      }
      if (rows.length < INDEX_ROWS) return { listed, unjudged, upTo: undefined };
      upTo = rows.at(-1)?.entity;
    }
    return { listed, unjudged, upTo };
  }

  /** P1. */
  function isAbsent(entity: Address): Absence | undefined {
    return observation.read(entity) === undefined ? absence(entity) : undefined;
  }

  function absentEntity({ entity, incarnation, revision }: EntityHead): readonly AbsentEntity[] {
    const address = entity as Address;
    const type = types.get(kindOf(address));
    const status = isAbsent(address);
    if (type === undefined || status === undefined) return [];
    const { name, durability } = type;
    return [{ address, entity: address, kind: name, type: name, status, durability, revision, incarnation, owner: { node, epoch }, node }];
  }

  return async (query) => {
    const { listed, unjudged, upTo } = await readIndex(query);
    const isOnPage = (address: string): boolean => upTo === undefined || address <= upTo;
    const absent = new Map(listed.flatMap(absentEntity).map((item): [string, AbsentEntity] => [item.address, item]));
    const inMemory = [...observation.addresses()].filter((address) => isOnPage(address) && mayMatch(address, query));
    const items: ListedActor[] = [];
    let hasMore = false;
    // P4.
    for (const address of [...absent.keys(), ...inMemory].sort()) {
      const item = absent.get(address) ?? matching(observation.read(address as Address), query);
      if (item === undefined) continue;
      hasMore = items.length === query.limit;
      if (hasMore) break;
      items.push(item);
    }
    const next = hasMore ? items.at(-1)?.address : upTo;
    const unread = unjudged.filter(({ entity }) => (next === undefined || entity <= next) && isAbsent(entity as Address) !== undefined).length;
    return { items, next, unread };
  };
}

/** P3. Of absent entities of this type, but for the text. */
function judge(type: EntityType, here: string, { kind, node, text, state, labels = {} }: ActorQuery): "yes" | "no" | "unknown" {
  if (node !== undefined && node !== here) return "no";
  if (slashesIn(text) > ENTITY_SLASHES) return "no";
  const isOfKind = kind === undefined || kind === type.name;
  if (!isOfKind && type.children[kind] === undefined) return "no";
  return isOfKind && state === undefined && Object.keys(labels).length === 0 ? "yes" : "unknown";
}

function mayMatch(address: Address, query: ActorQuery): boolean {
  if (query.after !== undefined && address <= query.after) return false;
  return (query.kind === undefined || kindOf(address) === query.kind) && hasText(address, query.text);
}

/** The view, if it matches in what its address does not tell. */
function matching(view: ActorView | undefined, { node, state, labels = {} }: ActorQuery): ActorView | undefined {
  if (view === undefined || (node !== undefined && view.owner.node !== node)) return undefined;
  if (state !== undefined && !containsState(view.state, state.split("."))) return undefined;
  return Object.entries(labels).every(([key, value]) => view.labels[key] === value) ? view : undefined;
}

function slashesIn(text = ""): number {
  return text.split("/").length - 1;
}

function hasText(address: string, text: string | undefined): boolean {
  return text === undefined || address.toLowerCase().includes(text.toLowerCase());
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
