// What may be seen from this node: the entities hosted here and those of mounted directories, their history, their changes.

import { type Address, entityOf } from "../address.ts";
import { decodeRecord } from "../entity/index.ts";
import type { Log, Store } from "../ports/index.ts";
import type { Entities } from "./entities.ts";
import { historyEntry } from "./history.ts";
import type { ActorView, Change, Directory, HistoryEntry, HistoryQuery } from "./views.ts";

const PAGE = 500;
/** Journal records read for one answer at most. */
const MAX_PAGES = 20;

export interface Observation extends Directory {
  mount(directory: Directory): void;
  /** Somebody watches for changes. */
  isWatched(): boolean;
  /** A turn was committed here. */
  changed(change: Change): void;
}

export function createObservation(entities: Entities, store: Store, log: Log): Observation {
  const directories: Directory[] = [];
  const listeners = new Set<(change: Change) => void>();

  /** Whoever watches must not stop the turn that it is told of. */
  function changed(change: Change): void {
    for (const listener of [...listeners]) {
      try {
        listener(change);
      } catch (cause) {
        log.error({ err: cause, entity: change.entity }, "a watcher of changes threw");
      }
    }
  }

  function* views(): Iterable<ActorView> {
    for (const live of entities.all()) yield* live.views();
    for (const directory of directories) for (const view of directory.views()) if (entities.live(view.entity) === undefined) yield view;
  }

  function read(address: Address): ActorView | undefined {
    const live = entities.live(entityOf(address));
    if (live !== undefined) return live.view(address);
    for (const directory of directories) {
      const view = directory.read(address);
      if (view !== undefined) return view;
    }
    return undefined;
  }

  async function history(address: Address, query: HistoryQuery): Promise<readonly HistoryEntry[]> {
    const entity = entityOf(address);
    const directory = entities.live(entity) === undefined ? directories.find((candidate) => candidate.read(entity) !== undefined) : undefined;
    if (directory !== undefined) return directory.history(address, query);
    return entities.isOfType(entity) ? ownHistory(entity, address, query) : [];
  }

  /** An entity's journal holds the turns of all its actors: reads on until enough of them concern this one. */
  async function ownHistory(entity: Address, address: Address, query: HistoryQuery): Promise<readonly HistoryEntry[]> {
    const found: HistoryEntry[] = [];
    let { after, before } = query;
    for (let pages = 0; pages < MAX_PAGES && found.length < query.limit; pages++) {
      const page = await store.journal({ entity, limit: PAGE, order: query.order, ...(after === undefined ? {} : { after }), ...(before === undefined ? {} : { before }) });
      for (const stored of page) {
        const entry = historyEntry(decodeRecord(stored.record), address);
        if (entry !== undefined && found.length < query.limit) found.push(entry);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      if (query.order === "oldest-first") after = last.revision;
      else before = last.revision;
    }
    return found;
  }

  return {
    views,
    read,
    history,
    isWatched: () => listeners.size > 0,
    changed,
    watch: (listener) => {
      // One entry a call, though a caller may pass the same function twice.
      const own = (change: Change): void => {
        listener(change);
      };
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
    mount: (directory) => {
      directories.push(directory);
      directory.watch(changed);
    },
  };
}
