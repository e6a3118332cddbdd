// The inside of an entity: its cells, stepped depth-first until all are quiet, in XState's own order (hosting H1, H5, H6).
//
// I1. A cell has a mailbox: what reaches it while it steps or before it has started waits; everything else is stepped at once, before the sender goes on.
// I2. Custom actions and log lines of a step come first, then what the step built in, in its order.
// I3. Every change goes through the undo log, so that an input or a turn can be taken back as a whole.

import type { AnyStateMachine } from "xstate";

import type { Address } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import {
  type ChildRequest,
  CellRef,
  type CodecHost,
  carried,
  type LogicSnapshot,
  type StepAction,
  type StepEvent,
  type StepResult,
  StepSystem,
  startLogic,
  startMachine,
  stepLogic,
  stepMachine,
  type TurnFacts,
} from "../xstate/index.ts";
import { Cell, type CellHost, escapeId, type Supervision } from "./cell.ts";
import type { Effect, EffectCause, EventData, TurnStamp } from "./contract.ts";
import { runaway, SupervisedFault } from "./fault.ts";
import { innerPlan, type Plan, planOf, planOfType } from "./plan.ts";
import { startReducer, stepReducer } from "./reducer-step.ts";
import { Rest } from "./rest.ts";
import { TurnRandom } from "./turn-random.ts";
import { UndoLog } from "./undo.ts";

const DELIVERIES = 1_000;
const DELIVERIES_PER_CELL = 20;
/** Cells that may wait for one another in one chain of deliveries: the stack of the process must hold it. */
const MAX_CHAIN = 400;

export interface Counters {
  /** Reached nobody: late words of sources, events to cells that have gone. */
  deadLetters: number;
  /** Outcomes of effects that no protocol listed. */
  unheardOutcomes: number;
  faults: number;
  divergences: number;
}

/** What leaves a cell for somewhere else; supplied by the rooms of the entity that keep timers, outbox and effects. */
export interface Outward {
  send(cell: Cell, to: unknown, event: StepEvent): void;
  arm(cell: Cell, action: Extract<StepAction, { kind: "send" }>): void;
  cancel(cell: Cell, timer: string): void;
  act(cell: Cell, action: Extract<StepAction, { kind: "act" }>): void;
  /** A source was started: asks and deadlines. */
  sourceStarted(cell: Cell): void;
  /** Drops a cell's timers and asks. */
  forget(cell: Cell): void;
  /** A supervised cell came to its end. */
  ended(cell: Cell): void;
}

let stepped: Interior | undefined;

export class Interior implements CellHost, CodecHost {
  readonly type: EntityType;
  readonly address: Address;
  readonly incarnation: string;
  readonly durable: boolean;
  readonly undo = new UndoLog();
  readonly rest: Rest;
  readonly cells = new Map<string, Cell>();
  readonly system: StepSystem;
  readonly facts: TurnFacts;
  readonly random = new TurnRandom();
  readonly counters: Counters = { deadLetters: 0, unheardOutcomes: 0, faults: 0, divergences: 0 };
  outward: Outward;
  onPost: ((cell: Cell, event: EventData) => void) | undefined;
  root: Cell | undefined;
  labels: Readonly<Record<string, string>> = {};
  stamp: TurnStamp = { now: 0, elapsed: 0, seed: 0 };
  revision = 0;
  cause: EffectCause = { author: undefined, messageId: undefined };
  effects: Effect[] = [];
  emitted: { readonly cell: Address; readonly event: EventData }[] = [];
  /** Changed since the last commit. */
  touched = new Set<Cell>();
  /** Gone since the last commit, and what others still see of them. */
  gone = new Map<string, Cell>();
  workIndex = 0;
  /** Wall time before which no kept outcome needs to go. */
  nextEviction = Number.NEGATIVE_INFINITY;
  #deliveries = 0;
  #chain = 0;
  readonly #refs = new Map<string, WeakRef<CellRef>>();

  constructor(type: EntityType, address: Address, incarnation: string, outward: (interior: Interior) => Outward) {
    this.type = type;
    this.address = address;
    this.incarnation = incarnation;
    this.durable = type.durability !== "volatile";
    this.rest = new Rest(this.undo);
    this.system = new StepSystem(
      (id) => this.#bySystemId(id),
      () => this.#systemIds(),
    );
    const interior = this;
    this.facts = {
      get now(): number {
        return interior.stamp.now;
      },
      random: () => interior.random.draw(),
    };
    this.outward = outward(this);
  }

  // ---- host of cells

  isStepped(): boolean {
    return stepped === this;
  }

  /** Runs `work` as this entity: its refs are readable, others are not (N6). */
  within<R>(work: () => R): R {
    const outer = stepped;
    stepped = this;
    try {
      return work();
    } finally {
      stepped = outer;
    }
  }

  adopt(parent: Cell, request: ChildRequest): Cell {
    const plan = innerPlan(parent.plan, request.src, request.logic);
    const cell = this.makeCell({ plan, parent, id: request.id, address: `${parent.address}/~/${escapeId(request.id)}` as Address, request });
    if (plan.logic.kind === "source") cell.key = this.workKey(cell.address);
    return cell;
  }

  makeCell(fields: {
    readonly plan: Plan;
    readonly parent: Cell | undefined;
    readonly id: string;
    readonly address: Address;
    readonly supervision?: Supervision;
    readonly request?: ChildRequest;
  }): Cell {
    const cell = new Cell(this, { ...fields, incarnation: this.rest.next("incarnation") }, "made", { status: "active", output: undefined, error: undefined });
    return cell;
  }

  begin(cell: Cell, input: unknown): LogicSnapshot {
    const mark = this.undo.mark();
    const { logic } = cell.plan;
    let first: StepResult | undefined;
    switch (logic.kind) {
      case "machine":
        first = startMachine(cell, logic.machine, input);
        break;
      case "transition":
        first = startLogic(cell, logic.logic, input);
        break;
      case "reducer":
        first = startReducer(cell, logic.reducer, input);
        break;
      case "source":
        cell.input = input;
        cell.snapshot = { status: "active", output: undefined, error: undefined, context: undefined, input } as LogicSnapshot;
        return cell.snapshot;
    }
    if (first.snapshot.status === "error") {
      this.undo.backTo(mark);
      first = { snapshot: { ...first.snapshot, error: this.keep(first.snapshot.error) }, actions: [], taken: true, systemIds: undefined };
    }
    cell.first = first;
    cell.snapshot = first.snapshot;
    return first.snapshot;
  }

  childOf(parent: Cell, id: string): Cell | undefined {
    const ref = (parent.snapshot as { readonly children?: Readonly<Record<string, CellRef>> }).children?.[id];
    const cell = ref === undefined ? undefined : (CellRef.cellOf(ref) as Cell);
    return cell !== undefined && cell.life !== "ended" ? cell : undefined;
  }

  bookId(cell: Cell): string {
    const count = cell.book;
    this.undo.push(() => {
      cell.book = count;
    });
    cell.book = count + 1;
    return `${String(count)}.${cell.id}`;
  }

  post(cell: Cell, event: { readonly type: string }): void {
    if (this.onPost === undefined) this.counters.deadLetters++;
    else this.onPost(cell, event as EventData);
  }

  workKey(address: Address): string {
    return `${address}#${this.incarnation}.${String(this.revision + 1)}.${String(this.workIndex++)}`;
  }

  // ---- life of a cell

  /** Enters a cell into the entity. */
  enter(cell: Cell): void {
    const before = this.cells.get(cell.address);
    this.undo.push(() => {
      if (before === undefined) this.cells.delete(cell.address);
      else this.cells.set(cell.address, before);
    });
    if (before?.committed !== undefined && !this.gone.has(cell.address)) this.#noteGone(before);
    this.cells.set(cell.address, cell);
    this.touch(cell);
  }

  start(cell: Cell): void {
    if (cell.life !== "made") return;
    this.#setLife(cell, "starting");
    const { first } = cell;
    cell.first = undefined;
    const { status } = cell.snapshot;
    if (status === "error") {
      this.fail(cell, cell.snapshot.error);
      return;
    }
    if (first !== undefined) {
      this.#enterMade(first);
      if (status === "active") for (const child of cell.listed()) if (child.snapshot.status === "active") this.start(child);
      this.#perform(cell, first, true);
    } else {
      this.effects.push({ kind: "source.start", cell: cell.address, incarnation: cell.incarnation, key: cell.key as string });
      this.outward.sourceStarted(cell);
      this.tellParent(cell);
    }
    if ((cell.life as string) === "starting") {
      this.#setLife(cell, "running");
      this.#drain(cell);
    }
  }

  #enterMade(result: StepResult): void {
    for (const action of result.actions) if (action.kind === "start") this.enter(action.child as Cell);
  }

  #setLife(cell: Cell, life: Cell["life"]): void {
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

  setLabels(labels: Readonly<Record<string, string>>): void {
    const before = this.labels;
    this.undo.push(() => {
      this.labels = before;
    });
    this.labels = labels;
  }

  touch(cell: Cell): void {
    this.touched.add(cell);
  }

  /** Delivers an event from within: stepped at once, or when the cell is free (I1). */
  deliver(cell: Cell, event: StepEvent): void {
    if (cell.life === "ended") {
      this.counters.deadLetters++;
      return;
    }
    if (++this.#deliveries > DELIVERIES + DELIVERIES_PER_CELL * this.cells.size)
      throw runaway(`one input caused more than ${String(this.#deliveries - 1)} deliveries inside ${this.address}`);
    if (cell.busy || cell.life !== "running") {
      cell.mail ??= [];
      cell.mail.push(event);
      return;
    }
    this.#process(cell, event);
    this.#drain(cell);
  }

  /**
   * Delivers an event from a door: a machine in whose state no transition is enabled for it is not stepped.
   * @returns false when it was not taken
   */
  offer(cell: Cell, event: StepEvent): boolean | { readonly reason: string | undefined } {
    if (cell.life !== "running" || cell.snapshot.status !== "active") return false;
    const taken = this.#process(cell, event, true);
    this.#drain(cell);
    return taken;
  }

  resetDeliveries(): void {
    this.#deliveries = 0;
    this.#chain = 0;
  }

  #drain(cell: Cell): void {
    while (cell.mail !== undefined && cell.mail.length > 0 && cell.life === "running" && !cell.busy) this.#process(cell, cell.mail.shift() as StepEvent);
  }

  #process(cell: Cell, event: StepEvent, fromDoor = false): boolean | { readonly reason: string | undefined } {
    if (++this.#chain > MAX_CHAIN) throw runaway(`more than ${String(MAX_CHAIN)} cells of ${this.address} wait for one another in one chain of deliveries`);
    cell.busy = true;
    try {
      return this.#stepCell(cell, event, fromDoor);
    } finally {
      cell.busy = false;
      this.#chain--;
    }
  }

  #stepCell(cell: Cell, event: StepEvent, fromDoor: boolean): boolean | { readonly reason: string | undefined } {
    const { logic } = cell.plan;
    if (logic.kind === "source") {
      if (event.type === "xstate.stop") this.stopCell(cell, "stopped");
      else {
        this.effects.push({ kind: "source.send", cell: cell.address, incarnation: cell.incarnation, event });
        this.tellParent(cell);
      }
      return true;
    }
    const mark = this.undo.mark();
    let result: StepResult;
    try {
      switch (logic.kind) {
        case "machine":
          result = stepMachine(cell, logic.machine, cell.snapshot, event);
          break;
        case "transition":
          result = stepLogic(cell, logic.logic, cell.snapshot, event);
          break;
        case "reducer": {
          if (event.type === "xstate.stop") {
            this.stopCell(cell, "stopped");
            return true;
          }
          const step = stepReducer(cell, logic.reducer, cell.snapshot, event);
          if ("refused" in step) return { reason: step.refused };
          result = step;
        }
      }
    } catch (error) {
      this.undo.backTo(mark);
      if (error instanceof SupervisedFault) throw error;
      this.fail(cell, this.keep(error));
      return true;
    }
    if (fromDoor && !result.taken) {
      this.undo.backTo(mark);
      return false;
    }
    const before = cell.snapshot;
    this.setSnapshot(cell, result.snapshot);
    this.#dropFinished(cell, before);
    this.#perform(cell, result, false);
    if (event.type === "xstate.stop" && (cell.life as string) !== "ended") this.stopCell(cell, "stopped");
    return true;
  }

  /** Finished children that the machine no longer lists are forgotten. */
  #dropFinished(cell: Cell, before: LogicSnapshot): void {
    const was = (before as { readonly children?: Readonly<Record<string, CellRef>> }).children;
    const is = (cell.snapshot as { readonly children?: Readonly<Record<string, CellRef>> }).children;
    if (was === undefined || was === is) return;
    for (const id in was) {
      const child = CellRef.cellOf(was[id] as CellRef) as Cell;
      if (is?.[id] !== child.ref && child.life === "ended") this.forget(child);
    }
  }

  #perform(cell: Cell, result: StepResult, initial: boolean): void {
    if (result.systemIds !== undefined) {
      for (const [id, holder] of result.systemIds) {
        if (holder === undefined) this.rest.delete("systemIds", id);
        else this.rest.put("systemIds", id, holder.ref);
      }
    }
    const { actions } = result;
    if (actions.length > 0) {
      if (!initial) this.#enterMade(result);
      for (const action of actions) {
        if (action.kind === "act") this.outward.act(cell, action);
        else if (action.kind === "log") this.effects.push({ kind: "log", cell: cell.address, label: action.label, value: action.value });
        else if (action.kind === "start" && initial && action.spawned) this.start(action.child as Cell);
      }
      for (const action of actions) this.#builtIn(cell, action);
    }
    switch (cell.snapshot.status) {
      case "active":
        this.tellParent(cell);
        return;
      case "done":
        this.finish(cell);
        return;
      case "error":
        this.fail(cell, this.keep(cell.snapshot.error));
        return;
      case "stopped":
        return;
    }
  }

  #builtIn(cell: Cell, action: StepAction): void {
    switch (action.kind) {
      case "start":
        this.start(action.child as Cell);
        return;
      case "send":
        if (action.delay === undefined) this.outward.send(cell, action.to, action.event);
        else this.outward.arm(cell, action);
        return;
      case "cancel":
        this.outward.cancel(cell, action.timer);
        return;
      case "emit":
        this.emit(cell, action.event);
        return;
      case "stop":
        this.stopChild(action.child as Cell);
        return;
      case "act":
      case "log":
        return;
    }
  }

  emit(cell: Cell, event: StepEvent): void {
    this.effects.push({ kind: "emit", cell: cell.address, event });
    this.emitted.push({ cell: cell.address, event });
  }

  stopChild(child: Cell): void {
    if (child.life === "made") {
      this.#setLife(child, "ended");
      this.forget(child);
      return;
    }
    if (child.life === "ended") return;
    if (child.mail !== undefined) child.mail.length = 0;
    this.deliver(child, { type: "xstate.stop" });
  }

  tellParent(cell: Cell): void {
    if (cell.syncSnapshot && cell.parent !== undefined) this.deliver(cell.parent, { type: `xstate.snapshot.${cell.id}`, snapshot: cell.snapshot });
  }

  /** A cell has reached its end. */
  finish(cell: Cell): void {
    const { output } = cell.snapshot;
    this.stopCell(cell, "done");
    if (cell.supervision !== undefined) this.outward.ended(cell);
    else if (cell.parent !== undefined) this.deliver(cell.parent, { type: `xstate.done.actor.${cell.id}`, output, actorId: cell.id });
  }

  /** A cell has failed: its parent hears of it, or the supervisor takes the input back. */
  fail(cell: Cell, error: unknown): void {
    if (cell.supervision !== undefined) throw new SupervisedFault(cell, error);
    this.setSnapshot(cell, { ...cell.snapshot, status: "error", error } as LogicSnapshot);
    this.stopCell(cell, "error");
    if (cell.parent !== undefined) this.deliver(cell.parent, { type: `xstate.error.actor.${cell.id}`, error, actorId: cell.id });
  }

  /** Ends a cell and what is under it; it stays as finished while its parent lists it. */
  stopCell(cell: Cell, how: "done" | "error" | "stopped"): void {
    if (cell.life === "ended") return;
    if (cell.plan.logic.kind === "source") this.#stopSource(cell, how);
    this.#setLife(cell, "ended");
    if (cell.mail !== undefined) cell.mail.length = 0;
    if (how === "stopped" && cell.snapshot.status === "active") this.setSnapshot(cell, { ...cell.snapshot, status: "stopped" } as LogicSnapshot);
    this.outward.forget(cell);
    if (cell.systemId !== undefined && this.#bySystemId(cell.systemId) === cell) this.rest.delete("systemIds", cell.systemId);
    for (const child of cell.listed()) {
      this.stopChild(child);
      if (child.life === "ended") this.forget(child);
    }
    if (cell.supervision === undefined && (cell.parent === undefined || cell.parent.life === "ended" || !cell.parent.lists(cell))) this.forget(cell);
  }

  #stopSource(cell: Cell, how: "done" | "error" | "stopped"): void {
    // Started and stopped in one turn: it never started (H5).
    if (this.effects.some((effect) => effect.kind === "source.start" && effect.incarnation === cell.incarnation)) {
      this.effects = this.effects.filter((effect) => !((effect.kind === "source.start" || effect.kind === "source.send") && effect.incarnation === cell.incarnation));
    } else if (how === "stopped" || cell.snapshot.status === "active") {
      this.effects.push({ kind: "source.stop", cell: cell.address, incarnation: cell.incarnation });
    }
  }

  /** Takes a cell out of the entity, and those that it lists. */
  forget(cell: Cell): void {
    if (this.cells.get(cell.address) !== cell) return;
    this.undo.push(() => this.cells.set(cell.address, cell));
    this.cells.delete(cell.address);
    this.#noteGone(cell);
    this.touch(cell);
    for (const child of cell.listed()) this.forget(child);
    // A ref that outlives its cell shows the same before and after a restart.
    if (this.durable) this.setSnapshot(cell, { status: "stopped", output: undefined, error: undefined });
  }

  #noteGone(cell: Cell): void {
    this.#refs.set(`${cell.address}#${String(cell.incarnation)}`, new WeakRef(cell.ref));
    const before = this.gone.get(cell.address);
    const { gone } = this;
    this.undo.push(() => {
      if (before === undefined) gone.delete(cell.address);
      else gone.set(cell.address, before);
    });
    gone.set(cell.address, before ?? cell);
  }

  // ---- codec

  get isLenient(): boolean {
    return !this.durable;
  }

  refOf(address: string, incarnation: number, parentIncarnation: number): CellRef {
    const cell = this.cells.get(address);
    if (cell?.incarnation === incarnation) return cell.ref;
    const key = `${address}#${String(incarnation)}`;
    const known = this.#refs.get(key)?.deref();
    if (known !== undefined) return known;
    const made = this.#goneRef(address as Address, incarnation, parentIncarnation);
    if (this.#refs.size > 256) for (const [name, ref] of this.#refs) if (ref.deref() === undefined) this.#refs.delete(name);
    this.#refs.set(key, new WeakRef(made));
    return made;
  }

  machineOf(type: string): AnyStateMachine | undefined {
    const plan = this.planNamed(type);
    return plan?.logic.kind === "machine" ? plan.logic.machine : undefined;
  }

  typeOf(machine: AnyStateMachine): string | undefined {
    for (const cell of this.cells.values()) if (cell.plan.logic.kind === "machine" && cell.plan.logic.machine === machine) return cell.plan.type;
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

  /** A ref to a cell that has gone: its address, and whose child it was. */
  #goneRef(address: Address, incarnation: number, parentIncarnation: number): CellRef {
    const cut = address.lastIndexOf("/~/");
    const above = cut === -1 ? undefined : this.cells.get(address.slice(0, cut));
    const parent = above?.incarnation === parentIncarnation ? above : undefined;
    const plan = (parent ?? this.root)?.plan ?? planOf(this.type.root);
    const cell = new Cell(this, { plan, address, id: address.slice(address.lastIndexOf("/") + 1), incarnation, parent }, "ended", {
      status: "stopped",
      output: undefined,
      error: undefined,
    });
    return cell.ref;
  }

  /** Whether a cell was there before this turn. */
  isSettled(cell: Cell): boolean {
    return cell.committed !== undefined;
  }

  /** Errors as a durable actor keeps them. */
  keep(error: unknown): unknown {
    return this.durable ? carried(error, this) : error;
  }

  #bySystemId(id: string): Cell | undefined {
    const ref = this.rest.get("systemIds", id);
    return ref === undefined ? undefined : (CellRef.cellOf(ref as CellRef) as Cell);
  }

  #systemIds(): Iterable<readonly [string, Cell]> {
    return [...this.rest.entries("systemIds")].map(([id, ref]) => [id, CellRef.cellOf(ref as CellRef) as Cell] as const);
  }
}

/** The nearest cell at or above that the supervisor keeps. */
export function supervisedOf(cell: Cell): Cell {
  let found = cell;
  while (found.supervision === undefined && found.parent !== undefined) found = found.parent;
  return found;
}
