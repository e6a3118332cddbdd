// Whether an upgrade leaves an actor in a state that it can never leave again, and what it waited for there before (rules T4; promise S7).
//
// G1. Stranded is who waited for something that is gone (timers, children, messages), where nothing in the new machine leads out of its state any more. Where the older version is registered, what
//     led out is known: whoever could not leave before is not stranded by it. Otherwise all that it waited for may have led out, as long as the machine has any other place to be.
// G2. So is a region of a parallel state that lost a timer or a child, or invokes a stranded one, while others go on. What nobody knows the state of, since the older version is not registered and its name does
//     not tell, may have been each region's.
// G3. A reducer, and a machine with one place to be, is stranded where it waits for nothing and takes no message any more; any machine is, where that took a timer or a child from it.
// G4. A child machine that is stranded will never be done: its end leads nowhere. It strands its parent where nothing else leads out.

import { type AnyActorType } from "../actor/index.ts";
import { activeStatesAt, type ActiveState, isAfterTimer, isMeantBy, type LeafWays, matchStates, nodesAt, statesNamedBy, waysOut, type WaysOut } from "../xstate/index.ts";
import { innerOf } from "./cell-record.ts";
import type { CellRecord, EntityState } from "./contract.ts";
import { earlierMachine, planOfType } from "./plan.ts";
import type { TimerRow } from "./rest-tables.ts";

type Machine = NonNullable<ReturnType<typeof earlierMachine>>;

/** Of one actor, as an entity of its own. */
interface Upgraded {
  readonly type: AnyActorType;
  readonly before: EntityState;
  readonly after: EntityState;
}

/** One cell in both versions. */
interface Standing {
  readonly then: CellRecord;
  readonly now: CellRecord;
  readonly machine: Machine;
  readonly earlier: Machine | undefined;
}

interface Gone {
  readonly timers: readonly TimerRow[];
  readonly children: readonly CellRecord[];
  readonly messages: readonly string[];
}

export function timersOf(state: EntityState): readonly TimerRow[] {
  return ((state.rest as { readonly timers?: readonly (readonly [key: string, row: unknown])[] }).timers ?? []).map(([, row]) => row as TimerRow);
}

/** What runs or may still say something, below actors. */
export function livingUnder(state: EntityState): readonly CellRecord[] {
  return state.cells.filter(({ status, accepts }) => status === "active" && accepts === undefined);
}

/**
 * @param cell as it was
 * @param before the actor with what its machine has made and armed, as an entity of its own
 * @returns its state, its version and what is gone, for whoever is to mend it
 */
export function whyStranded(type: AnyActorType, cell: CellRecord, before: EntityState, after: EntityState): string | undefined {
  const now = after.cells.find(({ address }) => address === cell.address);
  if (now?.status !== "active") return undefined;
  const upgraded = { type, before, after };
  const machine = machineOf(type, now);
  return whyInert(upgraded, cell, now, machine) ?? (machine === undefined ? undefined : whyStuck(upgraded, { then: cell, now, machine, earlier: earlierMachine(type, cell) }));
}

function machineOf(type: AnyActorType, record: CellRecord): Machine | undefined {
  const logic = record.value === null ? undefined : planOfType(type, record.type)?.logic;
  return logic?.kind === "machine" ? logic.machine : undefined;
}

/** G3. */
function whyInert({ type, before, after }: Upgraded, then: CellRecord, now: CellRecord, machine: Machine | undefined): string | undefined {
  if ((now.accepts ?? []).length > 0 || timersOf(after).length > 0 || livingUnder(after).length > 0) return undefined;
  const gone: Gone = { timers: timersOf(before), children: livingUnder(before), messages: then.accepts ?? [] };
  const isOnePlace = machine === undefined || waysOut(machine, now.value)?.hasElsewhere === false;
  if (gone.timers.length === 0 && gone.children.length === 0 && !(isOnePlace && gone.messages.length > 0)) return undefined;
  const state = now.value === null ? "it" : JSON.stringify(now.value);
  return `nothing leads out of ${state} in version ${String(type.version)}, which takes no message there and waits for nothing: ${lost(gone, undefined, then.version).join("")}`;
}

/** G1, G2, G4. */
function whyStuck(upgraded: Upgraded, standing: Standing): string | undefined {
  const { then, now, machine, earlier } = standing;
  const stuck = stuckChildren(upgraded, now);
  const ends = new Set(stuck.flatMap(({ id }) => endsOf(id)));
  const ways = waysOut(machine, now.value, (event) => ends.has(event));
  if (ways === undefined) return undefined;
  const had = earlier === undefined ? undefined : waysOut(earlier, then.value);
  const gone = goneOf(upgraded, standing);
  const told = (place: string, what: readonly string[]): string =>
    `nothing leads out of ${place} in version ${String(upgraded.type.version)}: ${[...what, ...unknownThen(upgraded.type, then)].join("; ")}`;
  const invokes = new Map((activeStatesAt(machine, now.value) ?? []).map((state) => [state.id, (state.invokes ?? []).map(({ id }) => id)]));
  // What a state has invoked is stopped by nothing but an end of that state.
  const stuckIn = (states: Iterable<string>): readonly string[] => {
    const invoked = new Set([...states].flatMap((id) => invokes.get(id) ?? []));
    return stuck.flatMap(({ id, why }) => (invoked.has(id) ? [why] : []));
  };
  if (ways.leaves.every(isShut)) {
    const couldLeave = had === undefined ? ways.hasElsewhere && !isNone(gone) : !had.leaves.every(isShut);
    if (!couldLeave && stuckIn(invokes.keys()).length === 0) return undefined;
    return told(JSON.stringify(now.value), [...lost(gone, couldLeave ? had : undefined, then.version), ...stuck.map(({ why }) => why)]);
  }
  for (const leaf of ways.leaves) {
    if (!isShut(leaf) || leaf.isFinal) continue;
    const goneHere = goneOfRegion(leaf, standing, had, gone);
    const stuckHere = stuckIn(leaf.region);
    if (goneHere === undefined && stuckHere.length === 0) continue;
    const what = [...(goneHere === undefined ? [] : lost(goneHere, undefined, then.version)), ...stuckHere];
    return told(`#${leaf.region[0] ?? ""}, a state within ${JSON.stringify(now.value)},`, what);
  }
  return undefined;
}

function unknownThen(type: AnyActorType, { version }: CellRecord): readonly string[] {
  const isKnown = version === type.version || type.earlier.some((earlier) => earlier.version === version);
  return isKnown ? [] : [`version ${String(version)} is not among \`earlier\`, so that what led out there is not known`];
}

function isShut({ by }: LeafWays): boolean {
  return by.length === 0;
}

/** What one waited for and has no more. A timer that goes on and means nothing is gone too, and a child whose end means nothing any more. */
function goneOf({ type: { version }, before, after }: Upgraded, { then, now, machine, earlier }: Standing): Gone {
  const left = new Set(timersOf(after).map(({ generation }) => generation));
  const isHeard = ({ to, event }: TimerRow): boolean => {
    const { type } = event as { readonly type: string };
    const isOwn = (to as { readonly $ref?: { readonly incarnation?: unknown } } | null)?.$ref?.incarnation === now.incarnation;
    if (!isOwn || !(isAfterTimer(type) || (earlier !== undefined && isMeantBy(earlier, {}, type)))) return true;
    return isMeantBy(machine, { _nodes: nodesAt(machine, now.value) }, type);
  };
  const own = timersOf(before).filter(({ incarnation }) => incarnation === then.incarnation);
  const meansEnd = (of: Machine, value: unknown, id: string): boolean => endsOf(id).some((end) => isMeantBy(of, { _nodes: nodesAt(of, value) }, end));
  const isAwaited = (child: CellRecord): boolean => {
    const alive = livingUnder(after).find(({ incarnation }) => incarnation === child.incarnation);
    if (alive === undefined) return false;
    const wasHeard = earlier === undefined ? then.version < version : meansEnd(earlier, then.value, innerOf(child).id);
    return !wasHeard || meansEnd(machine, now.value, innerOf(alive).id);
  };
  return {
    timers: own.filter((row) => !left.has(row.generation) || !isHeard(row)),
    children: livingUnder(before).filter((child) => isChildOf(child, then) && !isAwaited(child)),
    messages: (then.accepts ?? []).filter((type) => now.accepts?.includes(type) !== true),
  };
}

/** What tells a parent that a child has ended. */
function endsOf(id: string): readonly string[] {
  return [`xstate.done.actor.${id}`, `xstate.error.actor.${id}`];
}

function isNone({ timers, children, messages }: Gone): boolean {
  return timers.length === 0 && children.length === 0 && messages.length === 0;
}

function isChildOf(child: CellRecord, { incarnation }: CellRecord): boolean {
  return innerOf(child).parent?.[1] === incarnation;
}

/** G4. */
function stuckChildren(upgraded: Upgraded, parent: CellRecord): readonly { readonly id: string; readonly why: string }[] {
  const { type, before, after } = upgraded;
  return livingUnder(after).flatMap((now) => {
    const then = before.cells.find(({ incarnation }) => incarnation === now.incarnation);
    const machine = machineOf(type, now);
    if (!isChildOf(now, parent) || then === undefined || machine === undefined) return [];
    const why = whyStuck(upgraded, { then, now, machine, earlier: earlierMachine(type, then) });
    return why === undefined ? [] : [{ id: innerOf(now).id, why: `its child ${now.address} never ends, ${why}` }];
  });
}

/** G2. Of the timers and children of a region; undefined: none, or they led nowhere. */
function goneOfRegion({ region, hasElsewhere }: LeafWays, { then, now, machine, earlier }: Standing, before: WaysOut | undefined, gone: Gone): Gone | undefined {
  const had = (earlier === undefined ? undefined : activeStatesAt(earlier, then.value)) ?? statesNamedBy(then.value, machine.id);
  const around = matchStates(had, activeStatesAt(machine, now.value) ?? []).get(region.at(-1) ?? "");
  if (around === undefined) return undefined;
  const states = new Set(had.filter(({ path }) => around.path.every((key, at) => key === path[at])));
  const isHere = (owner: ActiveState | undefined): boolean => (owner === undefined ? earlier === undefined : states.has(owner));
  const ownerOfChild = (id: string): ActiveState | undefined => had.find(({ invokes }) => invokes?.some((invoke) => invoke.id === id)) ?? ownerOf(id, had);
  const ids = new Set([...states].map(({ id }) => id));
  const leavesBefore = before?.leaves.filter((leaf) => ids.has(leaf.region[0] ?? ""));
  const ledOut = new Set(leavesBefore?.flatMap(({ by }) => by));
  // The name of a delayed event tells no state: it is the region's that its event led out of.
  const isOfHere = ({ name, event }: TimerRow): boolean =>
    isAfterTimer(name) || leavesBefore === undefined ? isHere(ownerOf(name, had)) : ledOut.has((event as { readonly type: string }).type);
  const goneHere: Gone = {
    timers: gone.timers.filter(isOfHere),
    children: gone.children.filter((child) => isHere(ownerOfChild(innerOf(child).id))),
    messages: [],
  };
  const couldLeave = leavesBefore === undefined ? hasElsewhere : leavesBefore.some((leaf) => !isShut(leaf));
  return couldLeave && !isNone(goneHere) ? goneHere : undefined;
}

/** The names of its delays and of its invokes end with the id of a state. */
function ownerOf(name: string, states: readonly ActiveState[]): ActiveState | undefined {
  return states.filter(({ id }) => name.endsWith(`.${id}`)).sort((a, b) => b.id.length - a.id.length)[0];
}

/** @param before what is known to have led out */
function lost({ timers, children, messages }: Gone, before: WaysOut | undefined, version: number): readonly string[] {
  const ofTimer = ({ name, event }: TimerRow): string => {
    const { type } = event as { readonly type: string };
    return type === name ? name : `${name} (${type})`;
  };
  const named = [...timers.map((row) => `the timer ${ofTimer(row)}`), ...children.map(({ address }) => `the child ${address}`), ...messages.map((type) => `the message ${type}`)];
  const told = new Set([...timers.map(({ name }) => name), ...messages]);
  const others = new Set((before?.leaves ?? []).flatMap(({ by }) => by).filter((event) => event === undefined || !told.has(event)));
  return [
    ...(named.length === 0 ? [] : [`gone is what version ${String(version)} waited for there: ${named.join(", ")}`]),
    ...(others.size === 0 ? [] : [`it was left by ${[...others].map((event) => event ?? "an eventless transition").join(", ")}`]),
  ];
}
