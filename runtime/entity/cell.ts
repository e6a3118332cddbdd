// A cell: one actor of an entity, living or finished (design section 3).

import type { Address } from "../address.ts";
import { type ChildRequest, CellRef, type LogicSnapshot, type Observer, type StepCell, type StepResult, type Subscription, type TurnFacts } from "../xstate/index.ts";
import type { CellRecord } from "./contract.ts";
import type { Entered, Entering } from "./entering.ts";
import type { Plan } from "./plan.ts";

/**
 * `made`: its first step is computed, it has not been started. `starting`: its mail waits. `running`. `ended`: finished, failed or stopped; it stays while
 * its parent lists it.
 */
export type Life = "made" | "starting" | "running" | "ended";

/** Who restarts it: the entity's supervisor for a root and for the children of a spec; undefined for what a machine made (hosting H12). */
export type Supervision = { readonly kind: "root" } | { readonly kind: "child"; readonly spec: string };

export interface CellHost {
  readonly system: object;
  readonly facts: TurnFacts;
  readonly durable: boolean;
  isStepped(): boolean;
  adopt(parent: Cell, request: ChildRequest): Cell;
  begin(cell: Cell, input: unknown): LogicSnapshot;
  childOf(parent: Cell, id: string): Cell | undefined;
  bookId(cell: Cell): string;
  readonly observers: {
    observe(cell: Cell, observer: Observer): Subscription;
    listen(cell: Cell, type: string, listener: (event: { readonly type: string }) => void): Subscription;
  };
  post(cell: Cell, event: { readonly type: string }): void;
}

export class Cell implements StepCell, Entered {
  readonly host: CellHost;
  readonly plan: Plan;
  readonly address: Address;
  /** An upgrade may change it. */
  id: string;
  readonly incarnation: number;
  readonly parent: Cell | undefined;
  readonly ref: CellRef;
  readonly supervision: Supervision | undefined;
  readonly systemId: string | undefined;
  readonly syncSnapshot: boolean;
  /** Of a source: what it was given, kept for a start after recovery. */
  input: unknown;
  /** Of a source: the same on every start. */
  key: string | undefined;
  snapshot: LogicSnapshot;
  /** As others may see it. */
  committed: LogicSnapshot | undefined;
  life: Life;
  book: number;
  busy: boolean;
  mail: { readonly type: string }[] | undefined;
  first: StepResult | undefined;
  /** Set between a restore and the upgrade: what another version of its type has written. */
  recorded: CellRecord | undefined;
  /** Noted as changed in the turn under way. */
  isTouched: boolean;
  /** Its context was found beyond the first of its limits. */
  isLarge: boolean;
  /** About what its record takes in a snapshot, as it was measured last. */
  bytes: number;
  /** In the order of the entity's cells (cell-index.ts X1). */
  place: number;
  /** Of a volatile one: a context of it, and the bytes that this one has at most (context-limit.ts). */
  weighed: unknown;
  weighs: number;
  /** Of a volatile one: steps until its context is measured, however little it seems to have gained. */
  stepsLeft: number;
  /** Of a volatile one: its context was found to have parts that are changed in place as a rule. */
  isOpen: boolean;
  entering: Entering | undefined;
  enteredDay: number;
  enteredMs: number;
  enteredIn: number;
  /** While an observer is told: the snapshot that it is told. */
  shown: LogicSnapshot | undefined;

  constructor(
    host: CellHost,
    fields: {
      readonly plan: Plan;
      readonly address: Address;
      readonly id: string;
      readonly incarnation: number;
      readonly parent: Cell | undefined;
      readonly supervision?: Supervision;
      readonly request?: ChildRequest;
    },
    life: Life,
    snapshot: LogicSnapshot,
  ) {
    this.host = host;
    this.plan = fields.plan;
    this.address = fields.address;
    this.id = fields.id;
    this.incarnation = fields.incarnation;
    this.parent = fields.parent;
    this.supervision = fields.supervision;
    this.systemId = fields.request?.systemId;
    this.syncSnapshot = fields.request?.syncSnapshot ?? false;
    this.ref = new CellRef(this);
    this.input = undefined;
    this.key = undefined;
    this.snapshot = snapshot;
    this.committed = undefined;
    this.life = life;
    this.book = 0;
    this.busy = false;
    this.mail = undefined;
    this.first = undefined;
    this.recorded = undefined;
    this.isTouched = false;
    this.isLarge = false;
    this.bytes = 0;
    this.place = 0;
    this.weighed = undefined;
    this.weighs = 0;
    this.stepsLeft = 0;
    this.isOpen = false;
    this.entering = undefined;
    this.enteredDay = 0;
    this.enteredMs = 0;
    this.enteredIn = 0;
    this.shown = undefined;
  }

  get src(): unknown {
    return this.plan.src;
  }

  get sourceInput(): unknown {
    return this.plan.logic.kind === "source" ? this.input : undefined;
  }

  get system(): object {
    return this.host.system;
  }

  get facts(): TurnFacts {
    return this.host.facts;
  }

  get isDurable(): boolean {
    return this.host.durable;
  }

  isWithinReach(): boolean {
    return this.host.isStepped();
  }

  look(): LogicSnapshot {
    return this.host.isStepped() ? this.snapshot : (this.shown ?? this.committed ?? this.snapshot);
  }

  observe(observer: Observer): Subscription {
    return this.host.observers.observe(this, observer);
  }

  listen(type: string, listener: (event: { readonly type: string }) => void): Subscription {
    return this.host.observers.listen(this, type, listener);
  }

  post(event: { readonly type: string }): void {
    this.host.post(this, event);
  }

  child(id: string): Cell | undefined {
    return this.host.childOf(this, id);
  }

  adopt(request: ChildRequest): Cell {
    return this.host.adopt(this, request);
  }

  begin(input: unknown): LogicSnapshot {
    return this.host.begin(this, input);
  }

  bookId(): string {
    return this.host.bookId(this);
  }

  /** Children in the order of the machine's list. */
  listed(): readonly Cell[] {
    const { children } = this.snapshot as { readonly children?: Readonly<Record<string, CellRef>> };
    if (children === undefined) return [];
    const cells: Cell[] = [];
    for (const id in children) cells.push(CellRef.cellOf(children[id] as CellRef) as Cell);
    return cells;
  }

  lists(child: Cell): boolean {
    return (this.snapshot as { readonly children?: Readonly<Record<string, unknown>> }).children?.[child.id] === child.ref;
  }
}

const PLAIN_ID = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;

/** A child's id as one segment of an address: what a segment does not allow is written as `~XX` by its UTF-8 bytes (hosting H8). */
export function escapeId(id: string): string {
  if (PLAIN_ID.test(id)) return id;
  let escaped = "";
  for (const byte of new TextEncoder().encode(id)) {
    const char = String.fromCharCode(byte);
    escaped += /[A-Za-z0-9_-]/.test(char) || (char === "." && escaped !== "") ? char : `~${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped === "" ? "~" : escaped;
}
