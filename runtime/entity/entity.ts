// An entity: inputs and a stamp in, a turn out; committed or taken back as a whole (hosting H1; rules C1, R1).
//
// E1. While a turn is open (not committed, not rolled back) everyone sees the state before it, and no other turn begins.
// E2. Each input is a savepoint: one that faults leaves nothing but the fault's record, and ends the turn.

import type { Address } from "../address.ts";
import type { EntityType, MessageSpec } from "../actor/index.ts";
import type { CellRef, TaskMark } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import type { Effect, EntityState, Input, OutboxRow, TakenEntry, Turn, TurnStamp } from "./contract.ts";
import { entryOf, type StateEntry } from "./entering.ts";
import { type EntityListener, NO_STAMP } from "./inside.ts";
import { Interior, type Outward } from "./interior.ts";
import { dueRows, outward, traceOfTask } from "./outward.ts";
import { keyOf, openedByOthers } from "./parking.ts";
import { isRepeatable, isUnfinished, outboxOf, type Pending, pendingEffects, recoveryEffects, recoveryInputs, sourceOrder } from "./recovery.ts";
import { stateOf } from "./recording.ts";
import { type ParkedTimer, parkedTimers } from "./parked-timers.ts";
import type { ParkedRow, TimerRow } from "./rest-tables.ts";
import { ended } from "./restarts.ts";
import { hasShelfRoom, type Load, loadOf, shelvedAfter } from "./shelf.ts";
import { takeTurn, type TurnGuide } from "./turn.ts";
import { releasedInputs } from "./stash.ts";
import { cellMeant, messageMeant } from "./supervision.ts";
import { isMissed, setBackBefore } from "./timer-policy.ts";
import type { UnheardCounts, UnheardKind } from "./unheard.ts";
import { byRole, type CellView, viewOf } from "./view.ts";

export interface Counters {
  /** What reached nobody since it came into memory. */
  readonly unheard: UnheardCounts;
  readonly faults: number;
  /** Records that came out differently when they were run again. */
  readonly divergences: number;
}

/** What starts a source (an effect `source.start`). */
export interface SourceDescription {
  readonly cell: Address;
  readonly incarnation: number;
  /** Name of the actor type whose node supplies tasks. */
  readonly actor: string;
  /** Name of the source in its machine. */
  readonly name: string | undefined;
  readonly kind: "promise" | "callback" | "observable" | "event-observable";
  readonly logic: { readonly config: unknown };
  readonly task: TaskMark | undefined;
  readonly input: unknown;
  readonly key: string;
  readonly self: CellRef;
  readonly system: object;
  /** Of a task: W3C traceparent of what it was begun for. */
  readonly trace?: string;
}

export interface DueAt {
  readonly now: number;
  readonly elapsed: number;
  readonly wallTrusted?: boolean;
  readonly watchedSince?: number;
}

export interface NextTimer {
  /** Earliest due on each clock, ms; undefined when none is armed. */
  readonly elapsed: number | undefined;
  readonly wall: number | undefined;
  /** Of timers that keep a rhythm: a wall clock that shows less was set back behind one of them (timer-policy P3), ms; absent where none is armed. */
  readonly setBackBefore?: number;
}

export interface Entity {
  readonly address: Address;
  readonly type: EntityType;
  /** Of the last commit. */
  readonly incarnation: string;
  /** Of the last turn, open or not. */
  readonly stamp: TurnStamp;
  /** Of the last commit. */
  readonly revision: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly counters: Counters;
  /**
   * @param guide decides after each input whether the turn goes on
   * @throws Error while another turn is open
   */
  turn(inputs: readonly Input[], stamp: TurnStamp, guide?: TurnGuide): Turn;
  commit(): void;
  /** Everything as before the turn; its inputs are the caller's again. */
  rollback(): void;
  /** Hash of the bytes of the record of the last commit, as its store holds them: the next record carries it (rules T1). */
  linked(head: string): void;
  /** Full committed state; with the open turn, the state that its commit will make, and `head`, which it will be linked with. */
  state(open?: Turn, head?: string): EntityState;
  view(address: Address): CellView | undefined;
  /** Since when an actor is in its state, and why, as of the last commit; undefined when there is no such actor, or it is not known. */
  entered(address: Address): StateEntry | undefined;
  /** Of all that have a door: what machines made by themselves has none. In any order. */
  addresses(): Iterable<Address>;
  /** Root, then children by address, then what machines made. */
  views(): readonly CellView[];
  /** Of the committed timers; with the open turn, of those that its commit will leave. */
  nextTimer(open?: Turn): NextTimer;
  /**
   * Inputs for the committed timers that are due: an open turn's may never be armed, and their generations are given out again (E1). `wallTrusted` false: none of the wall clock fires (rules K1). Default true. Those behind which the wall clock was set back are among them (timer-policy P3). `watchedSince`: wall time from which on the clock was watched;
   * default always, so that nothing was missed.
   */
  due(at: DueAt): readonly Input[];
  /** Unconfirmed messages by receiver, in order of their numbers; committed ones, as what follows (rules C4). */
  outbox(): ReadonlyMap<Address, readonly OutboxRow[]>;
  /** Declared effects that are not confirmed. */
  pending(): readonly Pending[];
  parked(): readonly ParkedRow[];
  /** Of these the timers that can ring again; committed ones. */
  parkedTimers(): readonly ParkedTimer[];
  /** A message waits for its receiver or on the shelf, an effect for its confirmation, an ask for its answer, or a source runs: the open turn's too. */
  readonly isUnfinished: boolean;
  /** What of this is under way, if anything, goes on after a recovery as if nothing had been: messages to others, effects that may be done twice. */
  readonly isRepeatable: boolean;
  /** Some timer is armed: the open turn's too. */
  readonly hasTimers: boolean;
  /** Armed timers, in no order. */
  timers(): readonly TimerRow[];
  /**
   * What recovery must say (rules F1, F2): outcomes of effects that cannot be known, of state effects, of tasks that may not run again, of asks past their deadline.
   * @param fresh effects of an upgrade's turn, which are about to be performed for the first time
   */
  recoveryInputs(now: number, fresh?: readonly Effect[]): readonly Input[];
  /** What recovery must do again: sources, idempotent effects, messages of the outbox. */
  recoveryEffects(fresh?: readonly Effect[]): readonly Effect[];
  /** Committed ones only (rules C4, M3). */
  taken(id: string): TakenEntry | undefined;
  /** What a `source.start` effect means; undefined when it was stopped since (hosting H9). */
  source(cell: Address, incarnation: number): SourceDescription | undefined;
  /** Incarnations of all sources in the order in which they start: the root's, then those of the children in the order of the configuration. They stop in the reverse. */
  sourceOrder(): readonly number[];
  /** Postponed messages that are on their way again, in order. */
  released(): readonly Input[];
  /** What is shelved: the open turn's too. */
  readonly shelved: Load;
  /** Messages that wait for another state of their actor: the open turn's too. */
  readonly postponed: number;
  /** Whether so much more may be shelved. */
  hasShelfRoom(more: Load): boolean;
  /** Shelved messages in their order, from the one after the number `after` on, by default from the first; each with the wall time of its shelving. */
  shelvedAfter(after: number | undefined, atMost: number): ReturnType<typeof shelvedAfter>;
  /** The message that an input brings to its actor, wherever it has waited. */
  messageOf(input: Input): Extract<Input, { kind: "message" }> | undefined;
  /** Whom an input concerns first: the cell that is named when its step hangs (rules M4). */
  cellOf(input: Input): Address;
  /** Names an input over all its attempts (rules M4). */
  keyOf(input: Input): string;
  /** How often other nodes than this one have stepped it without an end (rules M4). */
  openedByOthers(input: Input, node: string): number;
  /** What the protocol of the actor at `address` says of a message; undefined when there is no such actor or message. */
  specOf(address: Address, message: string): MessageSpec | undefined;
  /** Its host has dropped something for it: outside of turns. */
  unheard(kind: UnheardKind): void;
  /** Whoever hosts it: the newest one hears. */
  listen(listener: EntityListener): void;
}

const OUTWARD: Outward = { ...outward, ended };

export function createEntity(type: EntityType, address: Address, incarnation: string): Entity {
  return new HostedEntity(type, address, incarnation);
}

export class HostedEntity implements Entity {
  readonly interior: Interior;
  /** Revision of the open turn. */
  #open: number | undefined = undefined;
  /** Stamp of the last committed turn, while another is open. */
  #stampBefore = NO_STAMP;
  #views: Map<string, CellView> | undefined = undefined;

  constructor(type: EntityType, address: Address, incarnation: string) {
    this.interior = new Interior(type, address, incarnation, OUTWARD);
  }

  get address(): Address {
    return this.interior.address;
  }

  get type(): EntityType {
    return this.interior.type;
  }

  get stamp(): TurnStamp {
    return this.interior.stamp;
  }

  get incarnation(): string {
    return this.interior.incarnation;
  }

  get revision(): number {
    return this.interior.revision;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.interior.labels;
  }

  get counters(): Counters {
    const { unheard, faults, divergences } = this.interior;
    return { unheard, faults, divergences };
  }

  turn(inputs: readonly Input[], stamp: TurnStamp, guide?: TurnGuide): Turn {
    if (this.#open !== undefined) throw new Error(`a turn of ${this.address} is open: commit or roll back first`);
    this.#stampBefore = this.interior.stamp;
    try {
      const turn = takeTurn(this.interior, inputs, stamp, guide);
      this.#open = turn.revision;
      return turn;
    } catch (error) {
      // Not the author's fault but this room's: the entity is left as it was.
      this.#takeBack();
      throw error;
    }
  }

  commit(): void {
    const { interior } = this;
    if (this.#open === undefined) throw new Error(`no turn of ${this.address} is open`);
    // A turn that left no trace is none: the state is that of the last one, its stamp too (rules R1).
    if (interior.revision === this.#open) interior.stamp = this.#stampBefore;
    interior.revision = this.#open;
    interior.incarnation = interior.nextIncarnation;
    this.#open = undefined;
    this.#stampBefore = NO_STAMP;
    for (const cell of interior.touched) {
      cell.committed = cell.snapshot;
      this.#views?.delete(cell.address);
    }
    if (interior.gone !== undefined) for (const address of interior.gone.keys()) this.#views?.delete(address);
    // A fault leaves its cell as it was: only the count of its restarts has changed.
    for (const address of interior.rest.changedKeys("restarts")) this.#views?.delete(address);
    interior.tellObservers();
    interior.countUnheard();
    interior.settle();
  }

  rollback(): void {
    if (this.#open === undefined) throw new Error(`no turn of ${this.address} is open`);
    this.#open = undefined;
    this.#takeBack();
  }

  #takeBack(): void {
    this.interior.undo.backTo(0);
    this.interior.byExpiry = undefined;
    this.interior.stamp = this.#stampBefore;
    this.interior.settle();
  }

  linked(head: string): void {
    this.interior.head = head;
  }

  state(open?: Turn, head?: string): EntityState {
    if (this.#open !== undefined && open === undefined) throw new Error(`a turn of ${this.address} is open: its state is not committed`);
    return stateOf(this.interior, open?.revision ?? this.revision, head);
  }

  view(address: Address): CellView | undefined {
    const known = this.#views?.get(address);
    if (known !== undefined) return known;
    const { interior } = this;
    const cell = interior.gone?.get(address) ?? interior.cells.get(address);
    if (cell?.committed === undefined) return undefined;
    const view = viewOf(interior, cell, cell.committed);
    if (this.#open === undefined) (this.#views ??= new Map<string, CellView>()).set(address, view);
    return view;
  }

  entered(address: Address): StateEntry | undefined {
    const { gone, cells } = this.interior;
    const cell = gone?.get(address) ?? cells.get(address);
    return cell?.committed === undefined ? undefined : entryOf(this.interior.enteredOf(cell));
  }

  *addresses(): Iterable<Address> {
    const { cells, gone } = this.interior;
    // While a turn is open its cells are not there yet, and those that are gone are.
    for (const cell of gone?.values() ?? []) if (isShown(cell)) yield cell.address;
    for (const cell of cells.values()) if (isShown(cell) && gone?.has(cell.address) !== true) yield cell.address;
  }

  views(): readonly CellView[] {
    const addresses = new Set([...this.interior.cells.keys(), ...(this.interior.gone?.keys() ?? [])]);
    return [...addresses]
      .map((address) => this.view(address as Address))
      .filter((view) => view !== undefined)
      .sort(byRole);
  }

  nextTimer(open?: Turn): NextTimer {
    const { rest } = this.interior;
    let elapsed: number | undefined;
    let wall: number | undefined;
    let before: number | undefined;
    for (const [, row] of open === undefined ? rest.committedEntries("timers") : rest.entries("timers")) {
      if (row.clock === "elapsed") elapsed = elapsed === undefined ? row.due : Math.min(elapsed, row.due);
      else wall = wall === undefined ? row.due : Math.min(wall, row.due);
      const own = setBackBefore(row);
      if (own !== undefined) before = before === undefined ? own : Math.max(before, own);
    }
    return before === undefined ? { elapsed, wall } : { elapsed, wall, setBackBefore: before };
  }

  due(at: DueAt): readonly Input[] {
    const wall = at.wallTrusted === false ? undefined : at.now;
    return dueRows(this.interior.rest.committedEntries("timers"), at.elapsed, wall).map(([timer, row]) => ({
      kind: "timer",
      timer,
      generation: row.generation,
      ...(isMissed(row, at.now, at.watchedSince ?? Number.NEGATIVE_INFINITY) ? { missed: true as const } : {}),
    }));
  }

  outbox(): ReadonlyMap<Address, readonly OutboxRow[]> {
    return outboxOf(this.interior);
  }

  pending(): readonly Pending[] {
    return pendingEffects(this.interior);
  }

  parked(): readonly ParkedRow[] {
    return [...this.interior.rest.committedEntries("parked")].sort(([a], [b]) => Number(a) - Number(b)).map(([, row]) => row);
  }

  parkedTimers(): readonly ParkedTimer[] {
    return parkedTimers(this.interior);
  }

  get isUnfinished(): boolean {
    return isUnfinished(this.interior);
  }

  get isRepeatable(): boolean {
    return isRepeatable(this.interior);
  }

  get hasTimers(): boolean {
    return this.interior.rest.size("timers") > 0;
  }

  timers(): readonly TimerRow[] {
    return [...this.interior.rest.committedEntries("timers")].map(([, row]) => row);
  }

  recoveryInputs(now: number, fresh?: readonly Effect[]): readonly Input[] {
    return recoveryInputs(this.interior, now, fresh);
  }

  recoveryEffects(fresh?: readonly Effect[]): readonly Effect[] {
    return recoveryEffects(this.interior, fresh);
  }

  sourceOrder(): readonly number[] {
    return sourceOrder(this.interior);
  }

  taken(id: string): TakenEntry | undefined {
    return this.interior.rest.committed("taken", id);
  }

  source(address: Address, incarnation: number): SourceDescription | undefined {
    const cell = this.interior.cells.get(address);
    return cell?.incarnation === incarnation && cell.life === "running" ? describe(cell, traceOfTask(this.interior, cell)) : undefined;
  }

  released(): readonly Input[] {
    return releasedInputs(this.interior);
  }

  get postponed(): number {
    return this.interior.rest.size("stash");
  }

  get shelved(): Load {
    return loadOf(this.interior);
  }

  hasShelfRoom(more: Load): boolean {
    return hasShelfRoom(this.interior, more);
  }

  shelvedAfter(after: number | undefined, atMost: number): ReturnType<typeof shelvedAfter> {
    return shelvedAfter(this.interior, after, atMost);
  }

  messageOf(input: Input): Extract<Input, { kind: "message" }> | undefined {
    return messageMeant(this.interior, input);
  }

  cellOf(input: Input): Address {
    return cellMeant(this.interior, input)?.address ?? this.address;
  }

  keyOf(input: Input): string {
    return keyOf(this.interior, input);
  }

  openedByOthers(input: Input, node: string): number {
    return openedByOthers(this.interior, input, node);
  }

  specOf(address: Address, message: string): MessageSpec | undefined {
    return this.interior.cells.get(address)?.plan.actor.messages.specOf(message);
  }

  listen(listener: EntityListener): void {
    this.interior.listener = listener;
    // What a recovery runs again was counted when it happened.
    this.interior.forgetUnheard();
  }

  unheard(kind: UnheardKind): void {
    this.interior.countUnheard([kind]);
  }
}

function isShown({ committed, supervision }: Cell): boolean {
  return committed !== undefined && supervision !== undefined;
}

function describe(cell: Cell, traced: { readonly trace?: string }): SourceDescription | undefined {
  const { logic, actor, src } = cell.plan;
  if (logic.kind !== "source") return undefined;
  return {
    cell: cell.address,
    incarnation: cell.incarnation,
    actor: actor.name,
    name: src,
    kind: logic.source,
    logic: logic.logic,
    task: logic.mark,
    input: cell.input,
    key: cell.key as string,
    self: cell.ref,
    system: cell.system,
    ...traced,
  };
}
