// XState's `system`, one for each entity (hosting H3).

import { DroverError } from "../errors.ts";
import { hostedBy, type MadeActor } from "./made-actor.ts";
import type { CellRef } from "./ref.ts";
import type { LogicSnapshot, StepCell, StepEvent } from "./step-cell.ts";
import { freeSystemId, noteMade, stagedHolder, stepUnderWay } from "./step-under-way.ts";
import { namedTransition, stepWatcher } from "./step-watch.ts";

/** Who holds which system id, as earlier steps left it. */
export interface SystemIds {
  holderOf(id: string): StepCell | undefined;
  systemIds(): readonly string[];
}

/** XState's `system` of one entity. */
export class StepSystem {
  readonly #ids: SystemIds;

  constructor(ids: SystemIds) {
    this.#ids = ids;
  }

  get(id: string): CellRef | undefined {
    return this.holderOf(id)?.ref;
  }

  getAll(): Record<string, CellRef> {
    const ids = new Set(this.#ids.systemIds());
    for (let step = stepUnderWay(); step !== undefined; step = step.outer) for (const id of step.systemIds?.keys() ?? []) ids.add(id);
    return Object.fromEntries([...ids].map((id) => [id, this.get(id)] as const).filter((entry): entry is readonly [string, CellRef] => entry[1] !== undefined));
  }

  _bookId(): string {
    return stepUnderWay()?.cell.bookId() ?? "0";
  }

  _set(id: string, actor: MadeActor): void {
    const step = stepUnderWay();
    const child = hostedBy(actor);
    if (step === undefined || child === undefined) return;
    const holder = this.holderOf(id);
    if (holder !== undefined && holder !== child) throw new DroverError("DROVER_CHILD_ID_TAKEN", `Actor with system ID '${id}' already exists.`);
    step.systemIds ??= new Map();
    step.systemIds.set(id, child);
  }

  _unregister(actor: MadeActor): void {
    const child = hostedBy(actor);
    const step = stepUnderWay();
    if (step !== undefined && child?.systemId !== undefined) freeSystemId(step, child.systemId, child);
  }

  _sendInspectionEvent(event: {
    readonly type: string;
    readonly actorRef: MadeActor;
    readonly event?: StepEvent;
    readonly snapshot?: unknown;
    readonly _transitions?: readonly SelectedTransition[];
  }): void {
    const step = stepUnderWay();
    if (step === undefined) return;
    if (event.type === "@xstate.microstep") {
      step.selected ??= anyDoesSomething(event._transitions);
      if (!step.entered) step.entered = anyEnters(event._transitions);
      const watcher = stepWatcher();
      if (watcher !== undefined && event._transitions !== undefined && event._transitions.length > 0)
        watcher.transitions(step.cell, event.event as StepEvent, event._transitions.map(namedTransition), event.snapshot as LogicSnapshot);
    } else if (event.type === "@xstate.actor") {
      if (event.actorRef._parent === step.cell.ref) noteMade(step, event.actorRef);
    }
  }

  // What only the system of a bare actor has (named difference N18).

  inspect(): never {
    return notHere("inspect", "the node's `system.inspection` and `inspect` of the HTTP API show its actors, `system.watch` what is committed");
  }

  getSnapshot(): never {
    return notHere("getSnapshot", "armed timers are in `system.inspection`");
  }

  start(): never {
    return notHere("start", "the node starts its entities");
  }

  get scheduler(): never {
    return notHere("scheduler", "use `after`, or raise and sendTo with a delay");
  }

  // Read by Actor's constructor; nothing here calls them.
  get _clock(): undefined {
    return undefined;
  }

  get _logger(): undefined {
    return undefined;
  }

  /** Who has it, as the step under way sees it. */
  holderOf(id: string): StepCell | undefined {
    const staged = stagedHolder(id);
    return staged === undefined ? this.#ids.holderOf(id) : staged.holder;
  }
}

function notHere(name: string, advice: string): never {
  throw new DroverError("DROVER_IMPURE_STEP", `${name} of XState's system is not offered by that of a hosted actor; ${advice}`);
}

interface SelectedTransition {
  readonly source: { readonly id: string; readonly type: string };
  readonly target: readonly { readonly id: string }[] | undefined;
  readonly reenter: boolean;
  readonly actions: readonly unknown[];
}

function anyDoesSomething(transitions: readonly SelectedTransition[] | undefined): boolean {
  if (transitions === undefined) return false;
  for (const transition of transitions) if (transition.target !== undefined || transition.actions.length > 0) return true;
  return false;
}

/** XState keeps the list of active nodes where the same are active afterwards, so that it does not tell whether they were left in between. */
function anyEnters(transitions: readonly SelectedTransition[] | undefined): boolean {
  if (transitions === undefined) return false;
  for (const { target, source, reenter } of transitions) {
    if (target === undefined || target.length === 0) continue;
    // To itself, with nothing below that would be left, it only acts.
    if (reenter || source.type !== "atomic" || target.some((node) => node !== source)) return true;
  }
  return false;
}
