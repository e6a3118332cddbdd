// A machine's state in another version of the machine: the same configuration as far as its states still exist, and what was not there before begun as XState begins it.

import { type AnyStateMachine, type AnyStateNode, createMachine, spawnChild, type StateValue } from "xstate";

import { type ActiveState, activeStates } from "./active-states.ts";
import { type EncodedConfiguration, restoreConfiguration } from "./codec.ts";
import { nodesById } from "./logic.ts";
import { stepMachine } from "./step.ts";
import type { CellRef } from "./ref.ts";
import type { LogicSnapshot, StepCell, StepResult } from "./step-cell.ts";

/** What invokes that are begun by an upgrade see as their event: nothing was entered. */
const UPGRADE = "drover.upgrade";

export interface CarriedState {
  readonly value: unknown;
  readonly context: unknown;
  /** As it was written: what it names and the machine no longer has is left out. */
  readonly configuration: EncodedConfiguration;
  /** By the ids of its children. */
  readonly children: Readonly<Record<string, CellRef>>;
}

interface MachineSnapshot extends LogicSnapshot {
  readonly value: unknown;
  readonly _nodes: readonly AnyStateNode[];
  readonly children: Readonly<Record<string, CellRef>>;
}

/**
 * The state as the machine has it. A history is kept where its state and all that it remembers are still there.
 * @param now the id of a state that was remembered, as it is named now
 * @throws Error when the machine has no such states
 */
export function carriedOver(machine: AnyStateMachine, state: CarriedState, now: (id: string) => string): LogicSnapshot {
  const known = nodesById(machine);
  const { nodes, history } = state.configuration;
  const resolved = machine.resolveState({ value: state.value as StateValue, context: state.context }) as unknown as MachineSnapshot;
  const configuration: EncodedConfiguration = {
    // Their order counts as long as they are the same.
    ...(nodes !== undefined && isSameSet(nodes, resolved._nodes) ? { nodes } : {}),
    ...(history === undefined
      ? {}
      : {
          history: history
            .map(([id, remembered]) => [now(id), remembered.map(now)] as const)
            .filter(([id, remembered]) => known.get(id)?.type === "history" && remembered.every((node) => known.has(node))),
        }),
  };
  return restoreConfiguration(
    machine,
    { ...configuration, value: state.value, status: resolved.status },
    state.context,
    resolved.status === "done" ? outputOf(machine, state.context) : undefined,
    undefined,
    state.children,
  );
}

function isSameSet(ids: readonly string[], nodes: readonly AnyStateNode[]): boolean {
  return ids.length === nodes.length && nodes.every(({ id }) => ids.includes(id));
}

/** Of a machine that is taken straight to its end. */
function outputOf(machine: AnyStateMachine, context: unknown): unknown {
  const output: unknown = machine.root.output;
  return typeof output === "function" ? (output as (args: object) => unknown)({ context, event: { type: UPGRADE } }) : output;
}

export function statesOf(snapshot: LogicSnapshot): readonly ActiveState[] {
  return activeStates((snapshot as MachineSnapshot)._nodes);
}

/** Whether a state that it is in may be left without any event. */
export function hasEventless(snapshot: LogicSnapshot): boolean {
  return (snapshot as MachineSnapshot)._nodes.some(({ always }) => always !== undefined && always.length > 0);
}

/**
 * Begins invokes of the active states that have no child yet, as if their states were entered now, and nothing else of these states.
 * @param wanted by the ids of invokes
 * @throws what the author's code throws
 */
export function beginInvokes(cell: StepCell, machine: AnyStateMachine, snapshot: LogicSnapshot, wanted: (id: string) => boolean): StepResult {
  const { _nodes: nodes, children } = snapshot as MachineSnapshot;
  const invokes = nodes.flatMap(({ invoke }) => invoke).filter(({ id }) => wanted(id) && !Object.hasOwn(children, id));
  if (invokes.length === 0) return { snapshot, actions: [], taken: true, entered: false, systemIds: undefined };
  // A machine whose only transition makes these children in the order of entry, over the same sources and the same context.
  const carrier = createMachine({
    on: { [UPGRADE]: { actions: invokes.map((invoke) => spawnChild(invoke.src as never, { ...invoke, syncSnapshot: invoke.onSnapshot !== undefined } as never)) } },
  }).provide(machine.implementations as never) as unknown as AnyStateMachine;
  const before = carrier.resolveState({ value: {}, context: snapshot.context }) as unknown as Record<string, unknown>;
  before["children"] = children;
  const result = stepMachine(cell, carrier, before as unknown as LogicSnapshot, { type: UPGRADE });
  return { ...result, snapshot: { ...snapshot, children: (result.snapshot as MachineSnapshot).children } as LogicSnapshot };
}
