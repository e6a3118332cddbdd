// An entity: inputs and a stamp in, a turn out; committed or taken back as a whole (hosting H1; rules C1, R1).
//
// E1. While a turn is open (not committed, not rolled back) everyone sees the state before it, and no other turn begins.
// E2. Each input is a savepoint: one that faults leaves nothing but the fault's record, and ends the turn.

import type { Address } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { type CellRef, encodeData, NotCarried, type TaskMark } from "../xstate/index.ts";
import { acceptedBy } from "./accepted.ts";
import type { Cell } from "./cell.ts";
import { encodeCell } from "./cell-record.ts";
import type { CellRecord, Effect, EntityState, EventData, Input, InputResult, JournalRecord, OutboxRow, TakenEntry, Turn, TurnOutcome, TurnStamp } from "./contract.ts";
import { messageOf, SupervisedFault } from "./fault.ts";
import { type Counters, Interior, supervisedOf } from "./interior.ts";
import { createOutward, dueRows } from "./outward.ts";
import type { ParkedRow, PendingEffect } from "./rest.ts";
import { ended, forgive, handleFault } from "./supervision.ts";
import { keepable } from "./keepable.ts";
import { takeInput } from "./take.ts";

/** What everyone may see of a cell: the committed state (rules C4). */
export interface CellView {
  readonly address: Address;
  /** `inner` ones were made by a machine: they have no door. */
  readonly role: "root" | "child" | "inner";
  readonly type: string;
  readonly version: number;
  readonly incarnation: number;
  readonly status: "active" | "done" | "error" | "stopped";
  /** null for what is no machine. */
  readonly value: unknown;
  /** Plain data. */
  readonly context: unknown;
  readonly output: unknown;
  /** Message of the error, if it has failed. */
  readonly error: string | undefined;
  /** Messages that the state takes, before guards. */
  readonly accepts: readonly string[];
  readonly restarts: number;
  readonly lastFault: { readonly reason: string; readonly at: number } | undefined;
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
}

export interface Pending extends PendingEffect {
  readonly key: string;
}

export interface NextTimer {
  /** Earliest due on each clock, ms; undefined when none is armed. */
  readonly elapsed: number | undefined;
  readonly wall: number | undefined;
}

export interface Entity {
  readonly address: Address;
  readonly type: EntityType;
  readonly incarnation: string;
  /** Of the last turn, open or not. */
  readonly stamp: TurnStamp;
  /** Of the last commit. */
  readonly revision: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly counters: Readonly<Counters>;
  /** @throws Error while another turn is open */
  turn(inputs: readonly Input[], stamp: TurnStamp): Turn;
  commit(): void;
  /** Everything as before the turn; its inputs are the caller's again. */
  rollback(): void;
  /** Full committed state; with the open turn, the state that its commit will make. */
  state(open?: Turn): EntityState;
  view(address: Address): CellView | undefined;
  /** Root, then children by address, then what machines made. */
  views(): readonly CellView[];
  nextTimer(): NextTimer;
  /** Inputs for the timers that are due. `wallTrusted` false: none of the wall clock fires (rules K1). Default true. */
  due(at: { readonly now: number; readonly elapsed: number; readonly wallTrusted?: boolean }): readonly Input[];
  /** Unconfirmed messages by receiver, in order of their numbers. */
  outbox(): ReadonlyMap<Address, readonly OutboxRow[]>;
  /** Declared effects that are not confirmed. */
  pending(): readonly Pending[];
  parked(): readonly ParkedRow[];
  /** What recovery must say (rules F1, F2): outcomes of effects that cannot be known, of state effects, of tasks that may not run again, of asks past their deadline. */
  recoveryInputs(now: number): readonly Input[];
  /** What recovery must do again: sources, idempotent effects, messages of the outbox. */
  recoveryEffects(): readonly Effect[];
  /** Committed ones only (rules C4, M3). */
  taken(id: string): TakenEntry | undefined;
  /** What a `source.start` effect means; undefined when it was stopped since (hosting H9). */
  source(cell: Address, incarnation: number): SourceDescription | undefined;
  /** Sends through a ref from outside of a step, e.g. `self.send` in an inline action: become inputs. */
  onPost(listener: (input: Input) => void): void;
}

export function createEntity(type: EntityType, address: Address, incarnation: string): Entity {
  return new HostedEntity(type, address, incarnation);
}

export class HostedEntity implements Entity {
  readonly interior: Interior;
  #open = false;
  #openRevision = 0;
  #records = new Map<Cell, CellRecord>();
  #views = new Map<string, CellView>();

  constructor(type: EntityType, address: Address, incarnation: string) {
    this.interior = new Interior(type, address, incarnation, (interior) =>
      createOutward(interior, (cell) => {
        ended(interior, cell);
      }),
    );
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

  get counters(): Readonly<Counters> {
    return this.interior.counters;
  }

  turn(inputs: readonly Input[], stamp: TurnStamp): Turn {
    if (this.#open) throw new Error(`a turn of ${this.address} is open: commit or roll back first`);
    this.#open = true;
    const { interior } = this;
    interior.stamp = stamp;
    interior.random.seed(stamp.seed);
    interior.effects = [];
    interior.emitted = [];
    interior.workIndex = 0;
    const results: InputResult[] = [];
    const kept: Input[] = [];
    const keptResults: InputResult[] = [];
    for (const given of inputs) {
      const mark = interior.undo.mark();
      const effects = interior.effects.length;
      const input = interior.durable ? keepable(given, interior) : given;
      const result = "refusal" in input ? input.refusal : this.#take(input, mark);
      results.push(result);
      if (result.kind === "dropped") interior.counters.deadLetters++;
      if (interior.undo.mark() > mark || interior.effects.length > effects) {
        kept.push(input as Input);
        keptResults.push(result);
      }
      if (result.kind === "faulted") break;
    }
    const changed = kept.length > 0;
    this.#openRevision = changed ? interior.revision + 1 : interior.revision;
    return new HostedTurn(this, this.#openRevision, results, interior.effects, changed ? { inputs: kept, results: keptResults } : undefined);
  }

  #take(input: Input, mark: number): InputResult {
    const { interior } = this;
    const { effects, emitted } = interior;
    const effectCount = effects.length;
    const emittedCount = emitted.length;
    const position = interior.random.position;
    const { workIndex } = interior;
    interior.resetDeliveries();
    interior.cause = causeOf(input);
    try {
      return interior.within(() => {
        const result = takeInput(interior, input);
        if (interior.undo.mark() > mark) {
          forgive(interior, input);
          if (interior.durable) this.#seal();
        }
        return result;
      });
    } catch (thrown) {
      interior.undo.backTo(mark);
      interior.effects = effects;
      interior.effects.length = effectCount;
      interior.emitted = emitted;
      interior.emitted.length = emittedCount;
      interior.random.rewind(position);
      interior.workIndex = workIndex;
      this.#records.clear();
      interior.resetDeliveries();
      return interior.within(() => handleFault(interior, input, thrown));
    }
  }

  /** Encodes what changed, so that data that cannot be kept is its input's fault. @throws SupervisedFault */
  #seal(): void {
    const { interior } = this;
    for (const cell of interior.touched) {
      if (interior.cells.get(cell.address) !== cell) continue;
      try {
        this.#records.set(cell, encodeCell(cell, interior));
      } catch (error) {
        if (!(error instanceof NotCarried)) throw error;
        throw new SupervisedFault(supervisedOf(cell), error);
      }
    }
    if (interior.rest.hasChanges()) encodeData(interior.rest.changes(), interior, "rest");
  }

  /** For HostedTurn. */
  recordOf(inputs: readonly Input[], results: readonly InputResult[], revision: number): JournalRecord {
    const { interior } = this;
    const versions: Record<string, number> = {};
    for (const cell of interior.touched) versions[cell.plan.actor.name] = cell.plan.actor.version;
    if (interior.root !== undefined) versions[interior.root.plan.actor.name] = interior.root.plan.actor.version;
    return {
      v: 1,
      entity: this.address,
      incarnation: this.incarnation,
      revision,
      stamp: interior.stamp,
      versions,
      inputs: encodeData(inputs, interior) as readonly Input[],
      results: encodeData(results, interior) as readonly InputResult[],
      outcome: this.outcome(),
    };
  }

  /** What the open turn came to. */
  outcome(): TurnOutcome {
    const { interior } = this;
    const cells = [...interior.touched].filter((cell) => interior.cells.get(cell.address) === cell).map((cell) => encodeCell(cell, interior));
    const rest: Record<string, unknown> = {};
    for (const [table, key, value] of interior.rest.changes()) {
      const rows = (rest[table] ??= []) as unknown[];
      rows.push(value === undefined ? [key] : [key, encodeData(value, interior)]);
    }
    return {
      cells: cells.sort((a, b) => a.incarnation - b.incarnation),
      ended: [...interior.gone.keys()].filter((address) => !interior.cells.has(address)).sort(),
      rest,
      emitted: interior.emitted.map(({ cell, event }) => ({ cell, event: encodeData(event, interior) as EventData })),
    };
  }

  commitAt(revision: number): void {
    if (!this.#open) throw new Error(`no turn of ${this.address} is open`);
    this.#open = false;
    const { interior } = this;
    interior.revision = revision;
    for (const cell of interior.touched) {
      cell.committed = cell.snapshot;
      this.#views.delete(cell.address);
    }
    for (const address of interior.gone.keys()) this.#views.delete(address);
    this.#settle();
  }

  commit(): void {
    this.commitAt(this.#openRevision);
  }

  rollback(): void {
    if (!this.#open) throw new Error(`no turn of ${this.address} is open`);
    this.#open = false;
    const { interior } = this;
    interior.undo.backTo(0);
    interior.effects = [];
    interior.emitted = [];
    this.#settle();
  }

  #settle(): void {
    const { interior } = this;
    interior.undo.clear();
    interior.rest.settle();
    if (interior.touched.size > 0) interior.touched = new Set();
    if (interior.gone.size > 0) interior.gone = new Map();
    this.#records.clear();
  }

  state(open?: Turn): EntityState {
    if (this.#open && open === undefined) throw new Error(`a turn of ${this.address} is open: its state is not committed`);
    const { interior } = this;
    const rest: Record<string, unknown> = {};
    for (const [table, key, value] of interior.rest.all()) {
      const rows = (rest[table] ??= []) as unknown[];
      rows.push([key, encodeData(value, interior)]);
    }
    return {
      v: 1,
      entity: this.address,
      type: this.type.name,
      incarnation: this.incarnation,
      revision: open?.revision ?? this.revision,
      stamp: interior.stamp,
      labels: this.labels,
      cells: [...interior.cells.values()].sort((a, b) => a.incarnation - b.incarnation).map((cell) => encodeCell(cell, interior)),
      rest,
    };
  }

  view(address: Address): CellView | undefined {
    const known = this.#views.get(address);
    if (known !== undefined) return known;
    const { interior } = this;
    const cell = interior.gone.get(address) ?? interior.cells.get(address);
    if (cell?.committed === undefined) return undefined;
    const view = this.#viewOf(cell, cell.committed);
    if (!this.#open) this.#views.set(address, view);
    return view;
  }

  views(): readonly CellView[] {
    const { interior } = this;
    const addresses = new Set([...interior.cells.keys(), ...interior.gone.keys()]);
    const order = { root: 0, child: 1, inner: 2 } as const;
    return [...addresses]
      .map((address) => this.view(address as Address))
      .filter((view): view is CellView => view !== undefined)
      .sort((a, b) => order[a.role] - order[b.role] || (a.address < b.address ? -1 : 1));
  }

  #viewOf(cell: Cell, snapshot: NonNullable<Cell["committed"]>): CellView {
    const { interior } = this;
    const restarts = interior.rest.get("restarts", cell.address);
    const show = (value: unknown): unknown => {
      try {
        return value === undefined ? null : encodeData(value, interior);
      } catch {
        return null;
      }
    };
    const isMachine = "_nodes" in snapshot;
    return {
      address: cell.address,
      role: cell.supervision?.kind ?? "inner",
      type: cell.plan.type,
      version: cell.plan.actor.version,
      incarnation: cell.incarnation,
      status: snapshot.status,
      value: isMachine ? (snapshot as unknown as { readonly value: unknown }).value : null,
      context: show(snapshot.context),
      output: show(snapshot.output),
      error: snapshot.status === "error" ? messageOf(snapshot.error) : undefined,
      accepts: cell.supervision === undefined ? [] : acceptedBy(cell, snapshot),
      restarts: restarts?.count ?? 0,
      lastFault: restarts === undefined ? undefined : { reason: restarts.reason, at: restarts.at },
    };
  }

  nextTimer(): NextTimer {
    let elapsed: number | undefined;
    let wall: number | undefined;
    for (const [, row] of this.interior.rest.entries("timers")) {
      if (row.clock === "elapsed") elapsed = elapsed === undefined ? row.due : Math.min(elapsed, row.due);
      else wall = wall === undefined ? row.due : Math.min(wall, row.due);
    }
    return { elapsed, wall };
  }

  due(at: { readonly now: number; readonly elapsed: number; readonly wallTrusted?: boolean }): readonly Input[] {
    const wall = at.wallTrusted === false ? Number.NEGATIVE_INFINITY : at.now;
    return dueRows(this.interior.rest.entries("timers"), at.elapsed, wall).map(([timer, row]) => ({ kind: "timer", timer, generation: row.generation }));
  }

  outbox(): ReadonlyMap<Address, readonly OutboxRow[]> {
    const byReceiver = new Map<Address, OutboxRow[]>();
    for (const [, row] of this.interior.rest.entries("outbox")) {
      const rows = byReceiver.get(row.receiver);
      if (rows === undefined) byReceiver.set(row.receiver, [row]);
      else rows.push(row);
    }
    for (const rows of byReceiver.values()) rows.sort((a, b) => a.seq - b.seq);
    return byReceiver;
  }

  pending(): readonly Pending[] {
    return [...this.interior.rest.entries("pending")].map(([key, row]) => ({ ...row, key })).sort((a, b) => a.since - b.since || (a.key < b.key ? -1 : 1));
  }

  parked(): readonly ParkedRow[] {
    return [...this.interior.rest.entries("parked")].sort(([a], [b]) => Number(a) - Number(b)).map(([, row]) => row);
  }

  recoveryInputs(now: number): readonly Input[] {
    const inputs: Input[] = [];
    for (const effect of this.pending()) {
      if (effect.class === "once") inputs.push({ kind: "performed", key: effect.key, outcome: { kind: "unknown" } });
      else if (effect.class === "state") inputs.push({ kind: "performed", key: effect.key, outcome: { kind: "dropped" } });
    }
    for (const cell of this.#sourceCells()) {
      if (taskMark(cell)?.kind === "task" && (taskMark(cell) as { readonly class: string }).class === "once") {
        inputs.push({
          kind: "source",
          cell: cell.address,
          incarnation: cell.incarnation,
          said: { kind: "error", error: { kind: "unknown", reason: "the node stopped while the task ran" } },
        });
      }
    }
    for (const [key, ask] of [...this.interior.rest.entries("asks")].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (ask.deadline <= now) inputs.push({ kind: "answered", key, answer: { kind: "unknown", reason: "no answer came before the deadline" } });
    }
    return inputs;
  }

  recoveryEffects(): readonly Effect[] {
    const effects: Effect[] = [];
    for (const cell of this.#sourceCells()) {
      const mark = taskMark(cell);
      if (mark?.kind === "ask" || (mark?.kind === "task" && mark.class === "once")) continue;
      effects.push({ kind: "source.start", cell: cell.address, incarnation: cell.incarnation, key: cell.key as string });
    }
    for (const effect of this.pending()) {
      if (effect.class !== "idempotent") continue;
      effects.push({
        kind: "act",
        cell: effect.cell,
        incarnation: effect.incarnation,
        key: effect.key,
        name: effect.name,
        params: effect.params,
        declared: effect.class,
        cause: { author: effect.author, messageId: effect.messageId },
      });
    }
    for (const rows of this.outbox().values()) for (const row of rows) effects.push({ kind: "send", row });
    return effects;
  }

  taken(id: string): TakenEntry | undefined {
    return this.interior.rest.committed("taken", id);
  }

  source(address: Address, incarnation: number): SourceDescription | undefined {
    const cell = this.interior.cells.get(address);
    if (cell?.incarnation !== incarnation || cell.life !== "running" || cell.plan.logic.kind !== "source") return undefined;
    const { logic } = cell.plan;
    return {
      cell: address,
      incarnation,
      actor: cell.plan.actor.name,
      name: cell.plan.src,
      kind: logic.source,
      logic: logic.logic,
      task: logic.mark,
      input: cell.input,
      key: cell.key as string,
      self: cell.ref,
      system: cell.system,
    };
  }

  onPost(listener: (input: Input) => void): void {
    this.interior.onPost = (cell, event) => {
      listener({ kind: "message", to: cell.address, event, sender: { kind: "local", name: "ref" }, wantsReply: false, incarnation: cell.incarnation });
    };
  }

  #sourceCells(): readonly Cell[] {
    return [...this.interior.cells.values()].filter((cell) => cell.plan.logic.kind === "source" && cell.life === "running").sort((a, b) => a.incarnation - b.incarnation);
  }
}

class HostedTurn implements Turn {
  readonly revision: number;
  readonly consumed: number;
  readonly results: readonly InputResult[];
  readonly effects: readonly Effect[];
  readonly #entity: HostedEntity;
  readonly #kept: { readonly inputs: readonly Input[]; readonly results: readonly InputResult[] } | undefined;
  #record: JournalRecord | undefined;

  constructor(
    entity: HostedEntity,
    revision: number,
    results: readonly InputResult[],
    effects: readonly Effect[],
    kept: { readonly inputs: readonly Input[]; readonly results: readonly InputResult[] } | undefined,
  ) {
    this.revision = revision;
    this.consumed = results.length;
    this.results = results;
    this.effects = effects;
    this.#entity = entity;
    this.#kept = kept;
    // Of a durable entity it is needed anyway, and its cells change with the next turn.
    if (kept !== undefined && entity.interior.durable) this.#record = entity.recordOf(kept.inputs, kept.results, revision);
  }

  /** Of a volatile entity it is made when it is asked for, which must be before the commit. */
  get record(): JournalRecord | undefined {
    if (this.#kept === undefined) return undefined;
    return (this.#record ??= this.#entity.recordOf(this.#kept.inputs, this.#kept.results, this.revision));
  }
}

function taskMark(cell: Cell): TaskMark | undefined {
  return cell.plan.logic.kind === "source" ? cell.plan.logic.mark : undefined;
}

function causeOf(input: Input): { readonly author: string | undefined; readonly messageId: string | undefined } {
  if (input.kind !== "message") return { author: undefined, messageId: undefined };
  const { sender } = input;
  switch (sender.kind) {
    case "outside":
      return { author: sender.author, messageId: sender.id };
    case "entity":
      return { author: `entity:${sender.entity}`, messageId: `${sender.incarnation}.${String(sender.seq)}` };
    case "local":
      return { author: `local:${sender.name}`, messageId: undefined };
  }
}
