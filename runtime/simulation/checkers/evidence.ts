// What checkers judge: the history, and the turns that stores really took, each with what its system had asked for.

import type { EntityType, Registered } from "../../actor/index.ts";
import type { JournalRecord } from "../../entity/contract.ts";
import type { Asked, History } from "../history.ts";
import type { Steps } from "../offered-messages.ts";
import { isNewer } from "../newer-type.ts";

export interface Violation {
  /** Number of the promise or rule, e.g. `S3`. */
  readonly promise: string;
  /** Name of the checker that found it. */
  readonly checker: string;
  /** When it became certain, ms since the beginning. */
  readonly atMs: number;
  readonly what: string;
}

/** Pure: the same history has the same verdict. */
export interface Checker {
  readonly name: string;
  readonly promise: string;
  readonly check: (evidence: Evidence) => readonly Omit<Violation, "checker" | "promise">[];
}

/** A turn of an entity's owner that is in its store, in the order of writing. */
export interface CommittedTurn {
  readonly atMs: number;
  /** Place in the history. */
  readonly at: number;
  readonly store: string;
  readonly node: string;
  readonly run: number;
  readonly entity: string;
  readonly incarnation: string;
  readonly revision: number;
  /** As the system had asked for it. */
  readonly record: JournalRecord;
  /** What its steps came to; undefined where nobody watches them. */
  readonly steps: Steps | undefined;
}

export interface Evidence {
  readonly history: History;
  readonly turns: readonly CommittedTurn[];
  /** By name, as the nodes host them; where these differ, the newest. */
  readonly types: ReadonlyMap<string, EntityType>;
  /** The type under which the node of this store has hosted such entities last; of what it does not host, the newest that any node hosts. */
  readonly typeAt: (store: string, name: string) => EntityType | undefined;
  /** Whether such a history is in no store, because its entity keeps nothing: S3, S7 and S9 do not hold for it (rules M3). */
  readonly isVolatile: (entity: string, incarnation: string) => boolean;
  /** What a store takes at most for one way, to it or back, where it is not told to be slow, ms. */
  readonly storeMs: number;
}

/** @param registered by node, whose name its store has */
export function evidenceOf(history: History, registered: Readonly<Record<string, readonly Registered[]>>, storeMs: number): Evidence {
  const asked = new Map<string, Asked>();
  const turns: CommittedTurn[] = [];
  history.forEach((fact, at) => {
    if (fact.kind === "asked" && fact.epoch > 0 && fact.record !== undefined) asked.set(keyOf(fact), fact);
    if (fact.kind !== "written") return;
    const { record, steps } = asked.get(keyOf(fact)) ?? {};
    if (record === undefined) return;
    const { atMs, store, node, run, entity, incarnation, revision } = fact;
    turns.push({ atMs, at, store, node, run, entity, incarnation, revision, record, steps });
  });
  const types = new Map<string, EntityType>();
  for (const type of Object.values(registered).flat()) if (type.kind === "entity" && isNewer(type, types.get(type.name))) types.set(type.name, type);
  const typeAt: Evidence["typeAt"] = (store, name) => registered[store]?.find((type): type is EntityType => type.kind === "entity" && type.name === name) ?? types.get(name);
  return { history, turns, types, typeAt, isVolatile: volatileIn(history, Object.values(registered).flat()), storeMs };
}

function keyOf(fact: { readonly node: string; readonly run: number; readonly entity: string; readonly incarnation: string; readonly revision: number }): string {
  return `${fact.node} ${String(fact.run)} ${fact.entity} ${fact.incarnation} ${String(fact.revision)}`;
}

/** What was shown as such; of what was not shown, as before its node had started, what no store was asked to take and some node hosts as such. */
function volatileIn(history: History, registered: readonly Registered[]): Evidence["isVolatile"] {
  const kinds = new Set(registered.flatMap((type) => (type.kind === "entity" && type.durability === "volatile" ? [type.name] : [])));
  const shown = new Set<string>();
  const durable = new Set<string>();
  for (const fact of history) {
    if (fact.kind === "shown" && fact.isVolatile === true) shown.add(`${fact.entity} ${fact.incarnation}`);
    if (fact.kind === "asked" && fact.epoch > 0) durable.add(`${fact.entity} ${fact.incarnation}`);
  }
  return (entity, incarnation) => shown.has(`${entity} ${incarnation}`) || (kinds.has(entity.split("/")[1] ?? "") && !durable.has(`${entity} ${incarnation}`));
}
