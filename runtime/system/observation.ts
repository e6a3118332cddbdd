// What may be seen from this node: the entities hosted here and those of mounted directories, their history, their changes.

import { type Address, entityOf } from "../address.ts";
import { decodeRecord } from "../entity/index.ts";
import type { Log, Store } from "../ports/index.ts";
import { attempt } from "../when-rejected.ts";
import type { Entities } from "./entities.ts";
import { readHistory } from "./history.ts";
import { toldChange } from "./told-change.ts";
import type { ActorView, Change, Directory, HistoryPage, HistoryQuery } from "./views.ts";

export interface Observation extends Directory {
  views(): Iterable<ActorView>;
  mount(directory: Directory): void;
  /** Somebody watches for changes. */
  isWatched(): boolean;
  /** A turn was committed here. */
  changed(change: Change): void;
}

export function createObservation(entities: Entities, store: Store, log: Log): Observation {
  const directories: Directory[] = [];
  const listeners = new Set<(change: Change) => unknown>();

  /** Whoever watches must not stop the turn that it is told of, nor change what it came to. */
  function changed(change: Change): void {
    if (listeners.size === 0) return;
    const told = toldChange(change);
    const failed = (cause: unknown): void => {
      log.error({ err: cause, entity: change.entity }, "a watcher of changes threw");
    };
    for (const listener of [...listeners]) attempt(() => listener(told), failed);
  }

  function* addresses(): Iterable<Address> {
    for (const live of entities.all()) yield* live.addresses();
    for (const directory of directories) for (const address of directory.addresses()) if (entities.live(entityOf(address)) === undefined) yield address;
  }

  function* views(): Iterable<ActorView> {
    for (const address of addresses()) {
      const view = read(address);
      if (view !== undefined) yield view;
    }
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

  async function history(address: Address, query: HistoryQuery): Promise<HistoryPage> {
    const entity = entityOf(address);
    const directory = entities.live(entity) === undefined ? directories.find((candidate) => candidate.read(entity) !== undefined) : undefined;
    if (directory !== undefined) return directory.history(address, query);
    if (!entities.isOfType(entity)) return { items: [], next: undefined, missing: [] };
    return readHistory(store, address, query, ({ record }) => decodeRecord(record));
  }

  return {
    addresses,
    views,
    read,
    history,
    isWatched: () => listeners.size > 0,
    changed,
    watch: (listener) => {
      // One entry a call, though a caller may pass the same function twice.
      const own = (change: Change): unknown => listener(change);
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
