// When entities that are not in memory must come back without being called: an index of their timers in the store, and a look at the near part of it (rules C5, K1).
//
// W1. An entity that leaves memory with armed timers leaves a row for the earliest of each clock, named by its due time; the row is durable before the entity goes.
// W2. One that is in memory and has something to do later that no row tells (a timer, an unconfirmed effect, a message on its way) is marked, once, before the commit
//     that brings it. After a crash the marked ones come back before the rest, so that nothing waits for a message that may never come. Leaving takes the mark away.
// W3. A row may be early or stale, never late: whoever comes back for nothing leaves again, and its leaving puts the rows right.
// W4. However many fall due at once, few are on their way at the same time, those that are due longest first; the others wait in the store (promise S5).
// W5. One that cannot be brought back is not remembered: its row or its mark is. All are read again then, so that it has its next try behind those that are due longer. One that
//     comes already because somebody else has called it is waited for: what its row called it for must not hang on that call.
// W6. Where the wall clock was set back, rows of rhythms lie too far ahead. Their entities are called at once, as those that are due: each puts its timers right and leaves with another row (set-back-rows.ts).

import type { Address } from "../address.ts";
import type { NextTimer } from "../entity/index.ts";
import type { Clock, Log, Random, Store, TimeoutHandle } from "../ports/index.ts";
import { Retry } from "../retry.ts";
import { DueRows } from "./due-rows.ts";
import type { HostedClock } from "./hosted-clock.ts";
import { ValueWriter } from "./value-writer.ts";
import { SetBackRows } from "./set-back-rows.ts";
import { dueName, WAKE_CLOCKS, WAKE_MARKS, wakeKeysOf, type WakeClock, type WakeRow, wakeRowOf, wakeValueOf } from "./wake-rows.ts";

/** Brought back at the same time. */
const AT_ONCE = 64;
/** A clock may jump: it is looked at again at least this often. */
const LONGEST_WAIT_MS = 50_000;
/** A wall clock that is not trusted is looked at again this often. */
const TRUST_AGAIN_MS = 1_000;
const AGAIN = { firstMs: 1_000, longestMs: 4_000 };
const PAGE = 1_000;
const NOTHING = new Uint8Array(0);

export interface WakesPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly hosted: HostedClock;
  readonly wallTrusted: () => boolean;
  readonly log: Log;
  /** Brings an entity into memory, unless it is there. Rejects when that could not be done. */
  readonly wake: (entity: Address) => Promise<void>;
}

/** What waits for its turn to come back. */
export interface WakesView {
  /** On their way. */
  readonly underWay: number;
  /** Due by now, those on their way among them, as far as they have been read: some thousand at most. */
  readonly due: number;
  /** For how long the one that waits longest has been due, ms, be it on its way or not. */
  readonly lateMs: number;
}

export class Wakes {
  /** Could not be brought back when they were due, and were or are tried again. */
  failed = 0;
  readonly #ports: WakesPorts;
  readonly #due: Readonly<Record<WakeClock, DueRows>>;
  readonly #setBack: SetBackRows;
  /** Of entities in memory: the rows that are in the store. */
  readonly #rows = new Map<Address, readonly string[]>();
  /** Of these, what the row of the wall clock has as its value; absent: nothing. */
  readonly #values = new Map<Address, string>();
  readonly #marked = new Set<Address>();
  /** Of entities in memory: the store did not say what became of their last rows and their mark. */
  readonly #doubtful = new Set<Address>();
  /** Marks are on the way of commits, and wait for no rows of who leaves. */
  readonly #markWriter: ValueWriter;
  readonly #rowWriter: ValueWriter;
  /** Marked ones that are to be brought back, the next one last. */
  #unfinished: Address[] = [];
  /** Of entities on their way: the row that called them. */
  readonly #calling = new Map<Address, string>();
  readonly #retry: Retry;
  /** Since all were read last. */
  #failedNow = 0;
  #hasReadFailed = false;
  #underWay = 0;
  #look: TimeoutHandle | undefined;
  /** Monotonic time of the armed look. */
  #lookAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(ports: WakesPorts) {
    this.#ports = ports;
    const { store, clock, random } = ports;
    this.#due = { elapsed: new DueRows(store, "elapsed"), wall: new DueRows(store, "wall") };
    this.#setBack = new SetBackRows(store, clock);
    this.#markWriter = new ValueWriter(store);
    this.#rowWriter = new ValueWriter(store);
    this.#retry = new Retry(clock, () => random.next(), AGAIN);
  }

  /** Reads what is marked and what falls due next, and begins to wake. @throws what the store throws */
  async start(): Promise<void> {
    for (let after: string | undefined; ; ) {
      const page = await this.#ports.store.values.entries(WAKE_MARKS, { limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const { key } of page) this.#marked.add(key.slice(WAKE_MARKS.length) as Address);
      after = page.at(-1)?.key;
      if (page.length < PAGE) break;
    }
    for (const clock of WAKE_CLOCKS) await this.#due[clock].read();
    this.#unfinished = [...this.#marked].reverse();
    this.#goOn();
  }

  stop(): void {
    this.#isStopped = true;
    this.#retry.cancel();
    this.#ports.clock.clearTimeout(this.#look);
  }

  view(): WakesView {
    const clocks = WAKE_CLOCKS.filter((clock) => this.#isTrusted(clock));
    const called = [...this.#calling.values()].map((key) => wakeRowOf(key));
    const late = [...clocks.map((clock) => this.#first(clock)), ...called].map((row) => -this.#waitOf(row));
    const waiting = clocks.reduce((sum, clock) => sum + this.#due[clock].countBefore(dueName(clock, this.#now(clock) + 1)), 0);
    return { underWay: this.#underWay, due: this.#underWay + this.#unfinished.length + this.#setBack.count + waiting, lateMs: Math.max(0, ...late) };
  }

  /** It has come back: these are the timers that its rows tell, unless it is marked, or the row that called it is none of them (W3). */
  came(entity: Address, next: NextTimer): void {
    const called = this.#calling.get(entity);
    this.#calling.delete(entity);
    if (!this.#marked.has(entity)) this.#note(entity, wakeKeysOf(entity, next), wakeValueOf(next));
    if (called !== undefined) this.#seen(entity, called);
  }

  /** W3. A row that is none of those its timers need was left by a run that ended while it was in memory: of its clock nothing else need be in the store, for an early row spares a mark. */
  #seen(entity: Address, key: string): void {
    const known = this.#rows.get(entity) ?? [];
    if (known.includes(key)) return;
    const clock = wakeRowOf(key)?.clock;
    this.#note(entity, this.#marked.has(entity) ? [...known, key] : [...known.filter((each) => wakeRowOf(each)?.clock !== clock), key]);
  }

  /** Whether what it has to do is told by no row and no mark (W2). */
  needsMark(entity: Address, next: NextTimer, isBusy: boolean): boolean {
    const isDoubtful = this.#doubtful.has(entity);
    if (this.#marked.has(entity) && !isDoubtful) return false;
    // Began a rhythm: where it began it again, the former time is in the store, or a time of that one (W6).
    if (isBusy || (next.setBackBefore !== undefined && !this.#values.has(entity))) return true;
    const rows = isDoubtful ? [] : (this.#rows.get(entity) ?? []).map((key) => wakeRowOf(key));
    return WAKE_CLOCKS.some((clock) => {
      const due = next[clock];
      return due !== undefined && !rows.some((row) => row?.clock === clock && row.due !== undefined && row.due <= due);
    });
  }

  /** W2. Resolves when it is durable, and also when it cannot be: the store's next word on the entity's own commit says more. */
  async mark(entity: Address): Promise<void> {
    this.#marked.add(entity);
    try {
      await this.#markWriter.write([{ key: WAKE_MARKS + entity, value: NOTHING }]);
      this.#doubtful.delete(entity);
    } catch (cause) {
      this.#marked.delete(entity);
      this.#ports.log.warn({ err: cause, entity }, "an entity could not be marked as one with something to do later; it is tried again with its next turn");
    }
  }

  /** W1. @throws what the store throws: then it must stay */
  async leaving(entity: Address, next: NextTimer): Promise<void> {
    const keys = wakeKeysOf(entity, next);
    const old = this.#rows.get(entity) ?? [];
    const isDoubtful = this.#doubtful.has(entity);
    const value = wakeValueOf(next);
    const isNew = (key: string): boolean => !old.includes(key) || (isOfWall(key) && value !== this.#valueOf(entity));
    const missing = isDoubtful ? keys : keys.filter(isNew);
    const stale = old.filter((key) => !keys.includes(key));
    const gone = this.#marked.has(entity) || isDoubtful ? [WAKE_MARKS + entity, ...stale] : stale;
    try {
      await this.#rowWriter.write([
        ...missing.map((key) => ({ key, value: isOfWall(key) ? new TextEncoder().encode(value) : NOTHING })),
        ...gone.map((key) => ({ key, value: undefined })),
      ]);
    } catch (cause) {
      // All that may be there is deleted when it leaves, and none of it is counted on until then (W2).
      this.#doubtful.add(entity);
      this.#note(entity, [...keys, ...stale], value);
      throw cause;
    }
    this.#doubtful.delete(entity);
    this.#marked.delete(entity);
    for (const key of stale) {
      const clock = wakeRowOf(key)?.clock;
      if (clock !== undefined) this.#due[clock].delete(key);
    }
    this.#note(entity, keys, value);
  }

  /** Whether `leaving` has something to write. */
  mustWrite(entity: Address, next: NextTimer): boolean {
    if (this.#marked.has(entity) || this.#doubtful.has(entity)) return true;
    const old = this.#rows.get(entity) ?? [];
    const keys = wakeKeysOf(entity, next);
    return keys.length !== old.length || keys.some((key) => !old.includes(key)) || wakeValueOf(next) !== this.#valueOf(entity);
  }

  /** Whether a row for one of these timers would call it at once, or lies too far ahead (W6). */
  isDue(next: NextTimer): boolean {
    if (this.#isTrusted("wall") && this.#now("wall") < (next.setBackBefore ?? Number.NEGATIVE_INFINITY)) return true;
    return WAKE_CLOCKS.some((clock) => this.#isTrusted(clock) && Math.floor(next[clock] ?? Number.POSITIVE_INFINITY) <= this.#now(clock));
  }

  /** It is out of memory: its rows are looked at from here. */
  left(entity: Address): void {
    for (const key of this.#rows.get(entity) ?? []) {
      const row = wakeRowOf(key);
      if (row === undefined) continue;
      this.#due[row.clock].insert(key);
      this.#lookWithin(this.#waitOf(row));
    }
    this.#rows.delete(entity);
    this.#values.delete(entity);
  }

  #note(entity: Address, keys: readonly string[], value = this.#valueOf(entity)): void {
    if (keys.length === 0) this.#rows.delete(entity);
    else this.#rows.set(entity, keys);
    if (value === "") this.#values.delete(entity);
    else this.#values.set(entity, value);
  }

  #valueOf(entity: Address): string {
    return this.#values.get(entity) ?? "";
  }

  #now(clock: WakeClock): number {
    return clock === "elapsed" ? this.#ports.hosted.now() : this.#ports.clock.now();
  }

  #isTrusted(clock: WakeClock): boolean {
    return clock === "elapsed" || this.#ports.wallTrusted();
  }

  #first(clock: WakeClock): WakeRow | undefined {
    const key = this.#due[clock].first;
    return key === undefined ? undefined : wakeRowOf(key);
  }

  /** Negative: so long it has been due. */
  #waitOf(row: WakeRow | undefined): number {
    if (row === undefined) return LONGEST_WAIT_MS;
    if (!this.#isTrusted(row.clock)) return TRUST_AGAIN_MS;
    return row.due === undefined ? 0 : Math.min(LONGEST_WAIT_MS, row.due - this.#now(row.clock));
  }

  /** W4. Brings back as many as may be on their way, and looks again when the next one is due. */
  #goOn(): void {
    if (this.#isStopped) return;
    if (this.#isTrusted("wall")) this.#setBack.look();
    while (this.#underWay < AT_ONCE && this.#callNext());
    const rows = [...WAKE_CLOCKS.map((clock) => this.#due[clock]), this.#setBack];
    if (!this.#hasReadFailed) for (const each of rows) if (each.isShort) this.#read(each);
    if (this.#failedNow === 0 && this.#underWay === 0 && !rows.some(({ isReading }) => isReading)) this.#retry.reset();
    if (this.#underWay < AT_ONCE) this.#lookWithin(Math.min(...WAKE_CLOCKS.map((clock) => this.#waitOf(this.#first(clock)))));
  }

  #callNext(): boolean {
    const called = this.#unfinished.pop() ?? this.#setBack.next();
    if (called !== undefined) {
      this.#call(called);
      return true;
    }
    const [first] = WAKE_CLOCKS.map((clock) => ({ clock, row: this.#first(clock) })).sort((one, other) => this.#waitOf(one.row) - this.#waitOf(other.row));
    if (first?.row === undefined || this.#waitOf(first.row) > 0) return false;
    const rows = this.#due[first.clock];
    if (rows.first !== undefined) {
      this.#calling.set(first.row.entity, rows.first);
      // It is in memory.
      if (this.#rows.has(first.row.entity)) this.#seen(first.row.entity, rows.first);
    }
    rows.shift();
    this.#call(first.row.entity);
    return true;
  }

  #call(entity: Address): void {
    this.#underWay++;
    this.#ports
      .wake(entity)
      .then(() => {
        // It was in memory already: its leaving takes the row away.
        const called = this.#calling.get(entity);
        const known = this.#rows.get(entity) ?? [];
        if (called !== undefined && !known.includes(called)) this.#note(entity, [...known, called]);
      })
      .catch((cause: unknown) => {
        this.#again({ err: cause, entity }, "an entity that has something to do could not be brought back; it is tried again");
      })
      .finally(() => {
        this.#underWay--;
        this.#calling.delete(entity);
        this.#goOn();
      });
  }

  #read(rows: DueRows | SetBackRows): void {
    rows.read().then(
      () => {
        this.#goOn();
      },
      (cause: unknown) => {
        this.#hasReadFailed = true;
        this.#again({ err: cause }, "the times at which entities must wake could not be read; it is tried again");
      },
    );
  }

  /** W5. Logged once for all that fail until the next try. */
  #again(fields: Readonly<Record<string, unknown>>, message: string): void {
    if (this.#isStopped) return;
    this.failed++;
    this.#failedNow++;
    if (this.#retry.isWaiting) return;
    this.#ports.log.warn(fields, message);
    this.#retry.later(() => {
      this.#failedNow = 0;
      this.#hasReadFailed = false;
      for (const clock of WAKE_CLOCKS) this.#due[clock].rewind();
      if (this.#isTrusted("wall")) this.#setBack.rewind();
      this.#unfinished = [...this.#marked].reverse();
      this.#goOn();
    });
  }

  #lookWithin(waitMs: number): void {
    const { clock } = this.#ports;
    const at = clock.monotonic() + Math.max(0, Math.ceil(waitMs));
    if (this.#isStopped || at >= this.#lookAt) return;
    clock.clearTimeout(this.#look);
    this.#lookAt = at;
    this.#look = clock.setTimeout(
      () => {
        this.#lookAt = Number.POSITIVE_INFINITY;
        this.#goOn();
      },
      at - clock.monotonic(),
      { unref: true },
    );
  }
}

function isOfWall(key: string): boolean {
  return wakeRowOf(key)?.clock === "wall";
}
