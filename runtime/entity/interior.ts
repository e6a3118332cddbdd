// The life of cells inside an entity, stepped depth-first until all are quiet, in XState's own order (hosting H1, H5, H6).
//
// I1. A cell has a mailbox: what reaches it while it steps or before it has started waits; everything else is stepped at once, before the sender goes on.
// I2. Custom actions and log lines of a step come first, then what the step built in, in its order.
// I3. Every change goes through the undo log, so that an input or a turn can be taken back as a whole.

import type { Address } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { DroverError } from "../errors.ts";
import { isA } from "../is-a.ts";
import {
  asItIsNow,
  type ChildRequest,
  CellRef,
  declaredSource,
  type LogicSnapshot,
  type StepAction,
  type StepEvent,
  type StepResult,
  startLogic,
  startMachine,
  stepLogic,
  stepMachine,
  takeThrownAt,
} from "../xstate/index.ts";
import { Cell, type CellHost, escapeId, type Supervision } from "./cell.ts";
import type { Sender } from "./contract.ts";
import { enteringBy, setEntered } from "./entering.ts";
import { faultPlace, runaway, SupervisedFault } from "./fault.ts";
import { Inside } from "./inside.ts";
import { innerPlan, type Plan } from "./plan.ts";
import { startReducer, stepReducer } from "./reducer-step.ts";
import { rehearsed, stepsAreRehearsed } from "./rehearsal.ts";
import { release, releaseOn } from "./stash.ts";

const DELIVERIES = 1_000;
const DELIVERIES_PER_CELL = 20;
const BEGIN: StepEvent = { type: "xstate.init" };
const FROM_A_REF: Sender = { kind: "local", name: "ref" };
/** Children of an entity: those of its configuration, and what machines have made, as long as they are listed (rules C1). */
export const MAX_CHILDREN = 1_000;
/** By one input: a child whose own children are too many fails, and the next one tries again. */
const MAX_MADE = 5 * MAX_CHILDREN;
/** Cells that may wait for one another in one chain of deliveries: the stack of the process must hold it. */
const MAX_CHAIN = 400;

/** What leaves a cell for somewhere else, kept in rooms of their own; one for all entities. */
export interface Outward {
  send(interior: Interior, cell: Cell, to: unknown, event: StepEvent): void;
  arm(interior: Interior, cell: Cell, action: Extract<StepAction, { kind: "send" }>): void;
  cancel(interior: Interior, cell: Cell, timer: string): void;
  act(interior: Interior, cell: Cell, action: Extract<StepAction, { kind: "act" }>): void;
  emit(interior: Interior, cell: Cell, event: StepEvent): void;
  /** A source was started: asks and deadlines. */
  sourceStarted(interior: Interior, cell: Cell): void;
  /** Drops a cell's timers and asks. */
  forget(interior: Interior, cell: Cell): void;
  /** A supervised cell came to its end. */
  ended(interior: Interior, cell: Cell): void;
}

type Taken = boolean | { readonly reason: string | undefined; readonly postponed: boolean };

export class Interior extends Inside implements CellHost {
  readonly outward: Outward;
  #deliveries = 0;
  #chain = 0;
  /** Made by steps of the present input, and not entered yet. */
  #staged = 0;
  /** All that were made by the present input, also by steps that have failed. */
  #made = 0;

  constructor(type: EntityType, address: Address, incarnation: string, outward: Outward) {
    super(type, address, incarnation);
    this.outward = outward;
  }

  get host(): CellHost {
    return this;
  }

  get facts(): this {
    return this;
  }

  // ---- host of cells

  /** @throws DROVER_ENTITY_TOO_LARGE, DROVER_WORK_UNDECLARED for logic that a durable one could not find again (hosting H7) */
  adopt(parent: Cell, request: ChildRequest): Cell {
    const { logic } = parent.plan;
    const src = this.durable ? declaredSource(logic.kind === "machine" ? logic.original : undefined, request.src) : request.src;
    this.#stage();
    const plan = innerPlan(parent.plan, src, request.logic);
    let address = `${parent.address}/~/${escapeId(request.id)}` as Address;
    // It may be that of a child that goes on under another id (upgrading U5).
    for (let holder = this.cells.get(address); holder !== undefined && holder.id !== request.id && parent.lists(holder); holder = this.cells.get(address))
      address = `${address}~` as Address;
    const cell = this.makeCell({ plan, parent, id: request.id, address, request });
    if (plan.logic.kind === "source") cell.key = this.workKey(cell.address);
    return cell;
  }

  /** A step that asks for very many ends with the first that is too many. */
  #stage(): void {
    const others = this.cells.size - 1 + this.#staged;
    if (others >= MAX_CHILDREN && this.input?.kind !== "upgrade") {
      throw new DroverError(
        "DROVER_ENTITY_TOO_LARGE",
        `${this.address} has ${String(others)} children, and at most ${String(MAX_CHILDREN)}; one that is done counts until its parent stops it`,
      );
    }
    if (++this.#made > MAX_MADE) throw runaway(`one input made more than ${String(MAX_MADE)} children inside ${this.address}`);
    this.undo.push(() => {
      this.#staged--;
    });
    this.#staged++;
  }

  /** The step that counts makes what its rehearsal made. */
  #sameMade<R>(step: (snapshot: LogicSnapshot | undefined) => R): (snapshot: LogicSnapshot | undefined) => R {
    const made = this.#made;
    return (snapshot) => {
      this.#made = made;
      return step(snapshot);
    };
  }

  override enter(cell: Cell): void {
    super.enter(cell);
    // The supervisor's own were not staged.
    if (cell.supervision !== undefined) return;
    this.undo.push(() => {
      this.#staged++;
    });
    this.#staged--;
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
    setEntered(cell, enteringBy(cell.plan.enterings, null, BEGIN.type, this.input, this.firing?.name), this.stamp.now, this.revision + 1);
    return cell;
  }

  begin(cell: Cell, input: unknown): LogicSnapshot {
    const mark = this.undo.mark();
    const { logic } = cell.plan;
    if (logic.kind === "source") {
      cell.input = input;
      cell.snapshot = { status: "active", output: undefined, error: undefined, context: undefined, input } as LogicSnapshot;
      return cell.snapshot;
    }
    let first = stepsAreRehearsed()
      ? rehearsed(
          this,
          cell,
          BEGIN,
          undefined,
          this.#sameMade(() => firstStep(cell, logic, input)),
        )
      : firstStep(cell, logic, input);
    if (first.snapshot.status === "error") {
      this.undo.backTo(mark);
      first = { snapshot: { ...first.snapshot, error: this.keep(first.snapshot.error) }, actions: [], taken: true, entered: false, systemIds: undefined };
    }
    cell.first = first;
    cell.snapshot = first.snapshot;
    return first.snapshot;
  }

  childOf(parent: Cell, id: string): Cell | undefined {
    const { children } = parent.snapshot as { readonly children?: Readonly<Record<string, CellRef>> };
    if (children === undefined || !Object.hasOwn(children, id)) return undefined;
    const cell = CellRef.cellOf(children[id] as CellRef) as Cell;
    return cell.life === "ended" ? undefined : cell;
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
    const { listener } = this;
    if (listener === undefined) this.drop("event");
    else listener.posted({ kind: "message", to: cell.address, event: asItIsNow(event), sender: FROM_A_REF, wantsReply: false, incarnation: cell.incarnation });
  }

  // ---- life of a cell

  start(cell: Cell): void {
    if (cell.life !== "made") return;
    this.setLife(cell, "starting");
    const { first } = cell;
    cell.first = undefined;
    const { status } = cell.snapshot;
    if (status === "error") {
      this.noteFailure(cell, undefined, cell.snapshot.error);
      this.fail(cell, cell.snapshot.error);
      return;
    }
    if (first !== undefined) {
      this.#enterMade(first);
      if (status === "active") for (const child of cell.listed()) if (child.snapshot.status === "active") this.start(child);
      this.#perform(cell, first, true);
    } else {
      this.startSource(cell);
      this.tellParent(cell);
    }
    if ((cell.life as string) === "starting") {
      this.setLife(cell, "running");
      this.#drain(cell);
    }
  }

  /** Starts a cell whose state was placed: its children first, as bare XState starts what it restores; nothing is entered again. */
  resume(cell: Cell): void {
    this.setLife(cell, "starting");
    for (const child of cell.listed()) if (child.snapshot.status === "active") this.resume(child);
    if (cell.plan.logic.kind === "source") this.startSource(cell);
    this.tellParent(cell);
    if ((cell.life as string) !== "starting") return;
    this.setLife(cell, "running");
    this.#drain(cell);
  }

  /** Performs what a cell's state in another version of its machine begins with. @param begin of its new state */
  carryOn(cell: Cell, begin: (snapshot: LogicSnapshot) => StepResult): void {
    cell.busy = true;
    try {
      const result = begin(cell.snapshot);
      this.setSnapshot(cell, result.snapshot);
      this.#perform(cell, result, false);
    } finally {
      cell.busy = false;
    }
    this.#drain(cell);
  }

  startSource(cell: Cell): void {
    this.effects.push({ kind: "source.start", cell: cell.address, incarnation: cell.incarnation, key: cell.key as string });
    this.outward.sourceStarted(this, cell);
  }

  #enterMade(result: StepResult): void {
    for (const action of result.actions) if (action.kind === "start") this.enter(action.child as Cell);
  }

  /** Delivers an event from within: stepped at once, or when the cell is free (I1). */
  deliver(cell: Cell, event: StepEvent): void {
    if (cell.life === "ended") {
      this.drop("event");
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
  offer(cell: Cell, event: StepEvent): Taken {
    if (cell.life !== "running" || cell.snapshot.status !== "active") return false;
    const taken = this.#process(cell, event, true);
    this.#drain(cell);
    return taken;
  }

  /** Nothing waits between two inputs; what an unwound one has left behind is no part of the next. */
  dropMail(): void {
    for (const cell of this.cells.values()) if (cell.mail !== undefined) cell.mail.length = 0;
  }

  resetDeliveries(): void {
    this.#deliveries = 0;
    this.#chain = 0;
    this.#staged = 0;
    this.#made = 0;
  }

  #drain(cell: Cell): void {
    while (cell.mail !== undefined && cell.mail.length > 0 && cell.life === "running" && !cell.busy) this.#process(cell, cell.mail.shift() as StepEvent);
  }

  #process(cell: Cell, event: StepEvent, fromDoor = false): Taken {
    if (++this.#chain > MAX_CHAIN) throw runaway(`more than ${String(MAX_CHAIN)} cells of ${this.address} wait for one another in one chain of deliveries`);
    cell.busy = true;
    try {
      return this.#stepCell(cell, event, fromDoor);
    } finally {
      cell.busy = false;
      this.#chain--;
    }
  }

  #stepCell(cell: Cell, event: StepEvent, fromDoor: boolean): Taken {
    const { logic } = cell.plan;
    if (logic.kind === "source") {
      if (event.type === "xstate.stop") this.stopCell(cell, "stopped");
      else {
        this.effects.push({ kind: "source.send", cell: cell.address, incarnation: cell.incarnation, event });
        this.tellParent(cell);
      }
      return true;
    }
    if (logic.kind === "reducer" && event.type === "xstate.stop") {
      this.stopCell(cell, "stopped");
      return true;
    }
    if (--cell.stepsLeft === -1 && !this.durable) (this.overdue ??= []).push(cell);
    const mark = this.undo.mark();
    let result: StepResult;
    try {
      const step = stepsAreRehearsed()
        ? rehearsed(
            this,
            cell,
            event,
            cell.snapshot,
            this.#sameMade((snapshot) => advance(cell, logic, snapshot as LogicSnapshot, event)),
          )
        : advance(cell, logic, cell.snapshot, event);
      if ("refused" in step) return { reason: step.refused, postponed: step.postponed };
      result = step;
    } catch (error) {
      this.undo.backTo(mark);
      if (isA(error, SupervisedFault)) throw error;
      this.noteFailure(cell, event.type, error);
      this.fail(cell, this.keep(error));
      return true;
    }
    if (fromDoor && !result.taken) {
      this.undo.backTo(mark);
      return false;
    }
    const before = cell.snapshot;
    if (result.entered) {
      const entering = enteringBy(cell.plan.enterings, (before as { readonly value?: unknown }).value, event.type, this.input, this.firing?.name);
      this.setState(cell, result.snapshot, entering);
    } else this.setSnapshot(cell, result.snapshot);
    if (this.rest.size("stash") > 0) releaseOn(this, cell, before);
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
        if (action.kind === "act") this.outward.act(this, cell, action);
        else if (action.kind === "log") this.effects.push({ kind: "log", cell: cell.address, label: action.label, value: action.value });
        else if (action.kind === "start" && initial && action.spawned) this.start(action.child as Cell);
        if (hasFailed(cell, result)) return;
      }
      for (const action of actions) {
        this.#builtIn(cell, action);
        // What could not be done made it fail: as after a throw nothing further of the step is done.
        if (hasFailed(cell, result)) return;
      }
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
        if (action.delay === undefined) this.outward.send(this, cell, action.to, action.event);
        else this.outward.arm(this, cell, action);
        return;
      case "cancel":
        this.outward.cancel(this, cell, action.timer);
        return;
      case "emit":
        this.outward.emit(this, cell, action.event);
        return;
      case "stop":
        this.stopChild(action.child as Cell);
        return;
      case "act":
      case "log":
        return;
    }
  }

  stopChild(child: Cell): void {
    if (child.life === "made") {
      this.setLife(child, "ended");
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
    if (cell.supervision !== undefined) this.outward.ended(this, cell);
    else if (cell.parent !== undefined) this.deliver(cell.parent, { type: `xstate.done.actor.${cell.id}`, output, actorId: cell.id });
  }

  /** Notes where a failure begins: the cell, its state, and the code that threw. */
  noteFailure(cell: Cell, eventType: string | undefined, error: unknown, where?: string): void {
    this.failure = faultPlace(cell, eventType, error, takeThrownAt() ?? (where === undefined ? undefined : { where, error }));
  }

  /** A cell has failed: its parent hears of it, or the supervisor takes the input back. */
  fail(cell: Cell, error: unknown): void {
    if (cell.supervision !== undefined) throw new SupervisedFault(cell, error);
    this.setSnapshot(cell, { ...cell.snapshot, status: "error", error });
    this.stopCell(cell, "error");
    if (cell.parent !== undefined) this.deliver(cell.parent, { type: `xstate.error.actor.${cell.id}`, error, actorId: cell.id });
  }

  /** Ends a cell and what is under it; it stays as finished while its parent lists it. */
  stopCell(cell: Cell, how: "done" | "error" | "stopped"): void {
    if (cell.life === "ended") return;
    if (cell.plan.logic.kind === "source") this.#stopSource(cell, how);
    this.setLife(cell, "ended");
    // Whoever waits for it must hear that it has gone.
    if (cell.supervision !== undefined && this.rest.size("stash") > 0) release(this, cell.address);
    if (cell.mail !== undefined) cell.mail.length = 0;
    if (how === "stopped" && cell.snapshot.status === "active") this.setSnapshot(cell, { ...cell.snapshot, status: "stopped" });
    this.outward.forget(this, cell);
    if (cell.systemId !== undefined && this.holderOf(cell.systemId) === cell) this.rest.delete("systemIds", cell.systemId);
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

  /** Whether a cell was there before this turn. */
  isSettled(cell: Cell): boolean {
    return cell.committed !== undefined;
  }
}

/** Of what the step asked for something could not be done. */
function hasFailed(cell: Cell, { snapshot }: StepResult): boolean {
  return cell.snapshot.status === "error" && snapshot.status !== "error";
}

/** The nearest cell at or above that the supervisor keeps. */
export function supervisedOf(cell: Cell): Cell {
  let found = cell;
  while (found.supervision === undefined && found.parent !== undefined) found = found.parent;
  return found;
}

type Stepped = Exclude<Plan["logic"], { readonly kind: "source" }>;

function firstStep(cell: Cell, logic: Stepped, input: unknown): StepResult {
  switch (logic.kind) {
    case "machine":
      return startMachine(cell, logic.machine, input);
    case "transition":
      return startLogic(cell, logic.logic, input);
    case "reducer":
      return startReducer(cell, logic.reducer, input);
  }
}

function advance(cell: Cell, logic: Stepped, snapshot: LogicSnapshot, event: StepEvent): ReturnType<typeof stepReducer> {
  switch (logic.kind) {
    case "machine":
      return stepMachine(cell, logic.machine, snapshot, event);
    case "transition":
      return stepLogic(cell, logic.logic, snapshot, event);
    case "reducer":
      return stepReducer(cell, logic.reducer, snapshot, event);
  }
}
