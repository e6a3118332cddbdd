// Which ways lead out of a state, by the machine's graph alone: whether an actor that stands in it can ever come anywhere else.
//
// O1. A transition leads out of an active leaf (a state without states) that it exits and does not enter again. What comes back to the same leaf leads nowhere, entered again or not.
// O2. A guard may come true and a timer or a child may speak: only what the machine can never take does not count. That is what stands behind an unguarded one of its list, what an unguarded
//     transition of an active state below takes first, and the done event of a state of which some leaf is not final and never left.
// O3. A history counts as another place: what it remembers is not in the graph.

import type { AnyStateMachine, AnyStateNode } from "xstate";

import { matchesDescriptor, upToUnguarded } from "./accepts.ts";
import { nodesAt } from "./active-states.ts";
import { nodesById } from "./logic.ts";

export interface WaysOut {
  /** The active leaves, in the order of the machine. */
  readonly leaves: readonly LeafWays[];
  /** Whether the machine has any other place to be. */
  readonly hasElsewhere: boolean;
}

export interface LeafWays {
  /** Ids of the leaf and of the states around it, up to the next parallel one: of its region, or of the whole machine. Innermost first. */
  readonly region: readonly string[];
  readonly isFinal: boolean;
  /** Within its region. */
  readonly hasElsewhere: boolean;
  /** Events that lead out of it, as the machine names them; `undefined` for an eventless transition. */
  readonly by: readonly (string | undefined)[];
}

interface Transition {
  readonly source: AnyStateNode;
  readonly target: readonly AnyStateNode[] | undefined;
  readonly reenter: boolean;
  readonly guard?: unknown;
}

interface Way {
  /** undefined: eventless. */
  readonly event: string | undefined;
  readonly source: AnyStateNode;
  readonly leaves: readonly AnyStateNode[];
}

const DONE = "xstate.done.state.";

/**
 * Undefined where the machine has no such states.
 * @param isMute events that will not come, e.g. of a child that can never be done
 */
export function waysOut(machine: AnyStateMachine, value: unknown, isMute: (event: string) => boolean = () => false): WaysOut | undefined {
  const nodes = nodesAt(machine, value);
  if (nodes === undefined) return undefined;
  const active = new Set(nodes);
  const ways = possible(
    nodes.flatMap((node) => waysOf(node, active)).filter(({ event }) => event === undefined || !isMute(event)),
    active,
  );
  const leaves = nodes.filter(isLeaf).map((leaf) => {
    const region = regionOf(leaf);
    return {
      region: region.map(({ id }) => id),
      isFinal: leaf.type === "final",
      hasElsewhere: region.some(hasChoice),
      by: [...new Set(ways.filter((way) => way.leaves.includes(leaf)).map(({ event }) => event))],
    };
  });
  return { leaves, hasElsewhere: [...nodesById(machine).values()].some(hasChoice) };
}

/** O2. Done events count when every leaf that is not final yet can be left. */
function possible(ways: readonly Way[], active: ReadonlySet<AnyStateNode>): readonly Way[] {
  const isDone = ({ event, source }: Way): boolean => event === DONE + source.id;
  const counted = new Set(ways.filter((way) => !isDone(way)));
  const open = new Set(ways.filter(isDone));
  const mayBeDone = ({ source }: Way): boolean => {
    const unfinished = [...active].filter((node) => isLeaf(node) && node.type !== "final" && isWithin(node, source));
    return unfinished.length > 0 && unfinished.every((leaf) => [...counted].some(({ leaves }) => leaves.includes(leaf)));
  };
  for (let found: Way | undefined; (found = [...open].find(mayBeDone)) !== undefined; ) {
    open.delete(found);
    counted.add(found);
  }
  return [...counted];
}

function waysOf(node: AnyStateNode, active: ReadonlySet<AnyStateNode>): readonly Way[] {
  const lists: (readonly [event: string | undefined, list: readonly Transition[]])[] = [...node.transitions];
  if (node.always !== undefined) lists.push([undefined, node.always]);
  return lists.flatMap(([event, list]) =>
    event !== undefined && isTakenBelow(event, node, active)
      ? []
      : upToUnguarded(list)
          .map((transition) => ({ event, source: node, leaves: leavesLeft(transition, active) }))
          .filter(({ leaves }) => leaves.length > 0),
  );
}

function isTakenBelow(event: string, node: AnyStateNode, active: ReadonlySet<AnyStateNode>): boolean {
  return [...active].some(
    (below) =>
      below !== node &&
      isWithin(below, node) &&
      [...below.transitions].some(([descriptor, list]) => matchesDescriptor(event, descriptor) && upToUnguarded(list).at(-1)?.guard === undefined),
  );
}

/** O1. By the rules of XState for what is exited and entered. */
function leavesLeft({ source, target, reenter }: Transition, active: ReadonlySet<AnyStateNode>): readonly AnyStateNode[] {
  if (target === undefined || target.length === 0) return [];
  const domain = domainOf(source, target, reenter);
  const exited = [...active].filter(
    (node) => isLeaf(node) && ((node !== domain && (domain === undefined || isWithin(node, domain))) || (reenter && node === source && source === domain)),
  );
  const entered = enteredBy(target, domain);
  return entered === undefined ? exited : exited.filter((leaf) => !entered.has(leaf));
}

/** What stays as it is, itself or around all that changes; undefined: nothing. */
function domainOf(source: AnyStateNode, target: readonly AnyStateNode[], reenter: boolean): AnyStateNode | undefined {
  if (!reenter && target.every((node) => isWithin(node, source))) return source;
  for (let at = target[0]?.parent; at !== undefined; at = at.parent) if ([...target, source].every((node) => node !== at && isWithin(node, at as AnyStateNode))) return at;
  return reenter ? undefined : source.machine.root;
}

/** All that is entered within the domain; undefined: some of it is told by a history (O3). */
function enteredBy(target: readonly AnyStateNode[], domain: AnyStateNode | undefined): ReadonlySet<AnyStateNode> | undefined {
  const entered = new Set<AnyStateNode>();
  const enterRegions = (node: AnyStateNode): void => {
    for (const region of childrenOf(node)) if (![...entered].some((one) => isWithin(one, region))) enter(region);
  };
  const enter = (node: AnyStateNode): void => {
    entered.add(node);
    if (node.type === "compound") enter(node.initial.target[0] as AnyStateNode);
    else if (node.type === "parallel") enterRegions(node);
  };
  for (const node of target) enter(node);
  for (const node of target) {
    for (let at = node.parent; at !== undefined && at !== domain; at = at.parent) if (at.type === "parallel") enterRegions(at);
    if (domain?.type === "parallel" && node !== domain) enterRegions(domain);
  }
  return [...entered].some(({ type }) => type === "history") ? undefined : entered;
}

function isLeaf({ type }: AnyStateNode): boolean {
  return type === "atomic" || type === "final";
}

/** Whether it may be in one state or another. */
function hasChoice(node: AnyStateNode): boolean {
  return node.type === "compound" && childrenOf(node).length > 1;
}

function childrenOf(node: AnyStateNode): readonly AnyStateNode[] {
  return Object.values(node.states as Readonly<Record<string, AnyStateNode>>).filter(({ type }) => type !== "history");
}

/** In it, or the same. */
function isWithin(node: AnyStateNode, around: AnyStateNode): boolean {
  for (let at: AnyStateNode | undefined = node; at !== undefined; at = at.parent) if (at === around) return true;
  return false;
}

function regionOf(leaf: AnyStateNode): readonly AnyStateNode[] {
  const region: AnyStateNode[] = [];
  for (let at: AnyStateNode | undefined = leaf; at !== undefined && at.type !== "parallel"; at = at.parent) region.push(at);
  return region;
}
