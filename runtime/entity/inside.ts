// What an entity holds: its cells, its tables, and what the turn under way has made of them. Changes go through the undo log, so that an input or a turn
// can be taken back as a whole (hosting H1; rules C3).

import type { AnyStateMachine } from "xstate";

import type { Address } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { CellRef, type CodecHost, carried, type LogicSnapshot, StepSystem, type TurnFacts } from "../xstate/index.ts";
import { Cell, type CellHost, type Life } from "./cell.ts";
import { CellIndex } from "./cell-index.ts";
import type { Effect, EffectCause, EventData, Fork, Input, TurnStamp } from "./contract.ts";
import { type Entered, type Entering, setEntered } from "./entering.ts";
import type { ExpiryOrder } from "./expiry-order.ts";
import type { FaultPlace } from "./fault.ts";
import { GoneRefs } from "./gone-refs.ts";
import { type Plan, planOf, planOfType } from "./plan.ts";
import { Observers } from "./observers.ts";
import { Rest } from "./rest.ts";
import type { Firing } from "./timer-policy.ts";
import { drawFrom } from "./turn-random.ts";
import { type Undoable, UndoLog } from "./undo.ts";
import { type UnheardCounts, type UnheardKind, withUnheard } from "./unheard.ts";

export interface Emitted {
  readonly cell: Address;
  readonly event: EventData;
  /** As the record of a durable entity will hold it. */
  readonly plain: EventData | undefined;
  readonly from: Cell;
}

export interface Savepoint {
  readonly mark: number;
  readonly effects: Effect[];
  readonly effectCount: number;
  readonly emitted: Emitted[];
  readonly emittedCount: number;
  readonly randomState: number;
  readonly workIndex: number;
  readonly hasReleased: boolean;
  readonly unheardCount: number;
  /** What all cells held. */
  readonly cellBytes: number;
}

/** Worked out once for each state of the table: whoever is refused by the same one hears the same. */
export interface RoomAgain {
  readonly rows: number;
  readonly bytes: number;
  readonly limit: number;
  /** Wall time, ms. */
  readonly at: number;
}

/** A cell's state, and since when it was in it, before a step entered another. */
class StateBefore implements Undoable, Readonly<Entered> {
  readonly cell: Cell;
  readonly snapshot: LogicSnapshot;
  readonly entering: Entering | undefined;
  readonly enteredDay: number;
  readonly enteredMs: number;
  readonly enteredIn: number;

  constructor(cell: Cell) {
    this.cell = cell;
    this.snapshot = cell.snapshot;
    this.entering = cell.entering;
    this.enteredDay = cell.enteredDay;
    this.enteredMs = cell.enteredMs;
    this.enteredIn = cell.enteredIn;
  }

  undo(): void {
    const { cell } = this;
    cell.snapshot = this.snapshot;
    cell.entering = this.entering;
    cell.enteredDay = this.enteredDay;
    cell.enteredMs = this.enteredMs;
    cell.enteredIn = this.enteredIn;
  }
}

export interface EntityListener {
  /** A send through a ref from outside of a step, e.g. `self.send` in an inline action: becomes an input. */
  posted(input: Extract<Input, { kind: "message" }>): void;
  /** What somebody who watches an actor through its ref threw; that one is told nothing more. */
  observerFailed(cell: Address, error: unknown): void;
  /** What a committed turn, or the host, has dropped. */
  unheard(kinds: readonly UnheardKind[]): void;
  /** Runs what an author wrote, outside of a turn; default as it is. May throw in its place. */
  watched?<V>(cell: Address, what: string, run: () => V): V;
}

const NO_CAUSE: EffectCause = { author: undefined, messageId: undefined };
const NO_TRACE = {};
export const NO_STAMP: TurnStamp = { now: 0, elapsed: 0, seed: 0 };
const NO_LABELS: Readonly<Record<string, string>> = {};
/** Shared by all entities that take no turn: nothing is ever put into these. */
const NO_EFFECTS: Effect[] = [];
const NO_EMITTED: Emitted[] = [];
const NO_CELLS: Cell[] = [];
const NOTHING_UNHEARD: UnheardCounts = {};

/** The entity that takes a turn now. */
let stepped: object | undefined;

export abstract class Inside implements CodecHost, TurnFacts {
  readonly type: EntityType;
  readonly address: Address;
  /** Of the last commit. */
  incarnation: string;
  readonly undo = new UndoLog();
  readonly rest: Rest;
  readonly cells = new CellIndex();
  listener: EntityListener | undefined = undefined;
  /** Told of each actor that an upgrade comes to, before that. */
  carries: ((cell: Address) => void) | undefined = undefined;
  labels = NO_LABELS;
  stamp = NO_STAMP;
  /** Of the last commit. */
  revision = 0;
  /** Hash of the bytes of its last record; undefined: there is none, or it is not known (chain.ts). */
  head: string | undefined = undefined;
  /** How its incarnation came about, when that was a fork; with the open turn's. */
  fork: Fork | undefined = undefined;
  /** What is being taken; who asked for what it does is worked out when that is needed. */
  input: Input | undefined = undefined;
  /** Where the newest failure of the present input began. */
  failure: FaultPlace | undefined = undefined;
  #cause: EffectCause | undefined = undefined;
  effects = NO_EFFECTS;
  emitted = NO_EMITTED;
  /** Changed since the last commit. */
  touched = NO_CELLS;
  /** Gone since the last commit, and what others still see of them. */
  gone: Map<string, Cell> | undefined = undefined;
  /** The input under way has released postponed messages. */
  hasReleased = false;
  /** All cells of a volatile entity together were found at a quarter of their bound: from then on each turn measures what it changes. */
  isTight = false;
  /** What its cells may have gained, bytes, since all of them were measured. */
  gained = 0;
  /** Stepped by the input under way, and to be measured whatever seems to have become of them (context-limit.ts). */
  overdue: Cell[] | undefined = undefined;
  /** The timer whose firing is handled now. */
  firing: Firing | undefined = undefined;
  /** Effects and sources named so far in this turn. */
  workIndex = 0;
  /** State of random(self): the bits of it as a small integer, which needs no box. */
  randomState = 0;
  /** Before these times no kept outcome needs to go; undefined: not known. */
  earliest: { readonly wall: number; readonly elapsed: number } | undefined = undefined;
  /** All kept outcomes, since their table was full; undefined: not known. Where an input is taken back, those that it let go come back. */
  byExpiry: ExpiryOrder | undefined = undefined;
  /** When the table of kept outcomes will have room again, as it stands. */
  roomAgain: RoomAgain | undefined = undefined;
  /** What the turn under way has dropped; undefined: nothing. */
  #unheard: UnheardKind[] | undefined = undefined;
  /** Since it came into memory, of committed turns. */
  unheard = NOTHING_UNHEARD;
  faults = 0;
  divergences = 0;
  #observers: Observers | undefined = undefined;
  #system: StepSystem | undefined = undefined;
  #goneRefs: GoneRefs | undefined = undefined;

  constructor(type: EntityType, address: Address, incarnation: string) {
    this.type = type;
    this.address = address;
    this.incarnation = incarnation;
    this.rest = new Rest(this.undo);
  }

  /** Whose cells these are, for cells that have gone. */
  abstract readonly host: CellHost;

  /** Made for the first machine that is stepped: reducers have none. */
  get system(): StepSystem {
    return (this.#system ??= new StepSystem(this));
  }

  get durable(): boolean {
    return this.type.durability !== "volatile";
  }

  get root(): Cell | undefined {
    return this.cells.root;
  }

  // ---- the turn under way

  openTurn(stamp: TurnStamp): void {
    this.stamp = stamp;
    this.randomState = stamp.seed | 0;
    this.effects = [];
    this.emitted = [];
    this.workIndex = 0;
    this.hasReleased = false;
  }

  /** From here on all that happens can be taken back. */
  savepoint(mark = this.undo.mark()): Savepoint {
    const { effects, emitted, randomState, workIndex, hasReleased } = this;
    return {
      mark,
      effects,
      effectCount: effects.length,
      emitted,
      emittedCount: emitted.length,
      randomState,
      workIndex,
      hasReleased,
      unheardCount: this.#unheard?.length ?? 0,
      cellBytes: this.cells.bytes,
    };
  }

  takeBack(to: Savepoint): void {
    this.undo.backTo(to.mark);
    this.effects = to.effects;
    this.effects.length = to.effectCount;
    this.emitted = to.emitted;
    this.emitted.length = to.emittedCount;
    this.randomState = to.randomState;
    this.workIndex = to.workIndex;
    this.hasReleased = to.hasReleased;
    if (this.#unheard !== undefined) this.#unheard.length = to.unheardCount;
  }

  /** U1. */
  drop(kind: UnheardKind): void {
    (this.#unheard ??= []).push(kind);
  }

  forgetUnheard(): void {
    this.unheard = NOTHING_UNHEARD;
  }

  /** @param more what its host has dropped for it */
  countUnheard(more: readonly UnheardKind[] = this.#unheard ?? []): void {
    if (more.length === 0) return;
    this.unheard = withUnheard(this.unheard, more);
    this.listener?.unheard(more);
  }

  /** Forgets what changed: after a commit or a rollback. */
  settle(): void {
    this.undo.clear();
    this.rest.settle();
    for (const cell of this.touched) cell.isTouched = false;
    this.touched = NO_CELLS;
    this.gone = undefined;
    this.effects = NO_EFFECTS;
    this.emitted = NO_EMITTED;
    this.#unheard = undefined;
    this.input = undefined;
    this.#cause = undefined;
  }

  /** From here on its refs are readable and others are not (N6). @returns what `unstep` needs */
  step(): object | undefined {
    const outer = stepped;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- a mark of whose turn it is, not a stand-in for `this`
    stepped = this;
    return outer;
  }

  unstep(outer: object | undefined): void {
    stepped = outer;
  }

  isStepped(): boolean {
    return stepped === this;
  }

  get now(): number {
    return this.stamp.now;
  }

  get author(): string | undefined {
    return this.cause.author;
  }

  random(): number {
    const drawn = drawFrom(this.randomState);
    this.randomState = drawn.state;
    return drawn.value;
  }

  /** Names a piece of work: the same on every attempt and in every replay. */
  workKey(address: Address): string {
    return `${address}#${this.incarnation}.${String(this.revision + 1)}.${String(this.workIndex++)}`;
  }

  /** Who asked for what this input does. */
  get cause(): EffectCause {
    return (this.#cause ??= this.input === undefined ? NO_CAUSE : causeOf(this.input));
  }

  /** A set cause holds for the present input. */
  takeInput(input: Input, cause?: EffectCause): void {
    this.input = input;
    this.#cause = cause;
    this.failure = undefined;
  }

  // ---- changes

  setLife(cell: Cell, life: Life): void {
    const before = cell.life;
    this.undo.push(() => {
      cell.life = before;
    });
    cell.life = life;
    this.touch(cell);
  }

  setSnapshot(cell: Cell, snapshot: LogicSnapshot): void {
    const before = cell.snapshot;
    if (before === snapshot) return;
    this.undo.push(() => {
      cell.snapshot = before;
    });
    cell.snapshot = snapshot;
    this.touch(cell);
  }

  /** As `setSnapshot`, of a step that has entered a state: also where it is the same one. */
  setState(cell: Cell, snapshot: LogicSnapshot, entering: Entering): void {
    this.undo.push(new StateBefore(cell));
    cell.snapshot = snapshot;
    setEntered(cell, entering, this.stamp.now, this.revision + 1);
    this.touch(cell);
  }

  /** Since when it is in its state, as of the last commit (rules C4). */
  enteredOf(cell: Cell): Readonly<Entered> {
    return this.undo.first((step): step is StateBefore => step instanceof StateBefore && step.cell === cell) ?? cell;
  }

  setId(cell: Cell, id: string): void {
    const before = cell.id;
    if (before === id) return;
    this.undo.push(() => {
      cell.id = before;
    });
    cell.id = id;
    this.touch(cell);
  }

  /** Its state is one of the registered version from here on. */
  noteUpgraded(cell: Cell): void {
    const before = cell.recorded;
    this.undo.push(() => {
      cell.recorded = before;
    });
    cell.recorded = undefined;
    this.touch(cell);
  }

  setLabels(labels: Readonly<Record<string, string>>): void {
    const before = this.labels;
    this.undo.push(() => {
      this.labels = before;
    });
    this.labels = Object.keys(labels).length === 0 ? NO_LABELS : labels;
  }

  /** The entity is another incarnation from the commit of the open turn on. */
  setFork(fork: Fork): void {
    const before = this.fork;
    this.undo.push(() => {
      this.fork = before;
    });
    this.fork = fork;
  }

  /** Of the record and the state that the open turn makes. */
  get nextIncarnation(): string {
    return this.fork?.as ?? this.incarnation;
  }

  touch(cell: Cell): void {
    if (cell.isTouched) return;
    cell.isTouched = true;
    if (this.touched === NO_CELLS) this.touched = [cell];
    else this.touched.push(cell);
  }

  /** Enters a cell into the entity. */
  enter(cell: Cell): void {
    const before = this.cells.get(cell.address);
    this.undo.push(() => {
      if (before === undefined) this.cells.delete(cell.address);
      else this.cells.set(before);
    });
    if (before?.committed !== undefined && this.gone?.has(cell.address) !== true) this.#noteGone(before);
    this.cells.set(cell);
    this.touch(cell);
  }

  /** Takes a cell out of the entity, and those that it lists. */
  forget(cell: Cell): void {
    if (this.cells.get(cell.address) !== cell) return;
    const { place } = cell;
    this.undo.push(() => {
      this.cells.putBack(cell, place);
    });
    this.cells.delete(cell.address);
    this.#noteGone(cell);
    this.touch(cell);
    for (const child of cell.listed()) this.forget(child);
    // A ref that outlives its cell shows the same before and after a restart.
    this.#observers?.noteLast(cell, this.undo);
    if (this.durable) this.setSnapshot(cell, { status: "stopped", output: undefined, error: undefined });
  }

  #noteGone(cell: Cell): void {
    (this.#goneRefs ??= new GoneRefs()).keep(cell.ref, cell.address, cell.incarnation);
    const gone = (this.gone ??= new Map<string, Cell>());
    const before = gone.get(cell.address);
    this.undo.push(() => {
      if (before === undefined) gone.delete(cell.address);
      else gone.set(cell.address, before);
    });
    gone.set(cell.address, before ?? cell);
  }

  emit(cell: Cell, event: EventData, plain?: EventData): void {
    this.effects.push({ kind: "emit", cell: cell.address, event });
    this.emitted.push({ cell: cell.address, event, plain, from: cell });
  }

  // ---- system ids

  holderOf(id: string): Cell | undefined {
    const ref = this.rest.get("systemIds", id);
    return ref === undefined ? undefined : (CellRef.cellOf(ref as CellRef) as Cell);
  }

  systemIds(): readonly string[] {
    return [...this.rest.entries("systemIds")].map(([id]) => id);
  }

  // ---- codec

  get isLenient(): boolean {
    return !this.durable;
  }

  refOf(address: string, incarnation: number, parentIncarnation: number): CellRef {
    const cell = this.cells.get(address);
    if (cell?.incarnation === incarnation) return cell.ref;
    return this.#goneRefs?.find(address, incarnation) ?? this.#goneRef(address as Address, incarnation, parentIncarnation);
  }

  /** A ref to a cell that has gone: its address, and whose child it was. */
  #goneRef(address: Address, incarnation: number, parentIncarnation: number): CellRef {
    const cut = address.lastIndexOf("/~/");
    const above = cut === -1 ? undefined : this.cells.get(address.slice(0, cut));
    const parent = above?.incarnation === parentIncarnation ? above : undefined;
    const plan = (parent ?? this.root)?.plan ?? planOf(this.type.root);
    const { ref } = new Cell(this.host, { plan, address, id: address.slice(address.lastIndexOf("/") + 1), incarnation, parent }, "ended", {
      status: "stopped",
      output: undefined,
      error: undefined,
    });
    (this.#goneRefs ??= new GoneRefs()).keep(ref, address, incarnation);
    return ref;
  }

  machineOf(type: string): AnyStateMachine | undefined {
    const plan = this.planNamed(type);
    return plan?.logic.kind === "machine" ? plan.logic.machine : undefined;
  }

  typeOf(machine: AnyStateMachine): string | undefined {
    for (const { plan } of this.cells.values()) if (plan.logic.kind === "machine" && plan.logic.machine === machine) return plan.type;
    for (const actor of this.type.types.values()) {
      const { logic } = planOf(actor);
      if (logic.kind === "machine" && logic.machine === machine) return actor.name;
    }
    return undefined;
  }

  planNamed(type: string): Plan | undefined {
    const slash = type.indexOf("/");
    const actor = this.type.types.get(slash === -1 ? type : type.slice(0, slash));
    return actor === undefined ? undefined : planOfType(actor, type);
  }

  // ---- observers

  get observers(): Observers {
    return (this.#observers ??= new Observers(
      (cell, error) => this.listener?.observerFailed(cell.address, error),
      (cell, tell) => {
        this.outside(cell.address, "observer", tell);
      },
    ));
  }

  /** Tells those who watch what the commit has changed, before `settle` forgets it. */
  tellObservers(): void {
    this.#observers?.committed(this.touched, this.emitted);
  }

  /** Code of an author that no turn runs. */
  outside<V>(cell: Address, what: string, run: () => V): V {
    return this.listener?.watched === undefined ? run() : this.listener.watched(cell, what, run);
  }

  /** Errors as a durable actor keeps them. */
  keep(error: unknown): unknown {
    return this.durable ? carried(error, this) : error;
  }
}

/** The trace of something, to be handed on; nothing where there is none. */
export function traceOf({ trace }: { readonly trace?: string }): { readonly trace?: string } {
  return trace === undefined ? NO_TRACE : { trace };
}

function causeOf(input: Input): EffectCause {
  if (input.kind === "source" && input.trace !== undefined) return { ...NO_CAUSE, trace: input.trace };
  if (input.kind !== "message") return NO_CAUSE;
  const { sender } = input;
  const traced = traceOf(input);
  switch (sender.kind) {
    case "outside":
      return { author: sender.author, messageId: sender.id, ...traced };
    case "entity":
      return { author: `entity:${sender.entity}`, messageId: `${sender.incarnation}.${String(sender.seq)}`, ...traced };
    case "local":
      return { author: `local:${sender.name}`, messageId: undefined, ...traced };
  }
}
