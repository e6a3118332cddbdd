// What a state and its records were made by: machines, their versions, the shape that a state of them has, XState (rules R1). A snapshot says it in full, a record by the fingerprint of it.
//
// M1. The shape of a machine's state is its states, their kinds, the delays and invokes that each of them waits for, and the declared shape of its context: a state kept under one
//     shape may mean nothing under another, or wait for what never comes.
// M2. A changed shape under the same version is not refused, since most changes only add; it is told when an entity is recovered under it, where a replay differs, and by
//     `drover doctor --machine`. A delay that its state does not have any more is a fault of its actor when it is due.

import { createHash } from "node:crypto";
import type { AnyStateMachine, AnyStateNode } from "xstate";

import { type AnyActorType, type EntityType, isReducer } from "../actor/index.ts";
import type { MadeBy } from "./contract.ts";

/** As pinned in package.json: a test compares them. */
export const XSTATE_VERSION = "5.33.3";

const known = new WeakMap<EntityType, { readonly madeBy: MadeBy; readonly fingerprint: string }>();

export function madeByOf(type: EntityType): { readonly madeBy: MadeBy; readonly fingerprint: string } {
  const found = known.get(type);
  if (found !== undefined) return found;
  const types: Record<string, MadeBy["types"][string]> = {};
  for (const name of [...type.types.keys()].sort()) {
    const actor = type.types.get(name) as AnyActorType;
    types[name] = { version: actor.version, ...(isReducer(actor.behaviour) ? {} : { machine: actor.behaviour.id }), schema: shapeOf(actor) };
  }
  const madeBy: MadeBy = { xstate: XSTATE_VERSION, types };
  const made = { madeBy, fingerprint: fingerprintOfMade(madeBy) };
  known.set(type, made);
  return made;
}

export function fingerprintOfMade(madeBy: MadeBy): string {
  return digest(JSON.stringify(madeBy));
}

const knownCode = new WeakMap<EntityType, string>();

/** Another one for other versions, and for another `migrate` of the same. */
export function upgradeCode(type: EntityType): string {
  let code = knownCode.get(type);
  if (code === undefined) {
    const migrations = [...type.types.values()].map(({ name, migrate }) => [name, Object.entries(migrate).map(([from, step]) => [from, String(step)])]);
    knownCode.set(type, (code = digest(JSON.stringify([madeByOf(type).fingerprint, migrations]))));
  }
  return code;
}

/** M1. */
function shapeOf({ behaviour, contextSchema }: AnyActorType): string {
  return digest(JSON.stringify([isReducer(behaviour) ? null : nodesOf(behaviour), contextSchema ?? null]));
}

function nodesOf(machine: AnyStateMachine): readonly unknown[] {
  const nodes: unknown[] = [];
  const visit = (node: AnyStateNode): void => {
    const after = (node.after as readonly { readonly eventType: string }[]).map(({ eventType }) => eventType);
    const waits = [...new Set(after), ...node.invoke.map(({ id, src }) => [id, src])];
    nodes.push([node.id, node.type, ...(waits.length === 0 ? [] : [waits])]);
    for (const child of Object.values(node.states)) visit(child);
  };
  visit(machine.root);
  return nodes;
}

/** 32 of the bits of SHA-256, in hexadecimal. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
