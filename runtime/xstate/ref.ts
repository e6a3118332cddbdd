// What a machine may hold of another actor: an address that it can send to (hosting H4, H5).
//
// F1. A `CellRef` names an incarnation of a cell of the same entity; it keeps its parent after the cell has gone.
// F2. Reading a ref of another entity while stepping is a fault (named difference N6); sending is an action, never a call.
// F3. Outside of steps it shows copies: what is committed is nobody's to write into (rules C4).

import type { AnyStateMachine } from "xstate";

import { DroverError } from "../errors.ts";
import { asItIsNow } from "./context-parts.ts";
import { impure, isStepping } from "./purity.ts";

export interface TurnFacts {
  readonly now: number;
  /** Who is answerable for what is being taken. */
  readonly author: string | undefined;
  random(): number;
}

/** The cell behind a ref, as XState and an author's code may see it. */
export interface CellFace {
  readonly address: string;
  readonly id: string;
  readonly incarnation: number;
  readonly ref: CellRef;
  readonly parent: CellFace | undefined;
  readonly src: unknown;
  readonly systemId: string | undefined;
  /** Its parent hears of each of its snapshots. */
  readonly syncSnapshot: boolean;
  /** What a source was given; undefined for all others. */
  readonly sourceInput: unknown;
  /** XState's `system` of the entity. */
  readonly system: object;
  readonly facts: TurnFacts;
  /** False while a cell of another entity is stepped. */
  isWithinReach(): boolean;
  /** The staged snapshot while stepping, the committed one otherwise. */
  look(): object;
  /** A send from outside a step: becomes an input. */
  post(event: { readonly type: string }): void;
  /** Tells what is committed from now on, until it is unsubscribed. */
  observe(observer: Observer): Subscription;
  listen(type: string, listener: (event: { readonly type: string }) => void): Subscription;
}

export interface Observer {
  // A promise that they return is nobody's but for its rejection.
  next?(snapshot: unknown): unknown;
  error?(error: unknown): unknown;
  complete?(): unknown;
}

export interface Subscription {
  unsubscribe(): void;
}

/** What XState's `select` gives. */
export interface Readable<V> {
  get(): V;
  subscribe(observer: ((value: V) => void) | { next?(value: V): void } | undefined): Subscription;
}

/** As XState and RxJS look for it. */
const OBSERVABLE = ((Symbol as { readonly observable?: symbol }).observable ?? "@@observable") as "@@observable";

/** What each committed snapshot was shown as, the same to all: XState's own refs tell by identity whether something has changed. */
const shown = new WeakMap<object, unknown>();

/** F3. @param snapshot of XState's kind, which is an object */
export function shownSnapshot<S extends object>(snapshot: S): S {
  const known = shown.get(snapshot) as S | undefined;
  if (known !== undefined) return known;
  const copy = asItIsNow(snapshot);
  shown.set(snapshot, copy);
  return copy;
}

/** Gives what it is given, so that a class which extends it can put its private parts onto an object that is there already. */
const Given = function (object?: object) {
  return object;
} as unknown as new (
  object?: object,
) => object;

export class CellRef extends Given {
  readonly #cell: CellFace;

  /** @param object to become the ref; it keeps nothing of what it was. Default: a new one */
  constructor(cell: CellFace, object?: object) {
    if (object !== undefined) {
      for (const key of Reflect.ownKeys(object)) Reflect.deleteProperty(object, key);
      Object.setPrototypeOf(object, CellRef.prototype);
    }
    super(object);
    this.#cell = cell;
  }

  get id(): string {
    return this.#cell.id;
  }

  /** One for each incarnation. */
  get sessionId(): string {
    return `${this.#cell.address}#${String(this.#cell.incarnation)}`;
  }

  get address(): string {
    return this.#cell.address;
  }

  get ref(): this {
    return this;
  }

  get src(): unknown {
    return this.#cell.src;
  }

  get system(): object {
    return this.#cell.system;
  }

  get systemId(): string | undefined {
    return this.#cell.systemId;
  }

  /** Read by XState's `getPersistedSnapshot`. */
  get _syncSnapshot(): boolean {
    return this.#cell.syncSnapshot;
  }

  get _parent(): CellRef | undefined {
    return this.#cell.parent?.ref;
  }

  send(event: { readonly type: string }): void {
    if (isStepping()) impure(`send() was called on a ref of ${this.#cell.address} while a machine was stepped; use the sendTo action`);
    this.#cell.post(event);
  }

  getSnapshot(): unknown {
    if (isStepping() && !this.#cell.isWithinReach()) impure(`a ref of ${this.#cell.address} was read from another entity; ask it, or let it tell`);
    const snapshot = this.#cell.look();
    return isStepping() ? snapshot : shownSnapshot(snapshot);
  }

  /** As of bare XState, but of committed snapshots, one for each commit that changed it: `waitFor` and `toPromise` work on it. Not while a machine is stepped. */
  subscribe(observer: Observer | ((snapshot: unknown) => void) | undefined, error?: (error: unknown) => void, complete?: () => void): Subscription {
    if (isStepping()) impure(`subscribe() was called on a ref of ${this.#cell.address} while a machine was stepped; use onSnapshot or syncSnapshot`);
    const given = typeof observer === "object" ? observer : { next: observer, error, complete };
    return this.#cell.observe({ next: (snapshot) => given.next?.(snapshot), error: (cause) => given.error?.(cause), complete: () => given.complete?.() });
  }

  /** As of bare XState: tells what the selector gives when that has changed. Of committed snapshots, as `subscribe`. */
  select<V>(selector: (snapshot: unknown) => V, isEqual: (a: V, b: V) => boolean = Object.is): Readable<V> {
    return {
      get: () => selector(this.getSnapshot()),
      subscribe: (observer) => {
        const tell = (value: V): void => {
          if (typeof observer === "function") observer(value);
          else observer?.next?.(value);
        };
        let before = selector(this.getSnapshot());
        return this.subscribe((snapshot) => {
          const selected = selector(snapshot);
          if (isEqual(before, selected)) return;
          before = selected;
          tell(selected);
        });
      },
    };
  }

  [OBSERVABLE](): this {
    return this;
  }

  /**
   * As of bare XState: states, contexts and children as data, of what is committed.
   * @throws what XState throws, e.g. for a child of inline logic
   */
  getPersistedSnapshot(options?: unknown): unknown {
    const snapshot = this.getSnapshot() as { readonly status: string; readonly machine?: AnyStateMachine };
    const { machine } = snapshot;
    if (machine !== undefined) return machine.getPersistedSnapshot(snapshot as never, options);
    const { sourceInput } = this.#cell;
    // It is left out of a record, and of a restored snapshot; of what has ended XState drops it.
    return sourceInput === undefined ? { ...snapshot } : { ...snapshot, input: snapshot.status === "active" ? sourceInput : undefined };
  }

  /** Hears what the actor emits once it is committed; `*` hears everything. Not while a machine is stepped. */
  on(type: string, listener: (event: { readonly type: string }) => void): Subscription {
    if (isStepping()) impure(`on() was called on a ref of ${this.#cell.address} while a machine was stepped; let the actor send`);
    return this.#cell.listen(type, listener);
  }

  start(): never {
    return notHere("start");
  }

  stop(): never {
    return notHere("stop");
  }

  toJSON(): unknown {
    return { $ref: [this.#cell.address, this.#cell.incarnation] };
  }

  static cellOf(ref: CellRef): CellFace {
    return ref.#cell;
  }

  static is(value: object): value is CellRef {
    return #cell in value;
  }
}

function notHere(name: string): never {
  throw new DroverError("DROVER_IMPURE_STEP", `${name}() is not offered on the ref of a hosted actor; its machine and its supervisor start and stop it`);
}

function elsewhere(name: string, id: string): never {
  return impure(`${name}() was called on a ref of ${id}; it lives in another entity: ask it, or let it tell`);
}

/** Where something goes that leaves the entity. */
export type Destination =
  | { readonly kind: "actor"; readonly address: string }
  /** The answer to a message from outside; `id` is the message's. `asked` is the actor type and the message whose protocol says what a reply is, parted by a space. */
  | { readonly kind: "outside-reply"; readonly id: string; readonly asked?: string }
  /** The answer to another entity's ask. */
  | { readonly kind: "entity-reply"; readonly entity: string; readonly key: string; readonly asked?: string }
  /** Nobody waits for this answer. With `asked` it must fit its protocol all the same. */
  | { readonly kind: "nobody"; readonly asked?: string };

export class ForeignRef {
  readonly destination: Destination;

  constructor(destination: Destination) {
    this.destination = destination;
  }

  get id(): string {
    return this.destination.kind === "actor" ? this.destination.address : this.destination.kind;
  }

  get sessionId(): string {
    const { destination } = this;
    switch (destination.kind) {
      case "actor":
        return `actor:${destination.address}`;
      case "outside-reply":
        return `outside-reply:${destination.id}`;
      case "entity-reply":
        return `entity-reply:${destination.entity}:${destination.key}`;
      case "nobody":
        return "nobody";
    }
  }

  get ref(): this {
    return this;
  }

  send(): never {
    return impure(`send() was called on a ref of ${this.id}; use the sendTo action`);
  }

  getSnapshot(): never {
    return impure(`a ref of ${this.id} was read; it lives in another entity: ask it, or let it tell`);
  }

  // The rest of XState's ActorRef.

  getPersistedSnapshot(): never {
    return elsewhere("getPersistedSnapshot", this.id);
  }

  subscribe(): never {
    return elsewhere("subscribe", this.id);
  }

  on(): never {
    return elsewhere("on", this.id);
  }

  select(): never {
    return elsewhere("select", this.id);
  }

  [OBSERVABLE](): this {
    return this;
  }

  start(): never {
    return elsewhere("start", this.id);
  }

  stop(): never {
    return elsewhere("stop", this.id);
  }

  toJSON(): unknown {
    return { $ref: this.sessionId };
  }
}

export function foreignRef(address: string): ForeignRef {
  return new ForeignRef({ kind: "actor", address });
}

export function cellOf(value: unknown): CellFace | undefined {
  return typeof value === "object" && value !== null && CellRef.is(value) ? CellRef.cellOf(value) : undefined;
}

export function turnFactsOf(self: object): TurnFacts | undefined {
  return cellOf(self)?.facts;
}
