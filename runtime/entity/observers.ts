// Who watches an actor through its ref, e.g. XState's `waitFor(ref, …)` and `toPromise(ref)` in a source or an inline action (hosting N3, H9; rules C4).
//
// B1. What is told is committed: once for each commit that changed the actor, after the effects of that commit have been performed or begun.
// B2. Watching is no part of the state: it ends with the activation, and an actor that nobody watches pays for nothing.
// B3. An observer that throws, or whose promise is rejected, is told nothing more; its error goes to the host, never into the turn.

import { whenRejected } from "../when-rejected.ts";
import { asItIsNow, type LogicSnapshot, type Observer, shownSnapshot, type Subscription } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import type { UndoLog } from "./undo.ts";

type Listener = (event: { readonly type: string }) => unknown;
/** To be given what an observer returned. */
type Hold = (returned: unknown) => void;

interface Watched {
  readonly observers: Set<Observer>;
  /** By event type, or `*`. */
  readonly listeners: Map<string, Set<Listener>>;
}

export class Observers {
  readonly #watched = new Map<Cell, Watched>();
  /** The last snapshots of cells that are forgotten in the open turn. */
  readonly #last = new Map<Cell, LogicSnapshot>();
  readonly #failed: (cell: Cell, error: unknown) => void;
  readonly #run: (cell: Cell, tell: () => void) => void;

  /** @param run tells an observer; may throw in its place */
  constructor(failed: (cell: Cell, error: unknown) => void, run: (cell: Cell, tell: () => void) => void) {
    this.#failed = failed;
    this.#run = run;
  }

  /** A cell that has ended says so at once, as in bare XState. */
  observe(cell: Cell, observer: Observer): Subscription {
    const { status, error } = shownSnapshot(cell.look());
    if (cell.life === "ended") {
      const tell = (hold: Hold): void => {
        hold(status === "error" ? observer.error?.(error) : observer.complete?.());
      };
      this.#guard(cell, tell, () => undefined);
      return { unsubscribe: () => undefined };
    }
    const { observers } = this.#watch(cell);
    observers.add(observer);
    return {
      unsubscribe: () => {
        observers.delete(observer);
        this.#unwatch(cell);
      },
    };
  }

  listen(cell: Cell, type: string, listener: Listener): Subscription {
    const { listeners } = this.#watch(cell);
    // The same function may listen twice.
    const own: Listener = (event) => listener(event);
    const ofType = listeners.get(type) ?? new Set<Listener>();
    listeners.set(type, ofType.add(own));
    return {
      unsubscribe: () => {
        ofType.delete(own);
        if (ofType.size === 0 && listeners.get(type) === ofType) listeners.delete(type);
        this.#unwatch(cell);
      },
    };
  }

  /** A cell goes, and its snapshot with it. */
  noteLast(cell: Cell, undo: UndoLog): void {
    if (!this.#watched.has(cell)) return;
    this.#last.set(cell, cell.snapshot);
    undo.push(() => {
      this.#last.delete(cell);
    });
  }

  /** To be called with what a commit changed; tells it in a later microtask (B1). */
  committed(touched: readonly Cell[], emitted: readonly { readonly from: Cell; readonly event: { readonly type: string } }[]): void {
    const news: (() => void)[] = [];
    for (const { from, event } of emitted) {
      const watched = this.#watched.get(from);
      if (watched !== undefined) news.push(() => this.#tellEvent(from, watched, event));
    }
    for (const cell of touched) {
      const watched = this.#watched.get(cell);
      const snapshot = this.#last.get(cell) ?? cell.snapshot;
      if (watched !== undefined) news.push(() => this.#tellSnapshot(cell, watched, snapshot));
    }
    this.#last.clear();
    if (news.length > 0)
      void Promise.resolve().then(() => {
        for (const tell of news) tell();
      });
  }

  #tellEvent(cell: Cell, { listeners }: Watched, event: { readonly type: string }): void {
    for (const type of [event.type, "*"]) {
      for (const listener of listeners.get(type) ?? []) {
        const tell = (hold: Hold): void => {
          hold(listener(asItIsNow(event)));
        };
        this.#guard(cell, tell, () => listeners.get(type)?.delete(listener));
      }
    }
  }

  #tellSnapshot(cell: Cell, { observers }: Watched, committed: LogicSnapshot): void {
    const before = cell.shown;
    // What is asked of the ref now is what was told, though the cell may be gone or further on.
    cell.shown = committed;
    const snapshot = observers.size === 0 ? committed : shownSnapshot(committed);
    for (const observer of observers) {
      const tell = (hold: Hold): void => {
        if (snapshot.status === "active" || snapshot.status === "done") hold(observer.next?.(snapshot));
        if (snapshot.status === "error") hold(observer.error?.(snapshot.error));
        else if (snapshot.status !== "active") hold(observer.complete?.());
      };
      this.#guard(cell, tell, () => observers.delete(observer));
    }
    cell.shown = before;
    if (snapshot.status !== "active") {
      observers.clear();
      this.#watched.delete(cell);
    }
  }

  /** B3. @param leave what failed is told nothing more */
  #guard(cell: Cell, tell: (hold: Hold) => void, leave: () => void): void {
    const failed = (error: unknown): void => {
      leave();
      this.#failed(cell, error);
    };
    try {
      this.#run(cell, () => {
        tell((returned) => {
          whenRejected(returned, failed);
        });
      });
    } catch (error) {
      failed(error);
    }
  }

  #watch(cell: Cell): Watched {
    const known = this.#watched.get(cell);
    if (known !== undefined) return known;
    const made: Watched = { observers: new Set(), listeners: new Map() };
    this.#watched.set(cell, made);
    return made;
  }

  #unwatch(cell: Cell): void {
    const watched = this.#watched.get(cell);
    if (watched?.observers.size === 0 && watched.listeners.size === 0) this.#watched.delete(cell);
  }
}
