// When entities that are not in memory must come back without being called: an index of their timers in the store, and a look at the near part of it (rules C5, K1).
//
// W1. An entity that leaves memory with armed timers leaves a row for the earliest of each clock, named by its due time; the row is durable before the entity goes.
// W2. One that is in memory and has something to do later that no row tells (a timer, an unconfirmed effect, a message on its way) is marked, once, before the commit
//     that brings it. After a crash the marked ones come back at once, so that nothing waits for a message that may never come. Leaving takes the mark away.
// W3. A row may be early or stale, never late: whoever comes back for nothing leaves again, and its leaving puts the rows right.
// W4. Only what falls due within the next minutes is held in memory.

import type { Address } from "../address.ts";
import type { NextTimer } from "../entity/index.ts";
import type { Clock, Log, Store, TimeoutHandle } from "../ports/index.ts";
import type { HostedClock } from "./hosted-clock.ts";

type ClockName = "elapsed" | "wall";

const CLOCKS: readonly ClockName[] = ["elapsed", "wall"];
const PREFIX = "wake/";
const MARKS = "wake/now/";
const DIGITS = 16;
/** Rows are read by the first digits of their due time: 100 s at a time. */
const SPAN_DIGITS = 5;
const SPAN_MS = 10 ** SPAN_DIGITS;
const LOOK_EVERY_MS = SPAN_MS / 2;
/** After a longer jump of a clock all its rows are read. */
const MAX_SPANS = 20;
const AGAIN_MS = 1_000;
const NOTHING = new Uint8Array(0);

export interface WakesPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly hosted: HostedClock;
  readonly wallTrusted: () => boolean;
  readonly log: Log;
  /** Brings an entity into memory, unless it is there. Rejects when that could not be tried. */
  readonly wake: (entity: Address) => Promise<void>;
}

interface Row {
  readonly entity: Address;
  readonly clock: ClockName;
  readonly due: number;
}

export class Wakes {
  readonly #ports: WakesPorts;
  /** Rows that fall due within what has been read, by their keys. */
  readonly #near = new Map<string, Row>();
  /** Of entities in memory: the rows that are in the store. */
  readonly #rows = new Map<Address, readonly string[]>();
  readonly #marked = new Set<Address>();
  /** Up to which due time rows were read. */
  readonly #readTo: Record<ClockName, number> = { elapsed: 0, wall: 0 };
  #look: TimeoutHandle | undefined;
  #due: TimeoutHandle | undefined;
  /** Monotonic time of the armed look at what is due. */
  #dueAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(ports: WakesPorts) {
    this.#ports = ports;
  }

  /** Reads the index once as a whole, and begins to wake. @throws what the store throws */
  async start(): Promise<void> {
    const entries = await this.#ports.store.values.entries(PREFIX);
    for (const { key } of entries) {
      if (key.startsWith(MARKS)) this.#marked.add(key.slice(MARKS.length) as Address);
    }
    for (const clock of CLOCKS) this.#readTo[clock] = this.#horizon(clock);
    for (const { key } of entries) {
      const row = rowOf(key);
      if (row === undefined) continue;
      if (this.#marked.has(row.entity)) this.#rows.set(row.entity, [...(this.#rows.get(row.entity) ?? []), key]);
      if (row.due < this.#readTo[row.clock]) this.#near.set(key, row);
    }
    for (const entity of this.#marked) this.#wake(entity);
    this.#armLook();
    this.#armDue();
  }

  stop(): void {
    this.#isStopped = true;
    this.#ports.clock.clearTimeout(this.#look);
    this.#ports.clock.clearTimeout(this.#due);
  }

  /** It has come back: these are the timers that its rows tell, unless it is marked. */
  came(entity: Address, next: NextTimer): void {
    if (!this.#marked.has(entity)) this.#note(entity, keysOf(entity, next));
  }

  /** Whether what it has to do is told by no row and no mark (W2). */
  needsMark(entity: Address, next: NextTimer, isBusy: boolean): boolean {
    if (this.#marked.has(entity)) return false;
    if (isBusy) return true;
    const rows = (this.#rows.get(entity) ?? []).map((key) => rowOf(key));
    return CLOCKS.some((clock) => {
      const due = next[clock];
      return due !== undefined && !rows.some((row) => row?.clock === clock && row.due <= due);
    });
  }

  /** W2. Resolves when it is durable, and also when it cannot be: the store's next word on the entity's own commit says more. */
  async mark(entity: Address): Promise<void> {
    this.#marked.add(entity);
    try {
      await this.#ports.store.values.set(MARKS + entity, NOTHING);
    } catch (cause) {
      this.#marked.delete(entity);
      this.#ports.log.warn({ err: cause, entity }, "an entity could not be marked as one with something to do later; it is tried again with its next turn");
    }
  }

  /** W1. @throws what the store throws: then it must stay */
  async leaving(entity: Address, next: NextTimer): Promise<void> {
    const { values } = this.#ports.store;
    const keys = keysOf(entity, next);
    const old = this.#rows.get(entity) ?? [];
    for (const key of keys) if (!old.includes(key)) await values.set(key, NOTHING);
    if (this.#marked.has(entity)) await values.delete(MARKS + entity);
    this.#marked.delete(entity);
    for (const key of old)
      if (!keys.includes(key)) {
        await values.delete(key);
        this.#near.delete(key);
      }
    this.#note(entity, keys);
  }

  /** Whether `leaving` has something to write. */
  mustWrite(entity: Address, next: NextTimer): boolean {
    if (this.#marked.has(entity)) return true;
    const old = this.#rows.get(entity) ?? [];
    const keys = keysOf(entity, next);
    return keys.length !== old.length || keys.some((key) => !old.includes(key));
  }

  /** It is out of memory: its rows are looked at from here. */
  left(entity: Address): void {
    for (const key of this.#rows.get(entity) ?? []) {
      const row = rowOf(key);
      if (row === undefined || row.due >= this.#readTo[row.clock]) continue;
      this.#near.set(key, row);
      this.#armWithin(this.#waitOf(row));
    }
    this.#rows.delete(entity);
  }

  #note(entity: Address, keys: readonly string[]): void {
    if (keys.length === 0) this.#rows.delete(entity);
    else this.#rows.set(entity, keys);
  }

  #now(clock: ClockName): number {
    return clock === "elapsed" ? this.#ports.hosted.now() : this.#ports.clock.now();
  }

  /** End of the span after the present one. */
  #horizon(clock: ClockName): number {
    return (Math.floor(this.#now(clock) / SPAN_MS) + 2) * SPAN_MS;
  }

  #armLook(): void {
    if (this.#isStopped) return;
    this.#look = this.#ports.clock.setTimeout(
      () => {
        this.#read().then(
          () => {
            this.#armLook();
            this.#armDue();
          },
          (cause: unknown) => {
            this.#ports.log.warn({ err: cause }, "the times at which entities must wake could not be read; it is tried again");
            this.#armLook();
          },
        );
      },
      LOOK_EVERY_MS,
      { unref: true },
    );
  }

  async #read(): Promise<void> {
    for (const clock of CLOCKS) {
      const to = this.#horizon(clock);
      const from = this.#readTo[clock];
      if (to <= from) continue;
      const spans = (to - from) / SPAN_MS;
      const prefixes = spans > MAX_SPANS ? [`${PREFIX}${clock}/`] : Array.from({ length: spans }, (_, at) => `${PREFIX}${clock}/${spanOf(from + at * SPAN_MS)}`);
      for (const prefix of prefixes)
        for (const { key } of await this.#ports.store.values.entries(prefix)) {
          const row = rowOf(key);
          if (row !== undefined && row.due < to) this.#near.set(key, row);
        }
      this.#readTo[clock] = to;
    }
  }

  #armDue(): void {
    let waitMs = Number.POSITIVE_INFINITY;
    for (const row of this.#near.values()) waitMs = Math.min(waitMs, this.#waitOf(row));
    this.#armWithin(waitMs);
  }

  #armWithin(waitMs: number): void {
    const { clock } = this.#ports;
    const at = clock.monotonic() + Math.max(0, Math.ceil(waitMs));
    if (this.#isStopped || at >= this.#dueAt) return;
    clock.clearTimeout(this.#due);
    this.#dueAt = at;
    this.#due = clock.setTimeout(
      () => {
        this.#dueAt = Number.POSITIVE_INFINITY;
        this.#wakeDue();
      },
      at - clock.monotonic(),
      { unref: true },
    );
  }

  /** A clock that is not trusted, or jumps, is looked at again soon. */
  #waitOf(row: Row): number {
    if (row.clock === "elapsed") return row.due - this.#now("elapsed");
    return this.#ports.wallTrusted() ? Math.min(LOOK_EVERY_MS, row.due - this.#now("wall")) : AGAIN_MS;
  }

  #wakeDue(): void {
    for (const [key, row] of [...this.#near]) {
      if (this.#waitOf(row) > 0) continue;
      this.#near.delete(key);
      this.#wake(row.entity);
    }
    this.#armDue();
  }

  #wake(entity: Address): void {
    this.#ports.wake(entity).catch((cause: unknown) => {
      if (this.#isStopped) return;
      this.#ports.log.warn({ err: cause, entity }, "an entity that has something to do could not be brought back; it is tried again");
      const clock = "elapsed";
      this.#near.set(`again ${entity}`, { entity, clock, due: this.#now(clock) + AGAIN_MS });
      this.#armWithin(AGAIN_MS);
    });
  }
}

function keysOf(entity: Address, next: NextTimer): readonly string[] {
  return CLOCKS.flatMap((clock) => {
    const due = next[clock];
    return due === undefined ? [] : [`${PREFIX}${clock}/${digitsOf(due)}/${entity}`];
  });
}

function rowOf(key: string): Row | undefined {
  const [, clock, digits = "", ...entity] = key.split("/");
  const due = Number(digits);
  return (clock === "elapsed" || clock === "wall") && digits !== "" && Number.isFinite(due) ? { entity: entity.join("/") as Address, clock, due } : undefined;
}

function digitsOf(ms: number): string {
  return String(Math.max(0, Math.floor(ms))).padStart(DIGITS, "0");
}

function spanOf(ms: number): string {
  return digitsOf(ms).slice(0, DIGITS - SPAN_DIGITS);
}
